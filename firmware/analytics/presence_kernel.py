"""The kernel of zone presence: one call a step for all people and all zones, on arrays made once.

A visit goes through phases: OUT; ENTERING, inside for less than `enter_s` without a break; WITHIN, inside for longer but
below the minimum dwell; VISITING, reported. Once WITHIN, a break shorter than `exit_s` belongs to the visit. Only seen
boxes are evidence: a coasting box moves nobody, but where it left the zone is remembered, in case nobody is found again.

Times of entry and exit are those at which the straight way between two seen foot points met a side. Feet are held
inside the view, so that a box that reaches over the picture's edge stands in the zone drawn up to that edge. A visit ends only
when the foot is clear of the edge: who stands on it, a hair out by the jitter of boxes, has not left.
Rules: compiled and interpreted it computes the same bits: no fastmath, sums in a fixed order; few arrays with named columns,
because each one handed to a kernel costs time in every call and at compilation. What the changes mean is left to
`firmware.analytics.zone_presence`.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

OUT, ENTERING, WITHIN, VISITING = 0.0, 1.0, 2.0, 3.0  # phases
BEGAN, ENDED, VOIDED = 0, 1, 2  # kinds of change

# Columns of `persons`: id; when and where last seen, its score and box; where it was last predicted; the way at hand; what it counts as.
P_ID, P_TIME, P_X, P_Y, P_SCORE, P_X0, P_Y0, P_X1, P_Y1, P_AHEAD_T, P_AHEAD_X, P_AHEAD_Y = range(12)
P_FROM_X, P_FROM_Y, P_TO_X, P_TO_Y, P_STAFF, P_PRESENT = range(12, 18)
PERSON_COLUMNS: Final = 18
# Columns of `visits`: when and by which side it began; last seen inside; stepped out; is clear of the edge; predicted to have stepped out.
V_PHASE, V_ENTRY, V_ENTRY_SIDE, V_IN, V_OUT, V_OUT_SIDE, V_CLEAR, V_AHEAD_OUT, V_AHEAD_SIDE = range(9)
VISIT_COLUMNS: Final = 9
# Columns of `changes`.
C_ZONE, C_KIND, C_PERSON, C_ENTRY, C_END, C_ENTRY_SIDE, C_END_SIDE, C_SCORE, C_X0, C_Y0, C_X1, C_Y1 = range(12)
CHANGE_COLUMNS: Final = 12
# Columns of `settings`.
S_SIDES, S_ENTER, S_EXIT, S_DWELL_MIN = range(4)
SETTING_COLUMNS: Final = 4
# Columns of `corners`: a point, and the border of the view along which the side that begins there runs (0: none).
K_X, K_Y, K_BORDER = range(3)
CORNER_COLUMNS: Final = 3

PEOPLE, CHANGES, COUNTS = 0, 1, 2  # places in `counters`; from COUNTS on shoppers and staff of each zone
NEVER = -1.0  # a time that has not come
NO_SIDE = -1.0
FIRST, LAST = 1.0, -1.0  # of several meetings
LEFT, RIGHT, TOP, BOTTOM = 1.0, 2.0, 3.0, 4.0  # borders of the view
BORDER_SHARE: Final = 0.02  # of the view: boxes of people who are cut by the border end within so much of it
EDGE_SHARE: Final = 0.1  # of box height: two standard deviations of a foot; who stands so near outside may as well stand inside
QUICK_S: Final = 1.0  # who is clear of the edge so soon after stepping out left when they stepped out
_TINY = 1e-9  # keeps feet off the very border, where inside and outside are a matter of rounding


class Presence(NamedTuple):
    """Who is known, and every zone's view of them; the first `counters[PEOPLE]` rows are in use."""

    corners: Floats  # (Z, K, CORNER_COLUMNS) of each polygon, fixed; unused ones zero
    settings: Floats  # (Z, SETTING_COLUMNS) fixed
    persons: Floats  # (C, PERSON_COLUMNS)
    visits: Floats  # (C, Z, VISIT_COLUMNS)
    changes: Floats  # (2 C Z, CHANGE_COLUMNS): a visit can end and another begin in one step
    counters: Whole  # (COUNTS + 2 Z,)


