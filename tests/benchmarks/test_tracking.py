"""The comparison is fair and its walkers walk; the figures themselves are `make show`."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rival_trackers import NAMES, run
from benchmarks.tracking import OURS, growth_bytes, ours, times_ms, walkers


def test_walkers_are_seeded_and_fill_the_picture_alike() -> None:
    """Five or five hundred: boxes cover about the same share, five in a hundred are missing."""
    for count in (50, 500):
        made = walkers(count, 30, seed=1)
        covered = np.mean([boxes[:, 2:].prod(axis=1).sum() for boxes, _ in made]) / (1920 * 1080)
        assert 0.4 < covered < 0.7
        assert np.mean([len(boxes) for boxes, _ in made]) == pytest.approx(0.95 * count, rel=0.03)
    assert np.array_equal(walkers(5, 3, 1)[2][0], walkers(5, 3, 1)[2][0])


def test_live_and_with_hindsight_differ_only_in_trials_and_boxes() -> None:
    """Hindsight adds the first frames of confirmed tracks; the ids are the same."""
    made = walkers(10, 40, seed=2)
    live, later = ours(made, 10.0, online=True)[0], ours(made, 10.0)[0]
    for (ids, _), (ids_later, boxes) in zip(live, later, strict=True):
        assert set(ids.tolist()) <= set(ids_later.tolist())
        assert len(boxes) == len(ids_later)
    assert len(live[0][0]) == 0 < len(later[0][0])


def test_nothing_grows_over_thousands_of_frames() -> None:
    """The figure of a million, in small."""
    assert growth_bytes(4000, seed=1) < 1 << 20


def test_every_rival_gets_the_same_boxes_and_gives_tracks() -> None:
    """Ids of all three, boxes in the form of the scorer."""
    pytest.importorskip("trackers", reason="the rivals live in the venv of `make bench`")
    made = walkers(5, 30, seed=3)
    for name in NAMES:
        frames, _ = run(name, made, 10.0)
        ids, boxes = frames[-1]
        assert len(ids) == len(boxes) > 0
        assert boxes[:, 2:].max() < 500


def test_all_four_are_timed() -> None:
    """On the same frames, in turns."""
    pytest.importorskip("trackers", reason="the rivals live in the venv of `make bench`")
    times = times_ms(5, seed=1, frames=30)
    assert set(times) == {*NAMES, OURS}
    assert min(times.values()) > 0
