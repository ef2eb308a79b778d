"""Make this machine a device of a site: its keys are made here, and a claim from the operator gets it a certificate.

    passerby enrol --claim claim.toml --keys /var/lib/passerby/keys
    passerby enrol --claim claim.toml --keys KEYS --json       one JSON line for machines

The operator makes the claim (passerby-provision claim new); it is good for one device. The private keys never leave this
machine. When the command succeeds the claim file is overwritten and removed; when it is cut short, run it again. The
certificate lasts 30 days and `passerby run` renews it by itself. Next: name the folder under [uplink] keys.
Exit codes: 0 enrolled, 2 usage, 5 the claim or the answer is damaged, 6 the folder, 7 the collector says no or is not there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

from firmware.uplink.enroller import enrol


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--claim", type=Path, required=True, metavar="FILE", help="the claim, as passerby-provision claim new wrote it")
    parser.add_argument("--keys", type=Path, required=True, metavar="FOLDER", help="the device's own folder; must hold no device yet")
    parser.add_argument("--json", action="store_true", help="one JSON line, for machines")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    done = asyncio.run(enrol(arguments.claim, arguments.keys, datetime.now(UTC)))
    if arguments.json:
        print(json.dumps({"device": done.device, "name": done.name, "site": done.site, "folder": str(done.folder)}))
        return 0
    print(f"Device {done.name} of {done.site} is {done.device}; its keys are in {done.folder}, its certificate ends {done.ends:%Y-%m-%d}.")
    print(f'Next: in the configuration, [uplink] keys = "{done.folder}" and url = "https://HOST:8440".')
    return 0
