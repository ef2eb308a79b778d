"""The simulated shop as a source: rates, ends, endless runs, a detector's faults."""

from __future__ import annotations

import os

import numpy as np
import pytest

from firmware.vision.shop import raster, room_raster
from firmware.vision.simulated_shop import SimulatedShop
from firmware.vision.simulated_source import BOXES_SIZE, SimulatedBoxes, SimulatedFrames, Wish, parse, seen_by_a_detector

NUMBA_OFF = os.environ.get("NUMBA_DISABLE_JIT") == "1"


def test_an_address_becomes_a_wish() -> None:
    """Every parameter is read; what is not named keeps its default."""
    assert parse("sim:?seed=3&fps=15&people=4&minutes=2&size=320x240") == Wish(seed=3, fps=15.0, people=4, minutes=2.0, size=(320, 240))
    assert parse("sim-boxes:?miss=0.1&jitter=0.03&false=0") == Wish(miss=0.1, jitter=0.03, false=0.0)
    assert parse("sim:") == Wish()
    assert parse("sim:", fps_max=5.0).fps == 5.0
    assert parse("sim:?fps=30", fps_max=5.0).fps == 30.0


def test_frames_come_at_the_rate_until_the_run_is_over() -> None:
    """Times are multiples of a frame's time; the end comes when the last person has gone."""
    wish = Wish(people=1, minutes=0.1, fps=2.0, size=(64, 48))
    source = SimulatedFrames(wish)
    times = []
    while (frame := source.read()) is not None:
        times.append(frame.t_s)
        assert frame.pixels.shape == (48, 64, 3)
    assert times == [number / 2 for number in range(len(times))]
    assert source.seconds is not None
    assert times[-1] == pytest.approx(source.seconds, abs=0.5)
    assert source.read() is None


def test_an_endless_run_goes_on_with_the_next_seed() -> None:
    """After the run the next world follows, and the time goes on without a gap."""
    wish = Wish(people=1, minutes=0.1, fps=1.0, false=0.0)
    single = SimulatedShop(wish.seed, wish.people, wish.minutes, BOXES_SIZE)
    source = SimulatedBoxes(wish, endless=True)
    count = int(single.duration_s) + 20
    found = [source.read() for _ in range(count)]
    assert all(found)
    assert [each.t_s for each in found if each] == [float(number) for number in range(count)]
    assert source.seconds is None


def test_boxes_are_the_same_twice() -> None:
    """One address, one recording: detections are equal to the last bit."""
    wish = Wish(people=3, minutes=0.5, fps=2.0)
    one, other = SimulatedBoxes(wish), SimulatedBoxes(wish)
    while (a := one.read()) is not None:
        b = other.read()
        assert b is not None
        np.testing.assert_array_equal(a.boxes, b.boxes)
        np.testing.assert_array_equal(a.scores, b.scores)
    assert other.read() is None


def test_detections_keep_their_promises() -> None:
    """Boxes lie in 0..1 with area, scores in 0..1 and best first, the picture's shape is told."""
    source = SimulatedBoxes(Wish(people=6, minutes=0.5, fps=4.0, jitter=0.3, false=0.5))
    seen = 0
    while (found := source.read()) is not None:
        seen += len(found.scores)
        assert found.boxes.shape == (len(found.scores), 4)
        assert ((found.boxes >= 0) & (found.boxes <= 1)).all()
        assert (found.boxes[:, 2] > found.boxes[:, 0]).all()
        assert (found.boxes[:, 3] > found.boxes[:, 1]).all()
        assert ((found.scores >= 0) & (found.scores <= 1)).all()
        assert (np.diff(found.scores) <= 0).all()
        assert found.aspect == pytest.approx(4 / 3)
    assert seen > 100


def count_of(wish: Wish) -> tuple[int, int]:
    """How many detections of how many visible people in a run."""
    shop = SimulatedShop(wish.seed, wish.people, wish.minutes, BOXES_SIZE)
    found = visible = 0
    for number in range(int(shop.duration_s)):
        visible += sum(person.visible >= 0.25 for person in shop.boxes(float(number)))
        found += len(seen_by_a_detector(shop, float(number), wish, np.random.default_rng([1, number])))
    return found, visible


def test_misses_happen_as_often_as_asked() -> None:
    """None at 0, all at 1, about a third at a third."""
    base = Wish(people=8, minutes=1.0, false=0.0)
    everybody, visible = count_of(base_with(base, 0.0))
    assert everybody == visible
    assert count_of(base_with(base, 1.0))[0] == 0
    share = count_of(base_with(base, 1 / 3))[0] / visible
    assert 0.55 < share < 0.78


def base_with(wish: Wish, miss: float) -> Wish:
    return Wish(seed=wish.seed, people=wish.people, minutes=wish.minutes, miss=miss, false=wish.false)


def test_false_boxes_happen_where_nobody_is() -> None:
    """In an empty shop every detection is false: about as many as asked."""
    shop = SimulatedShop(1, people=0, minutes=0.1, size=BOXES_SIZE)
    wish = Wish(false=0.25)
    found = sum(len(seen_by_a_detector(shop, 0.0, wish, np.random.default_rng(number))) for number in range(400))
    assert 60 < found < 145


def test_jitter_is_a_share_of_the_box() -> None:
    """Twice the jitter, twice the tremble; none, none."""
    shop = SimulatedShop(3, people=6, minutes=1.0, size=BOXES_SIZE)
    t_s = next(float(t) for t in range(5, 60) if len(shop.boxes(float(t))) == 1)
    truth = np.array(shop.boxes(t_s)[0].box)

    def spread(jitter: float) -> float:
        wish = Wish(jitter=jitter, miss=0.0, false=0.0)
        rows = np.array([seen_by_a_detector(shop, t_s, wish, np.random.default_rng(number))[0, :4] for number in range(200)])
        return float(np.abs(rows - truth).mean())

    assert spread(0.0) == 0.0
    assert spread(0.04) == pytest.approx(2 * spread(0.02), rel=0.2)


def test_compiling_is_over_once_the_source_is_open() -> None:
    """Reading a run's busiest minute compiles nothing more: a process that has given up writing files can go on."""
    wish = Wish(people=6, minutes=0.5, fps=1.0, size=(64, 48))
    source = SimulatedFrames(wish)
    kernels = (raster.draw_parts, raster.draw_shadows, raster.count_owners, raster.expose, room_raster.draw_room)
    compiled = [len(getattr(kernel, "signatures", ())) for kernel in kernels]
    assert NUMBA_OFF or all(compiled)
    for _ in range(20):
        source.read()
    assert [len(getattr(kernel, "signatures", ())) for kernel in kernels] == compiled
