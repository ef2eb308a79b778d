"""Which detection could be which track, and what each pair is worth.

A pair is worth the overlap of its two boxes, each widened by the uncertainty of the prediction (so that a fast walker
at 5 frames a second still meets their track), times how alike the heights are, times the overlap of the vertical extents
(people at different depths stand on different rows of the picture). Time unseen and being on trial cost a little, so that
of two tracks the surer one wins. Boxes of very different height are never a pair, unless the border of the picture cuts them.

Rules: detections are ordered by their left edge, so each track looks only at its neighbours. Left to others: the best set of
pairs (`matching`), what a pair does to a track (`tracker`).

Sources: the widened box is Yang et al., *Hard to Track Objects with Irregular Motions and Similar Appearances?* (2023),
there of constant width; the vertical overlap is Yang et al., *Hybrid-SORT* (2024).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from firmware.vision.kalman import Noise
from firmware.vision.matching import NONE, Assignment, Graph, assign
from firmware.vision.track_store import (
    AHEAD,
    BOX,
    COLUMN,
    CONFIRMED,
    HIGH,
    KIND,
    LEFT,
    LOW,
    OWNER,
    ROW,
    ROW_EDGES_MAX,
    SEEN,
    SEEN_S,
    Rules,
)

EDGE = 0.01  # frame heights: a box so near to the upper or lower border is cut off there


@njit(cache=True, error_model="numpy")
def is_cut(y: float, height: float) -> bool:
    """Whether the upper or the lower border of the picture cuts a box of centre `y`: what is seen of it says little of the whole."""
    return y - height / 2 <= EDGE or y + height / 2 >= 1.0 - EDGE


@njit(cache=True, error_model="numpy")
def worth(ahead: NDArray[np.float64], sight: NDArray[np.float64], j: int, slack_x: float, slack_y: float, height_ratio_min: float) -> float:
    """0..1: how well detection `j` fits the prediction `ahead` (8,), both widened by the slacks on every side; 0 is no pair."""
    x, y, w, h = ahead[0], ahead[1], ahead[2], ahead[3]
    box_x, box_y, box_w, box_h = sight[j, BOX], sight[j, BOX + 1], sight[j, BOX + 2], sight[j, BOX + 3]
    height = min(y + h / 2, box_y + box_h / 2) - max(y - h / 2, box_y - box_h / 2) + 2 * slack_y
    if height <= 0.0:
        return 0.0
    width = min(x + w / 2, box_x + box_w / 2) - max(x - w / 2, box_x - box_w / 2) + 2 * slack_x
    lower, higher = min(h, box_h), max(h, box_h)
    if width <= 0.0 or lower < height_ratio_min * higher:
        return 0.0
    common = width * height
    of_track = (w + 2 * slack_x) * (h + 2 * slack_y)
    of_box = (box_w + 2 * slack_x) * (box_h + 2 * slack_y)
    extent = height / (h + box_h + 4 * slack_y - height)
    return common / (of_track + of_box - common) * (lower / higher) * np.sqrt(extent)


@njit(cache=True, error_model="numpy")
def associate(
    tracks: NDArray[np.float64],
    live: int,
    sight: NDArray[np.float64],
    links: NDArray[np.int64],
    count: int,
    graph: Graph,
    work: Assignment,
    kind: int,
    rules: Rules,
    noise: Noise,
    t_s: float,
) -> None:
    """Match detections of one kind with tracks not yet seen in this step; writes their OWNER and SEEN."""
    columns, widest = 0, 0.0
    for j in range(count):
        if links[j, KIND] == kind:
            links[columns, COLUMN] = j
            columns += 1
            widest = max(widest, sight[j, BOX + 2])
    if columns == 0:
        return
    rows, edges = 0, 0
    least = rules.worth_min if kind == HIGH else rules.worth_min_low
    for i in range(live):
        unseen_s = t_s - tracks[i, SEEN_S]
        on_trial = tracks[i, CONFIRMED] == 0.0
        if tracks[i, SEEN] != 0.0 or (kind == LOW and (on_trial or unseen_s > rules.low_s_max)):
            continue
        cost = rules.lost_cost * unseen_s + (rules.trial_cost if on_trial else 0.0)
        links[rows, ROW] = i
        graph.start[rows] = edges
        edges = _edges(tracks[i, AHEAD : AHEAD + 8], sight, links, columns, widest, graph, edges, least, cost, rules, noise)
        rows += 1
    graph.start[rows] = edges
    assign(graph, rows, columns, work)
    for r in range(rows):
        if work.row_to_column[r] != NONE:
            links[links[work.row_to_column[r], COLUMN], OWNER] = links[r, ROW]
            tracks[links[r, ROW], SEEN] = 1.0


@njit(cache=True, error_model="numpy")
def _edges(
    ahead: NDArray[np.float64],
    sight: NDArray[np.float64],
    links: NDArray[np.int64],
    columns: int,
    widest: float,
    graph: Graph,
    edges: int,
    least: float,
    cost: float,
    rules: Rules,
    noise: Noise,
) -> int:
    """Append the edges of one track, the best ROW_EDGES_MAX where there are more; returns the new number of edges."""
    jitter = noise.measure_position * ahead[3]
    slack_x = rules.slack * np.sqrt(ahead[4] + jitter * jitter)
    slack_y = rules.slack * np.sqrt(ahead[5] + jitter * jitter)
    right = ahead[0] + ahead[2] / 2 + 2 * slack_x
    first = edges
    for k in range(_first_from(sight, links, columns, ahead[0] - ahead[2] / 2 - 2 * slack_x - widest), columns):
        j = links[k, COLUMN]
        if sight[j, LEFT] >= right:
            break
        if abs(sight[j, BOX + 1] - ahead[1]) >= (sight[j, BOX + 3] + ahead[3]) / 2 + 2 * slack_y:
            continue  # no overlap, found out without a call
        ratio_min = rules.cut_ratio_min if is_cut(sight[j, BOX + 1], sight[j, BOX + 3]) else rules.height_ratio_min
        value = worth(ahead, sight, j, slack_x, slack_y, ratio_min)
        if value <= least or value <= cost:
            continue
        if edges - first < ROW_EDGES_MAX:
            graph.column[edges] = k
            graph.weight[edges] = value - cost
            edges += 1
        else:
            _replace_least(graph, first, k, value - cost)
    return edges


@njit(cache=True, error_model="numpy")
def _first_from(sight: NDArray[np.float64], links: NDArray[np.int64], columns: int, edge: float) -> int:
    """The first column whose left edge is at or beyond `edge`."""
    low, high = 0, columns
    while low < high:
        middle = (low + high) // 2
        if sight[links[middle, COLUMN], LEFT] < edge:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, error_model="numpy")
def _replace_least(graph: Graph, first: int, column: int, weight: float) -> None:
    least = first
    for e in range(first + 1, first + ROW_EDGES_MAX):
        if graph.weight[e] < graph.weight[least]:
            least = e
    if weight > graph.weight[least]:
        graph.column[least] = column
        graph.weight[least] = weight
