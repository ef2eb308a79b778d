"""`passerby-collector`: receives what devices deliver, and answers only for what is durable.

    passerby-collector serve --site SITE                          one process, SQLite in SITE/collector.db
    passerby-collector serve --site SITE --database postgresql:///passerby --role ingest     and beside it --role enrol,
    passerby-collector serve --site SITE --database postgresql:///passerby --role open       each with the keys that it needs
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

import msgspec

from collector.app import REQUESTS_PER_MINUTE
from collector.reading_commands import add_commands
from collector.serve import LOOPBACK, Ports, Role, Settings, serve
from collector.settings import read_settings
from firmware.errors import ConfigError, PasserbyError
from provisioning.passphrase import add_passphrase_arguments, read_passphrase

_SERVE_HELP = """Takes what devices deliver, enrols new devices, and answers only for what is durable. Ends in order on Ctrl-C or SIGTERM.

    passerby-collector serve --site SITE                                              SQLite in SITE/collector.db
    passerby-collector serve --config /etc/passerby-collector/collector.toml

Three ports: devices (8440, mutual TLS), enrolment and renewal (the next one), /metrics and /healthz (the one after, on
127.0.0.1 only). For a collector on the internet, three processes over one PostgreSQL database, each with no more than it needs:

    passerby-collector serve --site SITE --database URL --role ingest     no key that opens or certifies: remove them from its SITE
    passerby-collector serve --site SITE --database URL --role enrol      ca.key
    passerby-collector serve --site SITE --database URL --role open       recipient.key, no network"""


def main(argv: list[str] | None = None) -> int:
    """Run one command; the process's exit code."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        return int(arguments.run(arguments))
    except ConfigError as error:
        for fault in error.faults:
            print(f"passerby-collector: {fault}", file=sys.stderr)
        return error.exit_code
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
    serving = commands.add_parser(
        "serve", help="take what devices deliver", description=_SERVE_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    serving.add_argument(
        "--config", type=Path, metavar="FILE", help="a TOML file with the keys site, database, host, port, role ...; options win"
    )
    serving.add_argument("--site", type=Path, metavar="FOLDER", help="the site's folder, with its keys")
    serving.add_argument("--database", metavar="URL", help="a SQLite file (default SITE/collector.db) or postgresql://...")
    serving.add_argument("--host", help="address to listen on (default: all)")
    serving.add_argument("--port", type=int, help="port to listen on; 0 takes a free one and prints it (default: 8440)")
    serving.add_argument("--enrol-port", type=int, help="port where devices enrol and renew their certificates (default: port + 1)")
    serving.add_argument("--metrics-port", type=int, help="port of /metrics and /healthz, on 127.0.0.1 only (default: port + 2)")
    serving.add_argument(
        "--role",
        choices=("all", "ingest", "enrol", "open"),
        help="ingest: faces devices, has no key that opens; enrol: certifies devices; open: has the opening key, no network",
    )
    serving.add_argument("--requests-per-minute", type=int, metavar="N", help=f"of one device (default: {REQUESTS_PER_MINUTE})")
    add_passphrase_arguments(serving)
    serving.set_defaults(run=_serve)
    add_commands(commands)
    return parser


def _serve(arguments: argparse.Namespace) -> int:
    told = read_settings(arguments.config)
    wishes = {name: getattr(arguments, name) for name in told.__struct_fields__ if getattr(arguments, name, None) is not None}
    told = msgspec.structs.replace(told, **{**wishes, **({"site": str(arguments.site)} if arguments.site else {})})
    if not told.site:
        raise ConfigError("no site is named", '--site FOLDER, or site = "..." in the configuration; passerby-provision site init makes one')
    site = Path(told.site)
    passphrase = read_passphrase(arguments, new=False) if _needs_passphrase(site, told.role) else None
    settings = Settings(
        site=site,
        database=told.database or str(site / "collector.db"),
        host=told.host,
        port=told.port,
        enrol_port=_port(told.enrol_port, told.port, 1),
        metrics_port=_port(told.metrics_port, told.port, 2),
        role=told.role,
        passphrase=passphrase,
        requests_per_minute=told.requests_per_minute,
        event_days=told.event_days,
    )
    asyncio.run(serve(settings, lambda ports: _say(settings, ports)))
    return 0


def _say(settings: Settings, ports: Ports) -> None:
    if ports.uplink:
        print(f"listening on {settings.host}:{ports.uplink}", flush=True)
    if ports.enrol:
        print(f"enrolling on {settings.host}:{ports.enrol}", flush=True)
    if ports.metrics:
        print(f"metrics on http://{LOOPBACK}:{ports.metrics}/metrics", flush=True)
    if settings.role == "open":
        print("opening", flush=True)


def _port(told: int | None, port: int, after: int) -> int:
    """A free one where the first is free, else the next ones."""
    if told is not None:
        return told
    return port + after if port else 0


def _needs_passphrase(site: Path, role: Role) -> bool:
    """Whether a key that the role needs is encrypted."""
    needed = {"ingest": (), "open": ("recipient.key",), "enrol": ("ca.key",), "all": ("recipient.key", "ca.key")}[role]
    return any(_is_encrypted(site / name) for name in needed)


def _is_encrypted(path: Path) -> bool:
    try:
        return b"ENCRYPTED" in path.read_bytes()
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
