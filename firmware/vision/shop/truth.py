"""What really happened in a run, as a perfect counter on the floor would write it down.

A crossing is the foot point passing the line's segment; `settled` crossings are net per visit to the line: back and forth
within SETTLE_S cancels. A visit is a stay of the foot point in a zone: gaps of less than EXIT_S are closed, stays of less than
ENTER_S (at the display, DISPLAY_DWELL_S_MIN of the plan) are none. Times are seconds of the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from firmware.vision.shop import plan
from firmware.vision.shop.path import STEP_S, Path
from firmware.vision.shop.world import World

SETTLE_S: Final = 6.0  # the peeker's look and two walks through the band
ENTER_S: Final = 0.5
EXIT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Crossing:
    """The foot point passed the line."""

    person: int
    t_s: float
    direction: Literal["in", "out"]


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay in a zone. `outcome` is empty for the display, and for a queue visit that is still going on."""

    person: int
    zone: Literal["display", "till"]
    begin_s: float
    end_s: float
    outcome: Literal["", "served", "abandoned"] = ""


@dataclass(frozen=True, slots=True)
class Truth:
    """What happened before `until_s`. Visits are those that had ended by then."""

    until_s: float
    crossings: tuple[Crossing, ...]  # every one, by time
    settled: tuple[Crossing, ...]  # net per visit
    visits: tuple[Visit, ...]
    inside: int  # people beyond the line at until_s

    def count(self, direction: Literal["in", "out"]) -> int:
        """Settled crossings in one direction."""
        return sum(crossing.direction == direction for crossing in self.settled)

    def of(self, zone: Literal["display", "till"]) -> tuple[Visit, ...]:
        """The visits to one zone, by begin."""
        return tuple(visit for visit in self.visits if visit.zone == zone)


def truth_of(world: World, until_s: float) -> Truth:
    """What happened before a time."""
    crossings: list[Crossing] = []
    settled: list[Crossing] = []
    visits: list[Visit] = []
    for person, path in enumerate(world.paths):
        own = [c for c in _crossings(person, path) if c.t_s < until_s]
        crossings += own
        settled += _net(own)
        visits += _visits(person, path, "display", plan.DISPLAY)
        visits += _visits(person, path, "till", plan.TILL)
    ended = sorted((v for v in visits if v.end_s < until_s), key=lambda v: (v.begin_s, v.person))
    inside = sum(1 if c.direction == "in" else -1 for c in crossings)
    return Truth(until_s, tuple(sorted(crossings, key=_when)), tuple(sorted(settled, key=_when)), tuple(ended), inside)


def _when(crossing: Crossing) -> float:
    return crossing.t_s


def _crossings(person: int, path: Path) -> list[Crossing]:
    high, (left, right) = plan.LINE[0][1], sorted((plan.LINE[0][0], plan.LINE[1][0]))
    over = path.y_m - high
    rows = np.flatnonzero((over[:-1] > 0) != (over[1:] > 0))
    out = []
    for row in rows:
        share = over[row] / (over[row] - over[row + 1])
        x = path.x_m[row] + share * (path.x_m[row + 1] - path.x_m[row])
        if left <= x <= right:
            t_s = path.start_s + STEP_S * (float(row) + float(share))
            out.append(Crossing(person, t_s, "in" if over[row] > 0 else "out"))
    return out


def _net(crossings: list[Crossing]) -> list[Crossing]:
    """One person's crossings with back-and-forth within SETTLE_S taken out."""
    out: list[Crossing] = []
    for crossing in crossings:
        if out and out[-1].direction != crossing.direction and crossing.t_s - out[-1].t_s < SETTLE_S:
            out.pop()
        else:
            out.append(crossing)
    return out


def _visits(person: int, path: Path, zone: Literal["display", "till"], polygon: tuple[plan.Place, ...]) -> list[Visit]:
    within = np.array([plan.inside(polygon, float(x), float(y)) for x, y in zip(path.x_m, path.y_m, strict=True)])
    stays = _runs(within)
    merged: list[list[int]] = []
    for begin, end in stays:
        if merged and (begin - merged[-1][1]) * STEP_S < EXIT_S:
            merged[-1][1] = end
        else:
            merged.append([begin, end])
    out = []
    for begin, end in merged:
        if (end - begin) * STEP_S >= (plan.DISPLAY_DWELL_S_MIN if zone == "display" else ENTER_S):
            outcome = _outcome(path, end) if zone == "till" else ""
            out.append(Visit(person, zone, path.start_s + begin * STEP_S, path.start_s + end * STEP_S, outcome))
    return out


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """[begin, end) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [(int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def _outcome(path: Path, end: int) -> Literal["served", "abandoned"]:
    """Served people leave the queue's zone by its service side, the far one."""
    row = min(end, len(path.y_m) - 1)
    return "served" if path.y_m[row] >= plan.TILL[2][1] - 1e-6 else "abandoned"
