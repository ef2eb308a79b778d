"""The line grid in small: walkers within one in a hundred, nobody else counted."""

from __future__ import annotations

import msgspec
import pytest

from benchmarks.line_grid import PLACES, STANDARD, Cell, grid, measure, table

MIXES = [(10.0, 5.0, 0.1, 0.02), (10.0, 2.0, 0.1, 0.05), (5.0, 2.0, 0.1, 0.02), (30.0, 5.0, 0.1, 0.0)]


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("seed", [101, 102])
def test_walkers_are_counted_whoever_the_tracker_says_they_are(mix: tuple[float, float, float, float], seed: int) -> None:
    """Sixty walkers, both directions, ids switching: at most one of them wrong, in both chains."""
    row = measure(Cell("walkers", STANDARD, *mix, seed=seed, count=60))
    assert sum(row.truth) == 60
    assert row.off_ids <= 1
    assert row.off_boxes <= 1


@pytest.mark.parametrize("crowd", ["loiterers", "strollers", "peeks", "turners"])
@pytest.mark.parametrize("mix", MIXES[:2])
def test_nobody_is_counted_who_did_not_cross(crowd: str, mix: tuple[float, float, float, float]) -> None:
    """Standing on the line, peeking over it, turning before it: zero crossings settle, in both chains."""
    row = measure(Cell(crowd, STANDARD, *mix, seed=103, count=20))
    assert (row.truth, row.ids, row.boxes) == ((0, 0), (0, 0), (0, 0))


@pytest.mark.parametrize("place", [name for name in PLACES if name != STANDARD])
def test_other_doorways_too(place: str) -> None:
    """Small people, tall boxes, slanted and upright lines, a line near the exit, in turned round: ids to one in fifty.

    The tracker may join one leaving and one coming while the doors of a view are still unknown: two crossings.
    """
    row = measure(Cell("walkers", place, 10.0, 2.0, 0.1, 0.02, seed=104, count=50))
    assert row.off_ids <= 1
    assert row.off_boxes <= 2


def test_the_whole_grid_has_every_mix() -> None:
    """Three frame rates, two jitters, two rates of missed boxes, three of id switches, six crowds."""
    assert len({(c.crowd, c.fps, c.jitter_px, c.miss, c.switch) for c in grid(1, quick=False, places=False)}) == 3 * 2 * 2 * 3 * 6


def test_the_table_has_a_line_per_mix_and_one_per_rival() -> None:
    """Head, rule and one line for each mix; the same again where LineZone ran; what did not run stays empty."""
    row = measure(Cell("peeks", STANDARD, 10.0, 2.0, 0.1, 0.0, seed=1, count=3))
    lines = table([msgspec.structs.replace(row, rival={})]).splitlines()
    assert len(lines) == 3
    assert [cell.strip() for cell in lines[2].split("|")[6:-1]] == ["", "", "", "", "0 / 0", ""]
    beside = table([msgspec.structs.replace(row, rival={"corners": 0, "foot 1": 6, "foot 2": 5, "foot 3": 4})]).splitlines()
    assert beside[-1] == "| peeks | 10 | 2 | 10% | 0% | 0 | 0 | 0 | 0 | 6 | 5 | 4 |"


def test_five_frames_a_second_and_three_boxes_in_ten_missed() -> None:
    """The hardest mix: of sixty walkers at most one is off by ids and two by boxes."""
    walkers = measure(Cell("walkers", STANDARD, 5.0, 2.0, 0.3, 0.02, seed=105, count=60))
    assert walkers.off_ids <= 1
    assert walkers.off_boxes <= 2
