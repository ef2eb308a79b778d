"""When an hour is final: numbers decide, never a clock. More, with reading, in test_reading.py."""

from __future__ import annotations

from collector.completeness import progress, site_hours
from collector.database import Database
from collector.reading import HOUR_MS, Query
from collector.receive import commit, prepare
from firmware.uplink.exchange import write_request
from tests.collector.devices import EPOCH_MS, OPENINGS, Device, window

ALL = Query(0, 2**53, HOUR_MS)
PER_HOUR = 240


def post(database: Database, device: Device, *envelopes: bytes) -> None:
    for at in range(0, len(envelopes), 100):
        body = write_request(envelopes[at : at + 100])
        commit(database, [prepare(device.device, body, device.key.public_key(), OPENINGS)], EPOCH_MS)


def states(database: Database) -> list[str]:
    return [hour.state for hour in site_hours(database, ALL)]


def test_a_hole_keeps_an_hour_open_and_filling_it_closes_it(database: Database) -> None:
    """Everything but one envelope of the first hour: provisional, one missing; with it: final; and a gap does as well."""
    device = Device("door")
    device.enrol(database)
    sealed = [device.batch(window(index)) for index in range(PER_HOUR + 30)]
    post(database, device, device.anchor(0), *(each for index, each in enumerate(sealed) if index not in {7, 9}))
    assert states(database)[0] == "provisional"
    assert progress(database)[0].missing == 2
    post(database, device, sealed[7])
    assert progress(database)[0].missing == 1
    post(database, device, device.gap(device.stream, 9, 9, boot_ms=(PER_HOUR + 30) * 15_000))
    (now,) = progress(database)
    assert (now.missing, now.lost, now.conflicts) == (0, 1, 0)
    assert states(database)[0] == "final"


def test_an_hour_can_be_final_and_blind(database: Database) -> None:
    """Nobody saw a third of it: all has been delivered, and coverage says so."""
    device = Device("door")
    device.enrol(database)
    sealed = [device.batch(window(index, blind_ms=5000)) for index in range(PER_HOUR + 1)]
    post(database, device, *sealed, device.anchor((PER_HOUR + 2) * 15_000))
    hour = site_hours(database, ALL)[0]
    assert (hour.state, hour.coverage_permille) == ("final", 666)
