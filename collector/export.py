"""History leaves as files that other tools read: CSV, or Parquet partitioned by month and site.

One row a place and interval, counts only, as `reading.report` gives them; distributions go to a file of their own, after
small-number protection. Times are UTC. Files are written whole under a temporary name and then renamed.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from collector.reading import Distribution, Place, Reported
from firmware.errors import ConfigError, StorageError

COUNTS: Final = (
    "entries", "exits", "provisional_entries", "provisional_exits", "staff_entries", "staff_exits", "ambiguous",
    "occupancy_ms", "occupancy_max", "served", "abandoned",
    "observed_ms", "blind_ms", "frames", "dropped_frames", "births", "births_inside", "relinked",
    "still", "voided", "drift", "fallback_frames",
)  # fmt: skip


def count_rows(reported: Sequence[Reported]) -> Iterator[dict[str, Any]]:
    """Flat rows; a count that a kind of place does not have is None."""
    for each in reported:
        yield {
            **_place(each.place),
            "start": datetime.fromtimestamp(each.start_ms / 1000, UTC),
            "seconds": each.length_ms // 1000,
            "uncertain": each.uncertain,
            **{name: each.sums.get(name) for name in COUNTS},
        }


def distribution_rows(distributions: Sequence[Distribution]) -> Iterator[dict[str, Any]]:
    """Flat rows: cell 0..15 of the histogram, or -1 for the sum of durations."""
    for each in distributions:
        for cell, released in enumerate((each.total, *each.cells), start=-1):
            for part in released:
                yield {
                    **_place(each.place),
                    "what": each.what,
                    "cell": cell,
                    "start": datetime.fromtimestamp(part.start_ms / 1000, UTC),
                    "seconds": part.length_ms // 1000,
                    "people": part.people,
                    "sum_ms": part.value if cell < 0 else None,
                }


def to_csv(rows: Sequence[dict[str, Any]]) -> str:
    """CSV with a header; text that a spreadsheet would take for a formula is quoted with an apostrophe."""
    if not rows:
        return ""
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _cell(value) for key, value in row.items()})
    return out.getvalue()


def write_csv(rows: Sequence[dict[str, Any]], folder: Path, name: str) -> list[Path]:
    """`folder/name.csv`; nothing where there are no rows.

    Raises:
        StorageError: the folder cannot be written.
    """
    path = folder / f"{name}.csv"
    if not rows:
        return []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(to_csv(rows), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}") from error
    return [path]


def to_parquet(rows: Sequence[dict[str, Any]], folder: Path, name: str) -> list[Path]:
    """`folder/month=2026-11/site=NAME/name.parquet` for each month and site.

    Raises:
        ConfigError: pyarrow is not installed.
        StorageError: the folder cannot be written.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigError("Parquet needs pyarrow", "pip install 'passerby[collector]'") from error
    parts: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        parts[f"{row['start']:%Y-%m}", row["site"]].append(row)
    written = []
    for (month, site), part in sorted(parts.items()):
        path = folder / f"month={month}" / f"site={_safe(site)}" / f"{name}.parquet"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_suffix(".tmp")
            parquet.write_table(pa.Table.from_pylist(part), temporary)
            temporary.replace(path)
        except OSError as error:
            raise StorageError(f"cannot write {path}: {error}") from error
        written.append(path)
    return written


def _place(place: Place) -> dict[str, str]:
    kind, _, zone_kind = place.kind.partition(":")
    return {"site": place.site, "camera": place.camera, "kind": zone_kind or kind, "name": place.name}


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, str) and value and value[0] in "=+-@\t\r":
        return "'" + value
    return value


def _safe(site: str) -> str:
    """A site's name as a folder: what is not plain is written as its code."""
    return re.sub(r"[^A-Za-z0-9._-]", lambda match: f"%{ord(match.group()):02X}", site) if site not in {".", ".."} else "%2E"
