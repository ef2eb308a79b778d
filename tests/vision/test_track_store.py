"""Tables of fixed capacity whose columns do not overlap."""

from __future__ import annotations

from itertools import pairwise

from firmware.config import TrackerConfig
from firmware.vision import track_store as ts
from firmware.vision.kalman import STATE


def test_no_two_columns_share_a_place() -> None:
    """Every named column begins where the one before it ends."""
    tracks = [(ts.ID, 1), (ts.CONFIRMED, 1), (ts.SEEN, 1), (ts.MISSES, 1), (ts.BORN_S, 1), (ts.SEEN_S, 1), (ts.SCORE, 1), (ts.UNIFORM, 1)]
    tracks += [(ts.LAST, 4), (ts.BIRTH, 4), (ts.AHEAD, 8), (ts.FILTER, STATE), (ts.TRACK_COLUMNS, 0)]
    sight = [(ts.CORNERS, 4), (ts.LEFT, 1), (ts.BOX, 4), (ts.S_SCORE, 1), (ts.S_UNIFORM, 1), (ts.SIGHT_COLUMNS, 0)]
    listed = [(ts.L_ID, 1), (ts.L_SEEN, 1), (ts.L_SCORE, 1), (ts.L_BORN_S, 1), (ts.L_UNIFORM, 1), (ts.L_BOX, 4), (ts.L_BIRTH, 4)]
    listed += [(ts.LISTED_COLUMNS, 0)]
    for columns in (tracks, sight, listed):
        for (start, width), (following, _) in pairwise(columns):
            assert start + width == following


def test_memory_grows_with_the_capacity_and_not_with_its_square() -> None:
    """A camera of 512 tracks takes less than a megabyte; the most that can be configured, eight times that."""

    def size(capacity: int) -> int:
        space = ts.new_space(capacity)
        return sum(array.nbytes for array in (*space[:8], *space.graph, *space.work))

    assert size(512) < 1 << 20
    assert size(4096) < 8.1 * size(512)


def test_the_rules_are_the_configuration_s_defaults() -> None:
    """One truth: what the configuration offers and what the kernels default to are the same numbers."""
    rules, config = ts.Rules(), TrackerConfig()
    for name in ("score_high", "score_low", "confirm_s", "lost_s_max", "trial_s_max", "low_s_max", "height_ratio_min"):
        assert getattr(rules, name) == getattr(config, name)


def test_the_first_id_is_one() -> None:
    """0 is no track."""
    assert ts.new_space(8).counters[ts.NEXT_ID] == 1
