"""The ledger's own promises: how far a stream is complete, and what is forgotten. With payloads it is in test_receive.py."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from collector import ledger
from collector.database import Database
from collector.ledger import SEQ_MAX, Arrival, Entered, Known, Status, begin_streams, enter, note_gap, reach
from firmware.uplink.batch import FOREVER, Gap
from firmware.uplink.envelope import read_header
from tests.collector.devices import Device, window


def arrivals(count: int) -> tuple[Device, list[Arrival]]:
    device = Device("door")
    envelopes = [device.batch(window(index)) for index in range(count)]
    return device, [Arrival(read_header(envelope), envelope) for envelope in envelopes]


def gap(device: Device, first: int, last: int) -> Gap:
    return Gap(clock=device.stamp(0), stream=device.stream, first=first, last=last, reason="evicted")


def known_of(database: Database, device: Device) -> Known:
    return begin_streams(database, [(device.device, device.stream)])[device.device, device.stream]


def arrive(database: Database, device: Device, made: Sequence[Arrival | Gap]) -> tuple[int, tuple[Entered, ...]]:
    """One transaction's worth: how far the stream is complete then, and what the ledger said of the arrivals."""
    key = (device.device, device.stream)
    with database.transaction():
        known = begin_streams(database, [key])
        entered = enter(database, [(each, Status.APPLIED) for each in made if isinstance(each, Arrival)], 1, known)
        gaps = [each for each in made if isinstance(each, Gap)]
        for each in gaps:
            note_gap(database, device.device, each)
        present = {each.header.seq for each in made if isinstance(each, Arrival)}
        return reach(database, known, {key: present}, {key} if gaps else ())[key], entered


@pytest.mark.parametrize("together", [1, 3, 40])
def test_through_passes_what_is_there_in_any_order(database: Database, together: int) -> None:
    """Numbers and gaps, shuffled, alone or in groups: after each transaction it is the end of the first unbroken run."""
    device, made = arrivals(40)
    device.enrol(database)
    work: list[Arrival | Gap] = [each for each in made if not 10 <= each.header.seq < 15 and each.header.seq != 22]
    work += [gap(device, 10, 12), gap(device, 13, 14), gap(device, 22, 22)]
    random.Random(3).shuffle(work)
    present: set[int] = set()
    for start in range(0, len(work), together):
        group = work[start : start + together]
        for each in group:
            present |= {each.header.seq} if isinstance(each, Arrival) else set(range(each.first, each.last + 1))
        reached, entered = arrive(database, device, group)
        assert set(entered) <= {Entered.NEW}
        assert reached == next(seq for seq in range(41) if seq not in present) - 1
        assert database.rows("SELECT through FROM stream") == [(reached,)]
    assert reached == 39


def test_one_number_twice_in_one_transaction_is_entered_once(database: Database) -> None:
    """The first is new, the same bytes again are a duplicate, other bytes a conflict; so it stays in later ones."""
    device, (made, *_) = arrivals(1)
    device.enrol(database)
    twin = Device("door")
    other = twin.batch(window(7))
    another = Arrival(read_header(other), other)
    assert arrive(database, device, [made, made, another])[1] == (Entered.NEW, Entered.DUPLICATE, Entered.CONFLICT)
    assert arrive(database, device, [another, made])[1] == (Entered.CONFLICT, Entered.DUPLICATE)
    assert len(database.rows("SELECT 1 FROM ledger")) == len(database.rows("SELECT 1 FROM conflict")) == 1


def test_what_another_process_entered_meanwhile_is_passed_with_the_next(database: Database) -> None:
    """Two processes that did not see each other's rows leave `through` behind; the next arrival finds it."""
    device, made = arrivals(4)
    device.enrol(database)
    arrive(database, device, made[:1])
    with database.transaction():  # the other one saw 0 missing and left `through` alone
        known = begin_streams(database, [(device.device, device.stream)])
        enter(database, [(made[2], Status.APPLIED)], 1, known)
    with database.transaction():
        database.run("UPDATE stream SET through = 1 WHERE stream = ?", (device.stream,))
        enter(database, [(made[1], Status.APPLIED)], 1, known)
    assert known_of(database, device).following == 2
    assert arrive(database, device, made[3:])[0] == 3


def test_through_moves_over_more_than_one_step(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hole is filled behind which more stands than is looked at in one step."""
    monkeypatch.setattr(ledger, "ADVANCE_ROWS", 7)
    device, made = arrivals(50)
    device.enrol(database)
    assert arrive(database, device, made[1:])[0] == -1
    assert arrive(database, device, made[:1])[0] == 49


def test_a_stream_without_holes_is_not_looked_through(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ordinary case, and a hole that stays open, cost one look at the first number beyond."""
    device, made = arrivals(9)
    device.enrol(database)

    def fail(*_: object) -> int:
        raise AssertionError("looked through")

    monkeypatch.setattr(ledger, "advance", fail)
    assert [arrive(database, device, group)[0] for group in (made[:3], made[3:4], made[6:7], made[7:], made[:2])] == [2, 3, 3, 3, 3]


def test_a_stream_that_ended_is_no_gap_to_pass(database: Database) -> None:
    """FOREVER says where the stream ends; it does not acknowledge numbers that nobody sealed."""
    device, made = arrivals(3)
    device.enrol(database)
    arrive(database, device, [*made, Gap(clock=device.stamp(0), stream=device.stream, first=3, last=FOREVER, reason="ended")])
    assert known_of(database, device) == Known(forgotten=-1, through=2, following=None)
    assert database.rows("SELECT last, through FROM stream") == [(2, 2)]
    assert database.rows("SELECT last FROM gap") == [(SEQ_MAX,)]


def test_what_is_not_applied_is_not_forgotten(database: Database) -> None:
    """A row that still waits for its opening holds everything above it."""
    device, made = arrivals(6)
    device.enrol(database)
    key = (device.device, device.stream)
    with database.transaction():
        known = begin_streams(database, [key])
        enter(database, [(each, Status.SEALED if each.header.seq == 3 else Status.APPLIED) for each in made], 1, known)
        reach(database, known, {key: range(6)}, ())
        assert ledger.forget(database, ledger.DIGEST_KEPT_MS + 2) == 3
    assert [int(row[0]) for row in database.rows("SELECT seq FROM ledger ORDER BY seq")] == [3, 4, 5]
