"""Find the devices on the local network: those that announce a page, by multicast DNS.

    passerby find                    listen for three seconds
    passerby find --seconds 10       longer, on a busy wireless network
    passerby find --json             one JSON object a device

A device tells its address, whether it is running or degraded, and an id that is drawn anew whenever it starts; never its
shop, its model or its serial number. Which device hangs where is on its label. Multicast does not leave a subnet: look from
the network the devices are in. Exit codes: 0 found, 1 no device answered, 2 usage, 7 this machine has no network.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Final

import msgspec

from firmware.status.find import Found, find

SECONDS_MAX: Final = 300.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--seconds", type=_seconds, default=3.0, metavar="S", help="how long to listen (default: 3)")
    parser.add_argument(
        "--interface", action="append", default=[], metavar="ADDRESS", help="an IPv4 address of this machine to ask on (default: all)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a device, for machines")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    devices = asyncio.run(find(arguments.seconds, tuple(arguments.interface)))
    for device in devices:
        print(msgspec.json.encode(device).decode() if arguments.json else _line(device))
    if not devices:
        print(f"no device answered within {arguments.seconds:g} s; is this machine in their subnet?", file=sys.stderr)
    return 0 if devices else 1


def _line(device: Found) -> str:
    places = ", ".join(f"{address}:{device.port}" for address in device.addresses) or "no address"
    return f"{device.name:24} {device.state or 'unknown':10} {places}"


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from error
    if not 0 < seconds <= SECONDS_MAX:
        raise argparse.ArgumentTypeError(f"{text} is not within 0 to {SECONDS_MAX:g} seconds")
    return seconds
