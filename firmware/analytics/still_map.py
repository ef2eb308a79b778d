"""Mannequins, posters, mirrors: what never moves is not a person, and where such things stand is remembered.

Somebody who has not moved farther than a share of their own height for `still_s` is still; who has walked before in this
life (a shopper waiting, a clerk at a till) is given much longer. Head and foot must both have moved: a mannequin whose legs
are hidden now and then jumps with its foot alone. Whoever moves is a person from that moment.

Places of still things go into a map: while the shop is closed after a minute, while it is open when a thing that never
walked is found out. Who appears on such a place, in that size, is still from the start, so that a mannequin seen on and
off is not a new visitor each time. A place where nothing is seen during hours of being closed is forgotten. The map is a
frozen value: keeping it on the card is the shell's work, saying when the shop is closed too.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numba import njit
from numpy.typing import NDArray

from firmware.analytics.people import People
from firmware.config import StillConfig
from firmware.still_places import PLACES_MAX, StillMap, StillPlace

Floats = NDArray[np.float64]

PATIENCE: Final = 6.0  # times still_s for who has walked: half an hour with the default
WALKED_SHARE: Final = 1.0  # of box height: jitter never adds up to a body's length
LEARN_S: Final = 60.0  # a guard on the round does not stand still for a minute
FORGET_S: Final = 4 * 3600.0  # closed hours without a sight of it: less than one night
SIZE_SHARE: Final = 0.25  # a thing's box height varies less than this between good sights
NOTE_S: Final = 1.0  # the map is looked at once a second: learning takes a minute

IDS_GONE = 0  # counters
ANCHOR_S, FOOT_X, FOOT_Y, HEAD_Y, HEIGHT, BORN_X, BORN_Y, WALKED, PLACED, STILL = range(10)
COLUMNS: Final = 10


class Table(NamedTuple):
    """What is known of each person, in the first `live[0]` rows; positions in frame heights."""

    ids: NDArray[np.int64]  # (C,)
    rows: Floats  # (C, COLUMNS)
    live: NDArray[np.int64]  # (1,)


class Rules(NamedTuple):
    """The thresholds of the kernel."""

    move_share: float
    still_s: float
    patience: float
    walked_share: float
    size_share: float


class Stillness:
    """Finds still things among the people of one camera."""

    def __init__(self, config: StillConfig, still_map: StillMap | None = None, people_max: int = 1024) -> None:
        self._config = config
        self._rules = Rules(config.move_share, config.still_s, PATIENCE, WALKED_SHARE, SIZE_SHARE)
        self._table = Table(np.zeros(people_max, np.int64), np.zeros((people_max, COLUMNS)), np.zeros(1, np.int64))
        self._flags = np.zeros(people_max, np.bool_)
        self._noted_s: float | None = None
        self.map = still_map if still_map is not None and config.map else StillMap()
        self._places = _places(self.map)
        self.found = 0
        self._none = np.empty(0, dtype=np.int64)

    def step(self, people: People, *, closed: bool = False) -> NDArray[np.bool_]:
        """(N,) which of the people are still. Valid until the next step; `found` counts the things found out so far."""
        gone = np.array(people.gone, dtype=np.int64) if people.gone else self._none
        still = self._flags[: len(people.ids)]
        found = _still_step(
            people.t_s, people.aspect, people.ids, people.boxes, people.seen, gone, self._places, still, *self._table, *self._rules
        )
        self.found += found
        if self._config.map and (found or closed):
            self._note(people, closed=closed)
        elif not closed:
            self._noted_s = None
        return still

    def take_found(self) -> int:
        """How many things were found out since the last call."""
        found, self.found = self.found, 0
        return found

    def _note(self, people: People, *, closed: bool) -> None:
        """Learn and forget places: at every find, and once a second while closed."""
        since_s = 0.0 if self._noted_s is None else people.t_s - self._noted_s
        live = int(self._table.live[0])
        rows = self._table.rows[:live]
        if not closed:
            never_walked = (rows[:, STILL] > 0.0) & (rows[:, WALKED] < WALKED_SHARE)
            self._learn(rows[never_walked], 0.0, people.aspect)
            return
        if self._noted_s is not None and since_s < NOTE_S:
            return
        self._noted_s = people.t_s
        standing = np.isin(self._table.ids[:live], people.ids) & (people.t_s - rows[:, ANCHOR_S] >= LEARN_S)
        self._learn(rows[standing], min(since_s, 10 * NOTE_S), people.aspect)

    def _learn(self, rows: Floats, closed_s: float, aspect: float) -> None:
        places = [msgspec.structs.replace(place, missed_s=place.missed_s + closed_s) for place in self.map.places]
        for row in rows.tolist():
            x, y, height = row[FOOT_X] / aspect, row[FOOT_Y], row[HEIGHT]
            same = next((i for i, place in enumerate(places) if self._same(place, (x, y, height), aspect)), None)
            seen_s = closed_s + (0.0 if same is None else places[same].seen_s)
            if same is not None:
                places[same] = msgspec.structs.replace(places[same], seen_s=seen_s, missed_s=0.0)
            else:
                places.append(StillPlace(x, y, height, seen_s))
        kept = sorted((place for place in places if place.missed_s < FORGET_S), key=lambda place: place.missed_s)
        self.map = StillMap(tuple(kept[:PLACES_MAX]))
        self._places = _places(self.map)

    def _same(self, place: StillPlace, found: tuple[float, float, float], aspect: float) -> bool:
        x, y, height = found
        near = max(abs(place.x - x) * aspect, abs(place.y - y)) <= 2 * self._config.move_share * height
        return near and abs(height / place.height - 1.0) <= SIZE_SHARE


def _places(still_map: StillMap) -> Floats:
    """(P, 3): x, y, height."""
    return np.array([(place.x, place.y, place.height) for place in still_map.places]).reshape(-1, 3)


@njit(cache=True, error_model="numpy")
def _row_of(table: Table, person: int, hint: int) -> int:
    if hint < table.live[0] and table.ids[hint] == person:
        return hint
    for row in range(table.live[0]):
        if table.ids[row] == person:
            return row
    return -1


@njit(cache=True, error_model="numpy")
def _on_a_place(places: Floats, foot: tuple[float, float], height: float, rules: Rules, aspect: float) -> bool:
    for place in range(places.shape[0]):
        reach = 2.0 * rules.move_share * places[place, 2]
        near = abs(places[place, 0] * aspect - foot[0]) <= reach and abs(places[place, 1] - foot[1]) <= reach
        if near and abs(height / places[place, 2] - 1.0) <= rules.size_share:
            return True
    return False


@njit(cache=True, error_model="numpy")
def _anchor(row: Floats, t_s: float, foot: tuple[float, float], head_y: float) -> None:
    row[ANCHOR_S], row[FOOT_X], row[FOOT_Y], row[HEAD_Y] = t_s, foot[0], foot[1], head_y
    row[HEIGHT] = max(foot[1] - head_y, 1e-4)
    row[PLACED] = 0.0


@njit(cache=True, error_model="numpy")
def _move(row: Floats, rules: Rules, t_s: float, foot: tuple[float, float], head_y: float) -> int:
    """Somebody was seen: have they moved, and for how long not? 1 when they were found to be still just now."""
    reach = rules.move_share * row[HEIGHT]
    side = foot[0] - row[FOOT_X]
    by_foot = np.sqrt(side * side + (foot[1] - row[FOOT_Y]) * (foot[1] - row[FOOT_Y]))
    by_head = np.sqrt(side * side + (head_y - row[HEAD_Y]) * (head_y - row[HEAD_Y]))
    if min(by_foot, by_head) > reach:
        _anchor(row, t_s, foot, head_y)
    out_x, out_y = foot[0] - row[BORN_X], foot[1] - row[BORN_Y]
    row[WALKED] = max(row[WALKED], np.sqrt(out_x * out_x + out_y * out_y) / row[HEIGHT])
    patience = rules.patience if row[WALKED] >= rules.walked_share else 1.0
    was, row[STILL] = row[STILL], 1.0 if row[PLACED] > 0.0 or t_s - row[ANCHOR_S] >= rules.still_s * patience else 0.0
    return 1 if row[STILL] > was and row[PLACED] == 0.0 else 0


@njit(cache=True, error_model="numpy")
def _still_step(
    t_s: float,
    aspect: float,
    ids: NDArray[np.int64],
    boxes: Floats,
    seen: NDArray[np.bool_],
    gone: NDArray[np.int64],
    places: Floats,
    still: NDArray[np.bool_],
    *parts: Any,
) -> int:
    """Fill `still` (N,) for this step's people; how many were found to be still just now.

    parts: those of Table and Rules one by one, for tuples take twice as long to get into a kernel.
    """
    table, rules = Table(*parts[:3]), Rules(*parts[3:])
    found, hint = 0, 0
    for index in range(ids.shape[0]):
        still[index] = False
        row_index = _row_of(table, ids[index], hint)
        box = boxes[index]
        foot = ((box[0] + box[2]) / 2.0 * aspect, box[3])
        if row_index < 0:
            if table.live[0] == table.ids.shape[0]:
                continue
            row_index = table.live[0]
            table.live[0] += 1
            table.ids[row_index] = ids[index]
            row = table.rows[row_index]
            row[:] = 0.0
            _anchor(row, t_s, foot, box[1])
            row[BORN_X], row[BORN_Y] = foot[0], foot[1]
            row[PLACED] = 1.0 if _on_a_place(places, foot, row[HEIGHT], rules, aspect) else 0.0
        if seen[index]:
            found += _move(table.rows[row_index], rules, t_s, foot, box[1])
        still[index] = table.rows[row_index, STILL] > 0.0
        hint = row_index + 1
    for index in range(gone.shape[0]):
        row_index = _row_of(table, gone[index], 0)
        if row_index >= 0:
            table.live[0] -= 1
            for after in range(row_index, table.live[0]):
                table.ids[after] = table.ids[after + 1]
                table.rows[after] = table.rows[after + 1]
    return found
