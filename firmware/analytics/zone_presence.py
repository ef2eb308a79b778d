"""Who is in which zone since when: people in, visits out. Areas and queues alike; what a queue adds is in `queueing`.

A visit begins when a foot point has been inside for `enter_s` and ends when it has been outside, clear of the edge, for `exit_s`; the times
reported are those of the steps in and out, not delayed by the holds. Breaks, re-links and coasting are one visit. Shorter
visits than `dwell_s_min` are not reported. The side of entry and exit is None for who appeared or vanished inside, except
at a border of the view along which a side of the zone runs: who vanishes there went that way.

Somebody not seen for a while is neither inside nor outside until found again; when given up, the visit ends where it was
last seen, or where its prediction left the zone. Zones may overlap; each has its own settings. The loops are in
`presence_kernel`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from firmware.analytics import presence_kernel as kernel
from firmware.analytics.people import People
from firmware.config import ZoneConfig
from firmware.events import Box

PEOPLE_MAX: Final = 1024  # twice the tracks a tracker holds: those in view and those who may yet be found again

Kind = Literal["began", "ended", "voided"]
_KINDS: Final[tuple[Kind, ...]] = ("began", "ended", "voided")


@dataclass(frozen=True, slots=True)
class VisitChange:
    """A visit began, ended, or was disowned because the person proved to be furniture.

    Attributes:
        zone: place of the zone in the configuration.
        person: person id.
        kind: "began", "ended" or "voided".
        entry_s: when they stepped in (or appeared), monotonic seconds.
        end_s: when they stepped out (or vanished); meaningless while the visit lasts.
        entry_side: polygon side 0..n-1 by which they came, None if they appeared inside.
        end_side: side by which they left, None if they vanished inside.
        score: confidence of their last seen box.
        box: that box.
    """

    zone: int
    person: int
    kind: Kind
    entry_s: float
    end_s: float
    entry_side: int | None
    end_side: int | None
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class ZoneStep:
    """What one step changed, and how many (shoppers, staff) are in each zone now."""

    changes: tuple[VisitChange, ...]
    counts: tuple[tuple[int, int], ...]


class ZonePresence:
    """All zones of one camera."""

    def __init__(self, zones: tuple[ZoneConfig, ...], people_max: int = PEOPLE_MAX) -> None:
        self._state = kernel.new_presence(*_shapes(zones), people_max)
        self._nothing = ZoneStep((), ((0, 0),) * len(zones))
        self._last = self._nothing
        self._none = np.empty(0, dtype=np.int64)

    def step(self, people: People) -> ZoneStep:
        """Take in the people of one step; `still` people are nobody, `staff` are counted apart."""
        if not self._nothing.counts:
            return self._nothing
        gone = np.array(people.gone, dtype=np.int64) if people.gone else self._none
        return self._take(people, gone, people.t_s)

    @property
    def counts(self) -> tuple[tuple[int, int], ...]:
        """(shoppers, staff) in each zone after the last step."""
        return self._last.counts

    def finish(self, t_s: float) -> ZoneStep:
        """The end: everybody is given up, every open visit ends where it was last seen."""
        if not self._nothing.counts:
            return self._nothing
        gone = self._state.persons[: self._state.counters[kernel.PEOPLE], kernel.P_ID].astype(np.int64)
        return self._take(_nobody(t_s), gone, t_s)

    def known_until_s(self, zone: int, person: int) -> float:
        """Until when an open visit is certain: when the person was last seen inside.

        Raises:
            KeyError: nobody of that id is known.
        """
        rows = np.flatnonzero(self._state.persons[: self._state.counters[kernel.PEOPLE], kernel.P_ID] == person)
        if not rows.size:
            raise KeyError(person)
        visit = self._state.visits[rows[0], zone]
        return float(visit[kernel.V_OUT] if visit[kernel.V_OUT] >= 0.0 else visit[kernel.V_IN])

    def _take(self, people: People, gone: NDArray[np.int64], t_s: float) -> ZoneStep:
        said = kernel.presence_step(
            t_s,
            people.aspect,
            people.ids,
            people.boxes,
            people.scores,
            people.seen,
            people.still,
            people.staff,
            people.born_s,
            people.birth_boxes,
            gone,
            *self._state,
        )
        counts = self._state.counters[kernel.COUNTS :].tolist()
        changes = tuple(_change(row) for row in self._state.changes[:said].tolist()) if said else ()
        self._last = ZoneStep(changes, tuple(zip(counts[::2], counts[1::2], strict=True)))
        return self._last


def _change(row: list[float]) -> VisitChange:
    return VisitChange(
        zone=int(row[kernel.C_ZONE]),
        person=int(row[kernel.C_PERSON]),
        kind=_KINDS[int(row[kernel.C_KIND])],
        entry_s=row[kernel.C_ENTRY],
        end_s=row[kernel.C_END],
        entry_side=_side(row[kernel.C_ENTRY_SIDE]),
        end_side=_side(row[kernel.C_END_SIDE]),
        score=row[kernel.C_SCORE],
        box=(row[kernel.C_X0], row[kernel.C_Y0], row[kernel.C_X1], row[kernel.C_Y1]),
    )


def _side(number: float) -> int | None:
    return None if number < 0.0 else int(number)


def _nobody(t_s: float) -> People:
    none, flags = np.empty(0), np.empty(0, dtype=np.bool_)
    return People(t_s, np.empty(0, dtype=np.int64), np.empty((0, 4)), none, flags, flags, flags, none, np.empty((0, 4)))


def _shapes(zones: tuple[ZoneConfig, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners and settings, as the kernel has them."""
    corners = np.zeros((len(zones), max((len(zone.polygon) for zone in zones), default=0), kernel.CORNER_COLUMNS))
    settings = np.zeros((len(zones), kernel.SETTING_COLUMNS))
    for index, zone in enumerate(zones):
        settings[index] = len(zone.polygon), zone.enter_s, zone.exit_s, zone.dwell_s_min
        for side, start in enumerate(zone.polygon):
            corners[index, side] = *start, _border(start, zone.polygon[(side + 1) % len(zone.polygon)])
    return corners, settings


def _border(start: tuple[float, float], end: tuple[float, float]) -> float:
    """The border of the view along which a side runs; 0: it lies within the view."""
    near = kernel.BORDER_SHARE
    if max(start[0], end[0]) <= near:
        return kernel.LEFT
    if min(start[0], end[0]) >= 1.0 - near:
        return kernel.RIGHT
    if max(start[1], end[1]) <= near:
        return kernel.TOP
    if min(start[1], end[1]) >= 1.0 - near:
        return kernel.BOTTOM
    return 0.0
