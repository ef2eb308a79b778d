"""Boxes become tracks: predict, steady, associate, update, spawn, retire. One call of a kernel a frame, on arrays made once.

Two associations: detections of high score with every track, then those of low score with tracks just seen (ByteTrack). A
track found again after a gap is re-updated along a virtual path (OC-SORT). A track is tentative until it has been seen for
`confirm_s`, then confirmed, then lost while unseen, and ends after `lost_s_max`. Only high scores give birth.

Rules: time is what `Detections.t_s` says, never a number of frames; it may come late, early or twice. Ids belong to the
tracker, ascend, and are never counted. Lengths are frame heights inside, 0..1 of the frame outside. Left to others: which
tracks are one person (`analytics.relink`), and what a track means.

Sources: Zhang et al., *ByteTrack* (2022); Cao et al., *Observation-Centric SORT* (2023).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from firmware.config import TrackerConfig
from firmware.vision import kalman
from firmware.vision.association import associate, is_cut
from firmware.vision.detection import Detections
from firmware.vision.kalman import Noise
from firmware.vision.look_back import look_back, note_stray
from firmware.vision.matching import NONE, Assignment, Graph
from firmware.vision.sway import steady
from firmware.vision.track import Tracks
from firmware.vision.track_store import (
    AHEAD,
    BIRTH,
    BORN_S,
    BOX,
    CONFIRMED,
    CORNERS,
    ENDED,
    FILTER,
    HIGH,
    ID,
    KIND,
    L_BIRTH,
    L_BORN_S,
    L_BOX,
    L_ID,
    L_SCORE,
    L_SEEN,
    L_UNIFORM,
    LAST,
    LEFT,
    LEFT_OUT,
    LISTED,
    LIVE,
    LOW,
    MISSES,
    NEXT_ID,
    OWNER,
    REFUSED,
    S_SCORE,
    S_UNIFORM,
    SCORE,
    SEEN,
    SEEN_S,
    TRACK_COLUMNS,
    UNIFORM,
    Rules,
    Space,
    new_space,
)

CONFIGURED = ("score_high", "score_low", "confirm_s", "lost_s_max", "trial_s_max", "low_s_max", "height_ratio_min")
TIME_SLACK_S = 1e-6  # 0.6 - 0.4 is a little less than 0.2: seconds are compared with a microsecond to spare
FAR = 1e6  # frame heights; a box beyond it is not of this picture


class Sightings(NamedTuple):
    """Every track that took in a detection in the last step, on trial or not: for tools that can look back.

    Attributes:
        ids: (N,) int64, ascending.
        confirmed: (N,) bool, False while on trial.
        boxes: (N, 4) float64, filtered, x0 y0 x1 y1 in frame heights.
        detected: (N, 4) float64, the detection itself, same units.
        scores: (N,) float64, of the detection.
    """

    ids: NDArray[np.int64]
    confirmed: NDArray[np.bool_]
    boxes: NDArray[np.float64]
    detected: NDArray[np.float64]
    scores: NDArray[np.float64]


class Tracker:
    """Tracks of one camera. `step` once for each frame, in the order of time.

    Work and memory are bounded by `config.capacity` tracks and as many detections; what comes beyond is left out, lowest
    scores first, and counted in `refused`.
    """

    def __init__(self, config: TrackerConfig | None = None, rules: Rules | None = None, noise: Noise | None = None) -> None:
        config = config or TrackerConfig()
        self._rules = rules or Rules()._replace(**{name: getattr(config, name) for name in CONFIGURED})
        self._noise = noise or Noise()
        self._capacity = config.capacity
        self._space = new_space(config.capacity)
        space, at = self._space, len(Space._fields) - 2
        self._parts = (*space[:at], *space.graph, *space.work, *self._rules, *self._noise)
        self._t_s = -np.inf

    @property
    def refused(self) -> int:
        """Detections that found no room so far."""
        return int(self._space.counters[REFUSED])

    def step(self, detections: Detections) -> Tracks:
        """Take in one frame. A frame that claims to be earlier than the last is taken as being of the same time."""
        count = self._copy_in(detections)
        self._t_s = max(float(detections.t_s), self._t_s)
        _step(self._t_s, count, float(detections.aspect), *self._parts)
        counters, ended = self._space.counters, self._space.ended
        listed = self._space.listed[: counters[LISTED]].copy()
        return Tracks(
            t_s=detections.t_s,
            ids=listed[:, L_ID].astype(np.int64),
            boxes=listed[:, L_BOX : L_BOX + 4],
            scores=listed[:, L_SCORE],
            seen=listed[:, L_SEEN] != 0.0,
            born_s=listed[:, L_BORN_S],
            birth_boxes=listed[:, L_BIRTH : L_BIRTH + 4],
            uniform=listed[:, L_UNIFORM],
            ended=tuple(ended[: counters[ENDED]].tolist()) if counters[ENDED] else (),
            aspect=detections.aspect,
            dropped=detections.dropped,
        )

    def sightings(self) -> Sightings:
        """What the last step saw, tracks on trial included. Live counting has no use for it; offline tools have."""
        rows = self._space.tracks[: self._space.counters[LIVE]]
        rows = rows[rows[:, SEEN] != 0.0]
        return Sightings(
            rows[:, ID].astype(np.int64), rows[:, CONFIRMED] != 0.0, _corners(rows[:, AHEAD:]), _corners(rows[:, LAST:]), rows[:, SCORE]
        )

    def _copy_in(self, detections: Detections) -> int:
        """Put the frame into `sight`, ordered by left edge; returns how many detections there is room for."""
        boxes, scores, uniform = detections.boxes, detections.scores, detections.uniform
        count = len(boxes)
        if count == 0:
            return 0
        order = boxes[:, 0].argsort(kind="stable")
        if count > self._capacity:
            best = np.argsort(-scores, kind="stable")[: self._capacity]
            order = order[np.isin(order, best)]
            self._space.counters[REFUSED] += count - self._capacity
            count = self._capacity
        sight = self._space.sight
        sight[:count, CORNERS : CORNERS + 4] = boxes[order]
        sight[:count, S_SCORE] = scores[order]
        sight[:count, S_UNIFORM] = uniform[order] if uniform is not None and len(uniform) else 0.0
        return count


def _corners(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    half = boxes[:, 2:4] / 2
    return np.concatenate((boxes[:, :2] - half, boxes[:, :2] + half), axis=1)


def warm_up(config: TrackerConfig | None = None) -> None:
    """Compile every kernel, or load it, so that the first frame is not late."""
    tracker = Tracker(config)
    for k in range(2):
        tracker.step(Detections(0.1 * k, np.array([[0.4, 0.4, 0.5, 0.8]]), np.ones(1)))


@njit(cache=True, error_model="numpy")
def _step(t_s: float, count: int, aspect: float, *parts: Any) -> None:
    """One frame: `count` detections in `sight`, the outcome in `tracks`, `listed` and `ended`.

    parts: those of Space, Rules and Noise one by one, for tuples take twice as long to get into a kernel.
    """
    space = Space(*parts[:8], Graph(*parts[8:11]), Assignment(*parts[11:18]))  # type: ignore[call-arg] # eight and two are ten
    rules, noise = Rules(*parts[18:40]), Noise(*parts[40:])
    tracks, sight, links, counters = space.tracks, space.sight, space.links, space.counters
    _classify(sight, links, count, aspect, rules)
    live = _retire(tracks, counters, space.ended, space.strays, rules, t_s)
    for i in range(live):
        kalman.predict(tracks[i, FILTER:], t_s - tracks[i, SEEN_S], noise, tracks[i, AHEAD : AHEAD + 8])
        tracks[i, SEEN] = 0.0
    steady(tracks, live, sight, links, count, space.votes, rules)
    for kind in (HIGH, LOW):
        associate(tracks, live, sight, links, count, space.graph, space.work, kind, rules, noise, t_s)
    for j in range(count):
        if links[j, OWNER] != NONE:
            row = links[j, OWNER]
            known = tracks[row, CONFIRMED] != 0.0
            _observe(tracks[row], sight[j], t_s, rules, noise)
            if not known and tracks[row, CONFIRMED] != 0.0:
                look_back(tracks, row, live, space.strays, rules, noise)
    for i in range(live):
        if tracks[i, SEEN] == 0.0:
            tracks[i, MISSES] += 1.0
    for j in range(count):
        if links[j, OWNER] == NONE and links[j, KIND] == HIGH and not _is_part(sight, j, count, rules):
            live = _spawn(tracks, live, counters, sight[j], t_s, rules, noise)
    counters[LIVE] = live
    counters[LISTED] = _list(tracks, live, space.listed, aspect, rules.filtered_share)


@njit(cache=True, error_model="numpy")
def _classify(sight: NDArray[np.float64], links: NDArray[np.int64], count: int, aspect: float, rules: Rules) -> None:
    """Measure each detection in frame heights; leave out what has no area, or is not a number."""
    for j in range(count):
        x0, y0, x1, y1 = sight[j, 0] * aspect, sight[j, 1], sight[j, 2] * aspect, sight[j, 3]
        sight[j, LEFT] = x0
        sight[j, BOX] = (x0 + x1) / 2
        sight[j, BOX + 1] = (y0 + y1) / 2
        sight[j, BOX + 2] = x1 - x0
        sight[j, BOX + 3] = y1 - y0
        links[j, OWNER] = NONE
        score = sight[j, S_SCORE]
        whole = x1 > x0 > -FAR and y1 > y0 > -FAR and x1 < FAR and y1 < FAR
        if not whole or not score >= rules.score_low:
            links[j, KIND] = LEFT_OUT
        elif score >= rules.score_high:
            links[j, KIND] = HIGH
        else:
            links[j, KIND] = LOW


@njit(cache=True, error_model="numpy")
def _retire(
    tracks: NDArray[np.float64],
    counters: NDArray[np.int64],
    ended: NDArray[np.int64],
    strays: NDArray[np.float64],
    rules: Rules,
    t_s: float,
) -> int:
    """End tracks that were unseen for too long, and close the ranks: ids stay ascending. Returns how many live."""
    keep, gone = 0, 0
    for i in range(counters[LIVE]):
        unseen_s = t_s - tracks[i, SEEN_S] - TIME_SLACK_S
        confirmed = tracks[i, CONFIRMED] != 0.0
        failed = not confirmed and tracks[i, MISSES] > rules.trial_misses_max and unseen_s > rules.trial_s_max
        if failed or unseen_s > rules.lost_s_max:
            if confirmed:
                ended[gone] = int(tracks[i, ID])
                gone += 1
            elif tracks[i, SEEN_S] > -np.inf:
                note_stray(strays, counters, tracks[i])
            continue
        if keep != i:
            for k in range(TRACK_COLUMNS):
                tracks[keep, k] = tracks[i, k]
        keep += 1
    counters[ENDED] = gone
    return keep


@njit(cache=True, error_model="numpy")
def _observe(track: NDArray[np.float64], seen: NDArray[np.float64], t_s: float, rules: Rules, noise: Noise) -> None:
    """A track takes in its detection."""
    elapsed_s = t_s - track[SEEN_S]
    box = seen[BOX : BOX + 4]
    doubt = 1.0 + rules.doubt * (1.0 - min(seen[S_SCORE], 1.0))
    steps = min(int(track[MISSES]) + 1, kalman.PATH_STEPS_MAX) if elapsed_s > 0.0 else 1
    kalman.correct_along_path(track[FILTER:], track[LAST : LAST + 4], box, elapsed_s, steps, noise, doubt)
    if is_cut(box[1], box[3]):  # who comes in over the border grows faster than anybody; what was filtered so far is not their height
        kalman.restart(track[FILTER:], kalman.Y, box, noise)
        kalman.restart(track[FILTER:], kalman.H, box, noise)
    track[UNIFORM] += (seen[S_UNIFORM] - track[UNIFORM]) * (elapsed_s / (elapsed_s + rules.uniform_tau_s))
    track[SEEN_S] = t_s
    track[MISSES] = 0.0
    track[SCORE] = seen[S_SCORE]
    for c in range(4):
        track[LAST + c] = box[c]
        track[AHEAD + c] = track[FILTER + c * kalman.STRIDE]
    if t_s - track[BORN_S] + TIME_SLACK_S >= rules.confirm_s:
        track[CONFIRMED] = 1.0


@njit(cache=True, error_model="numpy")
def _is_part(sight: NDArray[np.float64], j: int, count: int, rules: Rules) -> bool:
    """Whether a detection lies mostly in a larger one that is far surer: legs, or a head, of somebody close to the camera."""
    width, height = sight[j, BOX + 2], sight[j, BOX + 3]
    for k in range(count):
        if sight[k, S_SCORE] * rules.part_score <= sight[j, S_SCORE] or sight[k, BOX + 2] * sight[k, BOX + 3] <= width * height:
            continue
        across = (sight[k, BOX + 2] + width) / 2 - abs(sight[k, BOX] - sight[j, BOX])
        down = (sight[k, BOX + 3] + height) / 2 - abs(sight[k, BOX + 1] - sight[j, BOX + 1])
        shared = max(min(across, width), 0.0) * max(min(down, height), 0.0)
        if shared >= rules.part_share * width * height:
            return True
    return False


@njit(cache=True, error_model="numpy")
def _spawn(
    tracks: NDArray[np.float64],
    live: int,
    counters: NDArray[np.int64],
    seen: NDArray[np.float64],
    t_s: float,
    rules: Rules,
    noise: Noise,
) -> int:
    """A new track, on trial; returns how many live."""
    if live >= tracks.shape[0]:
        counters[REFUSED] += 1
        return live
    track = tracks[live]
    track[ID] = counters[NEXT_ID]
    counters[NEXT_ID] += 1
    track[CONFIRMED] = 1.0 if rules.confirm_s <= 0.0 else 0.0
    track[SEEN] = 1.0
    track[MISSES] = 0.0
    track[BORN_S] = t_s
    track[SEEN_S] = t_s
    track[SCORE] = seen[S_SCORE]
    track[UNIFORM] = seen[S_UNIFORM]
    kalman.begin(track[FILTER:], seen[BOX : BOX + 4], noise)
    for c in range(4):
        track[LAST + c] = seen[BOX + c]
        track[BIRTH + c] = seen[BOX + c]
        track[AHEAD + c] = seen[BOX + c]
    return live + 1


@njit(cache=True, error_model="numpy")
def _list(tracks: NDArray[np.float64], live: int, listed: NDArray[np.float64], aspect: float, filtered_share: float) -> int:
    """Confirmed tracks, seen or coasting, as corners in 0..1 of the frame; returns how many."""
    n = 0
    for i in range(live):
        if tracks[i, CONFIRMED] == 0.0:
            continue
        listed[n, L_ID] = tracks[i, ID]
        listed[n, L_SEEN] = tracks[i, SEEN]
        listed[n, L_SCORE] = tracks[i, SCORE]
        listed[n, L_BORN_S] = tracks[i, BORN_S]
        listed[n, L_UNIFORM] = tracks[i, UNIFORM]
        filtered = filtered_share if tracks[i, SEEN] != 0.0 else 1.0
        for c in range(2):
            unit = aspect if c == 0 else 1.0
            middle = filtered * tracks[i, AHEAD + c] + (1.0 - filtered) * tracks[i, LAST + c]
            half = (filtered * tracks[i, AHEAD + 2 + c] + (1.0 - filtered) * tracks[i, LAST + 2 + c]) / 2
            listed[n, L_BOX + c] = (middle - half) / unit
            listed[n, L_BOX + 2 + c] = (middle + half) / unit
            listed[n, L_BIRTH + c] = (tracks[i, BIRTH + c] - tracks[i, BIRTH + 2 + c] / 2) / unit
            listed[n, L_BIRTH + 2 + c] = (tracks[i, BIRTH + c] + tracks[i, BIRTH + 2 + c] / 2) / unit
        n += 1
    return n