def new_presence(corners: Floats, settings: Floats, capacity: int) -> Presence:
    """Room for `capacity` people in these zones."""
    zones = len(settings)
    return Presence(
        corners,
        settings,
        np.zeros((capacity, PERSON_COLUMNS)),
        np.zeros((capacity, zones, VISIT_COLUMNS)),
        np.zeros((2 * capacity * zones, CHANGE_COLUMNS)),
        np.zeros(COUNTS + 2 * zones, np.int64),
    )


@njit(cache=True, error_model="numpy")
def contains(corners: Floats, sides: int, zone: int, x: float, y: float) -> bool:
    """Whether x, y lies in a zone's polygon, by the even-odd rule (source: W. R. Franklin's PNPOLY)."""
    inside = False
    before = sides - 1
    for corner in range(sides):
        ax, ay = corners[zone, before, K_X], corners[zone, before, K_Y]
        bx, by = corners[zone, corner, K_X], corners[zone, corner, K_Y]
        if (ay > y) != (by > y) and x < (bx - ax) * ((y - ay) / (by - ay)) + ax:
            inside = not inside
        before = corner
    return inside


@njit(cache=True, error_model="numpy")
def meeting(corners: Floats, sides: int, zone: int, person: Floats, pick: float) -> tuple[float, float]:
    """Share of the way at hand at which it meets a side, and that side: of several the FIRST or the LAST; -1, -1: none."""
    best, best_side = NEVER, NO_SIDE
    from_x, from_y = person[P_FROM_X], person[P_FROM_Y]
    way_x, way_y = person[P_TO_X] - from_x, person[P_TO_Y] - from_y
    for side in range(sides):
        after = side + 1 if side + 1 < sides else 0
        side_x = corners[zone, after, K_X] - corners[zone, side, K_X]
        side_y = corners[zone, after, K_Y] - corners[zone, side, K_Y]
        cross = way_x * side_y - way_y * side_x
        if cross == 0.0:
            continue
        gap_x, gap_y = corners[zone, side, K_X] - from_x, corners[zone, side, K_Y] - from_y
        on_way = (gap_x * side_y - gap_y * side_x) / cross
        on_side = (gap_x * way_y - gap_y * way_x) / cross
        if on_way < 0.0 or on_way > 1.0 or on_side < 0.0 or on_side > 1.0:
            continue
        if best < 0.0 or pick * on_way < pick * best:
            best, best_side = on_way, float(side)
    return best, best_side


@njit(cache=True, error_model="numpy")
def _held(value: float) -> float:
    """Inside the view."""
    return min(max(value, _TINY), 1.0 - _TINY)


@njit(cache=True, error_model="numpy")
def _border_side(corners: Floats, sides: int, zone: int, person: Floats) -> float:
    """The side along a border of the view that this box touches: who vanishes there left by it. NO_SIDE: none."""
    best, best_gap = NO_SIDE, BORDER_SHARE
    for side in range(sides):
        border = corners[zone, side, K_BORDER]
        gap = 1.0
        if border == LEFT:
            gap = person[P_X0]
        elif border == RIGHT:
            gap = 1.0 - person[P_X1]
        elif border == TOP:
            gap = person[P_Y0]
        elif border == BOTTOM:
            gap = 1.0 - person[P_Y1]
        if gap <= best_gap:
            best, best_gap = float(side), gap
    return best


@njit(cache=True, error_model="numpy")
def _row_of(persons: Floats, people: int, person: int, hint: int) -> int:
    """Row of a person; -1: unknown. People keep their order from step to step, so the hint nearly always hits."""
    if hint < people and persons[hint, P_ID] == person:
        return hint
    for row in range(people):
        if persons[row, P_ID] == person:
            return row
    return -1


@njit(cache=True, error_model="numpy")
def _enter(visit: Floats, t_s: float, side: float) -> None:
    visit[V_PHASE], visit[V_ENTRY], visit[V_ENTRY_SIDE], visit[V_IN] = ENTERING, t_s, side, t_s
    visit[V_OUT], visit[V_OUT_SIDE], visit[V_AHEAD_OUT], visit[V_AHEAD_SIDE] = NEVER, NO_SIDE, NEVER, NO_SIDE
    visit[V_CLEAR] = NEVER


