"""The ledger's own promises: how far a stream is complete, and what is forgotten. With payloads it is in test_receive.py."""

from __future__ import annotations

import random

import pytest

from collector import ledger
from collector.database import Database
from collector.ledger import SEQ_MAX, Arrival, Entered, Status, advance, begin_stream, enter, note_gap
from firmware.uplink.batch import FOREVER, Gap
from firmware.uplink.envelope import read_header
from tests.collector.devices import Device, window


def arrivals(count: int) -> tuple[Device, list[Arrival]]:
    device = Device("door")
    envelopes = [device.batch(window(index)) for index in range(count)]
    return device, [Arrival(read_header(envelope), envelope) for envelope in envelopes]


def gap(device: Device, first: int, last: int) -> Gap:
    return Gap(clock=device.stamp(0), stream=device.stream, first=first, last=last, reason="evicted")


def test_through_passes_what_is_there_in_any_order(database: Database) -> None:
    """Numbers and gaps, shuffled: after each it is the end of the first unbroken run."""
    device, made = arrivals(40)
    device.enrol(database)
    work: list[Arrival | Gap] = [each for each in made if not 10 <= each.header.seq < 15 and each.header.seq != 22]
    work += [gap(device, 10, 12), gap(device, 13, 14), gap(device, 22, 22)]
    random.Random(3).shuffle(work)
    present: set[int] = set()
    for each in work:
        with database.transaction():
            known = begin_stream(database, device.device, device.stream)
            if isinstance(each, Arrival):
                assert enter(database, each, 1, Status.APPLIED, known.forgotten) is Entered.NEW
                present.add(each.header.seq)
            else:
                note_gap(database, device.device, each)
                present |= set(range(each.first, each.last + 1))
            reached = advance(database, device.device, device.stream, known.through)
        assert reached == next(seq for seq in range(41) if seq not in present) - 1
    assert reached == 39


def test_through_moves_over_more_than_one_step(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hole is filled behind which more stands than is looked at in one step."""
    monkeypatch.setattr(ledger, "ADVANCE_ROWS", 7)
    device, made = arrivals(50)
    device.enrol(database)
    with database.transaction():
        known = begin_stream(database, device.device, device.stream)
        for each in made[1:]:
            enter(database, each, 1, Status.APPLIED, known.forgotten)
        assert advance(database, device.device, device.stream, known.through) == -1
        enter(database, made[0], 1, Status.APPLIED, known.forgotten)
        assert advance(database, device.device, device.stream, known.through) == 49


def test_a_stream_that_ended_is_no_gap_to_pass(database: Database) -> None:
    """FOREVER says where the stream ends; it does not acknowledge numbers that nobody sealed."""
    device, made = arrivals(3)
    device.enrol(database)
    with database.transaction():
        known = begin_stream(database, device.device, device.stream)
        for each in made:
            enter(database, each, 1, Status.APPLIED, known.forgotten)
        note_gap(database, device.device, Gap(clock=device.stamp(0), stream=device.stream, first=3, last=FOREVER, reason="ended"))
        assert begin_stream(database, device.device, device.stream).through == 2
    assert database.rows("SELECT last, through FROM stream") == [(2, 2)]
    assert database.rows("SELECT last FROM gap") == [(SEQ_MAX,)]


def test_what_is_not_applied_is_not_forgotten(database: Database) -> None:
    """A row that still waits for its opening holds everything above it."""
    device, made = arrivals(6)
    device.enrol(database)
    with database.transaction():
        known = begin_stream(database, device.device, device.stream)
        for each in made:
            status = Status.SEALED if each.header.seq == 3 else Status.APPLIED
            enter(database, each, 1, status, known.forgotten)
        advance(database, device.device, device.stream, known.through)
        assert ledger.forget(database, ledger.DIGEST_KEPT_MS + 2) == 3
    assert [int(row[0]) for row in database.rows("SELECT seq FROM ledger ORDER BY seq")] == [3, 4, 5]
