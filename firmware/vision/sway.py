"""A camera that sways: the shift that all tracks of a frame share, found from boxes alone, without a look at the picture.

Each track votes for the way to each detection of its height nearby; true pairs agree, false ones scatter. The shift is the
mean of the pairs around the winning cell, played down by its own standard error, so that on a still camera it vanishes.
Tracks that are unseen move along, and velocities stay those of people. Rules: at least TRACKS_MIN tracks and a share of
all of them must agree; else nothing moves. Left to others: turns and zooms (a shop's camera is screwed to a wall; a
bracket that shakes shifts the picture).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from firmware.vision.kalman import STRIDE
from firmware.vision.track_store import AHEAD, BOX, FILTER, HIGH, KIND, LAST, MISSES, VOTES, Rules

TRACKS_MIN = 5  # fewer agree by chance
TRACKS_MAX = 48  # the oldest; more votes cost time and change nothing
CELL_SHARE = 0.1  # of the mean box height: twice the jitter of a good detector
CELLS = (VOTES - 3) // 2  # either way: shifts up to 1.6 box heights a frame
ALIKE_MIN = 0.8  # ratio of heights of a pair that may vote
WIN_SHARE = 0.4  # by which, of the tracks, the winning cell must beat standing still
TINY = 1e-12  # keeps a division defined


@njit(cache=True, error_model="numpy")
def steady(
    tracks: NDArray[np.float64],
    live: int,
    sight: NDArray[np.float64],
    links: NDArray[np.int64],
    count: int,
    votes: NDArray[np.int64],
    rules: Rules,
) -> None:
    """Move every track by the shift of the camera since the last step, if there is one. Predictions must be made."""
    voters, height, end = 0, 0.0, 0
    while end < live and voters < TRACKS_MAX:
        if tracks[end, MISSES] == 0.0:
            voters += 1
            height += tracks[end, AHEAD + 3]
        end += 1
    if voters < TRACKS_MIN:
        return
    cell = CELL_SHARE * height / voters
    _vote(tracks, end, sight, links, count, votes, cell)
    x, y = _winner(votes, voters, rules.sway_share)
    shift_x, shift_y = _refined(
        tracks, end, sight, links, count, x * cell, y * cell, 1.5 * cell, max(TRACKS_MIN, rules.sway_share * voters), rules.sway_cost
    )
    if shift_x == 0.0 and shift_y == 0.0:
        return
    for i in range(live):
        for start in (FILTER, LAST, AHEAD):
            tracks[i, start] += shift_x
            tracks[i, start + (STRIDE if start == FILTER else 1)] += shift_y


@njit(cache=True, error_model="numpy")
def _vote(
    tracks: NDArray[np.float64],
    end: int,
    sight: NDArray[np.float64],
    links: NDArray[np.int64],
    count: int,
    votes: NDArray[np.int64],
    cell: float,
) -> None:
    """Count the ways from the first `end` tracks to the detections around them, in cells."""
    votes[:, :] = 0
    reach = (CELLS + 0.5) * cell
    for i in range(end):
        if tracks[i, MISSES] > 0.0:
            continue
        x, y, height = tracks[i, AHEAD], tracks[i, AHEAD + 1], tracks[i, AHEAD + 3]
        for j in range(count):
            dx, dy = sight[j, BOX] - x, sight[j, BOX + 1] - y
            if links[j, KIND] == HIGH and abs(dx) < reach and abs(dy) < reach and _alike(height, sight[j, BOX + 3]):
                votes[int(dx / cell + (CELLS + 1.5)), int(dy / cell + (CELLS + 1.5))] += 1


@njit(cache=True, error_model="numpy")
def _alike(a: float, b: float) -> bool:
    return min(a, b) >= ALIKE_MIN * max(a, b)


@njit(cache=True, error_model="numpy")
def _winner(votes: NDArray[np.int64], voters: int, share: float) -> tuple[int, int]:
    """The cell, in cells from standing still, with the most votes in and around it; its own count twice."""
    middle = CELLS + 1
    best, best_x, best_y = _around(votes, middle, middle) + WIN_SHARE * voters, 0, 0
    for x in range(1, VOTES - 1):
        for y in range(1, VOTES - 1):
            if votes[x, y] > 0:
                total = _around(votes, x, y)
                if total > best and total >= 2 * share * voters:
                    best, best_x, best_y = float(total), x - middle, y - middle
    return best_x, best_y


@njit(cache=True, error_model="numpy")
def _around(votes: NDArray[np.int64], x: int, y: int) -> int:
    total = votes[x, y]
    for dx in range(-1, 2):
        for dy in range(-1, 2):
            total += votes[x + dx, y + dy]
    return total


@njit(cache=True, error_model="numpy")
def _refined(
    tracks: NDArray[np.float64],
    end: int,
    sight: NDArray[np.float64],
    links: NDArray[np.int64],
    count: int,
    near_x: float,
    near_y: float,
    reach: float,
    pairs_min: float,
    cost: float,
) -> tuple[float, float]:
    """Mean way of the pairs around the winner, shrunk by its squared standard error; 0, 0 when too few pairs agree."""
    pairs = 0
    sum_x, sum_y, square_x, square_y = 0.0, 0.0, 0.0, 0.0
    for i in range(end):
        if tracks[i, MISSES] > 0.0:
            continue
        for j in range(count):
            dx, dy = sight[j, BOX] - tracks[i, AHEAD], sight[j, BOX + 1] - tracks[i, AHEAD + 1]
            close = abs(dx - near_x) <= reach and abs(dy - near_y) <= reach
            if close and links[j, KIND] == HIGH and _alike(tracks[i, AHEAD + 3], sight[j, BOX + 3]):
                pairs += 1
                sum_x += dx
                sum_y += dy
                square_x += dx * dx
                square_y += dy * dy
    if pairs < pairs_min:
        return 0.0, 0.0
    return _shrunk(sum_x, square_x, pairs, cost), _shrunk(sum_y, square_y, pairs, cost)


@njit(cache=True, error_model="numpy")
def _shrunk(total: float, squares: float, pairs: int, cost: float) -> float:
    mean = total / pairs
    variance = max(squares / pairs - mean * mean, 0.0)
    return mean * max(0.0, 1.0 - cost * variance / (pairs * mean * mean + TINY))