@njit(cache=True, error_model="numpy")
def _say(change: Floats, person: Floats, visit: Floats, zone: int, kind: int) -> None:
    """Write a change about one visit; an end uses V_OUT and V_OUT_SIDE."""
    change[C_ZONE], change[C_KIND], change[C_PERSON] = zone, kind, person[P_ID]
    change[C_ENTRY], change[C_END] = visit[V_ENTRY], visit[V_OUT]
    change[C_ENTRY_SIDE], change[C_END_SIDE] = visit[V_ENTRY_SIDE], visit[V_OUT_SIDE]
    change[C_SCORE] = person[P_SCORE]
    change[C_X0], change[C_Y0], change[C_X1], change[C_Y1] = person[P_X0], person[P_Y0], person[P_X1], person[P_Y1]


@njit(cache=True, error_model="numpy")
def _leave(state: Presence, row: int, zone: int, kind: int) -> None:
    """Close a visit whose V_OUT is set; one that was never reported ends in silence."""
    visit = state.visits[row, zone]
    if visit[V_PHASE] == VISITING:
        _say(state.changes[state.counters[CHANGES]], state.persons[row], visit, zone, kind)
        state.counters[CHANGES] += 1
    visit[V_PHASE] = OUT


@njit(cache=True, error_model="numpy")
def _inside(state: Presence, row: int, zone: int, t_s: float) -> None:
    """Somebody was seen inside: begin, go on, or close the break."""
    visit, person, settings = state.visits[row, zone], state.persons[row], state.settings[zone]
    if visit[V_PHASE] == OUT or visit[V_OUT] >= 0.0:
        share, side = meeting(state.corners, int(settings[S_SIDES]), zone, person, LAST)
        back_s = t_s if share < 0.0 else person[P_TIME] + share * (t_s - person[P_TIME])
        if visit[V_PHASE] != OUT and visit[V_CLEAR] >= 0.0 and back_s - visit[V_CLEAR] >= settings[S_EXIT]:
            _leave(state, row, zone, ENDED)
        if visit[V_PHASE] == OUT:
            _enter(visit, back_s, side)
    visit[V_IN], visit[V_OUT], visit[V_CLEAR], visit[V_AHEAD_OUT] = t_s, NEVER, NEVER, NEVER
    if visit[V_PHASE] == ENTERING and t_s - visit[V_ENTRY] >= settings[S_ENTER]:
        visit[V_PHASE] = WITHIN
    if visit[V_PHASE] == WITHIN and t_s - visit[V_ENTRY] >= settings[S_DWELL_MIN]:
        visit[V_PHASE] = VISITING
        _say(state.changes[state.counters[CHANGES]], person, visit, zone, BEGAN)
        state.counters[CHANGES] += 1


@njit(cache=True, error_model="numpy")
def distance(corners: Floats, sides: int, zone: int, x: float, y: float, aspect: float) -> float:
    """From x, y to the nearest point of the polygon's sides, in heights of the view."""
    nearest = np.inf
    for side in range(sides):
        after = side + 1 if side + 1 < sides else 0
        from_x, from_y = corners[zone, side, K_X] * aspect, corners[zone, side, K_Y]
        way_x, way_y = corners[zone, after, K_X] * aspect - from_x, corners[zone, after, K_Y] - from_y
        square = way_x * way_x + way_y * way_y
        off_x, off_y = x * aspect - from_x, y - from_y
        share = min(max((off_x * way_x + off_y * way_y) / square, 0.0), 1.0) if square > 0.0 else 0.0
        off_x, off_y = off_x - share * way_x, off_y - share * way_y
        nearest = min(nearest, off_x * off_x + off_y * off_y)
    return math.sqrt(nearest)


