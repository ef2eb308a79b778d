"""How somebody moved over a few sights: pace, its error, how much the box jitters, how often a box is missed.

Straight lines fitted to a handful of sights; sums in a fixed order, so a replay is bit-identical. Left to others: what the
motion means (`line_crossing`).

Source: ordinary least squares, with the error of the slope from a known deviation of the sights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

DEVIATION_START: Final = 0.025  # box heights: a usual detector and a walking foot, until measured
WEIGHT_START: Final = 8.0  # sights that this is worth
WEIGHT_MAX: Final = 64.0  # older sights fade
DEVIATION_MAX: Final = 0.15  # one sight is no farther off than that: beyond, something else happened
MISSES_KEPT: Final = 4096  # sights over which the odds of not being seen are averaged
ABSENCE_MAX: Final = 8  # frames: longer absences are something else than missed boxes
GAP_S_MAX: Final = 0.7  # sights farther apart say nothing about jitter: people change their pace


class Sight(NamedTuple):
    """A foot point at a line."""

    t_s: float
    d: float  # across the line, box heights, positive on the left
    u: float  # along the line, 0 at its start, 1 at its end


class Fit(NamedTuple):
    """A straight line through some sights."""

    sights: int
    t_s: float  # mean time
    mean: float  # mean distance
    pace: float  # box heights per second, leftward positive
    pace_error: float  # one standard error
    along: float  # mean share along the line
    drift: float  # shares per second

    def at(self, t_s: float) -> float:
        """The fitted distance at a time."""
        return self.mean + self.pace * (t_s - self.t_s)

    def along_at(self, t_s: float) -> float:
        """The fitted share along the line at a time."""
        return self.along + self.drift * (t_s - self.t_s)


def fit_line(sights: list[Sight], deviation: float) -> Fit:
    """Fit at least one sight, each off by `deviation` box heights; a single moment has no pace and no certainty."""
    count = len(sights)
    t_s = sum(s.t_s for s in sights) / count
    mean = sum(s.d for s in sights) / count
    along = sum(s.u for s in sights) / count
    spread = sum((s.t_s - t_s) ** 2 for s in sights)
    if spread <= 0.0:
        return Fit(count, t_s, mean, 0.0, math.inf, along, 0.0)
    pace = sum((s.t_s - t_s) * (s.d - mean) for s in sights) / spread
    drift = sum((s.t_s - t_s) * (s.u - along) for s in sights) / spread
    return Fit(count, t_s, mean, pace, deviation / math.sqrt(spread), along, drift)


def thin(sights: list[Sight], count_max: int) -> list[Sight]:
    """The same sights, every second one left out when there are too many; first and last always stay."""
    return sights if len(sights) <= count_max else [*sights[:-1:2], sights[-1]]


@dataclass(slots=True)
class Jitter:
    """Standard deviation of a foot point across the line, measured while people walk or stand.

    Of three sights in a row, the middle one is compared with the straight way between its neighbours.
    """

    square: float = DEVIATION_START * DEVIATION_START
    weight: float = WEIGHT_START

    @property
    def deviation(self) -> float:
        """One standard deviation, box heights."""
        return math.sqrt(self.square)

    def take(self, earlier: list[Sight], now: Sight) -> None:
        """One more sight, after those `earlier`."""
        if len(earlier) < 2 or not 0.0 < now.t_s - earlier[-2].t_s <= GAP_S_MAX:
            return
        first, middle = earlier[-2], earlier[-1]
        share = (middle.t_s - first.t_s) / (now.t_s - first.t_s)
        off = middle.d - first.d - share * (now.d - first.d)
        square = min(off * off / (1.0 + share * share + (1.0 - share) * (1.0 - share)), DEVIATION_MAX * DEVIATION_MAX)
        self.weight = min(self.weight + 1.0, WEIGHT_MAX)
        self.square += (square - self.square) / self.weight


@dataclass(slots=True)
class Odds:
    """How often people in view are not seen, and how far apart frames are."""

    step: int = 0
    t_s: float | None = None
    frame_s: float = 0.0
    looks: int = 10
    misses: int = 1

    def tick(self, t_s: float) -> None:
        self.step += 1
        if self.t_s is not None and 0.0 < t_s - self.t_s < 1.0:
            self.frame_s = t_s - self.t_s if not self.frame_s else self.frame_s + (t_s - self.t_s - self.frame_s) * 0.05
        self.t_s = t_s

    def sighted(self, steps: int) -> None:
        """Somebody was seen again after `steps` frames."""
        if steps > ABSENCE_MAX:
            return
        self.looks += steps
        self.misses += steps - 1
        if self.looks > MISSES_KEPT:
            self.looks //= 2
            self.misses //= 2

    def unseen(self, way_s: float, odds_min: float) -> bool:
        """Whether the odds of walking for `way_s` without being seen once are at least `odds_min`."""
        if way_s <= 0.0:
            return True
        if not self.frame_s:
            return False
        return bool((self.misses / self.looks) ** (way_s / self.frame_s) >= odds_min)
