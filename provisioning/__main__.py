"""`passerby-provision`: the installer's and operator's tool.

    passerby-provision site init --site SITE --name "Shop 12" --host collector.example.com
    passerby-provision claim new --site SITE --name door --out door.claim
    passerby-provision device new --site SITE --name door --out DEVICE

A site folder holds a site's keys; it belongs on the operator's machine and on the collector. A claim makes one device, once,
a device of the site: the device makes its own keys (passerby enrol --claim door.claim --keys KEYS). `device new` makes a
device's keys here instead, for tests and for devices that cannot reach the collector at first.
Exit codes: 0 done, 2 usage, 5 a file is not what it should be, 6 storage.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from firmware.errors import PasserbyError
from provisioning.claim import HOURS, new_claim
from provisioning.device import new_device
from provisioning.passphrase import add_passphrase_arguments, read_passphrase
from provisioning.site import SUITES, init_site

CLAIM_HELP = (
    "Makes a claim file for one device. Whoever holds it can enrol one device until it is used or expires; hand it over as you "
    "would a key. A running collector takes note of it by itself. On the device: passerby enrol --claim FILE --keys FOLDER."
)


def main(argv: list[str] | None = None) -> int:
    """Run one command; the process's exit code."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except PasserbyError as error:
        print(f"passerby-provision: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="passerby-provision", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    subjects = parser.add_subparsers(metavar="SUBJECT", required=True)
    site = subjects.add_parser("site", help="a site's keys").add_subparsers(metavar="VERB", required=True)
    init = site.add_parser("init", help="make the keys of a new site, once")
    init.add_argument("--site", type=Path, required=True, metavar="FOLDER", help="where the keys go; must hold no site yet")
    init.add_argument("--name", required=True, help="the site's name, as reports show it")
    init.add_argument("--host", action="append", default=[], metavar="NAME", help="how devices reach the collector; may be repeated")
    init.add_argument(
        "--suite",
        type=int,
        choices=SUITES,
        default=1,
        help="1: X25519; 2: X-Wing, safe against later quantum computers, 1 KB more per batch",
    )
    init.set_defaults(run=_site_init)
    device = subjects.add_parser("device", help="devices").add_subparsers(metavar="VERB", required=True)
    new = device.add_parser("new", help="make a device's identity and certificate, and record it with its site")
    new.add_argument("--site", type=Path, required=True, metavar="FOLDER", help="the site's folder")
    new.add_argument("--name", required=True, help="what people call this device")
    new.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="the device's own folder; must hold no device yet")
    new.set_defaults(run=_device_new)
    claims = subjects.add_parser("claim", help="what makes a stranger a device").add_subparsers(metavar="VERB", required=True)
    claim = claims.add_parser("new", help="make a claim: one device, once, within hours", description=CLAIM_HELP)
    claim.add_argument("--site", type=Path, required=True, metavar="FOLDER", help="the site's folder")
    claim.add_argument("--name", required=True, help="what people will call the device")
    claim.add_argument("--out", type=Path, required=True, metavar="FILE", help="the claim file, for the installer; must not exist")
    claim.add_argument("--enrol", default="", metavar="URL", help="the collector's enrolment (default: the site's first host, port 8441)")
    claim.add_argument("--hours", type=float, default=HOURS, metavar="H", help=f"how long it is good (default: {HOURS})")
    claim.add_argument("--json", action="store_true", help="one JSON line for machines")
    claim.set_defaults(run=_claim_new)
    for verb in (init, new):
        add_passphrase_arguments(verb)
        verb.add_argument("--json", action="store_true", help="one JSON line for machines")
    return parser


def _site_init(arguments: argparse.Namespace) -> int:
    passphrase = read_passphrase(arguments, new=True)
    card = init_site(arguments.site, arguments.name, arguments.suite, arguments.host, passphrase, datetime.now(UTC))
    if arguments.json:
        print(json.dumps({"site": card.name, "suite": card.suite, "recipient_id": card.recipient_id.hex(), "folder": str(arguments.site)}))
        return 0
    print(f"Site {card.name}: keys in {arguments.site} (suite {card.suite}, recipient {card.recipient_id.hex()}).")
    if passphrase is None:
        print("The private keys are NOT encrypted: for tests and demonstrations only.")
    print(f"Keep a copy of {arguments.site} where fire and thieves do not come: without recipient.key no count can be read.")
    print(f"Next: passerby-collector serve --site {arguments.site}")
    print(f"Then, for each device: passerby-provision claim new --site {arguments.site} --name door --out door.claim")
    return 0


def _device_new(arguments: argparse.Namespace) -> int:
    made = new_device(arguments.site, arguments.name, arguments.out, read_passphrase(arguments, new=False), datetime.now(UTC))
    if arguments.json:
        print(json.dumps({"device": made.device, "name": made.name, "folder": str(made.folder)}))
        return 0
    print(f"Device {made.name} is {made.device}; its keys are in {made.folder}.")
    print(f'Next: in the device\'s configuration, [uplink] keys = "{made.folder}" and url = "https://HOST:8440".')
    return 0


def _claim_new(arguments: argparse.Namespace) -> int:
    made = new_claim(arguments.site, arguments.name, arguments.out, arguments.enrol, (datetime.now(UTC), arguments.hours))
    if arguments.json:
        print(json.dumps({"name": made.name, "file": str(made.file), "enrol": made.enrol, "expires": made.expires.isoformat()}))
        return 0
    print(f"A claim for {made.name}: {made.file}, single use, until {made.expires:%Y-%m-%d %H:%M} UTC, at {made.enrol}.")
    print(f"Next, on the device: passerby enrol --claim {made.file.name} --keys FOLDER")
    return 0


if __name__ == "__main__":
    sys.exit(main())
