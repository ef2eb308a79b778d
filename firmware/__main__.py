"""`passerby`: arguments to functions. Each command lives in `firmware/commands/`, with its own --help and exit codes.

Exit codes are stable: 0 done, 1 a check did not hold, 2 usage or configuration, 3 source, 4 model, 5 data, 6 storage,
7 uplink, 8 wall, 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import Final

from firmware import __version__
from firmware.errors import ConfigError, PasserbyError

COMMANDS: Final = {
    "run": "start the device on this machine: vision, daemon, delivery",
    "replay": "run a recording through the pipeline and print what it counted",
    "check": "check a configuration and its geometry",
    "detect": "find people in pictures",
    "track": "track detections of a MOTChallenge file",
    "doctor": "check this machine: runtimes, numpy, camera, clock, temperature, Coral",
    "enrol": "make this machine a device of a site, with a claim from its operator",
    "notice": "make the entrance notice and the facts for an impact assessment",
    "warm": "compile everything now: after an install or an upgrade",
    "prove": "try to break the privacy claims of this device",
    "acceptance": "check the signed record of a walk test",
    "token": "make a new token for the status page, with its QR code",
    "find": "find the devices on the local network",
    "bench": "time each stage on this machine",
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="passerby",
        description="Counts people in shops: pixels become events behind a wall, events become acknowledged bytes beyond it.",
        epilog="Try: passerby run --help. Exit codes: 0 done, 1 a check did not hold, 2 usage or configuration, 3 source, "
        "4 model, 5 data, 6 storage, 7 uplink, 8 wall.",
    )
    parser.add_argument("--version", action="version", version=f"passerby {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, line in COMMANDS.items():
        commands.add_parser(name, help=line, add_help=False)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; the process's exit code."""
    argv = sys.argv[1:] if argv is None else argv
    if not argv or argv[0] not in COMMANDS:
        _parser().parse_args(argv or ["--help"])
        return 2
    command = importlib.import_module(f"firmware.commands.{argv[0]}")  # imported late: `check` must not pay for numba
    parser = argparse.ArgumentParser(
        prog=f"passerby {argv[0]}", description=command.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.add_arguments(parser)
    try:
        return int(command.run(parser.parse_args(argv[1:])))
    except ConfigError as error:
        for fault in error.faults:
            print(f"passerby {argv[0]}: {fault}", file=sys.stderr)
        return error.exit_code
    except PasserbyError as error:
        print(f"passerby {argv[0]}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
