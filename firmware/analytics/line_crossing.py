"""Crossings of one line, counted so that standing on it, peeking over it and turning back on it count nothing.

Where a foot is, is measured across the line in box heights. Within a *dead band* on either side it says nothing; beyond, the
person is *committed* to that side. A change of committed side is a crossing if the way walked in between passed the
segment (not its extension). It is published at once as *provisional*, and *settled* as the net of the visit when the person
is gone or has been out of the band for `settle_s`: back and forth cancels.

Whoever appears or vanishes inside the band is *ambiguous*, in the audit and not in the total, unless they clearly walked: a
steady pace through the band, on the far side of the line when last seen (or on the near side when first seen), or seen so
rarely that nobody could expect to see them leave it. Someone who stands there, or stops, stays ambiguous.

Whoever comes in under the camera shows their head first: where the view's bottom edge cuts a box, the feet are below the view,
a person's height under the head, and not where the box ends; a line that ends at that edge goes on below it.

Rules: only sights count, never predictions; seconds and box heights; memory bounded per person, people bounded by the
relinker. The loops are in `line_kernel`. Left to others: who is one person (`relink`), which windows and events come of it
(`pipeline`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware.analytics import line_kernel as kernel
from firmware.analytics import line_memory as memory
from firmware.analytics.geometry import CUT_SHARE
from firmware.analytics.people import People
from firmware.config import LineConfig
from firmware.events import Box, Direction

PEOPLE_MAX: Final = 1024  # twice the tracks a tracker holds: those in view and those who may yet be found again


@dataclass(frozen=True, slots=True)
class Crossing:
    """Somebody crossed the line.

    Attributes:
        person: id of the relinker; never leaves memory.
        direction: "in" or "out".
        t_s: when the foot passed the line, monotonic seconds; lies in the past.
        staff: whether the person was known as staff when this was published.
        score: of the box.
        box: x0 y0 x1 y1 in 0..1, the sight nearest after the crossing.
    """

    person: int
    direction: Direction
    t_s: float
    staff: bool
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class LineStep:
    """What one frame brought: crossings seen now, crossings settled now, and how many visits stay ambiguous."""

    provisional: tuple[Crossing, ...] = ()
    settled: tuple[Crossing, ...] = ()
    ambiguous: int = 0


_NOTHING: Final = LineStep()


class LineCounter:
    """One line of one camera. `step` once for each frame.

    Args:
        config: where it lies, and its thresholds.
        people_max: people known at once, at most.
        near_height: box height of a person whose feet are at the bottom edge of the view, 0..1 and above: the feet of who is
            cut by that edge are so far below their head. 0: boxes are taken as they are.
    """

    def __init__(self, config: LineConfig, people_max: int = PEOPLE_MAX, near_height: float = 0.0) -> None:
        self._config = config
        self._near_height = near_height
        self._state = memory.new_passages(people_max)
        self._line = _measured(config, 16 / 9, near_height)
        self._none = np.empty(0, dtype=np.int64)

    def step(self, people: People) -> LineStep:
        """Take in the people of one frame."""
        if people.aspect != self._line[kernel.ASPECT]:
            self._line = _measured(self._config, people.aspect, self._near_height)
        said = kernel.line_step(
            self._line,
            people.t_s,
            people.ids,
            people.boxes,
            people.scores,
            people.seen,
            people.still,
            people.staff,
            people.born_s,
            people.birth_boxes,
            np.array(people.gone, dtype=np.int64) if people.gone else self._none,
            *self._state,
        )
        return self._told(said)

    def pending(self) -> tuple[Crossing, ...]:
        """Crossings already published as provisional that would settle if everybody were gone now; nothing is changed by asking.

        Those of visits that are unclear, and of furniture, are left out: they would not settle.
        """
        state, found = self._state, []
        for slot in state.order[: state.counters[memory.PEOPLE]].tolist():
            person = state.persons[slot]
            waiting = int(person[memory.P_PENDING])
            if waiting and not person[memory.P_UNCLEAR] and not person[memory.P_STILL]:
                for mark in state.marks[slot, memory.PENDING : memory.PENDING + waiting].tolist():
                    mark[memory.M_STAFF] = person[memory.P_STAFF]
                    found.append(self._crossing([memory.SETTLED, person[memory.P_ID], *mark]))
        return tuple(found)

    def finish(self, t_s: float) -> LineStep:
        """The recording ends at `t_s`: everybody is gone, everything settles."""
        return self._told(kernel.line_finish(self._state, self._line, t_s))

    def _told(self, said: int) -> LineStep:
        ambiguous = int(self._state.counters[memory.AMBIGUOUS])
        if not said and not ambiguous:
            return _NOTHING
        rows = self._state.said[:said].tolist()
        provisional = tuple(self._crossing(row) for row in rows if row[memory.SAID_STAGE] == memory.PROVISIONAL)
        settled = tuple(self._crossing(row) for row in rows if row[memory.SAID_STAGE] == memory.SETTLED)
        return LineStep(provisional, settled, ambiguous)

    def _crossing(self, row: list[float]) -> Crossing:
        mark = row[memory.SAID_MARK :]
        x0, y0, x1, y1 = mark[memory.M_BOX : memory.M_BOX + 4]
        return Crossing(
            person=int(row[memory.SAID_PERSON]),
            direction="in" if (mark[memory.M_SIDE] > 0.0) == (self._config.in_side == "left") else "out",
            t_s=mark[memory.M_T],
            staff=mark[memory.M_STAFF] > 0.0,
            score=mark[memory.M_SCORE],
            box=(x0, y0, x1, y1),
        )


def _measured(config: LineConfig, aspect: float, near_height: float) -> NDArray[np.float64]:
    """The line as the kernel has it, for pictures of this aspect."""
    line = np.zeros(kernel.LINE_PLACES)
    way_x, way_y = (config.end[0] - config.start[0]) * aspect, config.end[1] - config.start[1]
    line[kernel.START_X], line[kernel.START_Y] = config.start
    line[kernel.WAY_X], line[kernel.WAY_Y] = way_x, way_y
    line[kernel.LENGTH], line[kernel.SQUARE] = float(np.hypot(way_x, way_y)), way_x * way_x + way_y * way_y
    line[kernel.ASPECT], line[kernel.BAND_SHARE], line[kernel.SETTLE_S] = aspect, config.dead_band_share, config.settle_s
    line[kernel.NEAR_HEIGHT] = near_height
    beyond = near_height / abs(way_y) if abs(way_y) > CUT_SHARE else 0.0  # nobody can draw it to where such feet are
    line[kernel.SHARE_MIN] = -beyond if config.start[1] >= 1.0 - CUT_SHARE else 0.0
    line[kernel.SHARE_MAX] = 1.0 + beyond if config.end[1] >= 1.0 - CUT_SHARE else 1.0
    return line
