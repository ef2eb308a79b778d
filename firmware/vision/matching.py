"""Which detection belongs to which track: overlap of boxes, and an optimal assignment of a sparse graph.

Only pairs that pass the gate become edges; everything else costs nothing, so hundreds of people cost little more than
their neighbours. Rules: a row may stay single, which is worth 0; ties fall to the lower index; plain arithmetic in a
fixed order. Left to others: what a pair is worth (`tracker`).

Source: shortest augmenting paths with dual prices, Jonker and Volgenant, *A shortest augmenting path algorithm for dense
and sparse linear assignment problems*, Computing 38 (1987); here with a private place "single" for each row.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

NONE = -1


class Graph(NamedTuple):
    """Edges in rows: those of row i are `start[i]` to `start[i + 1]` in `column` and `weight`, columns ascending."""

    start: NDArray[np.int64]  # (rows_max + 1,)
    column: NDArray[np.int64]  # (edges_max,)
    weight: NDArray[np.float64]  # (edges_max,) worth of the pair, above 0


class Assignment(NamedTuple):
    """The answer and the working space of `assign`; made once, used for every frame."""

    row_to_column: NDArray[np.int64]  # (rows_max,) column or NONE
    column_to_row: NDArray[np.int64]  # (columns_max,) row or NONE
    row_price: NDArray[np.float64]  # (rows_max,)
    column_price: NDArray[np.float64]  # (columns_max,)
    distance: NDArray[np.float64]  # (columns_max,) of the shortest path to a column
    parent: NDArray[np.int64]  # (columns_max,) row from which that path comes
    done: NDArray[np.bool_]  # (columns_max,)
    touched: NDArray[np.int64]  # (columns_max,) columns with a distance


def new_graph(rows_max: int, edges_max: int) -> Graph:
    """Empty, of fixed capacity."""
    return Graph(np.zeros(rows_max + 1, np.int64), np.zeros(edges_max, np.int64), np.zeros(edges_max))


def new_assignment(rows_max: int, columns_max: int) -> Assignment:
    """Empty, of fixed capacity."""
    return Assignment(
        np.full(rows_max, NONE, np.int64),
        np.full(columns_max, NONE, np.int64),
        np.zeros(rows_max),
        np.zeros(columns_max),
        np.zeros(columns_max),
        np.full(columns_max, NONE, np.int64),
        np.zeros(columns_max, np.bool_),
        np.zeros(columns_max, np.int64),
    )


@njit(cache=True)
def overlap(ax: float, ay: float, aw: float, ah: float, b: NDArray[np.float64]) -> float:
    """Intersection over union, 0..1, of a box (centre x, centre y, width, height) with `b` (4,) of the same form."""
    width = min(ax + aw / 2, b[0] + b[2] / 2) - max(ax - aw / 2, b[0] - b[2] / 2)
    height = min(ay + ah / 2, b[1] + b[3] / 2) - max(ay - ah / 2, b[1] - b[3] / 2)
    if width <= 0.0 or height <= 0.0:
        return 0.0
    common = width * height
    return common / (aw * ah + b[2] * b[3] - common)


@njit(cache=True)
def assign(graph: Graph, rows: int, columns: int, work: Assignment) -> None:
    """Choose pairs of the greatest total weight; each row and column at most once; fills `row_to_column`, `column_to_row`."""
    for j in range(columns):
        work.column_to_row[j] = NONE
        work.column_price[j] = 0.0
        work.distance[j] = np.inf
        work.done[j] = False
    for i in range(rows):
        work.row_to_column[i] = NONE
        work.row_price[i] = 0.0
    for i in range(rows):
        if graph.start[i] < graph.start[i + 1]:
            _augment(graph, i, work)


@njit(cache=True)
def _augment(graph: Graph, start: int, work: Assignment) -> None:
    """Give row `start` its place by the shortest path of swaps; the path may end in a free column or in a row going single."""
    touched = 0
    row, path = start, 0.0
    single, single_at = np.inf, NONE  # the cheapest way to end: some row of the tree goes single
    sink = NONE
    while True:
        if path - work.row_price[row] < single:
            single, single_at = path - work.row_price[row], row
        for e in range(graph.start[row], graph.start[row + 1]):
            j = graph.column[e]
            if work.done[j]:
                continue
            distance = path - graph.weight[e] - work.row_price[row] - work.column_price[j]
            if distance < work.distance[j]:
                if work.distance[j] == np.inf:
                    work.touched[touched] = j
                    touched += 1
                work.distance[j] = distance
                work.parent[j] = row
        best, nearest = NONE, np.inf
        for k in range(touched):
            j = work.touched[k]
            if work.done[j]:
                continue
            d = work.distance[j]
            if d < nearest or (d == nearest and work.column_to_row[j] == NONE and work.column_to_row[best] != NONE):
                best, nearest = j, d
        if best == NONE or single <= nearest:
            path = single
            break
        path = nearest
        if work.column_to_row[best] == NONE:
            sink = best
            break
        work.done[best] = True
        row = work.column_to_row[best]
    _reprice(start, path, touched, work)
    _swap(start, sink, single_at, work)


@njit(cache=True)
def _reprice(start: int, path: float, touched: int, work: Assignment) -> None:
    """Keep the prices feasible, and forget the search."""
    work.row_price[start] += path
    for k in range(touched):
        j = work.touched[k]
        if work.done[j]:
            gain = path - work.distance[j]
            work.row_price[work.column_to_row[j]] += gain
            work.column_price[j] -= gain
        work.done[j] = False
        work.distance[j] = np.inf


@njit(cache=True)
def _swap(start: int, sink: int, single_at: int, work: Assignment) -> None:
    """Move every row on the path to its new column."""
    column = sink
    if sink == NONE:
        if single_at == start:
            return
        column = work.row_to_column[single_at]
        work.row_to_column[single_at] = NONE
    while True:
        row = work.parent[column]
        work.column_to_row[column] = row
        column, work.row_to_column[row] = work.row_to_column[row], column
        if row == start:
            return
