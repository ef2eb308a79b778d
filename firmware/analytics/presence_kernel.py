"""The kernel of zone presence: one call a step for all people and all zones, on arrays made once.

A visit goes through phases: OUT; ENTERING, inside for less than `enter_s` without a break; WITHIN, inside for longer but
below the minimum dwell; VISITING, reported. Once WITHIN, a break shorter than `exit_s` belongs to the visit. Only seen
boxes are evidence: a coasting box moves nobody, but where it left the zone is remembered, in case nobody is found again.

Times of entry and exit are those at which the straight way between two seen foot points met a side. Feet are held
inside the view, so that a box that reaches over the picture's edge stands in the zone drawn up to that edge.
Rules: compiled and interpreted it computes the same bits: no fastmath, sums in a fixed order. What the changes mean is
left to `firmware.analytics.zone_presence`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]

OUT, ENTERING, WITHIN, VISITING = 0.0, 1.0, 2.0, 3.0  # phases
BEGAN, ENDED, VOIDED = 0, 1, 2  # kinds of change

# Columns of `persons`: when and where last seen, its score and box; where it was last predicted; what it counts as.
P_TIME, P_X, P_Y, P_SCORE, P_X0, P_Y0, P_X1, P_Y1, P_AHEAD_T, P_AHEAD_X, P_AHEAD_Y, P_STAFF, P_PRESENT = range(13)
PERSON_COLUMNS: Final = 13
# Columns of `visits`: when and by which side it began; last seen inside; stepped out; predicted to have stepped out.
V_PHASE, V_ENTRY, V_ENTRY_SIDE, V_IN, V_OUT, V_OUT_SIDE, V_AHEAD_OUT, V_AHEAD_SIDE = range(8)
VISIT_COLUMNS: Final = 8
# Columns of `changes`.
C_ZONE, C_KIND, C_PERSON, C_ENTRY, C_END, C_ENTRY_SIDE, C_END_SIDE, C_SCORE, C_X0, C_Y0, C_X1, C_Y1 = range(12)
CHANGE_COLUMNS: Final = 12

PEOPLE, CHANGES = 0, 1  # counters
NEVER = -1.0  # a time that has not come
NO_SIDE = -1.0
FIRST, LAST = 1.0, -1.0  # of several meetings
LEFT, RIGHT, TOP, BOTTOM = 1, 2, 3, 4  # borders of the view
_TINY = 1e-9  # keeps feet off the very border, where inside and outside are a matter of rounding


class Shapes(NamedTuple):
    """The zones, fixed."""

    corners: Floats  # (Z, K, 2) points of each polygon, unused ones zero
    sides: NDArray[np.int64]  # (Z,) how many corners
    borders: NDArray[np.int64]  # (Z, K) the border of the view along which a side runs, 0: none
    enter_s: Floats  # (Z,)
    exit_s: Floats  # (Z,)
    dwell_s_min: Floats  # (Z,)
    border_share: float  # a box that comes so near to the view's border touches it


class Presence(NamedTuple):
    """Who is known, and every zone's view of them; the first `counters[PEOPLE]` rows are in use."""

    ids: NDArray[np.int64]  # (C,)
    persons: Floats  # (C, PERSON_COLUMNS)
    visits: Floats  # (C, Z, VISIT_COLUMNS)
    changes: Floats  # (2 C Z, CHANGE_COLUMNS): a visit can end and another begin in one step
    counters: NDArray[np.int64]  # (2,)
    counts: NDArray[np.int64]  # (Z, 2) shoppers and staff in each zone now
    way: Floats  # (4,) from where to where the person at hand went


class Crowd(NamedTuple):
    """The people of one step, as in `People`."""

    ids: NDArray[np.int64]
    boxes: Floats
    scores: Floats
    seen: NDArray[np.bool_]
    still: NDArray[np.bool_]
    staff: NDArray[np.bool_]
    born_s: Floats
    birth_boxes: Floats
    gone: NDArray[np.int64]


def new_presence(capacity: int, zones: int) -> Presence:
    """Room for `capacity` people and `zones` zones."""
    return Presence(
        np.zeros(capacity, np.int64),
        np.zeros((capacity, PERSON_COLUMNS)),
        np.zeros((capacity, zones, VISIT_COLUMNS)),
        np.zeros((2 * capacity * zones, CHANGE_COLUMNS)),
        np.zeros(2, np.int64),
        np.zeros((zones, 2), np.int64),
        np.zeros(4),
    )


