"""Checks this machine by using it: runtimes, numpy, cameras, clock, temperature, power, Coral, the wall, disk, memory.

Each line is ok, warn (it works, but worse) or fail (it will not work), with what to do. Nothing is changed and nothing
is sent. Runtimes really build and invoke the packaged model, and a child process really tries to break the wall.

  passerby doctor            a line a check
  passerby doctor --json     one JSON document, for fleets

Exit codes: 0 nothing failed (warnings allowed), 1 something did.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys

from rich.console import Console
from rich.text import Text

from firmware.clock import SystemClock
from firmware.doctor import Check, Machine, examine
from firmware.vision.detector import runtimes

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")


def run(args: argparse.Namespace) -> int:
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    found: list[Check] = []
    for check in examine(Machine(SystemClock().wall_ms()), runtimes()):
        found.append(check)
        if not args.json:
            console.print(line(check))
    failed = sum(check.level == "fail" for check in found)
    warned = sum(check.level == "warn" for check in found)
    if args.json:
        print(json.dumps({"ok": failed == 0, "failed": failed, "warned": warned, "checks": [dataclasses.asdict(check) for check in found]}))
    else:
        console.print(f"{len(found)} checks: {failed} failed, {warned} warned")
    return 1 if failed else 0


def line(check: Check) -> Text:
    """A check as it is shown: level, name, finding, and below it what to do."""
    text = Text.assemble((f"{check.level:<5}", _COLOURS[check.level]), f"{check.name:<17}{check.what}")
    if check.hint:
        text.append(f"\n      {'':<16}-> {check.hint}", "dim")
    return text
