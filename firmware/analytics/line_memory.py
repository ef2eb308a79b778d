"""What is remembered of each person at one line, in tables of fixed capacity, and how they moved there.

Of each person: the sights since they appeared and of the last second, how much their box jitters, to which side they are
committed, and the crossings of this visit. Of the line: how often people in view are not seen, and how far apart frames are.

Rules: rows are slots that stay where they are while somebody is known, `order` lists them by first sight; plain arithmetic
in a fixed order, so that a replay is the same bits with and without JIT. Left to others: what the motion means (`line_kernel`).

Source: ordinary least squares, with the error of the slope from a known deviation of the sights.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# Columns of `persons`. Flags are 0 or 1; sides and signs +1 left, -1 right, 0 none.
P_ID, P_HEIGHT, P_STAFF, P_STILL = range(4)  # id; smoothed height; last known as staff, as furniture
P_SQUARE, P_WEIGHT = 4, 5  # variance of the foot across the line, square box heights, and the sights this is worth
P_JUDGED, P_UNCLEAR = 6, 7  # how they came is known; ... and is not clear: the visit is ambiguous
P_SIDE, P_SIGN, P_THROUGH = 8, 9, 10  # committed; of the last distance not zero; net passes of the segment since committed
P_BAND_S, P_STEP = 11, 12  # last sight inside the band; step of the last sight
P_EARLY, P_LATE, P_PENDING, P_CAME = 13, 14, 15, 16  # how many sights and crossings are kept; whether they came by a pass
P_PASSED = 17  # two flags: whether there is a last pass rightward, leftward
PERSON_COLUMNS: Final = 19

# Columns of a sight: seconds, box heights across the line (left positive), share along the line.
T, D, U = 0, 1, 2

# Rows of `marks` for each person, then the crossings of this visit; and the columns of a mark.
LAST, CAME, PASSED, PENDING = 0, 1, 2, 4  # of the last sight; by which they came; rightward, leftward
M_T, M_SIDE, M_STAFF, M_SCORE, M_BOX = 0, 1, 2, 3, 4
MARK_COLUMNS: Final = 8

# Columns of `said`: stage, person, then a mark.
SAID_STAGE, SAID_PERSON, SAID_MARK = 0, 1, 2
PROVISIONAL, SETTLED = 0.0, 1.0

PEOPLE, SAID, AMBIGUOUS = 0, 1, 2  # places in `counters`
STEP, NOW_S, FRAME_S, LOOKS, MISSES = 0, 1, 2, 3, 4  # places in `habits`
HABITS_START = (0.0, -1.0, 0.0, 10.0, 1.0)

SIGHTS_MAX: Final = 48  # kept of either; more are thinned out
PENDING_MAX: Final = 16  # crossings of one visit; nobody walks in and around outside as often within seconds
SAID_MAX: Final = PENDING_MAX + 4  # of one person in one step
DEVIATION_START: Final = 0.025  # box heights: a usual detector and a walking foot, until measured
WEIGHT_START: Final = 8.0  # sights that this is worth
WEIGHT_MAX: Final = 64.0  # older sights fade
DEVIATION_MAX: Final = 0.15  # one sight is no farther off than that: beyond, something else happened
MISSES_KEPT: Final = 4096.0  # sights over which the odds of not being seen are averaged
ABSENCE_MAX: Final = 8.0  # frames: longer absences are something else than missed boxes
STEP_SURE: Final = (
    4.25  # standard deviations of one sight, three of the step between two: a step so much shorter than the pace is a stop or a turn
)
GAP_S_MAX: Final = 0.7  # sights farther apart say nothing about jitter: people change their pace


class Passages(NamedTuple):
    """Everybody known at one line, for `capacity` C people."""

    persons: Floats  # (C, PERSON_COLUMNS)
    marks: Floats  # (C, PENDING + PENDING_MAX, MARK_COLUMNS)
    early: Floats  # (C, SIGHTS_MAX + 1, 3) since birth, until judged
    late: Floats  # (C, SIGHTS_MAX + 1, 3) the last second
    order: Whole  # (C,) slots in use, by first sight, then the free ones
    said: Floats  # (C * SAID_MAX, SAID_MARK + MARK_COLUMNS) crossings of this step
    counters: Whole  # (3,)
    habits: Floats  # (5,)


class Fit(NamedTuple):
    """A straight line through some sights."""

    sights: int
    t_s: float  # mean time
    mean: float  # mean distance
    pace: float  # box heights per second, leftward positive
    pace_error: float  # one standard error
    along: float  # mean share along the line
    drift: float  # shares per second


def new_passages(capacity: int) -> Passages:
    """Nobody known yet."""
    return Passages(
        persons=np.zeros((capacity, PERSON_COLUMNS)),
        marks=np.zeros((capacity, PENDING + PENDING_MAX, MARK_COLUMNS)),
        early=np.zeros((capacity, SIGHTS_MAX + 1, 3)),
        late=np.zeros((capacity, SIGHTS_MAX + 1, 3)),
        order=np.arange(capacity),
        said=np.zeros((capacity * SAID_MAX, SAID_MARK + MARK_COLUMNS)),
        counters=np.zeros(3, np.int64),
        habits=np.array(HABITS_START),
    )


@njit(cache=True, error_model="numpy")
def tick(habits: Floats, t_s: float) -> None:
    """A frame at `t_s`."""
    habits[STEP] += 1.0
    elapsed_s = t_s - habits[NOW_S]
    if habits[STEP] > 1.0 and 0.0 < elapsed_s < 1.0:
        habits[FRAME_S] = elapsed_s if habits[FRAME_S] == 0.0 else habits[FRAME_S] + (elapsed_s - habits[FRAME_S]) * 0.05
    habits[NOW_S] = t_s


@njit(cache=True, error_model="numpy")
def sighted(habits: Floats, steps: float) -> None:
    """Somebody was seen again after `steps` frames."""
    if steps > ABSENCE_MAX:
        return
    habits[LOOKS] += steps
    habits[MISSES] += steps - 1.0
    if habits[LOOKS] > MISSES_KEPT:
        habits[LOOKS] = habits[LOOKS] // 2.0
        habits[MISSES] = habits[MISSES] // 2.0


@njit(cache=True, error_model="numpy")
def unseen(habits: Floats, way_s: float, odds_min: float) -> bool:
    """Whether the odds of walking for `way_s` without being seen once are at least `odds_min`."""
    if way_s <= 0.0:
        return True
    if habits[FRAME_S] == 0.0:
        return False
    odds: bool = (habits[MISSES] / habits[LOOKS]) ** (way_s / habits[FRAME_S]) >= odds_min
    return odds


@njit(cache=True, error_model="numpy")
def deviation(persons: Floats, slot: int) -> float:
    """Standard deviation of a foot point across the line, box heights."""
    return math.sqrt(persons[slot, P_SQUARE])


@njit(cache=True, error_model="numpy")
def take_jitter(persons: Floats, late: Floats, slot: int, t_s: float, d: float) -> None:
    """One more sight: of three in a row, the middle one is compared with the straight way between its neighbours."""
    count = int(persons[slot, P_LATE])
    if count < 2 or not 0.0 < t_s - late[slot, count - 2, T] <= GAP_S_MAX:
        return
    first_s, first_d = late[slot, count - 2, T], late[slot, count - 2, D]
    share = (late[slot, count - 1, T] - first_s) / (t_s - first_s)
    off = late[slot, count - 1, D] - first_d - share * (d - first_d)
    square = min(off * off / (1.0 + share * share + (1.0 - share) * (1.0 - share)), DEVIATION_MAX * DEVIATION_MAX)
    persons[slot, P_WEIGHT] = min(persons[slot, P_WEIGHT] + 1.0, WEIGHT_MAX)
    persons[slot, P_SQUARE] += (square - persons[slot, P_SQUARE]) / persons[slot, P_WEIGHT]


@njit(cache=True, error_model="numpy")
def add_sight(sights: Floats, slot: int, count: int, t_s: float, d: float, u: float) -> int:
    """Append a sight; where there are too many, every second one is left out, first and last always stay. Returns how many there are."""
    sights[slot, count, T], sights[slot, count, D], sights[slot, count, U] = t_s, d, u
    count += 1
    if count <= SIGHTS_MAX:
        return count
    kept = 0
    for i in range(0, count - 1, 2):
        _copy(sights, slot, i, kept)
        kept += 1
    _copy(sights, slot, count - 1, kept)
    return kept + 1


@njit(cache=True, error_model="numpy")
def drop_old(late: Floats, slot: int, count: int, t_s: float, recent_s: float) -> int:
    """Keep the sights of the last `recent_s`, and where people are seen rarely at least the last three of twice that."""
    kept = 0
    for i in range(count):
        if t_s - late[slot, i, T] <= (recent_s if i < count - 3 else 2 * recent_s):
            if kept != i:
                _copy(late, slot, i, kept)
            kept += 1
    return kept


@njit(cache=True, error_model="numpy")
def _copy(sights: Floats, slot: int, source: int, target: int) -> None:
    sights[slot, target, T] = sights[slot, source, T]
    sights[slot, target, D] = sights[slot, source, D]
    sights[slot, target, U] = sights[slot, source, U]


@njit(cache=True, error_model="numpy")
def fit_line(sights: Floats, slot: int, first: int, end: int, one_off: float) -> Fit:
    """Fit the sights `first` to before `end`, at least one, each off by `one_off` box heights; a moment has no pace, no certainty."""
    t_s, mean, along, count = 0.0, 0.0, 0.0, end - first
    for i in range(first, end):
        t_s += sights[slot, i, T]
        mean += sights[slot, i, D]
        along += sights[slot, i, U]
    t_s, mean, along = t_s / count, mean / count, along / count
    spread, pace, drift = 0.0, 0.0, 0.0
    for i in range(first, end):
        off_s = sights[slot, i, T] - t_s
        spread += off_s * off_s
        pace += off_s * (sights[slot, i, D] - mean)
        drift += off_s * (sights[slot, i, U] - along)
    if spread <= 0.0:
        return Fit(count, t_s, mean, 0.0, np.inf, along, 0.0)
    return Fit(count, t_s, mean, pace / spread, one_off / math.sqrt(spread), along, drift / spread)


@njit(cache=True, error_model="numpy")
def fitted(fit: Fit, t_s: float) -> float:
    """The fitted distance at a time."""
    return fit.mean + fit.pace * (t_s - fit.t_s)


@njit(cache=True, error_model="numpy")
def fitted_along(fit: Fit, t_s: float) -> float:
    """The fitted share along the line at a time."""
    return fit.along + fit.drift * (t_s - fit.t_s)


@njit(cache=True, error_model="numpy")
def keeps_on(sights: Floats, slot: int, index: int, fit: Fit, one_off: float) -> bool:
    """Whether the step to sight `index` is one of the walk that was fitted: who has stopped or turned by then walks no farther."""
    elapsed_s = sights[slot, index, T] - sights[slot, index - 1, T]
    step = (sights[slot, index, D] - sights[slot, index - 1, D]) * (1.0 if fit.pace > 0.0 else -1.0)
    steady: bool = step >= abs(fit.pace) * elapsed_s - STEP_SURE * one_off
    return steady