@njit(cache=True)
def contains(corners: Floats, sides: NDArray[np.int64], zone: int, x: float, y: float) -> bool:
    """Whether x, y lies in a zone's polygon, by the even-odd rule (source: W. R. Franklin's PNPOLY)."""
    inside = False
    before = sides[zone] - 1
    for corner in range(sides[zone]):
        ax, ay = corners[zone, before, 0], corners[zone, before, 1]
        bx, by = corners[zone, corner, 0], corners[zone, corner, 1]
        if (ay > y) != (by > y) and x < (bx - ax) * ((y - ay) / (by - ay)) + ax:
            inside = not inside
        before = corner
    return inside


@njit(cache=True)
def meeting(corners: Floats, sides: int, way: Floats, pick: float) -> tuple[float, float]:
    """Share of the `way` (x, y to x, y) at which it meets a side, and that side: of several the FIRST or the LAST; -1, -1: none."""
    best, best_side = NEVER, NO_SIDE
    way_x, way_y = way[2] - way[0], way[3] - way[1]
    for side in range(sides):
        after = side + 1 if side + 1 < sides else 0
        side_x, side_y = corners[after, 0] - corners[side, 0], corners[after, 1] - corners[side, 1]
        cross = way_x * side_y - way_y * side_x
        if cross == 0.0:
            continue
        gap_x, gap_y = corners[side, 0] - way[0], corners[side, 1] - way[1]
        on_way = (gap_x * side_y - gap_y * side_x) / cross
        on_side = (gap_x * way_y - gap_y * way_x) / cross
        if on_way < 0.0 or on_way > 1.0 or on_side < 0.0 or on_side > 1.0:
            continue
        if best < 0.0 or pick * on_way < pick * best:
            best, best_side = on_way, float(side)
    return best, best_side


@njit(cache=True)
def _foot(box: Floats) -> tuple[float, float]:
    """Bottom centre, held inside the view."""
    return min(max((box[0] + box[2]) / 2.0, _TINY), 1.0 - _TINY), min(max(box[3], _TINY), 1.0 - _TINY)


@njit(cache=True)
def _border_side(shapes: Shapes, zone: int, box: Floats) -> float:
    """The side along a border of the view that this box touches: who vanishes there left by it. NO_SIDE: none."""
    best, best_gap = NO_SIDE, shapes.border_share
    gaps = (0.0, box[0], 1.0 - box[2], box[1], 1.0 - box[3])
    for side in range(shapes.sides[zone]):
        border = shapes.borders[zone, side]
        if border > 0 and gaps[border] <= best_gap:
            best, best_gap = float(side), gaps[border]
    return best


@njit(cache=True)
def _row_of(ids: NDArray[np.int64], people: int, person: int, hint: int) -> int:
    """Row of a person; -1: unknown. People keep their order from step to step, so the hint nearly always hits."""
    if hint < people and ids[hint] == person:
        return hint
    for row in range(people):
        if ids[row] == person:
            return row
    return -1


@njit(cache=True)
def _say(state: Presence, row: int, zone: int, kind: int) -> None:
    """Append a change about one visit; an end uses V_OUT and V_OUT_SIDE."""
    change = state.changes[state.counters[CHANGES]]
    visit, person = state.visits[row, zone], state.persons[row]
    change[C_ZONE], change[C_KIND], change[C_PERSON] = zone, kind, state.ids[row]
    change[C_ENTRY], change[C_END] = visit[V_ENTRY], visit[V_OUT]
    change[C_ENTRY_SIDE], change[C_END_SIDE] = visit[V_ENTRY_SIDE], visit[V_OUT_SIDE]
    change[C_SCORE] = person[P_SCORE]
    change[C_X0:] = person[P_X0 : P_Y1 + 1]
    state.counters[CHANGES] += 1


@njit(cache=True)
def _enter(visit: Floats, t_s: float, side: float) -> None:
    visit[V_PHASE], visit[V_ENTRY], visit[V_ENTRY_SIDE], visit[V_IN] = ENTERING, t_s, side, t_s
    visit[V_OUT], visit[V_OUT_SIDE], visit[V_AHEAD_OUT], visit[V_AHEAD_SIDE] = NEVER, NO_SIDE, NEVER, NO_SIDE


@njit(cache=True)
def _leave(state: Presence, row: int, zone: int, kind: int) -> None:
    """Close a visit whose V_OUT is set; one that was never reported ends in silence."""
    if state.visits[row, zone, V_PHASE] == VISITING:
        _say(state, row, zone, kind)
    state.visits[row, zone, V_PHASE] = OUT


