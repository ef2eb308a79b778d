"""Deciding what to send and when, without a network."""

from __future__ import annotations

import random
from collections.abc import Container, Sequence
from dataclasses import dataclass, field

import pytest

from firmware.uplink.delivery import (
    ASIDE_RETRY_S,
    BACKOFF_S_MAX,
    LIVE_BYTES,
    SPREAD_S_MAX,
    SPREAD_S_MIN,
    Delivery,
    Outcome,
    Place,
    Request,
)
from firmware.uplink.exchange import REQUEST_BYTES_MAX, REQUEST_ENVELOPES_MAX, Answer, Refused

STREAM = b"s" * 8


@dataclass(frozen=True)
class Sealed:
    seq: int
    envelope: bytes = bytes(600)
    stream: bytes = STREAM


@dataclass
class Box:
    """An outbox in a list."""

    entries: list[Sealed] = field(default_factory=list)

    def newest(self, bytes_max: int, skip: Container[Place]) -> Sequence[Sealed]:
        return self._take(self.entries[::-1], bytes_max, skip)

    def oldest(self, bytes_max: int, skip: Container[Place]) -> Sequence[Sealed]:
        return self._take(self.entries, bytes_max, skip)

    @staticmethod
    def _take(entries: list[Sealed], bytes_max: int, skip: Container[Place]) -> list[Sealed]:
        taken = []
        for entry in entries:
            if (entry.stream, entry.seq) in skip:
                continue
            bytes_max -= len(entry.envelope)
            if bytes_max < 0:
                break
            taken.append(entry)
        return taken


def answer(**fields: object) -> Answer:
    return Answer(1, bytes(32), bytes(16), (), fields.pop("conflicts", ()), fields.pop("refused", ()), 0, **fields)  # type: ignore[arg-type]


def delivery(draw: float = 0.0) -> Delivery:
    return Delivery(lambda: draw)


def composed(machine: Delivery, now_s: float, box: Box) -> Request:
    request = machine.compose(now_s, box)
    assert request is not None
    return request


def test_nothing_waits_nothing_is_sent() -> None:
    """An empty outbox makes no request."""
    assert delivery().compose(10.0, Box()) is None


def test_the_newest_go_first_then_the_oldest() -> None:
    """The live lane leads, the backlog follows in order, nothing twice, within the limits of a request."""
    box = Box([Sealed(seq) for seq in range(2000)])
    request = composed(delivery(), 10.0, box)
    seqs = [entry.seq for entry in request.entries]
    assert seqs[: request.live] == list(range(1999, 1999 - request.live, -1))
    assert seqs[request.live :] == list(range(len(seqs) - request.live))
    assert request.live * 600 <= LIVE_BYTES
    assert len(seqs) == len(set(seqs)) <= REQUEST_ENVELOPES_MAX
    assert request.bytes <= REQUEST_BYTES_MAX


def test_the_backlog_keeps_to_the_drain_rate() -> None:
    """After each answer, as many seconds of silence as its bytes are worth."""
    machine, box = delivery(), Box([Sealed(seq) for seq in range(2000)])
    request = composed(machine, 10.0, box)
    machine.answered(10.0, request, answer(drain_bytes_s=1000))
    assert machine.due_s == pytest.approx(10.0 + request.bytes / 1000)
    assert machine.compose(machine.due_s - 0.01, box) is None


def test_the_collector_may_ask_for_patience() -> None:
    """retry_after_ms is obeyed."""
    machine, box = delivery(), Box([Sealed(1)])
    machine.answered(10.0, composed(machine, 10.0, box), answer(retry_after_ms=60_000))
    assert machine.due_s == 70.0


def test_back_off_doubles_to_its_ceiling_with_full_jitter() -> None:
    """Draws of one end reach 1, 2, 4 ... 300 s; draws of the other are at once."""
    ceiling, floor, box = delivery(draw=1.0), delivery(), Box([Sealed(1)])
    for machine, expected in ((ceiling, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0, 300.0]), (floor, [0.0] * 11)):
        pauses = []
        for _ in range(11):
            now_s = machine.due_s
            machine.failed(now_s, composed(machine, now_s, box), Outcome.UNREACHABLE)
            pauses.append(machine.due_s - now_s)
        assert pauses == expected
    assert max(expected) <= BACKOFF_S_MAX


@pytest.mark.parametrize(("outage_s", "spread_s"), [(10.0, 0.0), (40.0, SPREAD_S_MIN), (3600.0, 360.0), (10 * 86400.0, SPREAD_S_MAX)])
def test_after_an_outage_the_return_is_spread(outage_s: float, spread_s: float) -> None:
    """What follows the first contact waits for a tenth of the outage, bounded; a hiccup costs nothing."""
    machine, box = delivery(draw=1.0), Box([Sealed(1)])
    machine.answered(10.0, composed(machine, 10.0, box), answer(drain_bytes_s=2**31))
    machine.failed(machine.due_s, Request((), 0), Outcome.UNREACHABLE)
    back_s = 10.0 + outage_s
    machine.answered(back_s, composed(machine, back_s, box), answer(drain_bytes_s=2**31))
    assert machine.due_s - back_s == pytest.approx(spread_s, abs=1e-3)


@pytest.mark.parametrize("poison", [{0}, {511}, {100}, {7, 300}, set(range(20))])
def test_poison_is_found_and_the_rest_goes_on(poison: set[int]) -> None:
    """Whatever the collector cannot take is isolated by halving; everything else arrives, within few requests."""
    rng = random.Random(1)  # jitter
    machine, box = Delivery(rng.random), Box([Sealed(seq, bytes(100)) for seq in range(512)])
    now_s, requests, arrived = 10.0, 0, set()
    while (request := machine.compose(max(now_s, machine.due_s), box)) is not None:
        now_s = max(now_s, machine.due_s)
        requests += 1
        seqs = {entry.seq for entry in request.entries}
        if seqs & poison:
            machine.failed(now_s, request, Outcome.REJECTED)
        else:
            machine.answered(now_s, request, answer())
            arrived |= seqs
            box.entries = [entry for entry in box.entries if entry.seq not in seqs]
    assert arrived == set(range(512)) - poison
    assert machine.aside == len(poison)
    assert requests <= 2 + 20 * len(poison)


def test_what_was_set_aside_is_tried_again_later() -> None:
    """A mended collector gets the poison, too: nothing is dropped."""
    machine, box = delivery(), Box([Sealed(1)])
    machine.failed(10.0, composed(machine, 10.0, box), Outcome.REJECTED)
    assert machine.compose(20.0, box) is None
    assert composed(machine, 11.0 + ASIDE_RETRY_S, box).entries[0].seq == 1


def test_a_signed_refusal_sets_one_aside() -> None:
    """The collector may name the envelope itself; then no halving is needed."""
    machine, box = delivery(), Box([Sealed(1), Sealed(2)])
    request = composed(machine, 10.0, box)
    machine.answered(10.0, request, answer(refused=(Refused(0, "bad signature"),)))
    assert [entry.seq for entry in composed(machine, 20.0, box).entries] == [1]


def test_no_failure_ever_acknowledges() -> None:
    """After every kind of failure the same envelopes are offered again."""
    for outcome in Outcome:
        machine, box = delivery(), Box([Sealed(1), Sealed(2)])
        machine.failed(10.0, composed(machine, 10.0, box), outcome)
        offered = set()
        for _ in range(2):
            offered |= {entry.seq for entry in composed(machine, machine.due_s + 400.0, box).entries}
            machine.answered(machine.due_s + 400.0, composed(machine, machine.due_s + 400.0, box), answer())
        assert offered == {1, 2}
