"""Check the signed record of a walk test: that this device made it, and that nobody changed it since.

    passerby acceptance record.json                     is it whole, and of which device
    passerby acceptance record.json --device ID         ... and is it of this device (the id on its label, 32 hex digits)
    passerby acceptance record.json --json              one JSON document: the record

Nothing else is needed: no network, no site folder, no device. Exit codes: 0 whole and every line passed; 1 whole, but a line
failed; 2 usage; 5 changed, signed by another, or no record at all.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from firmware.commissioning.acceptance import RECORD_BYTES_MAX, Record, verify
from firmware.commissioning.walk_test import said
from firmware.errors import ConfigError, DataError

ID_BYTES = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("file", type=Path, metavar="RECORD", help="the file that the status page offered after the walk test")
    parser.add_argument("--device", metavar="ID", help="the device it must come from: 32 hex digits")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    record = verify(_read(arguments.file), _device(arguments.device))
    if arguments.json:
        print(json.dumps(msgspec.to_builtins(record), ensure_ascii=False))
    else:
        _show(record, Console(file=sys.stdout, highlight=False))
    return 0 if record.passed else 1


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(RECORD_BYTES_MAX + 1)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}", "give the path of the record") from error


def _device(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        device = bytes.fromhex(text)
    except ValueError:
        device = b""
    if len(device) != ID_BYTES:
        raise ConfigError(f"{text} is no device id", "32 hex digits, as on the device's label")
    return device


def _show(record: Record, console: Console) -> None:
    about = record.about
    when = datetime.fromtimestamp(about.made_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    console.print(f"The signature holds: made by device {record.device}.", markup=False)
    console.print(
        f"{about.site}, camera {about.camera}, {when} (clock: {about.quality}), {about.installer or 'no name given'}.", markup=False
    )
    table = Table("line", "part", "in", "out", "seen s", "result")
    for line in record.lines:
        for part in line.parts:
            words = "passed" if part.passed else "; ".join(said(reason) for reason in part.reasons)
            table.add_row(line.line, part.part, str(part.entries), str(part.exits), str(part.seen_s), words)
    console.print(table)
    console.print("Accepted." if record.passed else "NOT accepted.")
