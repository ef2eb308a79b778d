"""`passerby-collector windows | events | status | export`: the books on a terminal, as JSON, CSV or Parquet.

Arguments to functions: what may be said is decided in `collector.reading` and `collector.small_numbers`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from collector.claims import claim_states
from collector.clock_mapping import Mapping
from collector.completeness import progress, site_hours
from collector.database import Database, open_database
from collector.export import count_rows, distribution_rows, to_parquet, write_csv
from collector.reading import Query, distributions, mappings, report
from firmware.errors import ConfigError

Run = Callable[[argparse.Namespace, Database], int]
INTERVALS: Final = {"15s": 15_000, "5min": 300_000, "1h": 3_600_000, "day": 86_400_000}
FOLLOW_S: Final = 2.0
DAY_MS: Final = 86_400_000
_SHOWN: Final = ("entries", "exits", "occupancy_max", "served", "abandoned", "ambiguous", "observed_ms", "blind_ms")


_WINDOWS_HELP: Final = """Counts per line, zone and camera, at an interval of wall time (UTC).

    passerby-collector windows --site SITE                               the last day, in rows of five minutes
    passerby-collector windows --site SITE --from 2026-11-01 --total     one row per place since the first of November
    passerby-collector windows --site SITE --json --follow               for machines: what is new, every two seconds

With --json there are also rows of dwell and wait (what, cell, people): a cell about fewer than five people waits for a longer
interval. `observed` and `blind` say how much of the time the camera saw; `uncertain` that nobody set the device's clock."""
_EVENTS_HELP: Final = """Single crossings and visits, as far as a device's disclosure level lets them out; kept for event_days.

    passerby-collector events --site SITE --from 2026-11-20T09:00 --name entrance --json

A pseudonym lives for minutes, is random, and names nobody."""
_STATUS_HELP: Final = """How far each device's numbering is complete, which claims are open, and which hours are final.

    passerby-collector status --site SITE --from 2026-11-01

An hour is `final` when every device of its site has delivered past it, or said what is lost; else `provisional`."""
_EXPORT_HELP: Final = """Counts and distributions as files that other tools read.

    passerby-collector export --site SITE --from 2026-11-01 --out EXPORT                  Parquet, month=2026-11/site=NAME/
    passerby-collector export --site SITE --interval 1h --format csv --out EXPORT         windows.csv, distributions.csv

DuckDB:  SELECT * FROM 'EXPORT/**/windows.parquet'"""


def add_commands(commands: Any) -> None:
    """Add the four commands to the parser."""
    windows = _command(commands, "windows", "counts per line, zone and camera", _WINDOWS_HELP, _windows)
    windows.add_argument("--total", action="store_true", help="one row per place over the whole time")
    windows.add_argument("--follow", action="store_true", help="go on, printing what is new every two seconds (with --json)")
    _command(commands, "events", "single crossings and visits, as far as the disclosure level let them out", _EVENTS_HELP, _events)
    _command(commands, "status", "devices, claims, and which hours are complete", _STATUS_HELP, _status)
    export = _command(commands, "export", "counts and distributions as files: CSV, or Parquet by month and site", _EXPORT_HELP, _export)
    export.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where the files go")
    export.add_argument("--format", choices=("csv", "parquet"), default="parquet", help="default: parquet")


def _command(commands: Any, name: str, line: str, text: str, run: Run) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=line, description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    _add_query(parser)
    parser.set_defaults(run=partial(_with_database, run))
    return parser


