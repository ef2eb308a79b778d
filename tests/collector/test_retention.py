"""What is forgotten, by the collector's own clock, and what never is."""

from __future__ import annotations

from collector.database import Database
from collector.receive import commit, prepare
from collector.retention import DAY_MS, retain
from firmware.uplink.exchange import write_request
from tests.collector.devices import OPENINGS, Device, crossing, window

NOW_MS = 1_800_000_000_000


def test_events_go_and_sums_stay(database: Database) -> None:
    """After 30 days, or as long as the operator says; the device's own wall time does not matter."""
    device = Device("door")
    device.enrol(database)
    for age_days in (40, 20, 0):
        body = write_request([device.batch(window(age_days, 2), events=(crossing(age_days),))])
        commit(database, [prepare(device.device, body, device.key.public_key(), OPENINGS)], NOW_MS - age_days * DAY_MS)
    assert retain(database, NOW_MS)["event"] == 1
    assert retain(database, NOW_MS)["event"] == 0
    assert retain(database, NOW_MS, event_days=10)["event"] == 1
    assert database.rows("SELECT sum(entries) FROM line_window") == [(6,)]


def test_what_was_set_aside_goes_with_the_old_keys(database: Database) -> None:
    """180 days, no sooner."""
    database.run(
        "INSERT INTO quarantine (digest, device, reason, envelope, received_ms) VALUES (?, ?, ?, ?, ?)", (b"d", b"x", "why", b"e", NOW_MS)
    )
    assert retain(database, NOW_MS + 179 * DAY_MS)["quarantine"] == 0
    assert retain(database, NOW_MS + 181 * DAY_MS)["quarantine"] == 1
