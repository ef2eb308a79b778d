"""The assignment is optimal, may leave rows single, and is the same every time."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from firmware.vision.matching import NONE, assign, new_assignment, new_graph


def solved(weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Columns of each row; weights of 0 and less are no edges."""
    rows, columns = weights.shape
    graph, work = new_graph(rows + 1, rows * columns + 1), new_assignment(rows + 1, columns + 1)
    edges = 0
    for i in range(rows):
        graph.start[i] = edges
        for j in range(columns):
            if weights[i, j] > 0:
                graph.column[edges], graph.weight[edges] = j, weights[i, j]
                edges += 1
    graph.start[rows] = edges
    assign(graph, rows, columns, work)
    answer = work.row_to_column[:rows].copy()
    for i, j in enumerate(answer):
        assert j == NONE or (work.column_to_row[j] == i and weights[i, j] > 0)
    assert len(set(answer[answer != NONE])) == np.count_nonzero(answer != NONE)
    return answer


def total(weights: NDArray[np.float64], answer: NDArray[np.int64]) -> float:
    return float(sum(weights[i, j] for i, j in enumerate(answer) if j != NONE))


def best_total(weights: NDArray[np.float64]) -> float:
    """By trying everything: rows may take a column of nothing."""
    rows, columns = weights.shape
    wide = np.concatenate((np.maximum(weights, 0), np.zeros((rows, rows))), axis=1)
    return max(sum(wide[i, j] for i, j in enumerate(chosen)) for chosen in permutations(range(columns + rows), rows))


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_no_other_choice_of_pairs_is_worth_more(rows: int, columns: int, draw: st.DataObject) -> None:
    """On every small graph, sparse or dense, with ties or without, the total is the greatest there is."""
    values = draw.draw(st.lists(st.integers(-2, 6), min_size=rows * columns, max_size=rows * columns))
    weights = np.array(values, float).reshape(rows, columns) / 7
    assert total(weights, solved(weights)) == pytest.approx(best_total(weights), abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_large_graphs_satisfy_the_dual(seed: int) -> None:
    """Where everything cannot be tried: prices of rows and columns bound every pair, and are tight on the chosen ones."""
    rng = np.random.default_rng(seed)
    rows, columns = (120, 90) if seed % 2 else (80, 130)
    weights = np.where(rng.random((rows, columns)) < 0.08, rng.random((rows, columns)), 0)
    graph, work = new_graph(rows, rows * columns), new_assignment(rows, columns)
    i, j = np.nonzero(weights)
    graph.start[: rows + 1] = np.searchsorted(i, np.arange(rows + 1))
    graph.column[: len(j)], graph.weight[: len(j)] = j, weights[i, j]
    assign(graph, rows, columns, work)
    u, v = work.row_price[:rows], work.column_price[:columns]
    assert (u <= 1e-12).all()
    assert (v <= 1e-12).all()
    assert (-weights[i, j] - u[i] - v[j] >= -1e-9).all()
    chosen = work.row_to_column[:rows]
    assert total(weights, chosen) == pytest.approx(-(u.sum() + v.sum()), abs=1e-9)


def test_a_row_stays_single_when_that_is_worth_more() -> None:
    """Two rows and one column: the better pair wins, the other row has nothing."""
    assert solved(np.array([[0.4], [0.6]])).tolist() == [NONE, 0]


def test_rows_without_an_edge_have_nothing() -> None:
    """And do not disturb the others."""
    assert solved(np.array([[0.0, 0.0], [0.0, 0.5]])).tolist() == [NONE, 1]


def test_the_whole_is_worth_more_than_the_best_pair() -> None:
    """The greedy choice (0.9) would leave 0.1; the best total is 0.8 + 0.8."""
    assert solved(np.array([[0.9, 0.8], [0.8, 0.1]])).tolist() == [1, 0]


def test_ties_fall_the_same_way_every_time() -> None:
    """The same graph, again and again, with what is left in the working space: the same answer."""
    weights = np.ones((6, 6))
    assert all((solved(weights) == solved(weights)).all() for _ in range(3))
