"""Try to break the privacy claims of this device, and print what came of it.

    passerby prove                          what needs no running device: V1, V3, V8, by the installed program itself
    passerby prove --config FILE            also the running device and its card: V1, V2, V7
    sudo passerby prove --config FILE       also what only root may read
    passerby prove --json                   one JSON document

V1 a vision process that was taken over cannot get out. V2 bytes sealed in a day stay inside the published budget. V3 pixels
of a known pattern leave no trace. V7 no key on the device opens its spool. V8 nothing unknown crosses. "open" means: could
not be tried here, and the line says what it needs. Takes about half a minute; changes nothing, sends nothing.

Exit codes: 0 everything that was tried holds; 1 a claim is broken, or, with --strict, open.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from firmware.clock import SystemClock
from firmware.commands.config_file import load
from firmware.config import Config
from firmware.prove import Finding, prove_locks, prove_no_trace, prove_schema
from firmware.prove_device import prove_processes, prove_spool, vision_processes

DEFAULT_CONFIG = Path("/etc/passerby/passerby.toml")
_COLOURS = {"holds": "green", "open": "yellow", "broken": "bold red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--config", metavar="FILE", help=f"the device's configuration (default: {DEFAULT_CONFIG} where it is)")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--strict", action="store_true", help="what could not be tried counts as broken")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    path = arguments.config or (str(DEFAULT_CONFIG) if DEFAULT_CONFIG.exists() else None)
    found = _with_progress(_findings(load(path) if path else None))
    broken = sum(finding.verdict == "broken" for finding in found)
    opened = sum(finding.verdict == "open" for finding in found)
    if arguments.json:
        findings = [dataclasses.asdict(finding) for finding in found]
        print(json.dumps({"ok": broken == 0, "broken": broken, "open": opened, "findings": findings}, ensure_ascii=False))
    else:
        _show(found, Console(file=sys.stdout, highlight=False))
    return 1 if broken or (opened and arguments.strict) else 0


def _findings(config: Config | None) -> Iterator[Finding]:
    clock = SystemClock()
    yield from prove_processes(vision_processes())
    yield from prove_locks(clock)
    if config is not None:
        yield from prove_spool(config)
    yield from prove_no_trace(clock)
    yield from prove_schema(random.SystemRandom())


def _with_progress(findings: Iterator[Finding]) -> list[Finding]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("trying to break the claims")
        found: list[Finding] = []
        for finding in findings:
            found.append(finding)
            progress.update(task, description=f"trying to break the claims: {finding.claim} {finding.verdict}")
        return found


def _show(found: list[Finding], console: Console) -> None:
    table = Table("claim", "what", "verdict", "how it was found")
    for finding in sorted(found, key=lambda finding: finding.claim):
        table.add_row(finding.claim, finding.what, f"[{_COLOURS[finding.verdict]}]{finding.verdict}[/]", finding.how.replace("[", r"\["))
    console.print(table)
