"""Crossings of one line, counted so that standing on it, peeking over it and turning back on it count nothing.

Where a foot is, is measured across the line in box heights. Within a *dead band* on either side it says nothing; beyond, the
person is *committed* to that side. A change of committed side is a crossing if the way walked in between passed the
segment (not its extension). It is published at once as *provisional*, and *settled* as the net of the visit when the person
is gone or has been out of the band for `settle_s`: back and forth cancels.

Whoever appears or vanishes inside the band is *ambiguous*, in the audit and not in the total, unless they clearly walked: a
steady pace through the band, on the far side of the line when last seen (or on the near side when first seen), or seen so
rarely that nobody could expect to see them leave it. Someone who stands there, or stops, stays ambiguous.

Rules: only sights count, never predictions; seconds and box heights; memory bounded per person, people bounded by the
relinker. Left to others: who is one person (`relink`), which windows and events come of it (`pipeline`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware.analytics.geometry import along_shares, box_heights, foot_points, left_distances
from firmware.analytics.motion import Fit, Jitter, Odds, Sight, fit_line, thin
from firmware.analytics.people import People
from firmware.config import LineConfig
from firmware.events import Box, Direction

NOISE_BAND: Final = 3.0  # the band is at least so many standard deviations of the measured jitter wide
BAND_MAX: Final = 0.4  # ... but never wider than this: beyond, a person is somewhere else, however poor the boxes
INNER_SHARE: Final = 0.25  # of the band: so far past the line is past it, for someone who clearly walks
EARLY_S: Final = 1.0  # how someone came, and how they left, is judged by so long a time
SIGHTS_MAX: Final = 48  # kept of either; more are thinned out
PACE_MIN: Final = 0.3  # box heights per second, half a metre: slower may be swaying
PACE_SURE: Final = 4.0  # standard errors by which a pace must differ from standing
UNSEEN_ODDS_MIN: Final = 0.1  # leaving the band unseen must be at least so likely to be believed
NEAR_BANDS: Final = 4.0  # half bands: who is first seen farther away came from there, however rarely they are seen
PENDING_MAX: Final = 16  # crossings of one visit; nobody walks in and around outside as often within seconds


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


@dataclass(slots=True)
class _Passage:
    """What is remembered of one person at one line."""

    person: int
    height: float
    staff: bool = False
    still: bool = False
    jitter: Jitter = field(default_factory=Jitter)
    early: list[Sight] = field(default_factory=list)  # since birth, until judged
    late: list[Sight] = field(default_factory=list)  # the last second
    judged: bool = False  # how they came is known
    unclear: bool = False  # ... and is not clear: the visit is ambiguous
    side: int = 0  # committed: +1 left, -1 right, 0 not yet
    sign: int = 0  # of the last distance that was not zero
    through: int = 0  # net passes of the segment since committed, leftward positive
    passed: dict[int, Crossing] = field(default_factory=dict)  # last pass of the segment leftward (+1), rightward (-1)
    came: Crossing | None = None  # pass before the first commitment, by someone who appeared inside the band
    pending: list[Crossing] = field(default_factory=list)  # net of this visit
    band_s: float = -np.inf  # last sight inside the band
    step: int = 0  # of the last sight
    last: Crossing | None = None  # as if crossed at the last sight: its box, score and time


class LineCounter:
    """One line of one camera. `step` once for each frame."""

    def __init__(self, config: LineConfig) -> None:
        self._config = config
        self._passages: dict[int, _Passage] = {}
        self._aspect = 16 / 9
        self._odds = Odds()

    def step(self, people: People) -> LineStep:
        """Take in the people of one frame."""
        self._aspect = people.aspect
        self._odds.tick(people.t_s)
        tally = _Tally()
        for person in people.ids[people.still].tolist():
            if person in self._passages:
                self._passages[person].still = True
        seen = np.flatnonzero(people.seen & ~people.still)
        if len(seen):
            self._look(people, seen, tally)
        for person in people.gone:
            passage = self._passages.pop(person, None)
            if passage is not None:
                self._close(passage, tally)
        return tally.result()

    def finish(self, t_s: float) -> LineStep:
        """The recording ends at `t_s`: everybody is gone, everything settles."""
        self._odds.tick(t_s)
        tally = _Tally()
        for passage in self._passages.values():
            self._close(passage, tally)
        self._passages.clear()
        return tally.result()

    def _look(self, people: People, seen: NDArray[np.intp], tally: _Tally) -> None:
        boxes = people.boxes[seen]
        measured = self._measure(boxes, people.aspect)
        ids, scores, staff = people.ids[seen].tolist(), people.scores[seen].tolist(), people.staff[seen].tolist()
        for i, person in enumerate(ids):
            passage = self._passages.get(person)
            box: Box = tuple(boxes[i].tolist())
            mark = Crossing(person, "in", people.t_s, staff[i], scores[i], box)
            if passage is None:
                passage = self._passages[person] = _Passage(person, measured[i][2], step=self._odds.step)
                born_s = float(people.born_s[seen[i]])
                if born_s < people.t_s:
                    birth = people.birth_boxes[seen[i] : seen[i] + 1]
                    first: Box = tuple(birth[0].tolist())
                    self._take(passage, self._measure(birth, people.aspect)[0], replace(mark, t_s=born_s, box=first), tally)
            else:
                self._odds.sighted(self._odds.step - passage.step)
            passage.step = self._odds.step
            passage.staff, passage.still = staff[i], False
            self._take(passage, measured[i], mark, tally)

    def _measure(self, boxes: NDArray[np.float64], aspect: float) -> list[tuple[float, float, float]]:
        """Of each box: distance to the left in frame heights, share along the line, height."""
        feet, line = foot_points(boxes), self._config
        across = left_distances(feet, line.start, line.end, aspect)
        along = along_shares(feet, line.start, line.end, aspect)
        return list(zip(across.tolist(), along.tolist(), box_heights(boxes).tolist(), strict=True))

    def _band(self, passage: _Passage) -> float:
        """Half width of the dead band in box heights: as configured, wider where boxes jitter more than it."""
        share = self._config.dead_band_share
        return max(share, min(NOISE_BAND * passage.jitter.deviation, BAND_MAX))

    def _take(self, passage: _Passage, measured: tuple[float, float, float], mark: Crossing, tally: _Tally) -> None:
        """One sight of one person."""
        across, along, height = measured
        passage.height += (height - passage.height) * 0.2
        sight = Sight(mark.t_s, across / passage.height, along)
        before = passage.late[-1] if passage.late else None
        passage.jitter.take(passage.late, sight)
        band = self._band(passage)
        if before is not None:
            self._pass(passage, before, sight, mark)
        elif abs(sight.d) > NEAR_BANDS * band:
            passage.judged = True
        passage.sign = (sight.d > 0) - (sight.d < 0) or passage.sign
        passage.last = mark
        passage.late = _recent(passage.late, sight)
        if not passage.judged:
            passage.early = thin([*passage.early, sight], SIGHTS_MAX)
        if abs(sight.d) > band:
            self._commit(passage, 1 if sight.d > 0 else -1, tally)
        else:
            passage.band_s = sight.t_s
        if not passage.judged and passage.side and sight.t_s - passage.early[0].t_s >= EARLY_S:
            self._judge_birth(passage, tally)
        if passage.side and sight.t_s - passage.band_s >= self._config.settle_s and (passage.pending or not passage.judged):
            self._settle(passage, tally)

    def _pass(self, passage: _Passage, before: Sight, sight: Sight, mark: Crossing) -> None:
        """Book a pass of the segment between two sights."""
        sign = (sight.d > 0) - (sight.d < 0)
        if not sign or not passage.sign or sign == passage.sign:
            return
        share = before.d / (before.d - sight.d) if before.d != sight.d else 1.0
        if 0.0 <= before.u + share * (sight.u - before.u) <= 1.0:
            passage.through += sign
            t_s = before.t_s + share * (sight.t_s - before.t_s)
            passage.passed[sign] = replace(mark, t_s=t_s, direction=self._direction(sign))

    def _direction(self, side: int) -> Direction:
        return "in" if (side > 0) == (self._config.in_side == "left") else "out"

    def _commit(self, passage: _Passage, side: int, tally: _Tally) -> None:
        """Beyond the band on `side`: a crossing if it was the other before, and the way passed the segment."""
        if side == passage.side:
            passage.through = 0
            return
        crossing = passage.passed.get(side) if passage.through * side > 0 else None
        if passage.side == 0:
            passage.came = crossing
        elif crossing is not None:
            _book(passage, crossing, tally)
        if passage.last is not None:
            passage.band_s = passage.last.t_s  # a fast walker may never be seen inside the band
        passage.side = side
        passage.through = 0

    def _judge_birth(self, passage: _Passage, tally: _Tally) -> None:
        """Where someone who appeared in or near the band came from: the other side, this side, or nobody knows."""
        passage.judged = True
        sights, passage.early = passage.early, []
        band = self._band(passage)
        fit = fit_line(sights, passage.jitter.deviation)
        if not _walks(fit):
            passage.unclear = abs(fit.mean) <= band
            return
        heading = 1 if fit.pace > 0 else -1
        start = fit.at(sights[0].t_s) * heading  # negative: before the line
        if start < -band:
            return
        if passage.side != heading or passage.pending:
            passage.unclear = start <= band  # they have been to and fro since
        elif passage.came is not None and start <= -INNER_SHARE * band:
            _book(passage, passage.came, tally)
        elif self._odds.unseen((start + band) / abs(fit.pace), UNSEEN_ODDS_MIN):
            self._book_unseen(passage, passage.came, sights[0].t_s, fit, tally)
        else:
            passage.unclear = start <= band

    def _judge_end(self, passage: _Passage, tally: _Tally) -> None:
        """To which side someone went who was last seen in or near the band."""
        sights, band = passage.late, self._band(passage)
        fit = fit_line(sights, passage.jitter.deviation)
        if not _walks(fit):
            passage.unclear = abs(fit.mean) <= band
            return
        heading = 1 if fit.pace > 0 else -1
        end = fit.at(sights[-1].t_s) * heading  # negative: before the line
        passed = passage.passed.get(heading) if passage.through * heading > 0 else None
        if heading != passage.side and passed is not None and end > INNER_SHARE * band:
            _book(passage, passed, tally)
        elif self._odds.unseen((band - end) / abs(fit.pace), UNSEEN_ODDS_MIN):
            if heading != passage.side:
                self._book_unseen(passage, passed, sights[-1].t_s, fit, tally)
        else:
            passage.unclear = abs(end) <= band

    def _book_unseen(self, passage: _Passage, passed: Crossing | None, edge_s: float, fit: Fit, tally: _Tally) -> None:
        """A crossing just before the first or after the last sight, by someone who clearly walked."""
        if passed is None and passage.last is not None:
            t_s = edge_s - fit.at(edge_s) / fit.pace
            if 0.0 <= fit.along_at(t_s) <= 1.0:
                passed = replace(passage.last, t_s=t_s, direction=self._direction(1 if fit.pace > 0 else -1))
        if passed is not None:
            _book(passage, passed, tally)

    def _close(self, passage: _Passage, tally: _Tally) -> None:
        """The person is gone: judge how they came and left, and settle. Furniture never came."""
        if passage.still:
            return
        if not passage.side:
            passage.unclear = True
        elif not passage.judged:
            self._judge_birth(passage, tally)
        if not passage.unclear:
            self._judge_end(passage, tally)
        self._settle(passage, tally)

    def _settle(self, passage: _Passage, tally: _Tally) -> None:
        """The visit to the line is over: its net counts, or it stays ambiguous."""
        if not passage.judged and passage.side:
            self._judge_birth(passage, tally)
        if passage.unclear:
            tally.ambiguous += 1
        else:
            tally.settled.extend(replace(crossing, staff=passage.staff) for crossing in passage.pending)
        passage.pending = []
        passage.unclear = False


def _walks(fit: Fit) -> bool:
    return fit.sights > 2 and abs(fit.pace) >= max(PACE_MIN, PACE_SURE * fit.pace_error)


def _recent(sights: list[Sight], now: Sight) -> list[Sight]:
    """The sights of the last second, and where people are seen rarely at least the last three of two seconds."""
    kept = [s for i, s in enumerate(sights) if now.t_s - s.t_s <= (EARLY_S if i < len(sights) - 3 else 2 * EARLY_S)]
    return thin([*kept, now], SIGHTS_MAX)


def _book(passage: _Passage, crossing: Crossing, tally: _Tally) -> None:
    """Publish a crossing, and add it to the net of the visit: it cancels one the other way."""
    crossing = replace(crossing, staff=passage.staff)
    tally.provisional.append(crossing)
    if passage.pending and passage.pending[-1].direction != crossing.direction:
        passage.pending.pop()
    elif len(passage.pending) < PENDING_MAX:
        passage.pending.append(crossing)


@dataclass(slots=True)
class _Tally:
    """What one frame brings, while it is put together."""

    provisional: list[Crossing] = field(default_factory=list)
    settled: list[Crossing] = field(default_factory=list)
    ambiguous: int = 0

    def result(self) -> LineStep:
        return LineStep(tuple(self.provisional), tuple(self.settled), self.ambiguous)
