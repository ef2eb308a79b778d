"""`passerby-collector`: receives what devices deliver, and answers only for what is durable.

    passerby-collector serve --site SITE                          one process, SQLite in SITE/collector.db
    passerby-collector serve --site SITE --database postgresql:///passerby --role ingest
    passerby-collector serve --site SITE --database postgresql:///passerby --role open
    passerby-collector windows --site SITE --interval 1h          what was counted (also --json)
    passerby-collector status --site SITE                         devices, and which hours are complete
    passerby-collector export --site SITE --out FOLDER            Parquet by month and site, or CSV

SITE is the folder that `passerby-provision site init` made. Devices recorded in SITE/devices are enrolled as they appear.
Exit codes: 0 done, 2 usage or configuration, 5 a file is not what it should be, 6 the database.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from collector.app import REQUESTS_PER_MINUTE
from collector.reading_commands import add_commands
from collector.serve import Settings, serve
from firmware.errors import PasserbyError
from provisioning.passphrase import add_passphrase_arguments, read_passphrase


def main(argv: list[str] | None = None) -> int:
    """Run one command; the process's exit code."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        return int(arguments.run(arguments))
    except PasserbyError as error:
        print(f"passerby-collector: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        sys.stderr.close()  # the reader has seen enough; Python would complain once more at exit
        return 0
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="passerby-collector", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    serving = commands.add_parser("serve", help="take what devices deliver")
    serving.add_argument("--site", type=Path, required=True, metavar="FOLDER", help="the site's folder, with its keys")
    serving.add_argument("--database", metavar="URL", help="a SQLite file (default SITE/collector.db) or postgresql://...")
    serving.add_argument("--host", default="0.0.0.0", help="address to listen on (default: all)")  # noqa: S104  # a server's default
    serving.add_argument("--port", type=int, default=8440, help="port to listen on; 0 takes a free one and prints it")
    serving.add_argument(
        "--role",
        choices=("all", "ingest", "open"),
        default="all",
        help="ingest: faces devices, has no opening key; open: has it, no network",
    )
    serving.add_argument(
        "--requests-per-minute", type=int, default=REQUESTS_PER_MINUTE, metavar="N", help="of one device (default: %(default)s)"
    )
    add_passphrase_arguments(serving)
    serving.set_defaults(run=_serve)
    add_commands(commands)
    return parser


def _serve(arguments: argparse.Namespace) -> int:
    database = arguments.database or str(arguments.site / "collector.db")
    passphrase = None if arguments.role == "ingest" or not _is_encrypted(arguments.site) else read_passphrase(arguments, new=False)
    settings = Settings(arguments.site, database, arguments.host, arguments.port, arguments.role, passphrase, arguments.requests_per_minute)
    asyncio.run(serve(settings, lambda port: print(f"listening on {arguments.host}:{port}", flush=True)))
    return 0


def _is_encrypted(site: Path) -> bool:
    try:
        return b"ENCRYPTED" in (site / "recipient.key").read_bytes()
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