@njit(cache=True)
def _add(shapes: Shapes, state: Presence, crowd: Crowd, index: int) -> int:
    """A row for somebody new, as of their first detection; -1 when there is no room."""
    row = state.counters[PEOPLE]
    if row == state.ids.shape[0]:
        return -1
    state.counters[PEOPLE] += 1
    box = crowd.birth_boxes[index]
    x, y = _foot(box)
    state.ids[row] = crowd.ids[index]
    person = state.persons[row]
    person[:] = 0.0
    person[P_TIME], person[P_X], person[P_Y] = crowd.born_s[index], x, y
    person[P_AHEAD_T], person[P_AHEAD_X], person[P_AHEAD_Y] = crowd.born_s[index], x, y
    person[P_SCORE] = crowd.scores[index]
    person[P_X0], person[P_Y0], person[P_X1], person[P_Y1] = box[0], box[1], box[2], box[3]
    state.visits[row] = 0.0
    for zone in range(shapes.sides.shape[0]):
        if contains(shapes.corners, shapes.sides, zone, x, y):
            _enter(state.visits[row, zone], crowd.born_s[index], _border_side(shapes, zone, box))
    return row


@njit(cache=True)
def _inside(shapes: Shapes, state: Presence, at: tuple[int, int], t_s: float) -> None:
    """Somebody was seen inside: begin, go on, or close the break."""
    row, zone = at
    visit, before_s = state.visits[row, zone], state.persons[row, P_TIME]
    if visit[V_PHASE] == OUT or visit[V_OUT] >= 0.0:
        share, side = meeting(shapes.corners[zone], shapes.sides[zone], state.way, LAST)
        back_s = t_s if share < 0.0 else before_s + share * (t_s - before_s)
        if visit[V_PHASE] != OUT and back_s - visit[V_OUT] >= shapes.exit_s[zone]:
            _leave(state, row, zone, ENDED)
        if visit[V_PHASE] == OUT:
            _enter(visit, back_s, side)
    visit[V_IN], visit[V_OUT], visit[V_AHEAD_OUT] = t_s, NEVER, NEVER
    if visit[V_PHASE] == ENTERING and t_s - visit[V_ENTRY] >= shapes.enter_s[zone]:
        visit[V_PHASE] = WITHIN
    if visit[V_PHASE] == WITHIN and t_s - visit[V_ENTRY] >= shapes.dwell_s_min[zone]:
        visit[V_PHASE] = VISITING
        _say(state, row, zone, BEGAN)


@njit(cache=True)
def _outside(shapes: Shapes, state: Presence, at: tuple[int, int], t_s: float) -> None:
    """Somebody was seen outside: a short look is forgotten, a visit has a break that may become its end."""
    row, zone = at
    visit, before_s = state.visits[row, zone], state.persons[row, P_TIME]
    if visit[V_PHASE] == ENTERING:
        visit[V_PHASE] = OUT
    elif visit[V_PHASE] != OUT and visit[V_OUT] < 0.0:
        share, side = meeting(shapes.corners[zone], shapes.sides[zone], state.way, FIRST)
        visit[V_OUT] = t_s if share < 0.0 else before_s + share * (t_s - before_s)
        visit[V_OUT_SIDE] = side


@njit(cache=True)
def _ahead(shapes: Shapes, state: Presence, at: tuple[int, int], t_s: float) -> None:
    """Somebody is predicted outside: remember where and when, in case they are never found again."""
    row, zone = at
    visit, before_s = state.visits[row, zone], state.persons[row, P_AHEAD_T]
    if visit[V_PHASE] == OUT or visit[V_OUT] >= 0.0 or visit[V_AHEAD_OUT] >= 0.0:
        return
    if not contains(shapes.corners, shapes.sides, zone, state.way[2], state.way[3]):
        share, side = meeting(shapes.corners[zone], shapes.sides[zone], state.way, FIRST)
        visit[V_AHEAD_OUT] = before_s + max(share, 0.0) * (t_s - before_s)
        visit[V_AHEAD_SIDE] = side


