"""The books: columns follow the structs, sums add, maxima do not, whatever the order."""

from __future__ import annotations

import random
from pathlib import Path

from collector.books import CAMERA_COLUMNS, LINE_COLUMNS, ZONE_COLUMNS, Sheet, apply, boot_number, place_number
from collector.database import Database, open_database
from firmware.events import Audit, LineSums, Window, ZoneSums
from firmware.uplink.batch import Batch
from firmware.uplink.envelope import GENESIS, Header, Kind, Place, header_for
from tests.collector.devices import OPENING, Device


def payload(device: Device, *windows: Window) -> tuple[Header, Batch]:
    header = header_for(Kind.BATCH, Place(device.stream, 0, GENESIS), device.stamp(0), OPENING.recipient(), device.device)
    return header, Batch(site="shop", camera="door", disclosure="windows", model=b"", clock=device.stamp(0), windows=windows)


def test_every_field_has_its_column(tmp_path: Path) -> None:
    """A field that is added to a struct and not to the schema is seen here, not in the field."""
    database = open_database(str(tmp_path / "books.db"))
    for table, columns in (("line", LINE_COLUMNS), ("zone", ZONE_COLUMNS), ("camera", CAMERA_COLUMNS)):
        for book in ("window", "hour"):
            names = {str(row[1]) for row in database.rows(f"PRAGMA table_info({table}_{book})")}
            assert set(columns) <= names
            assert names - set(columns) <= {"place", "boot", "start_ms", "length_ms", "parts", "end_ms"}
    database.close()


def test_rows_of_one_key_add_up_in_any_order(database: Database) -> None:
    """Two cameras' worth of the same window, in two sheets or one, in any order: sums add, the longest wait stays the longest."""
    device = Device("door")
    device.enrol(database)
    windows = [
        Window(0, 15_000, (LineSums("in", count),), (ZoneSums("till", "queue", occupancy_max=count, wait_max_ms=count * 10),), Audit(count))
        for count in (3, 1, 2)
    ]
    rng = random.Random(1)
    for _ in range(4):
        rng.shuffle(windows)
        with database.transaction():
            for table in ("line_window", "zone_window", "camera_window"):
                database.run(f"DELETE FROM {table}")
            sheet = Sheet()
            for window in windows[:2]:
                apply(database, sheet, *payload(device, window), 1)
            sheet.write(database)
            apply(database, sheet, *payload(device, windows[2]), 1)
            sheet.write(database)
        assert database.rows("SELECT parts, entries FROM line_window") == [(3, 6)]
        assert database.rows("SELECT occupancy_max, wait_max_ms FROM zone_window") == [(3, 30)]
        assert database.rows("SELECT observed_ms FROM camera_window") == [(6,)]


def test_an_empty_sheet_writes_nothing(database: Database) -> None:
    """And one that was written is empty."""
    sheet = Sheet()
    with database.transaction():
        sheet.write(database)
    assert database.rows("SELECT count(*) FROM line_window") == [(0,)]


def test_numbers_stand_for_what_they_name() -> None:
    """63 bits, the same for the same, another for another, also where parts could run together."""
    assert place_number(b"d", "ab", "c", "line", "x") != place_number(b"d", "a", "bc", "line", "x")
    assert boot_number(b"d" * 16, b"b") == boot_number(b"d" * 16, b"b") != boot_number(b"e" * 16, b"b")
    assert all(0 <= boot_number(bytes([value]), b"") < 2**63 for value in range(256))
