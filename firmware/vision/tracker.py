"""Boxes become tracks: predict, associate, update, spawn, retire. One call of a kernel a frame, on arrays made once.

Two associations: detections of high score with every track, then those of low score with tracks just seen (ByteTrack). A
track found again after a gap is re-updated along a virtual path (OC-SORT). A track is tentative until it has been seen for
`confirm_s`, then confirmed, then lost while unseen, and ends after `lost_s_max`. Only high scores give birth.

Rules: time is what `Detections.t_s` says, never a number of frames; it may come late, early or twice. Ids belong to the
tracker, ascend, and are never counted. Lengths are frame heights inside, 0..1 of the frame outside. Left to others: which
tracks are one person (`analytics.relink`), and what a track means.

Sources: Zhang et al., *ByteTrack* (2022); Cao et al., *Observation-Centric SORT* (2023).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from firmware.config import TrackerConfig
from firmware.vision import kalman
from firmware.vision.detection import Detections
from firmware.vision.kalman import Noise
from firmware.vision.matching import NONE, Assignment, Graph, assign, new_assignment, new_graph, overlap
from firmware.vision.track import Tracks

LIVE, NEXT_ID, ENDED, REFUSED = 0, 1, 2, 3  # counters
HIGH, LOW, LEFT_OUT = 2, 1, 0  # classes of a detection


class Rules(NamedTuple):
    """When a pair is a pair and a track a track. Measured in docs/tracking.md; a tuple because kernels take tuples."""

    score_high: float = 0.5  # first association
    score_low: float = 0.1  # second association
    confirm_s: float = 0.2  # on trial so long after the first detection
    lost_s_max: float = 1.5  # a confirmed track ends when unseen for longer: what it predicts is a guess by then
    score_birth: float = 0.5  # a new track
    trial_s_max: float = 0.25  # a track on trial ends when unseen for longer
    low_s_max: float = 0.5  # low scores keep a track alive, they do not find it again after so long
    gate: float = 16.0  # square of standard deviations within which a detection can belong to a track
    overlap_share: float = 0.5  # of a pair's worth that comes from overlap; the rest comes from nearness
    worth_min: float = 0.15  # 0..1, below it a pair is none
    worth_min_low: float = 0.3  # same for low scores
    height_ratio_min: float = 0.5  # a ghost half as tall does not inherit a person's track
    uniform_tau_s: float = 1.0  # smoothing of the match with the staff colour


class Store(NamedTuple):
    """Every live track, one row each, ids ascending in the first `counters[LIVE]` rows; lengths in frame heights."""

    ids: NDArray[np.int64]  # (C,)
    confirmed: NDArray[np.bool_]  # (C,)
    seen: NDArray[np.bool_]  # (C,) in this frame
    misses: NDArray[np.int64]  # (C,) frames since the last observation; says only how finely to divide a gap
    born_s: NDArray[np.float64]  # (C,)
    seen_s: NDArray[np.float64]  # (C,) last observation
    scores: NDArray[np.float64]  # (C,)
    uniform: NDArray[np.float64]  # (C,)
    mean: NDArray[np.float64]  # (C, 4, 2) as of `seen_s`
    cov: NDArray[np.float64]  # (C, 4, 3) as of `seen_s`
    last: NDArray[np.float64]  # (C, 4) the last observation
    birth: NDArray[np.float64]  # (C, 4) the first
    ahead: NDArray[np.float64]  # (C, 8) predicted positions and variances
    ended: NDArray[np.int64]  # (C,) ids of confirmed tracks that ended in this frame
    counters: NDArray[np.int64]  # (4,) LIVE, NEXT_ID, ENDED, REFUSED


class Seen(NamedTuple):
    """One frame's detections, copied to arrays of fixed capacity; boxes as centre x, centre y, width, height."""

    boxes: NDArray[np.float64]  # (C, 4)
    scores: NDArray[np.float64]  # (C,)
    uniform: NDArray[np.float64]  # (C,)
    kind: NDArray[np.int64]  # (C,) HIGH, LOW or LEFT_OUT
    owner: NDArray[np.int64]  # (C,) row of the track, or NONE
    rows: NDArray[np.int64]  # (C,) working space: rows and columns of the graph
    columns: NDArray[np.int64]  # (C,)