@njit(cache=True, error_model="numpy")
def _outside(visit: Floats, person: Floats, corners: Floats, sides: int, zone: int, t_s: float, aspect: float) -> None:
    """Somebody was seen outside: a short look is forgotten, a visit has a break that, clear of the edge, may become its end."""
    if visit[V_PHASE] == ENTERING:
        visit[V_PHASE] = OUT
        return
    if visit[V_OUT] < 0.0:
        share, side = meeting(corners, sides, zone, person, FIRST)
        visit[V_OUT] = t_s if share < 0.0 else person[P_TIME] + share * (t_s - person[P_TIME])
        visit[V_OUT_SIDE] = side
    if distance(corners, sides, zone, person[P_TO_X], person[P_TO_Y], aspect) <= EDGE_SHARE * (person[P_Y1] - person[P_Y0]):
        visit[V_CLEAR] = NEVER
    elif visit[V_CLEAR] < 0.0:
        if t_s - visit[V_OUT] > QUICK_S:  # they stood on the edge since, and leave now
            visit[V_OUT] = person[P_TIME]
        visit[V_CLEAR] = visit[V_OUT]


@njit(cache=True, error_model="numpy")
def _ahead(visit: Floats, person: Floats, corners: Floats, sides: int, zone: int, t_s: float) -> None:
    """Somebody is predicted outside: remember where and when, in case they are never found again."""
    if visit[V_OUT] >= 0.0 or visit[V_AHEAD_OUT] >= 0.0:
        return
    if not contains(corners, sides, zone, person[P_TO_X], person[P_TO_Y]):
        share, side = meeting(corners, sides, zone, person, FIRST)
        visit[V_AHEAD_OUT] = person[P_AHEAD_T] + max(share, 0.0) * (t_s - person[P_AHEAD_T])
        visit[V_AHEAD_SIDE] = side


@njit(cache=True, error_model="numpy")
def _add(state: Presence, row: int, born_s: float, box: Floats) -> None:
    """Fill a row for somebody new, as of their first detection."""
    person = state.persons[row]
    x, y = _held((box[0] + box[2]) / 2.0), _held(box[3])
    person[P_TIME], person[P_X], person[P_Y] = born_s, x, y
    person[P_AHEAD_T], person[P_AHEAD_X], person[P_AHEAD_Y] = born_s, x, y
    person[P_SCORE] = 0.0
    person[P_X0], person[P_Y0], person[P_X1], person[P_Y1] = box[0], box[1], box[2], box[3]
    for zone in range(state.settings.shape[0]):
        sides = int(state.settings[zone, S_SIDES])
        state.visits[row, zone, V_PHASE] = OUT
        if contains(state.corners, sides, zone, x, y):
            _enter(state.visits[row, zone], born_s, _border_side(state.corners, sides, zone, person))


@njit(cache=True, error_model="numpy")
def _observe(state: Presence, row: int, t_s: float, aspect: float, seen: bool, still: bool) -> None:  # noqa: FBT001 kernels take positions
    """The way at hand of one person against every zone. Nearly always nothing changes, and that is said with scalars alone."""
    visits, settings, corners, person = state.visits, state.settings, state.corners, state.persons[row]
    for zone in range(settings.shape[0]):
        phase, sides = visits[row, zone, V_PHASE], int(settings[zone, S_SIDES])
        if still:
            if phase != OUT:
                visits[row, zone, V_OUT], visits[row, zone, V_OUT_SIDE] = t_s, NO_SIDE
                _leave(state, row, zone, VOIDED)
        elif not seen:
            if phase != OUT:
                _ahead(visits[row, zone], person, corners, sides, zone, t_s)
        elif contains(corners, sides, zone, person[P_TO_X], person[P_TO_Y]):
            if phase == VISITING and visits[row, zone, V_OUT] < 0.0:
                visits[row, zone, V_IN], visits[row, zone, V_AHEAD_OUT] = t_s, NEVER
            else:
                _inside(state, row, zone, t_s)
        elif phase != OUT:
            _outside(visits[row, zone], person, corners, sides, zone, t_s, aspect)


