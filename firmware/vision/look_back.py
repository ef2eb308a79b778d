"""A track that is sure of itself looks back: one earlier box that nobody could place, where it must have been, was its first.

Where boxes are missed often and frames are few, somebody is seen once, missed for half a second, and then seen for good a
step farther on. No tracker can join the second box to the first, for one box has no way to go. Once it has two, the way
back is as plain as the way ahead: the box left over there and then was this track's, and its birth moves to it. So it
counts where people came from (lines, re-linking); no box is drawn where none was.

Rules: only boxes of tracks that ended on trial, or are on trial and unseen now; each is taken once; as near as jitter and
the unsure pace allow. Memory is a ring. Left to others: tracks (`tracker`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from firmware.vision.kalman import HEIGHT_MIN, H, Noise
from firmware.vision.matching import NONE
from firmware.vision.track_store import (
    BIRTH,
    BORN_S,
    CONFIRMED,
    LAST,
    SEEN,
    SEEN_S,
    STRAY,
    Y_BIRTH,
    Y_BORN_S,
    Y_BOX,
    Y_SEEN_S,
    Rules,
)

TIME_SLACK_S: Final = 1e-6  # 1.2 - 0.2 may be a little more than 1
GATE: Final = 6.0  # squared standard deviations, over two coordinates: nineteen of twenty

Floats = NDArray[np.float64]


@njit(cache=True, error_model="numpy")
def note_stray(strays: Floats, counters: NDArray[np.int64], track: Floats) -> None:
    """A track ends on trial: what it saw may have been somebody's first box."""
    row = counters[STRAY] % strays.shape[0]
    counters[STRAY] += 1
    strays[row, Y_SEEN_S], strays[row, Y_BORN_S] = track[SEEN_S], track[BORN_S]
    for c in range(4):
        strays[row, Y_BOX + c], strays[row, Y_BIRTH + c] = track[LAST + c], track[BIRTH + c]


@njit(cache=True, error_model="numpy")
def look_back(tracks: Floats, row: int, live: int, strays: Floats, rules: Rules, noise: Noise) -> None:
    """The track in `row` was confirmed just now: give it the birth of the stray box that lies on its way, if there is one."""
    track, best, found, trial = tracks[row], GATE, NONE, NONE
    for k in range(strays.shape[0]):
        misfit = _misfit(track, strays[k, Y_SEEN_S], strays[k, Y_BOX:], rules, noise)
        if misfit < best:
            best, found = misfit, k
    for i in range(live):
        if tracks[i, CONFIRMED] == 0.0 and tracks[i, SEEN] == 0.0:
            misfit = _misfit(track, tracks[i, SEEN_S], tracks[i, LAST:], rules, noise)
            if misfit < best:
                best, trial = misfit, i
    if trial != NONE:
        track[BORN_S] = tracks[trial, BORN_S]
        for c in range(4):
            track[BIRTH + c] = tracks[trial, BIRTH + c]
        tracks[trial, SEEN_S] = -np.inf  # it ends with the next frame
    elif found != NONE:
        track[BORN_S] = strays[found, Y_BORN_S]
        for c in range(4):
            track[BIRTH + c] = strays[found, Y_BIRTH + c]
        strays[found, Y_SEEN_S] = -np.inf


@njit(cache=True, error_model="numpy")
def _misfit(track: Floats, seen_s: float, box: Floats, rules: Rules, noise: Noise) -> float:
    """How far a box is from where the track must have been then: squared standard deviations; infinite: too long ago, or not their size."""
    gap_s, elapsed_s = track[BORN_S] - seen_s, track[SEEN_S] - track[BORN_S]
    tall, low = max(track[BIRTH + H], box[H]), min(track[BIRTH + H], box[H])
    if not 0.0 < gap_s <= rules.look_back_s + TIME_SLACK_S or elapsed_s <= 0.0 or low < rules.height_ratio_min * tall:
        return np.inf
    share, height = gap_s / elapsed_s, max(track[BIRTH + H], HEIGHT_MIN)
    measure, walk = noise.measure_position * height, noise.walk_position * height * gap_s
    wide = measure * measure * (1.0 + (1.0 + share) * (1.0 + share) + share * share) + walk * walk * gap_s
    misfit = 0.0
    for c in range(2):
        off = track[BIRTH + c] - share * (track[LAST + c] - track[BIRTH + c]) - box[c]
        misfit += off * off / wide
    return misfit
