"""Ways through the shop in continuous time, with the heading and gait that go with them.

A way is lived in steps of STEP_S and smoothed, since nobody turns on the spot; between samples it is a straight line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Part = Literal["shopper", "pair", "peeker", "passer"]

STEP_S: Final = 0.05  # a brisk walker moves 7 cm: a tenth of a shoulder's width
STRIDE_M: Final = 1.35  # two steps of a grown walker


@dataclass(frozen=True, slots=True)
class Path:
    """One person's way, sampled every STEP_S from `start_s`. The identity is the index in `World.paths`."""

    part: Part
    start_s: float
    x_m: Values
    y_m: Values
    heading: Values
    phase: Values  # of the gait
    stride: Values  # 0 standing, 1 walking briskly
    busy: Values  # 0 arms hang, 1 hands at work

    @property
    def end_s(self) -> float:
        """When the person is gone."""
        return self.start_s + STEP_S * (len(self.x_m) - 1)

    def at(self, t_s: float) -> tuple[float, float, float, float, float, float]:
        """x, y, heading, phase, stride, busy; between samples on a straight line."""
        place = (t_s - self.start_s) / STEP_S
        row = min(max(int(place), 0), len(self.x_m) - 2)
        share = min(max(place - row, 0.0), 1.0)
        rows = (self.x_m, self.y_m, self.heading, self.phase, self.stride, self.busy)
        x, y, heading, phase, stride, busy = (float(r[row] + (r[row + 1] - r[row]) * share) for r in rows)
        return x, y, heading, phase, stride, busy


def path_of(part: Part, index: int, start_s: float, steps: list[tuple[float, float, float, float, bool]]) -> Path:
    """Steps (x, y, x and y of what is looked at, standing) smoothed, with heading and gait; `index` sets the foot of the first step."""
    trail = np.array(steps)
    if len(trail) < 2:
        trail = np.repeat(trail, 2, axis=0)
    x, y = _smooth(trail[:, 0], 0.4), _smooth(trail[:, 1], 0.4)
    vx, vy = np.gradient(x, STEP_S), np.gradient(y, STEP_S)
    speed = np.hypot(vx, vy)
    standing = trail[:, 4] > 0
    tx, ty = trail[:, 2] - x, trail[:, 3] - y
    facing = np.where(standing & (np.hypot(tx, ty) > 0.2), np.arctan2(tx, ty), np.nan)
    facing = np.where(np.isnan(facing) & (speed > 0.15), np.arctan2(vx, vy), facing)
    heading = _smooth(np.unwrap(_filled(facing)), 0.5)
    stride = np.clip(speed / 1.2, 0.0, 1.15)
    phase = np.cumsum(speed) * STEP_S / STRIDE_M * 2 * np.pi + index
    sway = 0.05 * np.sin(np.arange(len(x)) * STEP_S * 0.7 + index)
    busy = _smooth((standing & (index % 3 != 0)).astype(float), 1.2)
    return Path(part, start_s, x, y, heading + sway, phase, stride, busy)


def _smooth(values: Values, seconds: float) -> Values:
    """Mean over a window of `seconds`; the ends are held."""
    half = max(1, int(seconds / STEP_S / 2))
    padded = np.concatenate((np.full(half, values[0]), values, np.full(half, values[-1])))
    total = np.cumsum(np.concatenate(([0.0], padded)))
    return (total[2 * half + 1 :] - total[: -2 * half - 1]) / (2 * half + 1)


def _filled(values: Values) -> Values:
    """NaN replaced by the last value before it (the first after it at the beginning)."""
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return np.zeros_like(values)
    return values[known[np.maximum(np.searchsorted(known, np.arange(len(values)), side="right") - 1, 0)]]
