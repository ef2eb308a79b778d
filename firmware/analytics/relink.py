"""Tracks become people: a new track that starts where a lost one ended is the same person, and inherits what they did.

A tracker's id is a strong hint and no proof. In every frame the people known (in view or lost) and the tracks seen are
matched anew: by where each person should be by now, by size, and by the id they last had, which is worth much but not
everything. So a track that ends and begins again under another number stays one person, two people whose numbers are
exchanged in one frame stay themselves, and a number that jumps across the room becomes somebody else.

Rules: causal; a person is `gone` only when no later track can be linked to them, `relink_s_max` after the last sight; two
tracks that were ever seen at the same time are never one person; work and memory are bounded by the capacity; plain
arithmetic in a fixed order. Left to others: standing still and staff (`pipeline`), what people do (lines, zones).

The worth of each pair is `relink_odds`, the assignment `firmware.vision.matching`, what is remembered `relink_memory`.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from firmware.analytics.people import People
from firmware.analytics.relink_memory import (
    BIRTHS,
    DRESSED,
    GONE,
    HEIGHT_MIN,
    K_BIRTH,
    K_BORN_S,
    K_FOUND,
    K_ID,
    K_LAST_S,
    K_ROW,
    K_TRACK,
    LEAVES,
    LIVE,
    NEXT_ID,
    RELINKED,
    STAYS,
    T_BIRTH_HEIGHT,
    T_BIRTH_X,
    T_BIRTH_Y,
    T_BORN_S,
    T_HEIGHT,
    T_KNOWN,
    T_OWNER,
    T_X,
    T_Y,
    TURNS,
    Flags,
    Floats,
    Memory,
    Rules,
    Whole,
    begin,
    cell,
    chance_against,
    forget_longest_lost,
    is_over,
    move,
    new_memory,
    note_place,
    note_sight,
    note_time,
    observe,
    turned_round,
    way,
)
from firmware.analytics.relink_odds import is_fresh, weigh
from firmware.vision.matching import NONE, Assignment, Graph, assign, new_assignment, new_graph
from firmware.vision.track import Tracks

# Rows of `Shown.people`, one column a person in view: id, seen now, score, born, match with the staff colour.
O_ID, O_SEEN, O_SCORE, O_BORN_S, O_UNIFORM = range(5)
OUT_ROWS: Final = 5


class View(NamedTuple):
    """The tracks of one frame, as the kernel reads them."""

    t_s: float
    aspect: float
    ids: Whole  # (N,)
    boxes: Floats  # (N, 4) 0..1
    seen: Flags  # (N,)
    born_s: Floats  # (N,)
    birth: Floats  # (N, 4) 0..1
    scores: Floats  # (N,)
    uniform: Floats  # (N,)


class Shown(NamedTuple):
    """The people in view, as the kernel writes them: slices of these are contiguous, so that kernels know one kind of array."""

    people: Floats  # (OUT_ROWS, C)
    boxes: Floats  # (C, 4) 0..1
    births: Floats  # (C, 4) 0..1


class Relinker:
    """The people of one camera. `step` once for each frame, in the order of time.

    Args:
        relink_s_max: someone unseen for longer is gone.
        capacity: tracks in one frame, at most; as many lost people are remembered beside them, and the one lost longest
            goes first when there are more.
        rules: the thresholds of linking; measured in docs/accuracy.md.
    """

    def __init__(self, relink_s_max: float = 4.0, capacity: int = 512, rules: Rules | None = None) -> None:
        self._rules = (rules or Rules())._replace(relink_s_max=relink_s_max)
        self._capacity = capacity
        self._memory = new_memory(2 * capacity, capacity)
        self._shown = Shown(np.zeros((OUT_ROWS, 2 * capacity)), np.zeros((2 * capacity, 4)), np.zeros((2 * capacity, 4)))
        self._graph = new_graph(2 * capacity, 2 * capacity * capacity)
        self._work = new_assignment(2 * capacity, capacity)
        self._parts = (*self._shown, *self._memory, *self._graph, *self._work, *self._rules)
        self._t_s = -np.inf

    def step(self, tracks: Tracks) -> People:
        """Who the tracks of this frame are. A frame that claims to be earlier than the last is taken as of the same time."""
        self._t_s = t_s = max(tracks.t_s, self._t_s)
        count = len(tracks.ids)
        if count > self._capacity:
            count = self._capacity
            view = View(
                t_s,
                tracks.aspect,
                tracks.ids[:count],
                tracks.boxes[:count],
                tracks.seen[:count],
                tracks.born_s[:count],
                tracks.birth_boxes[:count],
                tracks.scores[:count],
                tracks.uniform[:count],
            )
        else:
            view = View(
                t_s,
                tracks.aspect,
                tracks.ids,
                tracks.boxes,
                tracks.seen,
                tracks.born_s,
                tracks.birth_boxes,
                tracks.scores,
                tracks.uniform,
            )
        return self._people(tracks, _step(*view, *self._parts))

    def _people(self, tracks: Tracks, here: int) -> People:
        counters, out = self._memory.counters, self._shown.people[:, :here].copy()
        gone, none = counters[GONE], np.zeros(here, np.bool_)
        return People(
            tracks.t_s,
            out[O_ID].astype(np.int64),
            self._shown.boxes[:here].copy(),
            out[O_SCORE],
            out[O_SEEN] != 0.0,
            none,
            none,
            out[O_BORN_S],
            self._shown.births[:here].copy(),
            tuple(sorted(self._memory.gone[:gone].tolist())) if gone else (),
            int(counters[RELINKED]),
            tracks.aspect,
            tracks.dropped,
            out[O_UNIFORM] if counters[DRESSED] else None,
        )


@njit(cache=True, error_model="numpy")
def _step(*parts: Any) -> int:
    """One frame: who is in view is written to `Shown`, who is gone to `memory.gone`; returns how many are in view.

    parts: those of View, Shown, Memory, Graph, Assignment and Rules one by one, for tuples take twice as long to get into a kernel.
    """
    view, shown, memory = View(*parts[:9]), Shown(*parts[9:12]), Memory(*parts[12:19])
    graph, work, rules = Graph(*parts[19:22]), Assignment(*parts[22:29]), Rules(*parts[29:])
    known, tracks, column, counters = memory.known, memory.tracks, memory.column, memory.counters
    counters[GONE] = 0
    counters[RELINKED] = 0
    note_time(memory.places, memory.habits, view.t_s)
    columns = _measure(tracks, column, view)
    _find_owners(known, counters, tracks, view.ids)
    if _give_up(memory, view, rules):
        _find_owners(known, counters, tracks, view.ids)
    live = counters[LIVE]
    weigh(memory, columns, view.t_s, view.aspect, graph, rules)
    assign(graph, live, columns, work)
    for p in range(live):
        if work.row_to_column[p] != NONE:
            _link(memory, p, column[work.row_to_column[p]], view, rules)
    for k in range(view.ids.shape[0]):  # a track that is not seen now still says where its person should be
        p = int(tracks[k, T_OWNER])
        if not view.seen[k] and p != NONE and known[p, K_ROW] == NONE:
            known[p, K_ROW] = k
    for c in range(columns):
        k = column[c]
        waits = tracks[k, T_OWNER] == NONE and tracks[k, T_KNOWN] > rules.unsure and is_fresh(memory, k, view.t_s, rules)
        if work.column_to_row[c] == NONE and not waits:
            _welcome(memory, k, view, rules)
    return _list(memory, view, shown)


@njit(cache=True, error_model="numpy")
def _measure(tracks: Floats, column: Whole, view: View) -> int:
    """Feet and heights of this frame's tracks, now and at birth, in frame heights; returns how many are seen."""
    columns, aspect = 0, view.aspect
    for k in range(view.ids.shape[0]):
        tracks[k, T_X] = (view.boxes[k, 0] + view.boxes[k, 2]) / 2 * aspect
        tracks[k, T_Y] = view.boxes[k, 3]
        tracks[k, T_HEIGHT] = max(view.boxes[k, 3] - view.boxes[k, 1], HEIGHT_MIN)
        tracks[k, T_BORN_S] = view.born_s[k]
        tracks[k, T_KNOWN] = -np.inf
        tracks[k, T_BIRTH_X] = (view.birth[k, 0] + view.birth[k, 2]) / 2 * aspect
        tracks[k, T_BIRTH_Y] = view.birth[k, 3]
        tracks[k, T_BIRTH_HEIGHT] = max(view.birth[k, 3] - view.birth[k, 1], HEIGHT_MIN)
        if view.seen[k]:
            column[columns] = k
            columns += 1
    return columns