def _new_store(capacity: int) -> Store:
    def floats(*shape: int) -> NDArray[np.float64]:
        return np.zeros((capacity, *shape))

    def whole() -> NDArray[np.int64]:
        return np.zeros(capacity, np.int64)

    store = Store(
        ids=whole(),
        confirmed=np.zeros(capacity, np.bool_),
        seen=np.zeros(capacity, np.bool_),
        misses=whole(),
        born_s=floats(),
        seen_s=floats(),
        scores=floats(),
        uniform=floats(),
        mean=floats(4, 2),
        cov=floats(4, 3),
        last=floats(4),
        birth=floats(4),
        ahead=floats(8),
        ended=whole(),
        counters=np.zeros(4, np.int64),
    )
    store.counters[NEXT_ID] = 1
    return store


def _new_seen(capacity: int) -> Seen:
    whole = [np.zeros(capacity, np.int64) for _ in range(4)]
    return Seen(np.zeros((capacity, 4)), np.zeros(capacity), np.zeros(capacity), *whole)


class Tracker:
    """Tracks of one camera. `step` once for each frame, in the order of time.

    Work and memory are bounded by `config.capacity` tracks and as many detections; what comes beyond is left out, lowest
    scores first, and counted in `refused`.
    """

    def __init__(self, config: TrackerConfig | None = None, rules: Rules | None = None, noise: Noise | None = None) -> None:
        config = config or TrackerConfig()
        configured = {name: getattr(config, name) for name in ("score_high", "score_low", "confirm_s", "lost_s_max")}
        self._rules = rules or Rules()._replace(**configured, score_birth=config.score_high)
        self._noise = noise or Noise()
        self._capacity = config.capacity
        self._store = _new_store(config.capacity)
        self._seen = _new_seen(config.capacity)
        self._graph = new_graph(config.capacity, config.capacity * config.capacity)
        self._work = new_assignment(config.capacity, config.capacity)
        self._t_s = -np.inf

    @property
    def refused(self) -> int:
        """Detections that found no room so far."""
        return int(self._store.counters[REFUSED])

    def step(self, detections: Detections) -> Tracks:
        """Take in one frame. A frame that claims to be earlier than the last is taken as being of the same time."""
        count = self._copy_in(detections)
        t_s = max(detections.t_s, self._t_s)
        self._t_s = t_s
        _step(self._store, self._seen, self._graph, self._work, self._rules, self._noise, t_s, count)
        return self._tracks(detections)

    def tentative(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Ids (N,) and boxes (N, 4), in frame heights, of tracks still on trial and seen in the last step.

        Live counting has no use for them; an offline tool may keep them until the track is confirmed.
        """
        live = int(self._store.counters[LIVE])
        keep = np.flatnonzero(~self._store.confirmed[:live] & self._store.seen[:live])
        return self._store.ids[keep], _corners(self._store.ahead[keep, :4], 1.0)

    def _copy_in(self, detections: Detections) -> int:
        boxes, scores = detections.boxes, detections.scores
        uniform = detections.uniform if detections.uniform is not None and len(detections.uniform) == len(boxes) else None
        count = len(boxes)
        if count > self._capacity:
            best = np.sort(np.argsort(-scores, kind="stable")[: self._capacity])
            boxes, scores, uniform = boxes[best], scores[best], None if uniform is None else uniform[best]
            self._store.counters[REFUSED] += count - self._capacity
            count = self._capacity
        seen = self._seen
        if count:
            seen.boxes[:count] = boxes
            seen.scores[:count] = scores
            seen.uniform[:count] = 0.0 if uniform is None else uniform
            _to_heights(seen.boxes, count, detections.aspect)
        return count

    def _tracks(self, detections: Detections) -> Tracks:
        store, live = self._store, int(self._store.counters[LIVE])
        keep = np.flatnonzero(store.confirmed[:live])
        ended = int(store.counters[ENDED])
        return Tracks(
            t_s=detections.t_s,
            ids=store.ids[keep],
            boxes=_corners(store.ahead[keep, :4], detections.aspect),
            scores=store.scores[keep],
            seen=store.seen[keep],
            born_s=store.born_s[keep],
            birth_boxes=_corners(store.birth[keep], detections.aspect),
            uniform=store.uniform[keep],
            ended=tuple(store.ended[:ended].tolist()) if ended else (),
            aspect=detections.aspect,
            dropped=detections.dropped,
        )


def _corners(boxes: NDArray[np.float64], aspect: float) -> NDArray[np.float64]:
    """(N, 4) centre and size in frame heights to x0 y0 x1 y1 in 0..1."""
    half = boxes[:, 2:] / 2
    corners = np.concatenate((boxes[:, :2] - half, boxes[:, :2] + half), axis=1)
    corners[:, ::2] /= aspect
    return corners


@njit(cache=True)
def _to_heights(boxes: NDArray[np.float64], count: int, aspect: float) -> None:
    """In place: x0 y0 x1 y1 in 0..1 to centre and size in frame heights."""
    for j in range(count):
        x0, y0, x1, y1 = boxes[j, 0] * aspect, boxes[j, 1], boxes[j, 2] * aspect, boxes[j, 3]
        boxes[j, 0] = (x0 + x1) / 2
        boxes[j, 1] = (y0 + y1) / 2
        boxes[j, 2] = x1 - x0
        boxes[j, 3] = y1 - y0


@njit(cache=True)
def _step(store: Store, seen: Seen, graph: Graph, work: Assignment, rules: Rules, noise: Noise, t_s: float, count: int) -> None:
    """One frame: `count` detections in `seen`, the outcome in `store`."""
    _classify(seen, count, rules)
    _retire(store, rules, t_s)
    for i in range(store.counters[LIVE]):
        kalman.predict(store.mean[i], store.cov[i], t_s - store.seen_s[i], noise, store.ahead[i])
        store.seen[i] = False
    _associate(store, seen, graph, work, HIGH, rules, noise, t_s, count)
    _associate(store, seen, graph, work, LOW, rules, noise, t_s, count)
    for j in range(count):
        if seen.owner[j] != NONE:
            _observe(store, seen, seen.owner[j], j, t_s, noise, rules)
    for i in range(store.counters[LIVE]):
        if not store.seen[i]:
            store.misses[i] += 1
    for j in range(count):
        if seen.owner[j] == NONE and seen.kind[j] == HIGH and seen.scores[j] >= rules.score_birth:
            _spawn(store, seen, j, t_s, noise, rules)


@njit(cache=True)
def _classify(seen: Seen, count: int, rules: Rules) -> None:
    """High, low or left out: a box without area or with a number that is none is left out."""
    for j in range(count):
        seen.owner[j] = NONE
        score = seen.scores[j]
        whole = seen.boxes[j, 2] > 0.0 and seen.boxes[j, 3] > 0.0 and abs(seen.boxes[j, 0]) < 1e6 and abs(seen.boxes[j, 1]) < 1e6
        if not whole or not score >= rules.score_low:
            seen.kind[j] = LEFT_OUT
        elif score >= rules.score_high:
            seen.kind[j] = HIGH
        else:
            seen.kind[j] = LOW


@njit(cache=True)
def _retire(store: Store, rules: Rules, t_s: float) -> None:
    """End tracks that were unseen for too long, and close the ranks: ids stay ascending."""
    keep = 0
    store.counters[ENDED] = 0
    for i in range(store.counters[LIVE]):
        unseen_s = t_s - store.seen_s[i]
        on_trial = not store.confirmed[i] and store.misses[i] > 0  # a slow camera alone ends no trial
        if unseen_s > rules.lost_s_max or (on_trial and unseen_s > rules.trial_s_max):
            if store.confirmed[i]:
                store.ended[store.counters[ENDED]] = store.ids[i]
                store.counters[ENDED] += 1
            continue
        if keep != i:
            _move(store, i, keep)
        keep += 1
    store.counters[LIVE] = keep


@njit(cache=True)
def _move(store: Store, source: int, target: int) -> None:
    store.ids[target] = store.ids[source]
    store.confirmed[target] = store.confirmed[source]
    store.misses[target] = store.misses[source]
    store.born_s[target] = store.born_s[source]
    store.seen_s[target] = store.seen_s[source]
    store.scores[target] = store.scores[source]
    store.uniform[target] = store.uniform[source]
    for c in range(4):
        store.last[target, c] = store.last[source, c]
        store.birth[target, c] = store.birth[source, c]
        for k in range(2):
            store.mean[target, c, k] = store.mean[source, c, k]
        for k in range(3):
            store.cov[target, c, k] = store.cov[source, c, k]


@njit(cache=True)
def _associate(
    store: Store, seen: Seen, graph: Graph, work: Assignment, kind: int, rules: Rules, noise: Noise, t_s: float, count: int
) -> None:
    """Match detections of one kind with tracks still unseen in this frame; writes `seen.owner` and `store.seen`."""
    columns = 0
    for j in range(count):
        if seen.kind[j] == kind:
            seen.columns[columns] = j
            columns += 1
    if columns == 0:
        return
    rows, edges = 0, 0
    for i in range(store.counters[LIVE]):
        if store.seen[i] or (kind == LOW and (not store.confirmed[i] or t_s - store.seen_s[i] > rules.low_s_max)):
            continue
        seen.rows[rows] = i
        graph.start[rows] = edges
        edges = _edges(store.ahead[i], seen, columns, graph, edges, kind, rules, noise)
        rows += 1
    graph.start[rows] = edges
    assign(graph, rows, columns, work)
    for r in range(rows):
        if work.row_to_column[r] != NONE:
            seen.owner[seen.columns[work.row_to_column[r]]] = seen.rows[r]
            store.seen[seen.rows[r]] = True


@njit(cache=True)
def _edges(ahead: NDArray[np.float64], seen: Seen, columns: int, graph: Graph, edges: int, kind: int, rules: Rules, noise: Noise) -> int:
    """Append the edges of one track: what each near detection would be worth, 0..1, above the minimum."""
    x, y, w, h = ahead[0], ahead[1], ahead[2], ahead[3]
    jitter = noise.measure_position * h
    var_x, var_y = ahead[4] + jitter * jitter, ahead[5] + jitter * jitter
    reach_x = np.sqrt(rules.gate * var_x)
    reach_y = np.sqrt(rules.gate * var_y)
    worth_min = rules.worth_min if kind == HIGH else rules.worth_min_low
    for k in range(columns):
        box = seen.boxes[seen.columns[k]]
        dx, dy = box[0] - x, box[1] - y
        if abs(dx) > max(reach_x, (w + box[2]) / 2) or abs(dy) > max(reach_y, (h + box[3]) / 2):
            continue
        if min(h, box[3]) < rules.height_ratio_min * max(h, box[3]):
            continue
        shared = overlap(x, y, w, h, box)
        distance = dx * dx / var_x + dy * dy / var_y
        near = 1.0 - distance / rules.gate if distance < rules.gate else 0.0
        worth = rules.overlap_share * shared + (1.0 - rules.overlap_share) * near
        if worth > worth_min:
            graph.column[edges] = k
            graph.weight[edges] = worth
            edges += 1
    return edges


@njit(cache=True)
def _observe(store: Store, seen: Seen, i: int, j: int, t_s: float, noise: Noise, rules: Rules) -> None:
    """Track `i` takes in detection `j`."""
    elapsed_s = t_s - store.seen_s[i]
    box = seen.boxes[j]
    if store.misses[i] > 0 and elapsed_s > 0.0:
        kalman.correct_along_path(store.mean[i], store.cov[i], store.last[i], box, (elapsed_s, store.misses[i]), noise)
    else:
        kalman.correct(store.mean[i], store.cov[i], box, elapsed_s, noise, 1.0)
    store.uniform[i] += (seen.uniform[j] - store.uniform[i]) * (elapsed_s / (elapsed_s + rules.uniform_tau_s))
    store.seen_s[i] = t_s
    store.misses[i] = 0
    store.scores[i] = seen.scores[j]
    for c in range(4):
        store.last[i, c] = box[c]
        store.ahead[i, c] = store.mean[i, c, 0]
    if t_s - store.born_s[i] >= rules.confirm_s:
        store.confirmed[i] = True


@njit(cache=True)
def _spawn(store: Store, seen: Seen, j: int, t_s: float, noise: Noise, rules: Rules) -> None:
    """A new track, on trial."""
    i = store.counters[LIVE]
    if i >= store.ids.shape[0]:
        store.counters[REFUSED] += 1
        return
    store.counters[LIVE] += 1
    store.ids[i] = store.counters[NEXT_ID]
    store.counters[NEXT_ID] += 1
    store.confirmed[i] = rules.confirm_s <= 0.0
    store.seen[i] = True
    store.misses[i] = 0
    store.born_s[i] = t_s
    store.seen_s[i] = t_s
    store.scores[i] = seen.scores[j]
    store.uniform[i] = seen.uniform[j]
    kalman.begin(store.mean[i], store.cov[i], seen.boxes[j], noise)
    for c in range(4):
        store.last[i, c] = seen.boxes[j, c]
        store.birth[i, c] = seen.boxes[j, c]
        store.ahead[i, c] = seen.boxes[j, c]


WARM_UP: Final = 2  # steps that reach every kernel


def warm_up(config: TrackerConfig | None = None) -> None:
    """Compile (or load) every kernel, so that the first frame is not late."""
    tracker = Tracker(config)
    for k in range(WARM_UP):
        tracker.step(Detections(0.1 * k, np.array([[0.4, 0.4, 0.5, 0.8]]), np.ones(1)))
