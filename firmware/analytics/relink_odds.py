"""What each track of a frame would be worth as each person known: the edges of the graph from which `relink` chooses.

An id seen a frame ago is a strong hint; after a gap it is only what the tracker believes, and a track under a new number
may be anybody. There the worth is twice the logarithm of the odds that the person was found again, not that somebody
new came: by the time unseen, the motion, the size, how often this view misses boxes, and where in it people leave and appear.

Rules: plain arithmetic in a fixed order, and a logarithm of its own, for the library's differs between machines. Whatever
is the same for all tracks of one person is computed once. Left to others: what is remembered (`relink_memory`).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from firmware.analytics.relink_memory import (
    BIRTHS,
    CELLS_X,
    CELLS_Y,
    FRAME_S,
    K_FOUND,
    K_HEAD_X,
    K_HEAD_Y,
    K_HEIGHT,
    K_LAST_S,
    K_SEEN_X,
    K_SEEN_Y,
    K_SPEED_X,
    K_SPEED_Y,
    K_STRIDE,
    K_V,
    K_X,
    K_Y,
    LEFT_MIN,
    LINKS,
    LIVE,
    LN_2,
    LOOKS,
    MISSES,
    STAYS,
    SWITCHES,
    T_BIRTH_X,
    T_BIRTH_Y,
    T_BORN_S,
    T_KNOWN,
    T_OWNER,
    T_X,
    T_Y,
    TURNS,
    WATCHED_S,
    Floats,
    Memory,
    Rules,
    Whole,
    cell,
    is_over,
    left,
    spread,
    stands,
    way,
)
from firmware.vision.matching import NONE, Graph

TWO_PI: Final = 6.283185307179586
ROOT_TWO_PI: Final = 2.5066282746310002
TWO_LN_2: Final = 2 * LN_2
TIME_SLACK_S: Final = 1e-6  # 0.6 - 0.4 is a little less than 0.2
GATE_SLACK: Final = 1.000001  # a pair is passed over only if rounding cannot have brought it there


class Absence(NamedTuple):
    """What is the same for every place at which a person may be found again so long after the last sight.

    Attributes:
        gap_s: since the last sight.
        spread: variance of where they are by then, square box heights.
        narrow: what the density of that costs.
        reach, aside: who turned or stopped is no farther away than this, and off the way with this deviation, box heights.
        turned: worth of a place so near and on the way.
        stood: worth of the very place where somebody stood; minus infinity for who walked.
        missed, hidden, away: binary logarithms of the chances to be unseen for so long because boxes are missed, because
            something hides them, and because they left the view or are missed once more.
    """

    gap_s: float
    spread: float
    narrow: float
    reach: float
    aside: float
    turned: float
    stood: float
    missed: float
    hidden: float
    away: float


@njit(cache=True, error_model="numpy")
def weigh(memory: Memory, columns: int, t_s: float, aspect: float, graph: Graph, rules: Rules) -> None:
    """Write what each seen track of this frame would be worth as each person known, above zero, into `graph`.

    Nearly all pairs are of somebody seen a moment ago and somebody else's track far away: these cost no call.
    """
    known, tracks, column, live = memory.known, memory.tracks, memory.column, memory.counters[LIVE]
    edge_column, edge_weight = graph.column, graph.weight
    gap_s, edges = rules.gap_frames * memory.habits[FRAME_S], 0
    for p in range(live):
        graph.start[p] = edges
        elapsed_s = t_s - known[p, K_LAST_S]
        if elapsed_s > gap_s:
            edges = _edges_after_gap(memory, p, columns, t_s, aspect, edge_column, edge_weight, edges, rules)
            continue
        wide = spread(known, p, max(elapsed_s, 0.0), rules.acceleration, rules.jitter)
        x, y = known[p, K_X] + known[p, K_SPEED_X] * elapsed_s, known[p, K_Y] + known[p, K_SPEED_Y] * elapsed_s
        reach = GATE_SLACK * rules.gate * wide * known[p, K_HEIGHT] * known[p, K_HEIGHT]
        for c in range(columns):
            k = column[c]
            dx, dy = tracks[k, T_X] - x, tracks[k, T_Y] - y
            if dx * dx + dy * dy > reach and tracks[k, T_OWNER] != p and tracks[k, T_OWNER] != NONE:
                continue
            if tracks[k, T_OWNER] == NONE:
                worth = _worth_of_new(memory, p, k, t_s, aspect, rules)
            elif tracks[k, T_OWNER] != p:
                worth = rules.gate - _misfit(known, p, tracks, k, T_X, max(elapsed_s, 0.0), wide, rules.size)
            elif _jumped(known, p, tracks, k, elapsed_s, rules):
                worth = 0.0
            else:
                worth = max(rules.gate + rules.id_worth - _misfit(known, p, tracks, k, T_X, max(elapsed_s, 0.0), wide, rules.size), 1.0)
            if worth > 0.0:
                edge_column[edges] = c
                edge_weight[edges] = worth
                edges += 1
    graph.start[live] = edges


@njit(cache=True, error_model="numpy")
def _edges_after_gap(
    memory: Memory, p: int, columns: int, t_s: float, aspect: float, edge_column: Whole, edge_weight: Floats, edges: int, rules: Rules
) -> int:
    """Same for somebody who was not seen a moment ago: an id is only what the tracker believes."""
    known, tracks = memory.known, memory.tracks
    elapsed_s = t_s - known[p, K_LAST_S]
    late = is_over(memory, p, elapsed_s, aspect, rules)
    absence = _absence(memory, p, elapsed_s, aspect, rules)
    for c in range(columns):
        k = memory.column[c]
        owner = tracks[k, T_OWNER]
        if owner == NONE:
            worth = _worth_of_new(memory, p, k, t_s, aspect, rules)
        elif late or (owner == p and _jumped(known, p, tracks, k, elapsed_s, rules)):
            continue
        else:
            worth = _odds(memory, p, k, T_X, absence, 1.0 if owner == p else rules.exchange, 0.0, aspect, rules)
        if worth > 0.0:
            edge_column[edges] = c
            edge_weight[edges] = worth
            edges += 1
    return edges


@njit(cache=True, error_model="numpy")
def _jumped(known: Floats, p: int, tracks: Floats, k: int, elapsed_s: float, rules: Rules) -> bool:
    """Whether a track is farther from where person `p` was last seen than anybody gets."""
    return _distance(known, p, tracks, k, T_X) > rules.jump + rules.jump_speed * min(elapsed_s, 1.0)


@njit(cache=True, error_model="numpy")
def _worth_of_new(memory: Memory, p: int, k: int, t_s: float, aspect: float, rules: Rules) -> float:
    """A track nobody had before: person `p` found again, if it began after `p` was last seen."""
    gap_s, habits = memory.tracks[k, T_BORN_S] - memory.known[p, K_LAST_S], memory.habits
    if not gap_s > 0.0 or is_over(memory, p, gap_s, aspect, rules):
        return 0.0
    switch = habits[SWITCHES] / habits[LINKS]
    if gap_s > rules.gap_frames * habits[FRAME_S]:
        switch = max(switch, rules.switch_gap)
    turned = _speed_misfit(memory.known, p, memory.tracks, k, t_s, rules)
    absence = _absence(memory, p, gap_s, aspect, rules)
    worth = _odds(memory, p, k, T_BIRTH_X, absence, switch, turned, aspect, rules)
    memory.tracks[k, T_KNOWN] = max(memory.tracks[k, T_KNOWN], worth)
    if worth < rules.sure and is_fresh(memory, k, t_s, rules):
        return 0.0
    memory.known[p, K_FOUND] = max(memory.known[p, K_FOUND], worth)
    return worth - rules.doubt


@njit(cache=True, error_model="numpy")
def is_fresh(memory: Memory, k: int, t_s: float, rules: Rules) -> bool:
    """Whether nobody can say yet which way track `k` goes: that tells somebody new from somebody who turned round.

    To the nearest frame: where frames are few, the next one may well miss whoever is to be decided on.
    """
    fresh: bool = t_s - memory.tracks[k, T_BORN_S] < rules.decide_s - memory.habits[FRAME_S] / 2.0 - TIME_SLACK_S
    return fresh


@njit(cache=True, error_model="numpy")
def _absence(memory: Memory, p: int, gap_s: float, aspect: float, rules: Rules) -> Absence:
    """Unseen for `gap_s`: missed, hidden, or gone."""
    known, habits = memory.known, memory.habits
    wide = spread(known, p, gap_s, rules.acceleration, rules.jitter)
    frame_s = habits[FRAME_S] if habits[FRAME_S] > 0.0 else gap_s
    reach = rules.near + known[p, K_STRIDE] * gap_s
    aside = rules.aside + rules.aside_share * known[p, K_STRIDE] * gap_s
    frames = max(gap_s / frame_s - 1.0, 0.0)
    miss = log2(habits[MISSES] / habits[LOOKS])
    still = stands(known, p, rules.walk)
    hidden_s = rules.hidden_s * (rules.patience if still else 1.0)
    hidden = log2(rules.hidden * min(frame_s / hidden_s, 1.0)) - gap_s / hidden_s / LN_2
    gone = left(memory, p, gap_s, aspect, rules)
    away = max(log2(gone), (frames + 1.0) * miss, hidden)
    narrow = TWO_LN_2 * (log2(TWO_PI * wide) - log2(max(1.0 - gone, LEFT_MIN)))
    turned = TWO_LN_2 * log2(_turns(memory, p, gap_s, aspect, rules) / (2.0 * reach * ROOT_TWO_PI * aside))
    stood = TWO_LN_2 * log2(rules.stay / (TWO_PI * rules.near * rules.near)) if still else -np.inf
    return Absence(gap_s, wide, narrow, reach, aside, turned, stood, frames * miss, hidden, away)


@njit(cache=True, error_model="numpy")
def _odds(memory: Memory, p: int, k: int, at: int, absence: Absence, chance: float, turned: float, aspect: float, rules: Rules) -> float:
    """Twice the logarithm of the odds that track `k` is person `p` found again, not somebody new.

    Found again: the chance of having been missed for so long (and of the id's change), times the density of where a person
    would be by then who walks on, or turned, or stopped. New: the chance that `p` left the view or is missed once more,
    times how often people appear at this place. `at`: T_X looks at the track now, T_BIRTH_X at its birth.
    """
    known, tracks, habits = memory.known, memory.tracks, memory.habits
    taller = _taller(known, p, tracks, k, at, rules.size)
    walking = -turned - _misfit(known, p, tracks, k, at, absence.gap_s, absence.spread, rules.size) - absence.narrow
    if _distance(known, p, tracks, k, at) <= absence.reach:
        off = _aside(known, p, tracks, k, at) / absence.aside
        walking = max(walking, absence.turned - off * off - taller)
    stay = _distance(known, p, tracks, k, at) / rules.near
    walking = max(walking, absence.stood - stay * stay - taller)
    h = known[p, K_HEIGHT]
    frame_s = habits[FRAME_S] if habits[FRAME_S] > 0.0 else absence.gap_s
    born = log2(_birth_density(memory, tracks[k, at] / aspect, tracks[k, at + 1], rules) * h * h * frame_s)
    return walking + TWO_LN_2 * (max(absence.missed + log2(chance), absence.hidden) - absence.away - born)


@njit(cache=True, error_model="numpy")
def log2(x: float) -> float:
    """Binary logarithm, straight between powers of two (0.09 off at most): the same on every machine, which log is not."""
    mantissa, exponent = math.frexp(x)
    return exponent - 2.0 + 2.0 * mantissa


@njit(cache=True, error_model="numpy")
def _turns(memory: Memory, p: int, gap_s: float, aspect: float, rules: Rules) -> float:
    """Chance that person `p` has turned or stopped since the last sight, as people do who go where they went."""
    i, j = way(memory.known, p, aspect, rules.ahead_s)
    rate = (memory.places[TURNS, i, j] + rules.turn_hz * rules.leave_s) / (memory.places[STAYS, i, j] + rules.leave_s)
    return min(max(rate * gap_s, rules.turn_min), rules.turn_max)


@njit(cache=True, error_model="numpy")
def _birth_density(memory: Memory, x: float, y: float, rules: Rules) -> float:
    """How many people appear here, per second and square of the frame's height."""
    i, j = cell(x, y)
    whole = CELLS_X * CELLS_Y / 1.5  # cells in a picture of 1.5 square heights: close enough for odds
    seen = memory.places[BIRTHS, i, j] + rules.birth_hz * rules.learn_s / (CELLS_X * CELLS_Y)
    return seen * whole / (memory.habits[WATCHED_S] + rules.learn_s)


@njit(cache=True, error_model="numpy")
def _distance(known: Floats, p: int, tracks: Floats, k: int, at: int) -> float:
    """From the last sight of person `p` to the foot of track `k`, in box heights."""
    dx, dy = tracks[k, at] - known[p, K_SEEN_X], tracks[k, at + 1] - known[p, K_SEEN_Y]
    return np.sqrt(dx * dx + dy * dy) / known[p, K_HEIGHT]


@njit(cache=True, error_model="numpy")
def _aside(known: Floats, p: int, tracks: Floats, k: int, at: int) -> float:
    """How far the foot of track `k` is from the way that person `p` last walked, forwards or back, in box heights.

    Not from the way they move now: who stops and turns sways to a side, and goes back the way they came.
    """
    vx, vy = known[p, K_HEAD_X], known[p, K_HEAD_Y]
    pace = np.sqrt(vx * vx + vy * vy)
    if pace == 0.0:
        return 0.0
    dx, dy = tracks[k, at] - known[p, K_SEEN_X], tracks[k, at + 1] - known[p, K_SEEN_Y]
    return abs(dx * vy - dy * vx) / pace / known[p, K_HEIGHT]


@njit(cache=True, error_model="numpy")
def _misfit(known: Floats, p: int, tracks: Floats, k: int, at: int, dt: float, wide: float, size: float) -> float:
    """How far track `k` is from where person `p` should be after `dt` and from their size: squared standard deviations."""
    h = known[p, K_HEIGHT]
    dx = (tracks[k, at] - known[p, K_X] - known[p, K_SPEED_X] * dt) / h
    dy = (tracks[k, at + 1] - known[p, K_Y] - known[p, K_SPEED_Y] * dt) / h
    return (dx * dx + dy * dy) / wide + _taller(known, p, tracks, k, at, size)


@njit(cache=True, error_model="numpy")
def _taller(known: Floats, p: int, tracks: Floats, k: int, at: int, size: float) -> float:
    """How much taller or shorter track `k` is than person `p`: squared standard deviations."""
    ratio = tracks[k, at + 2] / known[p, K_HEIGHT]
    off = (max(ratio, 1.0 / ratio) - 1.0) / size
    return off * off


@njit(cache=True, error_model="numpy")
def _speed_misfit(known: Floats, p: int, tracks: Floats, k: int, t_s: float, rules: Rules) -> float:
    """How far the way of a track since its birth is from the pace of person `p`: squared standard deviations."""
    age_s = t_s - tracks[k, T_BORN_S]
    if age_s < 0.1:
        return 0.0
    h = known[p, K_HEIGHT]
    vx = ((tracks[k, T_X] - tracks[k, T_BIRTH_X]) / age_s - known[p, K_SPEED_X]) / h
    vy = ((tracks[k, T_Y] - tracks[k, T_BIRTH_Y]) / age_s - known[p, K_SPEED_Y]) / h
    elapsed_s = t_s - known[p, K_LAST_S]
    noise = rules.jitter / age_s
    wide = known[p, K_V] + rules.acceleration * rules.acceleration * elapsed_s + 2.0 * noise * noise
    return (vx * vx + vy * vy) / wide