@njit(cache=True, error_model="numpy")
def _forget(state: Presence, row: int) -> None:
    """Somebody is gone for good: their visits end where the evidence ends, and the row closes up."""
    for zone in range(state.settings.shape[0]):
        visit = state.visits[row, zone]
        if visit[V_PHASE] == OUT:
            continue
        if visit[V_OUT] < 0.0 and visit[V_AHEAD_OUT] >= 0.0:
            visit[V_OUT], visit[V_OUT_SIDE] = max(visit[V_AHEAD_OUT], visit[V_IN]), visit[V_AHEAD_SIDE]
        elif visit[V_OUT] < 0.0:
            side = _border_side(state.corners, int(state.settings[zone, S_SIDES]), zone, state.persons[row])
            visit[V_OUT], visit[V_OUT_SIDE] = visit[V_IN], side
        _leave(state, row, zone, ENDED)
    state.counters[PEOPLE] -= 1
    for after in range(row, state.counters[PEOPLE]):
        state.persons[after] = state.persons[after + 1]
        state.visits[after] = state.visits[after + 1]


@njit(cache=True, error_model="numpy")
def _expire(state: Presence, t_s: float) -> None:
    """End the visits whose break has lasted, and count who is there."""
    visits, persons, counters = state.visits, state.persons, state.counters
    counters[COUNTS:] = 0
    for row in range(counters[PEOPLE]):
        for zone in range(state.settings.shape[0]):
            if visits[row, zone, V_PHASE] == OUT:
                continue
            clear_s, exit_s = visits[row, zone, V_CLEAR], state.settings[zone, S_EXIT]
            if clear_s >= 0.0 and t_s - clear_s >= exit_s:
                _leave(state, row, zone, ENDED)
            elif visits[row, zone, V_PHASE] == VISITING and (persons[row, P_PRESENT] > 0.0 or t_s - visits[row, zone, V_IN] <= exit_s):
                counters[COUNTS + 2 * zone + (1 if persons[row, P_STAFF] > 0.0 else 0)] += 1


@njit(cache=True, error_model="numpy")
def presence_step(
    t_s: float,
    aspect: float,
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
    """Take one step with the people of it, as in `People`; the number of rows of `state.changes` that say what happened.

    tables: those of Presence one by one, for a tuple takes twice as long to get into a kernel.
    """
    state = Presence(*tables)
    persons, counters = state.persons, state.counters
    counters[CHANGES] = 0
    for row in range(counters[PEOPLE]):
        persons[row, P_PRESENT] = 0.0
    hint = 0
    for index in range(ids.shape[0]):
        row = _row_of(persons, counters[PEOPLE], ids[index], hint)
        if row < 0:
            if counters[PEOPLE] == persons.shape[0]:
                continue
            row = counters[PEOPLE]
            counters[PEOPLE] += 1
            persons[row, P_ID] = ids[index]
            _add(state, row, born_s[index], birth_boxes[index])
        hint = row + 1
        x, y = _held((boxes[index, 0] + boxes[index, 2]) / 2.0), _held(boxes[index, 3])
        persons[row, P_TO_X], persons[row, P_TO_Y] = x, y
        persons[row, P_STAFF], persons[row, P_PRESENT] = (1.0 if staff[index] else 0.0), 1.0
        if seen[index]:
            persons[row, P_FROM_X], persons[row, P_FROM_Y] = persons[row, P_X], persons[row, P_Y]
            persons[row, P_SCORE] = scores[index]
            persons[row, P_X0], persons[row, P_Y0] = boxes[index, 0], boxes[index, 1]
            persons[row, P_X1], persons[row, P_Y1] = boxes[index, 2], boxes[index, 3]
        else:
            persons[row, P_FROM_X], persons[row, P_FROM_Y] = persons[row, P_AHEAD_X], persons[row, P_AHEAD_Y]
        _observe(state, row, t_s, aspect, seen[index], still[index])
        if seen[index]:
            persons[row, P_TIME], persons[row, P_X], persons[row, P_Y] = t_s, x, y
        persons[row, P_AHEAD_T], persons[row, P_AHEAD_X], persons[row, P_AHEAD_Y] = t_s, x, y
    for index in range(gone.shape[0]):
        row = _row_of(persons, counters[PEOPLE], gone[index], 0)
        if row >= 0:
            _forget(state, row)
    _expire(state, t_s)
    return counters[CHANGES]
