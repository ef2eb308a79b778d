"""The simulated doorway says what is true."""

from __future__ import annotations

import numpy as np

from benchmarks.doorway import Place, Sensor, scene


def test_a_seed_gives_the_same_scene_twice() -> None:
    """Every box and id is drawn from the seed."""
    one, other = (scene({"walkers": 8, "peeks": 4}, Place(), Sensor(10, 4, 0.2, 0.05), 9) for _ in range(2))
    assert (one.truth_in, one.truth_out) == (other.truth_in, other.truth_out)
    assert all(np.array_equal(a.boxes, b.boxes) and np.array_equal(a.ids, b.ids) for a, b in zip(one.tracks, other.tracks, strict=True))


def test_the_truth_is_who_walks_through() -> None:
    """All walkers cross, one way or the other; those who stand, peek or turn do not."""
    walkers = scene({"walkers": 30}, Place(), Sensor(), 1)
    others = scene({"loiterers": 5, "peeks": 5, "turners": 5, "strollers": 5}, Place(), Sensor(), 1)
    assert walkers.truth_in + walkers.truth_out == 30
    assert min(walkers.truth_in, walkers.truth_out) > 5
    assert (others.truth_in, others.truth_out) == (0, 0)


def test_ids_switch_and_boxes_are_missed_as_often_as_asked() -> None:
    """Five in a hundred sights under a new id, three in ten boxes missing."""
    clean, poor = (scene({"walkers": 80}, Place(), sensor, 2) for sensor in (Sensor(miss=0.0), Sensor(miss=0.3, switch=0.05)))
    sights = sum(len(tracks.ids) for tracks in poor.tracks)
    switches = len({key for tracks in poor.tracks for key in tracks.ids.tolist()}) - 80
    assert 0.04 < switches / sights < 0.06
    assert 0.67 < sights / sum(len(tracks.ids) for tracks in clean.tracks) < 0.73


def test_both_views_show_the_same_boxes() -> None:
    """Detections are the tracks' boxes in another order, without ids."""
    made = scene({"abreast": 10}, Place(), Sensor(), 3)
    for tracks, detections in zip(made.tracks, made.detections, strict=True):
        assert sorted(map(tuple, tracks.boxes.tolist())) == sorted(map(tuple, detections.boxes.tolist()))
