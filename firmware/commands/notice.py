"""Make the entrance notice and the facts for an impact assessment, from the device's own configuration.

    passerby notice --config shop.toml --out paper
    passerby notice --config shop.toml --out paper --controller "Shop Ltd, 1 High Street" --contact "privacy@shop.example"
    passerby notice --config shop.toml --out paper --language de

Writes notice-LANGUAGE.pdf (A4: the first page is for the door, the second for who wants to know) and dpia-facts-LANGUAGE.pdf.
Both say what this configuration does: cameras, lines and zones by name, what leaves the device, and for how long. Make them
anew whenever the configuration changes. Who is responsible is not in the configuration: without --controller and --contact
there is room to write. Every camera needs a purpose. Exit codes: 0 done, 2 usage or configuration, 6 cannot be written.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from firmware.clock import SystemClock
from firmware.commands.config_file import read_text
from firmware.config import parse
from firmware.errors import ConfigError, StorageError
from firmware.notice import ENGLISH, EVENT_DAYS, Origin, Who, fact_sheet, languages, notice, words_of
from firmware.notice_pdf import draw_fact_sheet, draw_notice

WHO_CHARACTERS_MAX: Final = 200  # three lines on the first page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--config", required=True, metavar="FILE", help='the configuration; "-" reads standard input')
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="where the two files go; made if missing")
    parser.add_argument("--language", default=ENGLISH, metavar="CODE", help=f"one of {', '.join(languages())} (default: {ENGLISH})")
    parser.add_argument("--controller", default="", metavar="TEXT", help="who is responsible: name and address")
    parser.add_argument("--contact", default="", metavar="TEXT", help="whom to ask: address, telephone, e-mail")
    parser.add_argument(
        "--event-days",
        type=int,
        default=EVENT_DAYS,
        metavar="N",
        help=f"how long the collector keeps single crossings, its event_days (default: {EVENT_DAYS})",
    )
    parser.add_argument("--font", type=Path, metavar="FILE", help="a TrueType font (default: Helvetica, or DejaVu where letters need it)")
    parser.add_argument("--json", action="store_true", help="print both as one JSON object too")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    text = read_text(arguments.config)
    config, words = parse(text, arguments.config), words_of(arguments.language)
    who = Who(_short(arguments.controller, "--controller"), _short(arguments.contact, "--contact"), _days(arguments.event_days))
    today = datetime.fromtimestamp(SystemClock().wall_ms() / 1000, UTC).date().isoformat()
    origin = Origin(hashlib.sha256(text.encode()).hexdigest()[:12], today)
    try:
        layers, sheet = notice(config, words, who, origin), fact_sheet(config, words, who, origin)
    except ConfigError as error:
        raise ConfigError(arguments.config, faults=tuple(f"{arguments.config}: {fault}" for fault in error.faults)) from error
    files = {
        arguments.out / f"notice-{arguments.language}.pdf": draw_notice(layers, arguments.font),
        arguments.out / f"dpia-facts-{arguments.language}.pdf": draw_fact_sheet(sheet, arguments.font),
    }
    _write(files)
    if not (who.controller and who.contact):
        print("room is left to write who is responsible; --controller and --contact fill it in", file=sys.stderr)
    if arguments.json:
        print(msgspec.json.encode({"files": [str(path) for path in files], "notice": layers, "facts": sheet}).decode())
    else:
        print("\n".join(str(path) for path in files))
    return 0


def _write(files: dict[Path, bytes]) -> None:
    for path, content in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise StorageError(f"{path}: cannot be written: {error.strerror or error}", "name another --out") from error


def _short(text: str, option: str) -> str:
    if len(text) > WHO_CHARACTERS_MAX or not all(character.isprintable() or character == "\n" for character in text):
        raise ConfigError(f"{option} is longer than {WHO_CHARACTERS_MAX} characters, or not plain text", "name, address, that is all")
    return text.strip()


def _days(days: int) -> int:
    if not 1 <= days <= 3650:
        raise ConfigError(f"--event-days {days} is not within 1 to 3650", "as event_days in the collector's configuration")
    return days
