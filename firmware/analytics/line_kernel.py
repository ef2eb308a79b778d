"""The kernel of line crossing: one call a step for everybody at one line, on tables made once. The rules are in `line_crossing`.

Rules: nothing is copied or allocated; what is said in a step is written to `said`; plain arithmetic in a fixed order. Left
to others: the tables and the fit (`line_memory`), what a crossing is to the rest (`line_crossing`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from firmware.analytics.geometry import is_cut, standing_height
from firmware.analytics.line_memory import (
    AMBIGUOUS,
    CAME,
    DEVIATION_START,
    LAST,
    M_BOX,
    M_SCORE,
    M_SIDE,
    M_STAFF,
    M_T,
    MARK_COLUMNS,
    P_BAND_S,
    P_CAME,
    P_EARLY,
    P_HEIGHT,
    P_ID,
    P_JUDGED,
    P_LATE,
    P_PASSED,
    P_PENDING,
    P_SIDE,
    P_SIGN,
    P_SQUARE,
    P_STAFF,
    P_STEP,
    P_STILL,
    P_THROUGH,
    P_UNCLEAR,
    P_WEIGHT,
    PASSED,
    PENDING,
    PENDING_MAX,
    PEOPLE,
    PROVISIONAL,
    SAID,
    SAID_MARK,
    SAID_PERSON,
    SAID_STAGE,
    SETTLED,
    STEP,
    WEIGHT_START,
    D,
    Fit,
    Floats,
    Passages,
    T,
    U,
    Whole,
    add_sight,
    deviation,
    drop_old,
    fit_line,
    fitted,
    fitted_along,
    keeps_on,
    sighted,
    take_jitter,
    tick,
    unseen,
)

# Places in `line`: start; way to the end, its length and square, in frame heights; aspect; the band, and when a visit is
# over; the box height of a person whose feet are at the view's bottom edge; between which shares of the way it counts.
START_X, START_Y, WAY_X, WAY_Y, LENGTH, SQUARE, ASPECT, BAND_SHARE, SETTLE_S, NEAR_HEIGHT, SHARE_MIN, SHARE_MAX = range(12)
LINE_PLACES: Final = 12

NOISE_BAND: Final = 3.0  # the band is at least so many standard deviations of the measured jitter wide
BAND_MAX: Final = 0.4  # ... but never wider than this: beyond, a person is somewhere else, however poor the boxes
INNER_SHARE: Final = 0.25  # of the band: so far past the line is past it, for someone who clearly walks
EARLY_S: Final = 1.0  # how someone came, and how they left, is judged by so long a time
PACE_MIN: Final = 0.3  # box heights per second, half a metre: slower may be swaying
PACE_SURE: Final = 4.0  # standard errors by which a pace must differ from standing
UNSEEN_ODDS_MIN: Final = 0.1  # leaving the band unseen must be at least so likely to be believed
LAST_SIGHTS: Final = 3  # as few as show a steady walk
NEAR_BANDS: Final = 4.0  # half bands: who is first seen farther away came from there, however rarely they are seen


@njit(cache=True, error_model="numpy")
def line_step(
    line: Floats,
    t_s: float,
    ids: Whole,
    boxes: Floats,
    scores: Floats,
    seen: NDArray[np.bool_],
    still: NDArray[np.bool_],
    staff: NDArray[np.bool_],
    born_s: Floats,
    birth_boxes: Floats,
    gone: Whole,
    *tables: Any,
) -> int:
    """Take in the people of one frame, as in `People`; returns how many rows of `said` were written.

    tables: those of Passages one by one, for a tuple takes twice as long to get into a kernel.
    """
    state = Passages(*tables)
    counters, persons, order = state.counters, state.persons, state.order
    counters[SAID] = counters[AMBIGUOUS] = 0
    tick(state.habits, t_s)
    hint = 0
    for index in range(ids.shape[0]):
        place = _place_of(persons, order, counters[PEOPLE], ids[index], hint)
        if place >= 0:
            hint = place + 1
            if still[index]:
                persons[order[place], P_STILL] = 1.0
        if still[index] or not seen[index]:
            continue
        if place < 0:
            if counters[PEOPLE] == order.shape[0]:
                continue
            slot = order[counters[PEOPLE]]
            counters[PEOPLE] += 1
            _add(state, slot, ids[index], standing_height(boxes[index], line[NEAR_HEIGHT]))
            if born_s[index] < t_s:
                _take(state, line, slot, born_s[index], birth_boxes[index], scores[index], staff[index])
        else:
            slot = order[place]
            sighted(state.habits, state.habits[STEP] - persons[slot, P_STEP])
        persons[slot, P_STEP] = state.habits[STEP]
        persons[slot, P_STAFF], persons[slot, P_STILL] = (1.0 if staff[index] else 0.0), 0.0
        _take(state, line, slot, t_s, boxes[index], scores[index], staff[index])
    for index in range(gone.shape[0]):
        place = _place_of(persons, order, counters[PEOPLE], gone[index], 0)
        if place >= 0:
            _close(state, line, order[place])
            _forget(order, counters, place)
    return counters[SAID]


@njit(cache=True, error_model="numpy")
def line_finish(state: Passages, line: Floats, t_s: float) -> int:
    """The recording ends at `t_s`: everybody is gone; returns as `line_step`."""
    state.counters[SAID] = state.counters[AMBIGUOUS] = 0
    tick(state.habits, t_s)
    for place in range(state.counters[PEOPLE]):
        _close(state, line, state.order[place])
    state.counters[PEOPLE] = 0
    return state.counters[SAID]


@njit(cache=True, error_model="numpy")
def _place_of(persons: Floats, order: Whole, people: int, person: int, hint: int) -> int:
    """Place of a person in `order`; -1: unknown. People keep their order from step to step, so the hint nearly always hits."""
    if hint < people and persons[order[hint], P_ID] == person:
        return hint
    for place in range(people):
        if persons[order[place], P_ID] == person:
            return place
    return -1


@njit(cache=True, error_model="numpy")
def _add(state: Passages, slot: int, person: int, height: float) -> None:
    """A clean slot for somebody new."""
    persons = state.persons
    persons[slot, :] = 0.0
    persons[slot, P_ID], persons[slot, P_HEIGHT], persons[slot, P_BAND_S] = person, height, -np.inf
    persons[slot, P_SQUARE], persons[slot, P_WEIGHT] = DEVIATION_START * DEVIATION_START, WEIGHT_START


@njit(cache=True, error_model="numpy")
def _forget(order: Whole, counters: Whole, place: int) -> None:
    """The slot at `place` is free."""
    counters[PEOPLE] -= 1
    slot = order[place]
    for after in range(place, counters[PEOPLE]):
        order[after] = order[after + 1]
    order[counters[PEOPLE]] = slot


@njit(cache=True, error_model="numpy")
def _band(persons: Floats, line: Floats, slot: int) -> float:
    """Half width of the dead band in box heights: as configured, wider where boxes jitter more than it."""
    return max(line[BAND_SHARE], min(NOISE_BAND * deviation(persons, slot), BAND_MAX))


@njit(cache=True, error_model="numpy")
def _take(state: Passages, line: Floats, slot: int, t_s: float, box: Floats, score: float, staff: bool) -> None:  # noqa: FBT001 kernels take positions
    """One sight of one person."""
    persons, late, mark = state.persons, state.late, state.marks
    height = standing_height(box, line[NEAR_HEIGHT])
    x, y = (box[0] + box[2]) / 2, max(box[3], box[1] + height)
    persons[slot, P_HEIGHT] += (height - persons[slot, P_HEIGHT]) * 0.2
    d, u = 0.0, 0.0
    if line[LENGTH] > 0.0:
        off_x, off_y = x - line[START_X], y - line[START_Y]
        d = (line[WAY_Y] * off_x * line[ASPECT] - line[WAY_X] * off_y) / line[LENGTH] / persons[slot, P_HEIGHT]
        u = (off_x * line[ASPECT] * line[WAY_X] + off_y * line[WAY_Y]) / line[SQUARE]
    take_jitter(persons, late, slot, t_s, d)
    band = _band(persons, line, slot)
    sign = 1.0 if d > 0.0 else -1.0 if d < 0.0 else 0.0
    mark[slot, LAST, M_T], mark[slot, LAST, M_STAFF], mark[slot, LAST, M_SCORE] = t_s, (1.0 if staff else 0.0), score
    for c in range(4):
        mark[slot, LAST, M_BOX + c] = box[c]
    if persons[slot, P_LATE] > 0.0:
        if sign != 0.0 and persons[slot, P_SIGN] != 0.0 and sign != persons[slot, P_SIGN]:
            _pass(state, line, slot, t_s, d, u)
    elif abs(d) > (band if is_cut(box) else NEAR_BANDS * band):
        persons[slot, P_JUDGED] = 1.0
    if sign != 0.0:
        persons[slot, P_SIGN] = sign
    persons[slot, P_LATE] = add_sight(late, slot, drop_old(late, slot, int(persons[slot, P_LATE]), t_s, EARLY_S), t_s, d, u)
    if persons[slot, P_JUDGED] == 0.0:
        persons[slot, P_EARLY] = add_sight(state.early, slot, int(persons[slot, P_EARLY]), t_s, d, u)
    if abs(d) > band:
        _commit(state, slot, sign)
    else:
        persons[slot, P_BAND_S] = t_s
    if persons[slot, P_SIDE] == 0.0:
        return
    if persons[slot, P_JUDGED] == 0.0 and t_s - state.early[slot, 0, T] >= EARLY_S:
        _judge_birth(state, line, slot)
    over = t_s - persons[slot, P_BAND_S] >= line[SETTLE_S]
    if over and (persons[slot, P_PENDING] > 0.0 or persons[slot, P_JUDGED] == 0.0):
        _settle(state, line, slot)


@njit(cache=True, error_model="numpy")
def _pass(state: Passages, line: Floats, slot: int, t_s: float, d: float, u: float) -> None:
    """The line was passed since the sight before: book it if the way passed the segment."""
    persons, before = state.persons, state.late[slot, int(state.persons[slot, P_LATE]) - 1]
    share = before[D] / (before[D] - d) if before[D] != d else 1.0
    if line[SHARE_MIN] <= before[U] + share * (u - before[U]) <= line[SHARE_MAX]:
        sign = 1.0 if d > 0.0 else -1.0
        side = 1 if d > 0.0 else 0
        persons[slot, P_THROUGH] += sign
        persons[slot, P_PASSED + side] = 1.0
        _note(state.marks, slot, LAST, PASSED + side, before[T] + share * (t_s - before[T]), sign)


@njit(cache=True, error_model="numpy")
def _note(marks: Floats, slot: int, source: int, target: int, t_s: float, side: float) -> None:
    """Mark `target` is mark `source` at another time and in another direction."""
    for c in range(MARK_COLUMNS):
        marks[slot, target, c] = marks[slot, source, c]
    marks[slot, target, M_T], marks[slot, target, M_SIDE] = t_s, side


@njit(cache=True, error_model="numpy")
def _passed(persons: Floats, slot: int, side: float) -> int:
    """The mark of the last pass to `side`, if that is where they went since committed; -1: none."""
    which = 1 if side > 0.0 else 0
    return PASSED + which if persons[slot, P_THROUGH] * side > 0.0 and persons[slot, P_PASSED + which] > 0.0 else -1


@njit(cache=True, error_model="numpy")
def _commit(state: Passages, slot: int, side: float) -> None:
    """Beyond the band on `side`: a crossing if it was the other before, and the way passed the segment."""
    persons, marks = state.persons, state.marks
    if side != persons[slot, P_SIDE]:
        crossing = _passed(persons, slot, side)
        if persons[slot, P_SIDE] == 0.0:
            persons[slot, P_CAME] = 1.0 if crossing >= 0 else 0.0
            if crossing >= 0:
                _note(marks, slot, crossing, CAME, marks[slot, crossing, M_T], marks[slot, crossing, M_SIDE])
        elif crossing >= 0:
            _book(state, slot, crossing)
        persons[slot, P_BAND_S] = marks[slot, LAST, M_T]  # a fast walker may never be seen inside the band
        persons[slot, P_SIDE] = side
    persons[slot, P_THROUGH] = 0.0


@njit(cache=True, error_model="numpy")
def _walks(fit: Fit) -> bool:
    steady: bool = fit.sights > 2 and abs(fit.pace) >= max(PACE_MIN, PACE_SURE * fit.pace_error)
    return steady


@njit(cache=True, error_model="numpy")
def _judge_birth(state: Passages, line: Floats, slot: int) -> None:
    """Where someone who appeared in or near the band came from: the other side, this side, or nobody knows."""
    persons, band = state.persons, _band(state.persons, line, slot)
    persons[slot, P_JUDGED] = 1.0
    first_s = state.early[slot, 0, T]
    fit = fit_line(state.early, slot, 0, int(persons[slot, P_EARLY]), deviation(persons, slot))
    steady = _walks(fit) and keeps_on(state.early, slot, 1, fit, deviation(persons, slot))
    persons[slot, P_EARLY] = 0.0
    if not _walks(fit):
        persons[slot, P_UNCLEAR] = 1.0 if abs(fit.mean) <= band else 0.0
        return
    heading = 1.0 if fit.pace > 0.0 else -1.0
    start = fitted(fit, first_s) * heading  # negative: before the line
    if start < -band:
        return
    came = CAME if persons[slot, P_CAME] > 0.0 else -1
    if persons[slot, P_SIDE] != heading or persons[slot, P_PENDING] > 0.0:
        persons[slot, P_UNCLEAR] = 1.0 if start <= band else 0.0  # they have been to and fro since
    elif came >= 0 and start <= -INNER_SHARE * band:
        _book(state, slot, came)
    elif steady and unseen(state.habits, (start + band) / abs(fit.pace), UNSEEN_ODDS_MIN):
        _book_unseen(state, line, slot, came, first_s, fit)
    else:
        persons[slot, P_UNCLEAR] = 1.0 if start <= band else 0.0


@njit(cache=True, error_model="numpy")
def _judge_end(state: Passages, line: Floats, slot: int) -> None:
    """To which side someone went who was last seen in or near the band."""
    persons, band = state.persons, _band(state.persons, line, slot)
    sights = int(persons[slot, P_LATE])
    last_s, one_off = state.late[slot, sights - 1, T], deviation(persons, slot)
    fit = fit_line(state.late, slot, 0, sights, one_off)
    if not (_walks(fit) and keeps_on(state.late, slot, sights - 1, fit, one_off)):  # who turned of late goes by their last steps
        fit = fit_line(state.late, slot, max(sights - LAST_SIGHTS, 0), sights, one_off)
    if not _walks(fit):
        persons[slot, P_UNCLEAR] = 1.0 if abs(fit.mean) <= band else 0.0
        return
    heading = 1.0 if fit.pace > 0.0 else -1.0
    end = fitted(fit, last_s) * heading  # negative: before the line
    passed = _passed(persons, slot, heading)
    if heading != persons[slot, P_SIDE] and passed >= 0 and end > INNER_SHARE * band:
        _book(state, slot, passed)
    elif keeps_on(state.late, slot, sights - 1, fit, one_off) and unseen(state.habits, (band - end) / abs(fit.pace), UNSEEN_ODDS_MIN):
        if heading != persons[slot, P_SIDE]:
            _book_unseen(state, line, slot, passed, last_s, fit)
    else:
        persons[slot, P_UNCLEAR] = 1.0 if abs(end) <= band else 0.0


@njit(cache=True, error_model="numpy")
def _book_unseen(state: Passages, line: Floats, slot: int, passed: int, edge_s: float, fit: Fit) -> None:
    """A crossing just before the first or after the last sight, by someone who clearly walked."""
    if passed < 0:
        t_s = edge_s - fitted(fit, edge_s) / fit.pace
        if line[SHARE_MIN] <= fitted_along(fit, t_s) <= line[SHARE_MAX]:
            passed = CAME  # this place is free: who came by a pass has it noted there
            _note(state.marks, slot, LAST, passed, t_s, 1.0 if fit.pace > 0.0 else -1.0)
    if passed >= 0:
        _book(state, slot, passed)


@njit(cache=True, error_model="numpy")
def _book(state: Passages, slot: int, crossing: int) -> None:
    """Publish a crossing, and add it to the net of the visit: it cancels one the other way."""
    persons, marks = state.persons, state.marks
    marks[slot, crossing, M_STAFF] = persons[slot, P_STAFF]
    _say(state, slot, crossing, PROVISIONAL)
    pending = int(persons[slot, P_PENDING])
    if pending > 0 and marks[slot, PENDING + pending - 1, M_SIDE] != marks[slot, crossing, M_SIDE]:
        persons[slot, P_PENDING] -= 1.0
    elif pending < PENDING_MAX:
        _note(marks, slot, crossing, PENDING + pending, marks[slot, crossing, M_T], marks[slot, crossing, M_SIDE])
        persons[slot, P_PENDING] += 1.0


@njit(cache=True, error_model="numpy")
def _say(state: Passages, slot: int, crossing: int, stage: float) -> None:
    row = state.counters[SAID]
    state.counters[SAID] += 1
    state.said[row, SAID_STAGE], state.said[row, SAID_PERSON] = stage, state.persons[slot, P_ID]
    for c in range(MARK_COLUMNS):
        state.said[row, SAID_MARK + c] = state.marks[slot, crossing, c]


@njit(cache=True, error_model="numpy")
def _close(state: Passages, line: Floats, slot: int) -> None:
    """The person is gone: judge how they came and left, and settle. Furniture never came."""
    persons = state.persons
    if persons[slot, P_STILL] > 0.0:
        return
    if persons[slot, P_SIDE] == 0.0:
        persons[slot, P_UNCLEAR] = 1.0
    elif persons[slot, P_JUDGED] == 0.0:
        _judge_birth(state, line, slot)
    if persons[slot, P_UNCLEAR] == 0.0:
        _judge_end(state, line, slot)
    _settle(state, line, slot)


@njit(cache=True, error_model="numpy")
def _settle(state: Passages, line: Floats, slot: int) -> None:
    """The visit to the line is over: its net counts, or it stays ambiguous."""
    persons, marks = state.persons, state.marks
    if persons[slot, P_JUDGED] == 0.0 and persons[slot, P_SIDE] != 0.0:
        _judge_birth(state, line, slot)
    if persons[slot, P_UNCLEAR] > 0.0:
        state.counters[AMBIGUOUS] += 1
    else:
        for pending in range(int(persons[slot, P_PENDING])):
            marks[slot, PENDING + pending, M_STAFF] = persons[slot, P_STAFF]
            _say(state, slot, PENDING + pending, SETTLED)
    persons[slot, P_PENDING] = 0.0
    persons[slot, P_UNCLEAR] = 0.0