@njit(cache=True)
def _observe(shapes: Shapes, state: Presence, crowd: Crowd, index: int, row: int, t_s: float) -> None:
    """One person of this step against every zone. Nearly always nothing changes, and that is said with scalars alone."""
    persons, visits, boxes, seen = state.persons, state.visits, crowd.boxes, crowd.seen[index]
    x = min(max((boxes[index, 0] + boxes[index, 2]) / 2.0, _TINY), 1.0 - _TINY)
    y = min(max(boxes[index, 3], _TINY), 1.0 - _TINY)
    state.way[0] = persons[row, P_X] if seen else persons[row, P_AHEAD_X]
    state.way[1] = persons[row, P_Y] if seen else persons[row, P_AHEAD_Y]
    state.way[2], state.way[3] = x, y
    if seen:
        persons[row, P_SCORE] = crowd.scores[index]
        persons[row, P_X0], persons[row, P_Y0] = boxes[index, 0], boxes[index, 1]
        persons[row, P_X1], persons[row, P_Y1] = boxes[index, 2], boxes[index, 3]
    for zone in range(shapes.sides.shape[0]):
        phase = visits[row, zone, V_PHASE]
        if crowd.still[index]:
            if phase != OUT:
                visits[row, zone, V_OUT], visits[row, zone, V_OUT_SIDE] = t_s, NO_SIDE
                _leave(state, row, zone, VOIDED)
        elif not seen:
            if phase != OUT:
                _ahead(shapes, state, (row, zone), t_s)
        elif contains(shapes.corners, shapes.sides, zone, x, y):
            if phase == VISITING and visits[row, zone, V_OUT] < 0.0:
                visits[row, zone, V_IN], visits[row, zone, V_AHEAD_OUT] = t_s, NEVER
            else:
                _inside(shapes, state, (row, zone), t_s)
        elif phase != OUT:
            _outside(shapes, state, (row, zone), t_s)
    if seen:
        persons[row, P_TIME], persons[row, P_X], persons[row, P_Y] = t_s, x, y
    persons[row, P_AHEAD_T], persons[row, P_AHEAD_X], persons[row, P_AHEAD_Y] = t_s, x, y
    persons[row, P_STAFF], persons[row, P_PRESENT] = (1.0 if crowd.staff[index] else 0.0), 1.0


@njit(cache=True)
def _forget(shapes: Shapes, state: Presence, row: int) -> None:
    """Somebody is gone for good: their visits end where the evidence ends, and the row closes up."""
    for zone in range(shapes.sides.shape[0]):
        visit = state.visits[row, zone]
        if visit[V_PHASE] == OUT:
            continue
        if visit[V_OUT] < 0.0 and visit[V_AHEAD_OUT] >= 0.0:
            visit[V_OUT], visit[V_OUT_SIDE] = max(visit[V_AHEAD_OUT], visit[V_IN]), visit[V_AHEAD_SIDE]
        elif visit[V_OUT] < 0.0:
            visit[V_OUT], visit[V_OUT_SIDE] = visit[V_IN], _border_side(shapes, zone, state.persons[row, P_X0 : P_Y1 + 1])
        _leave(state, row, zone, ENDED)
    state.counters[PEOPLE] -= 1
    for after in range(row, state.counters[PEOPLE]):
        state.ids[after] = state.ids[after + 1]
        state.persons[after] = state.persons[after + 1]
        state.visits[after] = state.visits[after + 1]


@njit(cache=True)
def _expire(shapes: Shapes, state: Presence, t_s: float) -> None:
    """End the visits whose break has lasted, and count who is there."""
    visits, persons, counts = state.visits, state.persons, state.counts
    counts[:] = 0
    for row in range(state.counters[PEOPLE]):
        for zone in range(shapes.sides.shape[0]):
            if visits[row, zone, V_PHASE] == OUT:
                continue
            out_s, exit_s = visits[row, zone, V_OUT], shapes.exit_s[zone]
            if out_s >= 0.0 and t_s - out_s >= exit_s:
                _leave(state, row, zone, ENDED)
            elif visits[row, zone, V_PHASE] == VISITING and (persons[row, P_PRESENT] > 0.0 or t_s - visits[row, zone, V_IN] <= exit_s):
                counts[zone, 1 if persons[row, P_STAFF] > 0.0 else 0] += 1


@njit(cache=True)
def presence_step(shapes: Shapes, state: Presence, crowd: Crowd, t_s: float) -> int:
    """Take one step; the number of rows of `state.changes` that say what happened."""
    state.counters[CHANGES] = 0
    state.persons[: state.counters[PEOPLE], P_PRESENT] = 0.0
    hint = 0
    for index in range(crowd.ids.shape[0]):
        row = _row_of(state.ids, state.counters[PEOPLE], crowd.ids[index], hint)
        if row < 0:
            row = _add(shapes, state, crowd, index)
        if row >= 0:
            _observe(shapes, state, crowd, index, row, t_s)
            hint = row + 1
    for index in range(crowd.gone.shape[0]):
        row = _row_of(state.ids, state.counters[PEOPLE], crowd.gone[index], 0)
        if row >= 0:
            _forget(shapes, state, row)
    _expire(shapes, state, t_s)
    return state.counters[CHANGES]
