"""The tracker's memory: tables of fixed capacity, made once. One row a track, one row a detection; the names of the columns.

Tables and not structs: numba compiles a kernel of two tables in a tenth of the time of one of thirty arrays. Rules: live
tracks fill the first rows in the order of birth, so ids ascend; nothing grows. Lengths are frame heights, boxes centre
x, centre y, width, height. Left to others: what happens in a row (`tracker`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware.vision.kalman import STATE
from firmware.vision.matching import Assignment, Graph, new_assignment, new_graph

# Columns of `tracks`.
ID, CONFIRMED, SEEN, MISSES = 0, 1, 2, 3  # seen: in this step; misses: steps since the last observation
BORN_S, SEEN_S, SCORE, UNIFORM = 4, 5, 6, 7  # seen_s: last observation
LAST, BIRTH = 8, 12  # last and first observed box
AHEAD = 16  # now: the box and its variances
FILTER = 24  # state of the Kalman filter as of seen_s
TRACK_COLUMNS = FILTER + STATE

# Columns of `sight`, one row a detection, ordered by left edge.
CORNERS, LEFT, BOX, S_SCORE, S_UNIFORM = 0, 4, 5, 9, 10  # corners: as they came
SIGHT_COLUMNS = 11

# Columns of `links`, whole numbers.
KIND, OWNER, ROW, COLUMN = 0, 1, 2, 3  # of a detection: kind, row of its track or NONE; working space of the graph
LINK_COLUMNS = 4
HIGH, LOW, LEFT_OUT = 2, 1, 0  # kinds of a detection

# Columns of `listed`.
L_ID, L_SEEN, L_SCORE, L_BORN_S, L_UNIFORM, L_BOX, L_BIRTH = 0, 1, 2, 3, 4, 5, 9  # boxes as x0 y0 x1 y1 in 0..1
LISTED_COLUMNS = 13

# Columns of `strays`, one row a track that ended on trial: last sight, its box, first sight, its box.
Y_SEEN_S, Y_BOX, Y_BORN_S, Y_BIRTH = 0, 1, 5, 6
STRAY_COLUMNS = 10
STRAYS_MAX = 64  # a second of boxes that nobody could place: more are noise

# Places in `counters`.
LIVE, NEXT_ID, ENDED, REFUSED, LISTED, STRAY = 0, 1, 2, 3, 4, 5
COUNTERS = 6

ROW_EDGES_MAX = 32  # nobody can be mistaken for more than 32 others; bounds memory to 32 pairs a track
VOTES = 35  # cells a side of the grid of `sway`: 16 either way, and a border


class Rules(NamedTuple):
    """When a pair is a pair and a track a track: scores and worths 0..1, seconds. Measured in docs/tracking.md."""

    score_high: float = 0.4  # first association, and birth
    score_low: float = 0.1  # second association
    confirm_s: float = 0.2  # on trial so long after the first detection
    lost_s_max: float = 2.0  # a confirmed track ends when unseen for longer: what it predicts is a guess by then
    trial_s_max: float = 0.25  # a track on trial ends when unseen for longer ...
    trial_misses_max: float = 2.0  # ... and in more frames: of a slow camera two missed in a row are one in ten, not a proof
    part_share: float = 0.6  # of a box inside a larger one from which it may be a part of that person ...
    part_score: float = 0.65  # ... if its score is below this share of the larger one's: no track begins with it
    look_back_s: float = 1.0  # who is found farther on has been missed for no longer than this since their first box
    low_s_max: float = 0.5  # low scores keep a track alive, they do not find it again after so long
    slack: float = 0.6  # standard deviations of the prediction by which boxes are widened before they are compared
    height_ratio_min: float = 0.75  # a ghost less than three quarters as tall does not inherit a person's track
    cut_ratio_min: float = 0.4  # same for a box cut by the border: people come in and leave there
    worth_min: float = 0.15  # of a pair
    worth_min_low: float = 0.3  # of a pair with a low score
    lost_cost: float = 0.2  # worth a pair loses for each second the track was unseen
    trial_cost: float = 0.15  # worth a pair loses while its track is on trial
    doubt: float = 1.0  # how much more a box jitters at score 0 than at score 1
    sway_cost: float = 2.0  # squared standard errors by which a movement of the camera is played down
    sway_share: float = 0.35  # of the tracks that must agree that the camera moved
    uniform_tau_s: float = 1.0  # smoothing of the match with the staff colour
    filtered_share: float = 0.5  # of a box that is handed on: the filter's is calmer, the detector's nearer when somebody turns


class Space(NamedTuple):
    """Everything a step reads and writes, for `capacity` C tracks and as many detections."""

    tracks: NDArray[np.float64]  # (C, TRACK_COLUMNS)
    sight: NDArray[np.float64]  # (C, SIGHT_COLUMNS)
    links: NDArray[np.int64]  # (C, LINK_COLUMNS)
    listed: NDArray[np.float64]  # (C, LISTED_COLUMNS)
    ended: NDArray[np.int64]  # (C,) ids of confirmed tracks that ended in this step
    votes: NDArray[np.int64]  # (VOTES, VOTES)
    counters: NDArray[np.int64]  # (COUNTERS,)
    strays: NDArray[np.float64]  # (STRAYS_MAX, STRAY_COLUMNS) a ring
    graph: Graph
    work: Assignment


def new_space(capacity: int) -> Space:
    """Empty tables."""
    space = Space(
        tracks=np.zeros((capacity, TRACK_COLUMNS)),
        sight=np.zeros((capacity, SIGHT_COLUMNS)),
        links=np.zeros((capacity, LINK_COLUMNS), np.int64),
        listed=np.zeros((capacity, LISTED_COLUMNS)),
        ended=np.zeros(capacity, np.int64),
        votes=np.zeros((VOTES, VOTES), np.int64),
        counters=np.zeros(COUNTERS, np.int64),
        strays=np.full((STRAYS_MAX, STRAY_COLUMNS), -np.inf),
        graph=new_graph(capacity, capacity * ROW_EDGES_MAX),
        work=new_assignment(capacity, capacity),
    )
    space.counters[NEXT_ID] = 1
    return space
