"""Queues: how a wait ended, and how long the next will be."""

from __future__ import annotations

import random

import pytest

from firmware.analytics.queueing import WaitEstimate, outcome_of
from firmware.config import ZoneConfig

QUEUE = ZoneConfig("till", ((0.1, 0.1), (0.5, 0.1), (0.5, 0.6), (0.1, 0.6)), kind="queue", service_side=2)


def test_served_is_who_left_by_the_service_side() -> None:
    """Any other side is abandoned; unseen ends and areas have no outcome."""
    assert [outcome_of(QUEUE, side) for side in (0, 1, 2, 3, None)] == ["abandoned", "abandoned", "served", "abandoned", ""]
    assert outcome_of(ZoneConfig("display", QUEUE.polygon), 2) == ""


def test_nothing_is_known_before_the_first_departure() -> None:
    """Three wait, nobody has been served: no estimate, rather than a guess."""
    estimate = WaitEstimate()
    estimate.step(0, 3)
    estimate.step(60_000, 3)
    assert estimate.wait_ms() is None


def test_people_waiting_times_the_pace_of_the_till() -> None:
    """One served every 30 s and four waiting: two minutes for who joins now."""
    estimate = WaitEstimate()
    for minute in range(6):
        estimate.step(minute * 30_000, 4)
        if minute:
            estimate.departed()
    assert estimate.wait_ms() == 4 * 30_000


def test_the_estimate_grows_while_the_till_stands_still() -> None:
    """The unfinished interval counts: after ten minutes without a departure the wait is no longer two minutes."""
    estimate = WaitEstimate()
    estimate.step(0, 2)
    estimate.step(60_000, 2)
    estimate.departed()
    before = estimate.wait_ms()
    estimate.step(660_000, 2)
    assert before == 120_000
    assert estimate.wait_ms() == 2 * 660_000


def test_time_without_a_queue_says_nothing_about_the_pace() -> None:
    """An empty hour between two customers does not make the till slow."""
    estimate = WaitEstimate()
    estimate.step(0, 1)
    estimate.step(20_000, 0)
    estimate.departed()
    estimate.step(3_620_000, 1)
    estimate.step(3_640_000, 1)
    estimate.departed()
    assert estimate.wait_ms() == 20_000


def test_only_recent_departures_count() -> None:
    """The till gets three times faster: after twenty more customers the old pace is forgotten."""
    estimate, now = WaitEstimate(), 0
    for pace in [60_000] * 20 + [20_000] * 20:
        estimate.step(now, 5)
        now += pace
        estimate.step(now, 5)
        estimate.departed()
    assert estimate.wait_ms() == 5 * 20_000


def test_it_predicts_the_mean_wait_of_a_simulated_queue() -> None:
    """Random arrivals and services at one till: estimates on arrival match the waits that followed within an eighth."""
    rng = random.Random(11)
    estimate, now, free_at = WaitEstimate(), 0.0, 0.0
    ends: list[float] = []
    pairs = []
    for _ in range(4000):
        now += rng.expovariate(1 / 40_000)
        while ends and ends[0] <= now:
            left = ends.pop(0)
            estimate.step(int(left), len(ends))
            estimate.departed()
        guess = estimate.wait_ms()
        began = max(now, free_at)
        free_at = began + rng.expovariate(1 / 33_000)
        estimate.step(int(now), len(ends) + 1)
        ends.append(free_at)
        if guess is not None:
            pairs.append((guess, began - now))
    guessed, waited = (sum(column) for column in zip(*pairs, strict=True))
    assert guessed / waited == pytest.approx(1.0, abs=0.125)
