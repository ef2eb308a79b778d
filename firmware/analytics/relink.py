"""Tracks become people: a new track that starts where a lost one ended is the same person, and inherits what they did.

A tracker's id is a strong hint and no proof. In every frame the people known (in view or lost) and the tracks seen are
matched anew: by where each person should be by now, by size, and by the id they last had, which is worth much but not
everything. So a track that ends and begins again under another number stays one person, two people whose numbers are
exchanged in one frame stay themselves, and a number that jumps across the room becomes somebody else.

Rules: causal; a person is `gone` only when no later track can be linked to them, `relink_s_max` after the last sight; two
tracks that were ever seen at the same time are never one person; work and memory are bounded by the capacity; plain
arithmetic in a fixed order. Left to others: standing still and staff (`pipeline`), what people do (lines, zones).

Source: the assignment is `firmware.vision.matching`; the motion is the textbook filter for constant velocity with white
acceleration (Bar-Shalom, Li, Kirubarajan, *Estimation with Applications to Tracking and Navigation*, 2001, section 6.2).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from firmware.analytics.people import People
from firmware.vision.matching import NONE, Assignment, Graph, assign, new_assignment, new_graph
from firmware.vision.track import Tracks

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

LIVE, NEXT_ID, GONE, RELINKED = 0, 1, 2, 3  # counters
FRAME_S, LOOKS, MISSES, LINKS, SWITCHES, WATCHED_S, NOW_S = 0, 1, 2, 3, 4, 5, 6  # habits
UNKNOWN = -1
CELLS_X, CELLS_Y = 16, 12  # about a step wide where people are a third of the picture high
ABSENCE_MAX: Final = 8.0  # frames: longer absences are something else than missed boxes
LOOKS_MAX: Final = 4096.0  # sights over which misses are averaged
WATCHED_S_MAX: Final = 3600.0  # doors stay where they are, cameras do not: older births fade
LEFT_MIN: Final = 0.001  # chance of leaving: nobody is held for ever
TWO_PI: Final = 6.283185307179586
LN_2: Final = 0.6931471805599453
TWO_LN_2: Final = 2 * LN_2
HEIGHT_MIN: Final = 1e-4  # of the frame


class Rules(NamedTuple):
    """When a track is somebody we know. Lengths are shares of box height; a tuple because kernels take tuples."""

    relink_s_max: float = 4.0
    jitter: float = 0.04  # standard deviation of a foot point: detector noise and gait
    acceleration: float = 0.7  # white acceleration, box heights / s^1.5: people stroll, hesitate and turn
    speed: float = 1.0  # standard deviation of the unknown speed of someone just seen, box heights / s
    size: float = 0.2  # standard deviation of the ratio of two heights of one person
    gate: float = 16.0  # squared standard deviations up to which an id of somebody else can be a person's
    id_worth: float = 14.0  # what the same id is worth, in the same measure
    jump: float = 0.6  # the same id farther away than this ...
    jump_speed: float = 3.0  # ... and than anyone walks (box heights / s; a runner makes about 2.5) is somebody else
    gap_frames: float = 1.5  # between two sights: more is a gap, in which somebody else may have come
    switch_gap: float = 0.3  # chance that a track found again after a gap has a new id
    doubt: float = 4.0  # a new id is joined only at odds of about seven to one: two people made one are two counts lost
    exchange: float = 0.001  # chance that two people exchange their ids in one frame
    hidden: float = 0.03  # chance that somebody is hidden for longer than boxes are usually missed ...
    hidden_s: float = 1.5  # ... and for how long, on average
    turn: float = 0.05  # chance that somebody turns or stops while unseen ...
    near: float = 0.15  # ... and then is no farther from the last sight than this and the way they could walk ...
    aside: float = 0.3  # ... and this share of that way aside
    ahead_s: float = 0.3  # people are on their way to where they would be after so long
    leave_hz: float = 0.1  # how likely people leave the view, per second, before that is learned for a place ...
    leave_s: float = 0.5  # ... and what that is worth, in seconds watched there
    birth_hz: float = 0.1  # how many people appear in a view, anywhere, before that is learned
    learn_s: float = 60.0  # what that is worth, against what was observed


class Store(NamedTuple):
    """Everybody known, in the first `counters[LIVE]` rows, ids ascending; positions in frame heights, covariances in box heights."""

    ids: Whole  # (P,)
    track: Whole  # (P,) last track id
    foot: Floats  # (P, 2)
    speed: Floats  # (P, 2)
    cov: Floats  # (P, 3) position, position with speed, speed: the same for both axes
    height: Floats  # (P,) smoothed
    last_s: Floats  # (P,) last sight
    last_foot: Floats  # (P, 2) where it was, unfiltered
    born_s: Floats  # (P,)
    birth: Floats  # (P, 4) first box, 0..1
    row: Whole  # (P,) row of the person's track in this frame, or NONE
    gone: Whole  # (P,) ids of those given up in this frame
    counters: Whole  # (4,)
    births: Floats  # (CELLS_Y, CELLS_X) how many people appeared where
    leaves: Floats  # (CELLS_Y, CELLS_X) how many people were last seen on their way to where ...
    stays: Floats  # (CELLS_Y, CELLS_X) ... and how many seconds people were on their way there and seen
    habits: Floats  # (7,) FRAME_S, LOOKS, MISSES, LINKS, SWITCHES, WATCHED_S, NOW_S: of this camera and its tracker


class View(NamedTuple):
    """The tracks of one frame, as the kernel reads them."""

    t_s: float
    aspect: float
    ids: Whole  # (N,)
    boxes: Floats  # (N, 4) 0..1
    seen: Flags  # (N,)
    born_s: Floats  # (N,)
    birth: Floats  # (N, 4) 0..1
    owner: Whole  # (N,) row of the person who had this id, or NONE
    column: Whole  # (N,) rows of the tracks that are seen


def _new_store(people_max: int) -> Store:
    store = Store(
        ids=np.zeros(people_max, np.int64),
        track=np.full(people_max, UNKNOWN, np.int64),
        foot=np.zeros((people_max, 2)),
        speed=np.zeros((people_max, 2)),
        cov=np.zeros((people_max, 3)),
        height=np.zeros(people_max),
        last_s=np.zeros(people_max),
        last_foot=np.zeros((people_max, 2)),
        born_s=np.zeros(people_max),
        birth=np.zeros((people_max, 4)),
        row=np.full(people_max, NONE, np.int64),
        gone=np.zeros(people_max, np.int64),
        counters=np.zeros(4, np.int64),
        births=np.zeros((CELLS_Y, CELLS_X)),
        leaves=np.zeros((CELLS_Y, CELLS_X)),
        stays=np.zeros((CELLS_Y, CELLS_X)),
        habits=np.array([0.0, 10.0, 1.0, 50.0, 1.5, 0.0, -1.0]),
    )
    store.counters[NEXT_ID] = 1
    return store


class Relinker:
    """The people of one camera. `step` once for each frame, in the order of time.

    Args:
        relink_s_max: someone unseen for longer is gone.
        capacity: tracks in one frame, at most; as many lost people are remembered beside them, and the one lost longest
            goes first when there are more.
        rules: the thresholds of linking; measured in docs/line-accuracy.md.
    """

    def __init__(self, relink_s_max: float = 4.0, capacity: int = 512, rules: Rules | None = None) -> None:
        self._rules = (rules or Rules())._replace(relink_s_max=relink_s_max)
        self._capacity = capacity
        self._store = _new_store(2 * capacity)
        self._graph = new_graph(2 * capacity, 2 * capacity * capacity)
        self._work = new_assignment(2 * capacity, capacity)
        self._t_s = -np.inf

    def step(self, tracks: Tracks) -> People:
        """Who the tracks of this frame are. A frame that claims to be earlier than the last is taken as of the same time."""
        self._t_s = t_s = max(tracks.t_s, self._t_s)
        count = min(len(tracks.ids), self._capacity)
        view = View(
            t_s,
            tracks.aspect,
            tracks.ids[:count],
            tracks.boxes[:count],
            tracks.seen[:count],
            tracks.born_s[:count],
            tracks.birth_boxes[:count],
            np.full(count, NONE, np.int64),
            np.zeros(count, np.int64),
        )
        _step(self._store, view, self._graph, self._work, self._rules)
        return self._people(tracks)

    def _people(self, tracks: Tracks) -> People:
        store = self._store
        live, gone, relinked = int(store.counters[LIVE]), int(store.counters[GONE]), int(store.counters[RELINKED])
        here = np.flatnonzero(store.row[:live] != NONE)
        rows = store.row[here]
        return People(
            t_s=tracks.t_s,
            ids=store.ids[here],
            boxes=tracks.boxes[rows],
            scores=tracks.scores[rows],
            seen=tracks.seen[rows],
            still=np.zeros(len(rows), np.bool_),
            staff=np.zeros(len(rows), np.bool_),
            born_s=store.born_s[here],
            birth_boxes=store.birth[here],
            gone=tuple(sorted(store.gone[:gone].tolist())),
            relinked=relinked,
            aspect=tracks.aspect,
            dropped=tracks.dropped,
            uniform=tracks.uniform[rows] if tracks.uniform.any() else None,
        )


@njit(cache=True)
def _step(store: Store, view: View, graph: Graph, work: Assignment, rules: Rules) -> None:
    """One frame: the outcome is `store.row`, `store.gone` and the counters."""
    store.counters[GONE] = 0
    store.counters[RELINKED] = 0
    _note_time(store, view.t_s)
    _find_owners(store, view)
    _give_up(store, view, rules)
    _find_owners(store, view)
    columns = 0
    for k in range(view.ids.shape[0]):
        if view.seen[k]:
            view.column[columns] = k
            columns += 1
    live = store.counters[LIVE]
    edges = 0
    for p in range(live):
        graph.start[p] = edges
        edges = _edges(store, p, view, columns, graph, edges, rules)
    graph.start[live] = edges
    assign(graph, live, columns, work)
    for p in range(live):
        if work.row_to_column[p] != NONE:
            _link(store, p, view, view.column[work.row_to_column[p]], rules)
    for k in range(view.ids.shape[0]):  # a track that is not seen now still says where its person should be
        p = view.owner[k]
        if not view.seen[k] and p != NONE and store.row[p] == NONE:
            store.row[p] = k
    for c in range(columns):
        if work.column_to_row[c] == NONE:
            _welcome(store, view, view.column[c], rules)


@njit(cache=True)
def _find_owners(store: Store, view: View) -> None:
    """Who had each id of this frame; of several, the one seen last."""
    for k in range(view.ids.shape[0]):
        view.owner[k] = NONE
    for p in range(store.counters[LIVE]):
        store.row[p] = NONE
        low, high = 0, view.ids.shape[0]
        while low < high:
            middle = (low + high) // 2
            if view.ids[middle] < store.track[p]:
                low = middle + 1
            else:
                high = middle
        if low < view.ids.shape[0] and view.ids[low] == store.track[p]:
            rival = view.owner[low]
            if rival == NONE or store.last_s[p] > store.last_s[rival]:
                view.owner[low] = p


@njit(cache=True)
def _give_up(store: Store, view: View, rules: Rules) -> None:
    """Those unseen for too long are gone, unless the tracker still follows them; closes the ranks."""
    followed = np.zeros(store.counters[LIVE], np.bool_)
    for k in range(view.ids.shape[0]):
        if view.owner[k] != NONE:
            followed[view.owner[k]] = True
    keep = 0
    for p in range(store.counters[LIVE]):
        if view.t_s - store.last_s[p] > rules.relink_s_max and not followed[p]:
            store.gone[store.counters[GONE]] = store.ids[p]
            store.counters[GONE] += 1
            i, j = _way(store, p, view.aspect, rules)
            _add(store.leaves, i, j, 1.0)
            continue
        if keep != p:
            _move(store, p, keep)
        keep += 1
    store.counters[LIVE] = keep


@njit(cache=True)
def _move(store: Store, source: int, target: int) -> None:
    store.ids[target] = store.ids[source]
    store.track[target] = store.track[source]
    store.height[target] = store.height[source]
    store.last_s[target] = store.last_s[source]
    store.born_s[target] = store.born_s[source]
    store.row[target] = store.row[source]
    for c in range(2):
        store.foot[target, c] = store.foot[source, c]
        store.speed[target, c] = store.speed[source, c]
        store.last_foot[target, c] = store.last_foot[source, c]
    for c in range(3):
        store.cov[target, c] = store.cov[source, c]
    for c in range(4):
        store.birth[target, c] = store.birth[source, c]


@njit(cache=True)
def _edges(store: Store, p: int, view: View, columns: int, graph: Graph, edges: int, rules: Rules) -> int:
    """Append what each track of this frame would be worth as person `p`, above zero."""
    for c in range(columns):
        k = view.column[c]
        if view.owner[k] == p:
            worth = _worth_of_own(store, p, view, k, rules)
        elif view.owner[k] == NONE:
            worth = _worth_of_new(store, p, view, k, rules)
        else:
            worth = _worth_of_others(store, p, view, k, rules)
        if worth > 0.0:
            graph.column[edges] = c
            graph.weight[edges] = worth
            edges += 1
    return edges


@njit(cache=True)
def _worth_of_own(store: Store, p: int, view: View, k: int, rules: Rules) -> float:
    """A track with the id that person `p` had: theirs, unless it jumped; less so, the less it fits.

    After a gap the id is only what the tracker believes: somebody else may have come where the person left the view.
    """
    elapsed_s = view.t_s - store.last_s[p]
    reach = rules.jump + rules.jump_speed * min(elapsed_s, 1.0)
    if _distance(store, p, view.boxes[k], view.aspect) > reach:
        return 0.0
    if elapsed_s > rules.gap_frames * store.habits[FRAME_S]:
        return _odds(store, p, view.boxes[k], view.t_s, view.aspect, 1.0, 0.0, rules)
    misfit = _misfit(store, p, view.boxes[k], view.t_s, view.aspect, rules)
    return max(rules.gate + rules.id_worth - misfit, 1.0)


@njit(cache=True)
def _worth_of_others(store: Store, p: int, view: View, k: int, rules: Rules) -> float:
    """A track with the id of somebody else: exchanged with that of person `p`, who was seen a moment ago or is found again."""
    if view.t_s - store.last_s[p] > rules.gap_frames * store.habits[FRAME_S]:
        return _odds(store, p, view.boxes[k], view.t_s, view.aspect, rules.exchange, 0.0, rules)
    return rules.gate - _misfit(store, p, view.boxes[k], view.t_s, view.aspect, rules)


@njit(cache=True)
def _worth_of_new(store: Store, p: int, view: View, k: int, rules: Rules) -> float:
    """A track nobody had before: person `p` found again, if it began after `p` was last seen."""
    if view.born_s[k] <= store.last_s[p]:
        return 0.0
    switch = store.habits[SWITCHES] / store.habits[LINKS]
    if view.born_s[k] - store.last_s[p] > rules.gap_frames * store.habits[FRAME_S]:
        switch = max(switch, rules.switch_gap)
    turned = _speed_misfit(store, p, view, k, rules)
    return _odds(store, p, view.birth[k], view.born_s[k], view.aspect, switch, turned, rules) - rules.doubt


@njit(cache=True)
def _odds(store: Store, p: int, box: Floats, t_s: float, aspect: float, chance: float, turned: float, rules: Rules) -> float:
    """Twice the logarithm of the odds that `box` is person `p` found again, not somebody new.

    Found again: the chance of having been missed for so long (and of the id's change), times the density of where a person
    would be by then who walks on, or turned, or stopped. New: the chance that `p` left the view or is
    missed once more, times how often people appear at this place.
    """
    gap_s = t_s - store.last_s[p]
    if gap_s > rules.relink_s_max:
        return 0.0
    h = store.height[p]
    frame_s = store.habits[FRAME_S] if store.habits[FRAME_S] > 0.0 else gap_s
    walking = -turned - _misfit(store, p, box, t_s, aspect, rules) - TWO_LN_2 * _log2(TWO_PI * _spread(store, p, gap_s, rules))
    pace = np.sqrt(store.speed[p, 0] * store.speed[p, 0] + store.speed[p, 1] * store.speed[p, 1]) / h
    reach, aside = rules.near + pace * gap_s, rules.near + rules.aside * pace * gap_s
    if _distance(store, p, box, aspect) <= reach and _aside(store, p, box, aspect) <= aside:
        walking = max(walking, TWO_LN_2 * _log2(rules.turn / (TWO_PI / 2.0 * reach * aside)))
    frames = max(gap_s / frame_s - 1.0, 0.0)
    miss = _log2(store.habits[MISSES] / store.habits[LOOKS])
    hidden = _log2(rules.hidden * min(frame_s / rules.hidden_s, 1.0)) - gap_s / rules.hidden_s / LN_2
    away = max(_log2(_left(store, p, gap_s, aspect, rules)), (frames + 1.0) * miss, hidden)
    born = _log2(_birth_density(store, box, rules) * h * h * frame_s)
    return walking + TWO_LN_2 * (max(frames * miss + _log2(chance), hidden) - away - born)


@njit(cache=True)
def _log2(x: float) -> float:
    """Binary logarithm, straight between powers of two (0.09 off at most): the same on every machine, which log is not."""
    mantissa, exponent = math.frexp(x)
    return exponent - 2.0 + 2.0 * mantissa


@njit(cache=True)
def _cell(x: float, y: float) -> tuple[int, int]:
    """Row and column of the cell of a point in 0..1; what lies outside belongs to the border."""
    return int(min(max(y, 0.0), 0.999999) * CELLS_Y), int(min(max(x, 0.0), 0.999999) * CELLS_X)


@njit(cache=True)
def _add(cells: Floats, i: int, j: int, amount: float) -> None:
    """To a cell, and less to its neighbours."""
    for di in range(-1, 2):
        for dj in range(-1, 2):
            if 0 <= i + di < CELLS_Y and 0 <= j + dj < CELLS_X:
                cells[i + di, j + dj] += 0.25 * amount / (1 + abs(di)) / (1 + abs(dj))


@njit(cache=True)
def _way(store: Store, p: int, aspect: float, rules: Rules) -> tuple[int, int]:
    """The cell that person `p` was on the way to when last seen."""
    x = (store.foot[p, 0] + store.speed[p, 0] * rules.ahead_s) / aspect
    return _cell(x, store.foot[p, 1] + store.speed[p, 1] * rules.ahead_s)


@njit(cache=True)
def _left(store: Store, p: int, gap_s: float, aspect: float, rules: Rules) -> float:
    """Chance that person `p` has left the view since the last sight, as people do who go where they went."""
    i, j = _way(store, p, aspect, rules)
    rate = (store.leaves[i, j] + rules.leave_hz * rules.leave_s) / (store.stays[i, j] + rules.leave_s)
    return min(max(rate * gap_s, LEFT_MIN), 1.0)


@njit(cache=True)
def _birth_density(store: Store, box: Floats, rules: Rules) -> float:
    """How many people appear here, per second and square of the frame's height."""
    i, j = _cell((box[0] + box[2]) / 2, box[3])
    whole = CELLS_X * CELLS_Y / 1.5  # cells in a picture of 1.5 square heights: close enough for odds
    seen = store.births[i, j] + rules.birth_hz * rules.learn_s / (CELLS_X * CELLS_Y)
    return seen * whole / (store.habits[WATCHED_S] + rules.learn_s)


@njit(cache=True)
def _note_time(store: Store, t_s: float) -> None:
    """How far apart frames are, and how long was watched."""
    habits = store.habits
    elapsed_s = t_s - habits[NOW_S]
    if habits[NOW_S] >= 0.0 and 0.0 < elapsed_s < 1.0:
        habits[FRAME_S] += (elapsed_s - habits[FRAME_S]) * (0.05 if habits[FRAME_S] > 0.0 else 1.0)
        habits[WATCHED_S] += elapsed_s
    habits[NOW_S] = t_s
    if habits[WATCHED_S] > WATCHED_S_MAX:
        habits[WATCHED_S] /= 2.0
        for i in range(CELLS_Y):
            for j in range(CELLS_X):
                store.births[i, j] /= 2.0
                store.leaves[i, j] /= 2.0
                store.stays[i, j] /= 2.0


@njit(cache=True)
def _note_sight(store: Store, gap_s: float, same_id: int, rules: Rules) -> None:
    """Somebody was seen again after `gap_s`: how often are boxes missed, how often does this tracker change an id."""
    habits = store.habits
    frames = gap_s / habits[FRAME_S] if habits[FRAME_S] > 0.0 else ABSENCE_MAX + 1.0
    if frames > ABSENCE_MAX:
        return
    if same_id == 1:
        habits[LOOKS] += max(frames, 1.0)
        habits[MISSES] += max(frames - 1.0, 0.0)
    if frames <= rules.gap_frames:
        habits[LINKS] += 1.0
        habits[SWITCHES] += 1.0 - same_id
    if habits[LOOKS] > LOOKS_MAX:
        habits[LOOKS] /= 2.0
        habits[MISSES] /= 2.0
    if habits[LINKS] > LOOKS_MAX:
        habits[LINKS] /= 2.0
        habits[SWITCHES] /= 2.0


@njit(cache=True)
def _distance(store: Store, p: int, box: Floats, aspect: float) -> float:
    """From the last sight of person `p` to the foot of `box`, in box heights."""
    dx = (box[0] + box[2]) / 2 * aspect - store.last_foot[p, 0]
    dy = box[3] - store.last_foot[p, 1]
    return np.sqrt(dx * dx + dy * dy) / store.height[p]


@njit(cache=True)
def _spread(store: Store, p: int, dt: float, rules: Rules) -> float:
    """Variance of where person `p` is seen after `dt`, square box heights."""
    wander = rules.acceleration * rules.acceleration * dt * dt * dt / 3.0
    return store.cov[p, 0] + 2.0 * dt * store.cov[p, 1] + dt * dt * store.cov[p, 2] + wander + rules.jitter * rules.jitter


@njit(cache=True)
def _aside(store: Store, p: int, box: Floats, aspect: float) -> float:
    """How far the foot of `box` is from the straight way of person `p`, forwards or back, in box heights."""
    vx, vy = store.speed[p, 0], store.speed[p, 1]
    pace = np.sqrt(vx * vx + vy * vy)
    if pace == 0.0:
        return 0.0
    dx = (box[0] + box[2]) / 2 * aspect - store.last_foot[p, 0]
    dy = box[3] - store.last_foot[p, 1]
    return abs(dx * vy - dy * vx) / pace / store.height[p]


@njit(cache=True)
def _misfit(store: Store, p: int, box: Floats, t_s: float, aspect: float, rules: Rules) -> float:
    """How far `box` at `t_s` is from where person `p` should be and from their size: squared standard deviations."""
    dt = max(t_s - store.last_s[p], 0.0)
    h = store.height[p]
    dx = ((box[0] + box[2]) / 2 * aspect - store.foot[p, 0] - store.speed[p, 0] * dt) / h
    dy = (box[3] - store.foot[p, 1] - store.speed[p, 1] * dt) / h
    spread = _spread(store, p, dt, rules)
    ratio = max(box[3] - box[1], HEIGHT_MIN) / h
    off = (max(ratio, 1.0 / ratio) - 1.0) / rules.size
    return (dx * dx + dy * dy) / spread + off * off


@njit(cache=True)
def _speed_misfit(store: Store, p: int, view: View, k: int, rules: Rules) -> float:
    """How far the way of a track since its birth is from the pace of person `p`: squared standard deviations."""
    age_s = view.t_s - view.born_s[k]
    if age_s < 0.1:
        return 0.0
    h = store.height[p]
    born, now = view.birth[k], view.boxes[k]
    vx = ((now[0] + now[2] - born[0] - born[2]) / 2 * view.aspect / age_s - store.speed[p, 0]) / h
    vy = ((now[3] - born[3]) / age_s - store.speed[p, 1]) / h
    elapsed_s = view.t_s - store.last_s[p]
    noise = rules.jitter / age_s
    spread = store.cov[p, 2] + rules.acceleration * rules.acceleration * elapsed_s + 2.0 * noise * noise
    return (vx * vx + vy * vy) / spread


@njit(cache=True)
def _link(store: Store, p: int, view: View, k: int, rules: Rules) -> None:
    """Track `k` is person `p`."""
    if view.owner[k] == p:
        _note_sight(store, view.t_s - store.last_s[p], 1, rules)
    else:
        store.counters[RELINKED] += 1
        if view.owner[k] == NONE:
            _note_sight(store, view.born_s[k] - store.last_s[p], 0, rules)
        if view.owner[k] == NONE and view.born_s[k] < view.t_s:
            _observe(store, p, view.birth[k], view.born_s[k], view.aspect, rules)
    elapsed_s = view.t_s - store.last_s[p]
    _observe(store, p, view.boxes[k], view.t_s, view.aspect, rules)
    i, j = _way(store, p, view.aspect, rules)
    _add(store.stays, i, j, min(elapsed_s, rules.hidden_s))
    store.track[p] = view.ids[k]
    store.row[p] = k


@njit(cache=True)
def _observe(store: Store, p: int, box: Floats, t_s: float, aspect: float, rules: Rules) -> None:
    """Person `p` was seen at `t_s`: the filter takes it in."""
    dt = max(t_s - store.last_s[p], 0.0)
    a, b, c = store.cov[p, 0], store.cov[p, 1], store.cov[p, 2]
    q = rules.acceleration * rules.acceleration
    a, b, c = a + 2.0 * dt * b + dt * dt * c + q * dt * dt * dt / 3.0, b + dt * c + q * dt * dt / 2.0, c + q * dt
    gain, gain_speed = a / (a + rules.jitter * rules.jitter), b / (a + rules.jitter * rules.jitter)
    foot = ((box[0] + box[2]) / 2 * aspect, box[3])
    for i in range(2):
        predicted = store.foot[p, i] + store.speed[p, i] * dt
        off = foot[i] - predicted
        store.foot[p, i] = predicted + gain * off
        store.speed[p, i] += gain_speed * off
        store.last_foot[p, i] = foot[i]
    store.cov[p, 0] = (1.0 - gain) * a
    store.cov[p, 1] = (1.0 - gain) * b
    store.cov[p, 2] = c - gain_speed * b
    store.height[p] += (max(box[3] - box[1], HEIGHT_MIN) - store.height[p]) * 0.2
    store.last_s[p] = t_s


@njit(cache=True)
def _welcome(store: Store, view: View, k: int, rules: Rules) -> None:
    """Track `k` is somebody new. A known id that jumped is born here and now; a new one when its track was."""
    if store.counters[LIVE] == store.ids.shape[0]:
        _forget_longest_lost(store)
    p = store.counters[LIVE]
    store.counters[LIVE] += 1
    store.ids[p] = store.counters[NEXT_ID]
    store.counters[NEXT_ID] += 1
    store.track[p] = view.ids[k]
    store.row[p] = k
    jumped = view.owner[k] != NONE
    first = view.boxes[k] if jumped else view.birth[k]
    store.born_s[p] = view.t_s if jumped else view.born_s[k]
    i, j = _cell((first[0] + first[2]) / 2, first[3])
    _add(store.births, i, j, 1.0)
    for c in range(4):
        store.birth[p, c] = first[c]
    store.foot[p, 0] = (first[0] + first[2]) / 2 * view.aspect
    store.foot[p, 1] = first[3]
    store.speed[p, 0] = 0.0
    store.speed[p, 1] = 0.0
    store.last_foot[p, 0] = store.foot[p, 0]
    store.last_foot[p, 1] = store.foot[p, 1]
    store.height[p] = max(first[3] - first[1], HEIGHT_MIN)
    store.cov[p, 0] = rules.jitter * rules.jitter
    store.cov[p, 1] = 0.0
    store.cov[p, 2] = rules.speed * rules.speed
    store.last_s[p] = store.born_s[p]
    if store.born_s[p] < view.t_s:
        _observe(store, p, view.boxes[k], view.t_s, view.aspect, rules)


@njit(cache=True)
def _forget_longest_lost(store: Store) -> None:
    """Make room: of those out of view, the one lost longest is gone."""
    oldest = NONE
    for p in range(store.counters[LIVE]):
        if store.row[p] == NONE and (oldest == NONE or store.last_s[p] < store.last_s[oldest]):
            oldest = p
    store.gone[store.counters[GONE]] = store.ids[oldest]
    store.counters[GONE] += 1
    for p in range(oldest + 1, store.counters[LIVE]):
        _move(store, p, p - 1)
    store.counters[LIVE] -= 1
