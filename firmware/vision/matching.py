"""Which detection belongs to which track: the optimal assignment of a sparse graph.

Only pairs that pass the gate become edges; everything else costs nothing, so hundreds of people cost little more than
their neighbours. Rules: a row may stay single, which is worth 0; ties fall the same way every time; plain arithmetic in a
fixed order. Left to others: what a pair is worth (`association`).

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
    """Edges in rows: those of row i are `start[i]` to `start[i + 1]` in `column` and `weight`."""

    start: NDArray[np.int64]  # (rows_max + 1,)
    column: NDArray[np.int64]  # (edges_max,)
    weight: NDArray[np.float64]  # (edges_max,) worth of the pair, above 0


class Assignment(NamedTuple):
    """The answer, `row_to_column` and `column_to_row`, and working space; made once, used for every frame."""

    row_to_column: NDArray[np.int64]  # (rows_max,) column or NONE
    column_to_row: NDArray[np.int64]  # (columns_max,) row or NONE
    row_price: NDArray[np.float64]  # (rows_max,)
    column_price: NDArray[np.float64]  # (columns_max,)
    distance: NDArray[np.float64]  # (columns_max,) length of the shortest path to a column
    parent: NDArray[np.int64]  # (columns_max,) row from which that path comes
    touched: NDArray[np.int64]  # (columns_max,) columns with a distance; those the path has passed come first


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
        np.zeros(columns_max, np.int64),
    )


@njit(cache=True, error_model="numpy")
def assign(graph: Graph, rows: int, columns: int, work: Assignment) -> None:
    """Choose pairs of the greatest total weight; each row and column at most once; fills `row_to_column`, `column_to_row`."""
    for j in range(columns):
        work.column_to_row[j] = NONE
        work.column_price[j] = 0.0
        work.distance[j] = np.inf
    for i in range(rows):
        work.row_to_column[i] = NONE
        work.row_price[i] = 0.0
    for i in range(rows):
        if graph.start[i] < graph.start[i + 1] and not _takes_the_best(graph, i, work):
            passed, touched, sink, single_at, path = _search(graph, i, work)
            _reprice(i, passed, touched, path, work)
            _swap(i, sink, single_at, work)


@njit(cache=True, error_model="numpy")
def _takes_the_best(graph: Graph, row: int, work: Assignment) -> bool:
    """Whether the best column of a row without a price is free; then it is taken, as the search would: nearly every row of a calm frame."""
    column, weight, column_price = graph.column, graph.weight, work.column_price
    best, nearest = NONE, 0.0
    for e in range(graph.start[row], graph.start[row + 1]):
        length = 0.0 - weight[e] - column_price[column[e]]
        if length < nearest:
            best, nearest = column[e], length
    if best == NONE or work.column_to_row[best] != NONE:
        return False
    work.row_price[row] += nearest
    work.row_to_column[row] = best
    work.column_to_row[best] = row
    return True


@njit(cache=True, error_model="numpy")
def _search(graph: Graph, start: int, work: Assignment) -> tuple[int, int, int, int, float]:
    """The shortest path of swaps that gives row `start` a place: it ends in a free column, or in a row that goes single.

    Returns how many columns were passed and touched, the free column or NONE, the row that goes single, and the length.
    """
    column, weight, distance, order = graph.column, graph.weight, work.distance, work.touched
    touched, passed = 0, 0
    row, path = start, 0.0
    single, single_at = np.inf, NONE
    while True:
        if path - work.row_price[row] < single:
            single, single_at = path - work.row_price[row], row
        for e in range(graph.start[row], graph.start[row + 1]):
            j = column[e]
            length = path - weight[e] - work.row_price[row] - work.column_price[j]
            if length < distance[j] and (distance[j] == np.inf or not _is_passed(j, order, passed)):
                if distance[j] == np.inf:
                    order[touched] = j
                    touched += 1
                distance[j] = length
                work.parent[j] = row
        nearest_at, nearest = NONE, single
        for k in range(passed, touched):
            if distance[order[k]] < nearest:
                nearest_at, nearest = k, distance[order[k]]
        if nearest_at == NONE:
            return passed, touched, NONE, single_at, single
        j = order[nearest_at]
        if work.column_to_row[j] == NONE:
            return passed, touched, j, single_at, nearest
        order[nearest_at], order[passed] = order[passed], j
        passed += 1
        row, path = work.column_to_row[j], nearest


@njit(cache=True, error_model="numpy")
def _is_passed(j: int, order: NDArray[np.int64], passed: int) -> bool:
    """Rounding can make a passed column look a hair nearer; it stays passed."""
    at = 0
    while at < passed and order[at] != j:
        at += 1
    return at < passed


@njit(cache=True, error_model="numpy")
def _reprice(start: int, passed: int, touched: int, path: float, work: Assignment) -> None:
    """Keep every price feasible, and forget the search."""
    work.row_price[start] += path
    for k in range(touched):
        j = work.touched[k]
        if k < passed:
            gain = path - work.distance[j]
            work.row_price[work.column_to_row[j]] += gain
            work.column_price[j] -= gain
        work.distance[j] = np.inf


@njit(cache=True, error_model="numpy")
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
        given_up = work.row_to_column[row]
        work.row_to_column[row] = column
        if row == start:
            return
        column = given_up