@njit(cache=True, error_model="numpy")
def _find_owners(known: Floats, counters: Whole, tracks: Floats, ids: Whole) -> None:
    """Who had each id of this frame; of several, the one seen last."""
    for k in range(ids.shape[0]):
        tracks[k, T_OWNER] = NONE
    for p in range(counters[LIVE]):
        known[p, K_ROW] = NONE
        low, high = 0, ids.shape[0]
        while low < high:
            middle = (low + high) // 2
            if ids[middle] < known[p, K_TRACK]:
                low = middle + 1
            else:
                high = middle
        if low < ids.shape[0] and ids[low] == known[p, K_TRACK]:
            rival = int(tracks[low, T_OWNER])
            if rival == NONE or known[p, K_LAST_S] > known[rival, K_LAST_S]:
                tracks[low, T_OWNER] = p


@njit(cache=True, error_model="numpy")
def _give_up(memory: Memory, view: View, rules: Rules) -> bool:
    """Those unseen for too long are gone, unless the tracker still follows them; closes the ranks. Whether anybody went."""
    known, counters = memory.known, memory.counters
    for k in range(view.ids.shape[0]):
        if memory.tracks[k, T_OWNER] != NONE:
            known[int(memory.tracks[k, T_OWNER]), K_ROW] = k
    keep = 0
    for p in range(counters[LIVE]):
        followed = known[p, K_ROW] != NONE
        known[p, K_ROW] = NONE
        if not followed and is_over(memory, p, view.t_s - known[p, K_LAST_S], view.aspect, rules):
            memory.gone[counters[GONE]] = int(known[p, K_ID])
            counters[GONE] += 1
            i, j = way(known, p, view.aspect, rules.ahead_s)
            note_place(memory.places, LEAVES, i, j, chance_against(known[p, K_FOUND]))
            continue
        if keep != p:
            move(known, p, keep)
        keep += 1
    changed: bool = keep != counters[LIVE]
    counters[LIVE] = keep
    return changed