def _add_query(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--site", type=Path, metavar="FOLDER", help="the site's folder (database: SITE/collector.db)")
    parser.add_argument("--database", metavar="URL", help="a SQLite file or postgresql://...")
    parser.add_argument("--from", dest="begin", metavar="TIME", help="UTC, 2026-11-20 or 2026-11-20T09:00 (default: a day ago)")
    parser.add_argument("--to", dest="end", metavar="TIME", help="UTC, not included (default: now)")
    parser.add_argument("--interval", choices=INTERVALS, default="5min", help="length of a row (default: 5min)")
    parser.add_argument("--only-site", metavar="NAME", help="of this site alone")
    parser.add_argument("--name", help="this line or zone alone")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def _with_database(run: Run, arguments: argparse.Namespace) -> int:
    with contextlib.closing(_database(arguments)) as database:
        return run(arguments, database)


def _database(arguments: argparse.Namespace) -> Database:
    if arguments.database is None and arguments.site is None:
        raise ConfigError("no database is named", "--site FOLDER or --database URL")
    url = arguments.database or str(arguments.site / "collector.db")
    if "://" not in url and not Path(url).exists():
        raise ConfigError(f"{url} does not exist", "passerby-collector serve makes it")
    return open_database(url)


def _query(arguments: argparse.Namespace) -> Query:
    now_ms = int(time.time() * 1000)
    end = now_ms + 1 if arguments.end is None else _time(arguments.end)
    begin = end - DAY_MS if arguments.begin is None else _time(arguments.begin)
    if begin >= end:
        raise ConfigError("--from is not before --to", "both are UTC")
    return Query(begin, end, INTERVALS[arguments.interval], arguments.only_site, arguments.name)


def _time(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{text!r} is no time", "2026-11-20 or 2026-11-20T09:00, UTC") from error
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)


def _windows(arguments: argparse.Namespace, database: Database) -> int:
    if arguments.follow and not arguments.json:
        raise ConfigError("--follow prints lines for machines", "add --json; a table for people is one moment")
    query = _query(arguments)
    rows = list(count_rows(report(database, query)))
    if arguments.total:
        rows = _totals(rows)
    spread = list(distribution_rows(distributions(database, query)))
    if not arguments.json:
        _print_table(rows, ("start", "site", "camera", "kind", "name", *_SHOWN))
        if not rows:
            print("no windows in this time; --from and --to are UTC", file=sys.stderr)
        return 0
    seen: set[str] = set()
    _print_json(rows + spread, seen)
    while arguments.follow:
        time.sleep(FOLLOW_S)
        latest = Query(query.from_ms, int(time.time() * 1000) + 1, query.interval_ms, query.site, query.name)
        _print_json(list(count_rows(report(database, latest))), seen)
    return 0


def _totals(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    together: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        key = (row["site"], row["camera"], row["kind"], row["name"])
        total = together.setdefault(key, {**row, "seconds": 0, **{name: None for name in row if isinstance(row[name], int)}})
        total["uncertain"] = bool(total["uncertain"]) or row["uncertain"]
        for name, value in row.items():
            if isinstance(value, int) and not isinstance(value, bool):
                known = total[name] or 0
                total[name] = max(known, value) if name == "occupancy_max" else known + value
    return list(together.values())


def _events(arguments: argparse.Namespace, database: Database) -> int:
    query = _query(arguments)
    placed = mappings(database)
    rows = database.rows(
        "SELECT event.boot, event.t_ms, event.said, place.site, place.camera FROM event JOIN place ON place.place = event.place "
        "ORDER BY event.boot, event.t_ms, event.seq, event.position"
    )
    out = [row for row in (_event(query, placed, *row) for row in rows) if row is not None]
    out.sort(key=lambda row: row["time"])
    if arguments.json:
        _print_json(out, set())
    else:
        _print_table(out, ("time", "site", "camera", "type", "where", "what", "pseudonym"))
    return 0


def _event(query: Query, placed: dict[int, Mapping], boot: int, t_ms: int, said: str, site: str, camera: str) -> dict[str, Any] | None:
    mapping = placed.get(int(boot))
    wall_ms = None if mapping is None else mapping.wall_ms(int(t_ms))
    event = json.loads(said)
    where = event.get("line") or event.get("zone")
    if wall_ms is None or not query.from_ms <= wall_ms < query.to_ms or query.site not in (None, site) or query.name not in (None, where):
        return None
    moment = datetime.fromtimestamp(wall_ms / 1000, UTC)
    what = " ".join(str(event[name]) for name in ("direction", "stage", "count", "outcome", "dwell_ms") if event.get(name) is not None)
    return {"time": moment, "site": site, "camera": camera, "where": where, "what": what, **event}


def _status(arguments: argparse.Namespace, database: Database) -> int:
    devices = [
        {
            "device": each.device.hex(),
            "name": each.name,
            "complete_until": None if each.complete_until_ms is None else datetime.fromtimestamp(each.complete_until_ms / 1000, UTC),
            "missing": each.missing,
            "lost": each.lost,
            "conflicts": each.conflicts,
        }
        for each in progress(database)
    ]
    claims = [
        {
            "claim": each.name,
            "state": each.state,
            "expires": datetime.fromtimestamp(each.expires_ms / 1000, UTC),
            "refused": each.refused,
            "device": None if each.device is None else each.device.hex(),
        }
        for each in claim_states(database, int(time.time() * 1000))
    ]
    hours = [
        {
            "site": each.site,
            "hour": datetime.fromtimestamp(each.start_ms / 1000, UTC),
            "state": each.state,
            "coverage_permille": each.coverage_permille,
            "uncertain": each.uncertain,
        }
        for each in site_hours(database, _query(arguments))
    ]
    if arguments.json:
        _print_json(devices + claims + hours, set())
        return 0
    if not devices:
        print("no device yet; passerby-provision claim new makes a claim for one", file=sys.stderr)
    _print_table(devices, ("name", "device", "complete_until", "missing", "lost", "conflicts"))
    _print_table(claims, ("claim", "state", "expires", "refused", "device"))
    _print_table(hours, ("site", "hour", "state", "coverage_permille", "uncertain"))
    return 0


def _export(arguments: argparse.Namespace, database: Database) -> int:
    query = _query(arguments)
    written: list[Path] = []
    for name, rows in (
        ("windows", list(count_rows(report(database, query)))),
        ("distributions", list(distribution_rows(distributions(database, query)))),
    ):
        if arguments.format == "parquet":
            written += to_parquet(rows, arguments.out, name)
        else:
            written += write_csv(rows, arguments.out, name)
    if arguments.json:
        print(json.dumps({"files": [str(path) for path in written]}))
    else:
        print("\n".join(str(path) for path in written) or "nothing to export in this time")
    return 0


def _print_json(rows: Sequence[dict[str, Any]], seen: set[str]) -> None:
    for row in rows:
        line = json.dumps({key: _plain(value) for key, value in row.items() if value is not None})
        if line not in seen:
            seen.add(line)
            print(line, flush=True)


def _print_table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    if not rows:
        return
    used = [column for column in columns if any(row.get(column) is not None for row in rows)]
    table = Table(box=None, pad_edge=False)
    for column in used:
        table.add_column(column.removesuffix("_ms"), justify="right" if isinstance(rows[0].get(column), int) else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(_shown(column, row.get(column)) for column in used))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _shown(column: str, value: object) -> str:
    if value is None:
        return ""
    if column.endswith("_ms") and isinstance(value, int):
        return f"{value / 1000:.1f} s"
    return str(_plain(value))


def _plain(value: object) -> object:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value
