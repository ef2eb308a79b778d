"""Pseudonyms: random, of one epoch, underivable."""

from __future__ import annotations

import random
from collections.abc import Callable

from firmware.analytics.pseudonym import PSEUDONYM_BYTES, Pseudonyms


def counting_draw() -> tuple[Callable[[int], bytes], list[int]]:
    """A source of randomness that notes what was asked of it."""
    asked: list[int] = []

    def draw(size: int) -> bytes:
        asked.append(size)
        return random.Random(len(asked)).randbytes(size)

    return draw, asked


def test_one_person_has_one_name_in_an_epoch() -> None:
    """The same bytes each time, other bytes for somebody else."""
    names = Pseudonyms(random.Random(1).randbytes)
    names.turn(0)
    assert names.of(1) == names.of(1) != names.of(2)
    assert len(names.of(1)) == PSEUDONYM_BYTES


def test_everybody_gets_a_new_name_at_once() -> None:
    """After the turn no old name comes back, for anybody."""
    names = Pseudonyms(random.Random(1).randbytes, (300, 300))
    names.turn(0)
    old = {names.of(person) for person in range(100)}
    assert not names.turn(299_999)
    assert names.turn(300_000)
    assert not old & {names.of(person) for person in range(100)}
    assert names.began_ms == 300_000


def test_names_come_from_the_source_and_from_nothing_else() -> None:
    """Each name is one draw of 8 bytes: the person's number has no part in it."""
    draw, asked = counting_draw()
    names = Pseudonyms(draw)
    names.turn(0)
    names.of(4711)
    first = Pseudonyms(counting_draw()[0])
    first.turn(0)
    assert asked == [8, 8]
    assert first.of(1) == names.of(4711)


def test_epochs_have_random_lengths_within_their_bounds() -> None:
    """A thousand epochs: all within 300 to 900 s, spread over the range, never predictable from the last."""
    names, now, lengths = Pseudonyms(random.Random(3).randbytes), 0, []
    names.turn(0)
    for _ in range(200):
        begin = now
        while not names.turn(now):
            now += 1000
        lengths.append((now - begin) / 1000)
    lengths = lengths[1:]
    assert min(lengths) >= 300
    assert max(lengths) <= 901
    assert max(lengths) - min(lengths) > 500
    assert len(set(lengths)) > 100


def test_who_is_gone_is_forgotten() -> None:
    """Memory holds the names of people in view, no more; who would come back under an old number gets a new name."""
    names = Pseudonyms(random.Random(1).randbytes)
    names.turn(0)
    old = names.of(1)
    names.forget([1, 2])
    assert names.of(1) != old
    for person in range(100_000):
        names.of(person)
        names.forget([person])
    assert len(names._names) <= 1