@njit(cache=True, error_model="numpy")
def _link(memory: Memory, p: int, k: int, view: View, rules: Rules) -> None:
    """Track `k` is person `p`."""
    known, tracks, habits = memory.known, memory.tracks, memory.habits
    owner = int(tracks[k, T_OWNER])
    if owner == p:
        note_sight(habits, view.t_s - known[p, K_LAST_S], 1, rules.gap_frames)
    else:
        memory.counters[RELINKED] += 1
        if owner == NONE:
            note_sight(habits, tracks[k, T_BORN_S] - known[p, K_LAST_S], 0, rules.gap_frames)
        if owner == NONE and tracks[k, T_BORN_S] < view.t_s:
            observe(known, p, tracks[k, T_BIRTH_X], tracks[k, T_BIRTH_Y], tracks[k, T_BIRTH_HEIGHT], tracks[k, T_BORN_S], rules)
    elapsed_s = view.t_s - known[p, K_LAST_S]
    observe(known, p, tracks[k, T_X], tracks[k, T_Y], tracks[k, T_HEIGHT], view.t_s, rules)
    i, j = way(known, p, view.aspect, rules.ahead_s)
    note_place(memory.places, STAYS, i, j, min(elapsed_s, rules.hidden_s))
    if turned_round(known, p, rules.walk):
        note_place(memory.places, TURNS, i, j, 1.0)
    known[p, K_TRACK] = view.ids[k]
    known[p, K_ROW] = k


@njit(cache=True, error_model="numpy")
def _welcome(memory: Memory, k: int, view: View, rules: Rules) -> None:
    """Track `k` is somebody new. A known id that jumped is born here and now; a new one when its track was."""
    known, tracks, counters = memory.known, memory.tracks, memory.counters
    if counters[LIVE] == known.shape[0]:
        forget_longest_lost(memory)
    p = counters[LIVE]
    counters[LIVE] += 1
    known[p, K_ID] = counters[NEXT_ID]
    counters[NEXT_ID] += 1
    known[p, K_TRACK] = view.ids[k]
    known[p, K_ROW] = k
    jumped = tracks[k, T_OWNER] != NONE
    at = T_X if jumped else T_BIRTH_X
    for c in range(4):
        known[p, K_BIRTH + c] = view.boxes[k, c] if jumped else view.birth[k, c]
    begin(known, p, tracks[k, at], tracks[k, at + 1], tracks[k, at + 2], view.t_s if jumped else tracks[k, T_BORN_S], rules)
    i, j = cell((known[p, K_BIRTH] + known[p, K_BIRTH + 2]) / 2, known[p, K_BIRTH + 3])
    note_place(memory.places, BIRTHS, i, j, 1.0 if jumped else chance_against(tracks[k, T_KNOWN]))
    if known[p, K_BORN_S] < view.t_s:
        observe(known, p, tracks[k, T_X], tracks[k, T_Y], tracks[k, T_HEIGHT], view.t_s, rules)


@njit(cache=True, error_model="numpy")
def _list(memory: Memory, view: View, shown: Shown) -> int:
    """Everybody who is in view, seen or coasting; returns how many."""
    known, counters, out, n = memory.known, memory.counters, shown.people, 0
    counters[DRESSED] = 0
    for k in range(view.uniform.shape[0]):
        if view.uniform[k] != 0.0:
            counters[DRESSED] = 1
    for p in range(counters[LIVE]):
        if known[p, K_ROW] == NONE:
            continue
        k = int(known[p, K_ROW])
        out[O_ID, n], out[O_BORN_S, n] = known[p, K_ID], known[p, K_BORN_S]
        out[O_SEEN, n], out[O_SCORE, n], out[O_UNIFORM, n] = (1.0 if view.seen[k] else 0.0), view.scores[k], view.uniform[k]
        for c in range(4):
            shown.boxes[n, c], shown.births[n, c] = view.boxes[k, c], known[p, K_BIRTH + c]
        n += 1
    return n
