"""Constant-velocity Kalman filter of a box: four coordinates, each its own filter of position and velocity.

Centre x, centre y, width and height do not share noise, so the usual filter of eight states falls apart into four of
two, exactly and at a fifteenth of the arithmetic. Lengths are in frame heights, time in seconds, noise in shares of the
box height (per second), so that 5, 10 and 30 frames a second, near and far, behave alike.

A track keeps its state as of its last observation; the prediction is a function of the time that has passed since.
With white-noise acceleration, predicting in one stride or in many is the same, so nothing drifts while a track coasts.
Rules: plain + - * / in a fixed order, so that results are the same bits with and without JIT. Left to others: which box
belongs to which track (`matching`, `tracker`).

Source: Bar-Shalom, Li, Kirubarajan, *Estimation with Applications to Tracking and Navigation* (2001), section 6.2.2;
the path after a gap: Cao et al., *Observation-Centric SORT* (2023), section 4.1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

X, Y, W, H = 0, 1, 2, 3  # coordinates: centre, width, height
POSITION, VELOCITY = 0, 1  # of a mean
P, PV, V = 0, 1, 2  # of a covariance: var(position), cov(position, velocity), var(velocity)
PATH_STEPS_MAX = 32  # virtual observations along a gap; beyond that they change nothing but the time it takes
HEIGHT_MIN = 1e-6  # frame heights; keeps every division defined


class Noise(NamedTuple):
    """How far boxes can be trusted, in shares of the box height. Measured in docs/tracking.md; a tuple because kernels take tuples."""

    measure_position: float = 0.05  # standard deviation of a detected centre
    measure_size: float = 0.08  # of a detected width or height
    walk_position: float = 0.6  # by which a velocity changes in a second, heights per second
    walk_size: float = 0.15
    speed_start: float = 0.7  # standard deviation of the velocity of somebody just seen, heights per second
    growth_start: float = 0.1  # same for width and height
    size_halt_s: float = 0.5  # growth dies away after so long unseen


@njit(cache=True)
def begin(mean: NDArray[np.float64], cov: NDArray[np.float64], box: NDArray[np.float64], noise: Noise) -> None:
    """First observation: write `mean` (4, 2) and `cov` (4, 3) from `box` (4,), centre x, centre y, width, height."""
    height = max(box[H], HEIGHT_MIN)
    for c in range(4):
        measure = (noise.measure_position if c < W else noise.measure_size) * height
        speed = (noise.speed_start if c < W else noise.growth_start) * height
        mean[c, POSITION] = box[c]
        mean[c, VELOCITY] = 0.0
        cov[c, P] = measure * measure
        cov[c, PV] = 0.0
        cov[c, V] = speed * speed


@njit(cache=True)
def travel(c: int, elapsed_s: float, noise: Noise) -> float:
    """Seconds of motion that count: size stops growing while nobody looks, else a turning person swells without end."""
    if c < W:
        return elapsed_s
    return elapsed_s / (1.0 + elapsed_s / noise.size_halt_s)


@njit(cache=True)
def predict(mean: NDArray[np.float64], cov: NDArray[np.float64], elapsed_s: float, noise: Noise, out: NDArray[np.float64]) -> None:
    """Where the box is `elapsed_s` later: write `out` (8,), four positions and their four variances."""
    height = max(mean[H, POSITION], HEIGHT_MIN)
    for c in range(4):
        walk = (noise.walk_position if c < W else noise.walk_size) * height
        stride = travel(c, elapsed_s, noise)
        out[c] = mean[c, POSITION] + mean[c, VELOCITY] * stride
        spread = cov[c, P] + elapsed_s * (2.0 * cov[c, PV] + elapsed_s * cov[c, V])
        out[4 + c] = spread + walk * walk * elapsed_s * elapsed_s * elapsed_s / 3.0
    out[W] = max(out[W], HEIGHT_MIN)
    out[H] = max(out[H], 0.5 * height)


@njit(cache=True)
def correct(
    mean: NDArray[np.float64], cov: NDArray[np.float64], box: NDArray[np.float64], elapsed_s: float, noise: Noise, doubt: float
) -> None:
    """Carry `mean` and `cov` over `elapsed_s` and take in `box`, whose standard deviations are `doubt` times the usual."""
    height = max(mean[H, POSITION], HEIGHT_MIN)
    for c in range(4):
        walk = (noise.walk_position if c < W else noise.walk_size) * height
        measure = (noise.measure_position if c < W else noise.measure_size) * height * doubt
        q = walk * walk
        p = cov[c, P] + elapsed_s * (2.0 * cov[c, PV] + elapsed_s * cov[c, V]) + q * elapsed_s * elapsed_s * elapsed_s / 3.0
        pv = cov[c, PV] + elapsed_s * cov[c, V] + q * elapsed_s * elapsed_s / 2.0
        v = cov[c, V] + q * elapsed_s
        position = mean[c, POSITION] + mean[c, VELOCITY] * travel(c, elapsed_s, noise)
        gain_p = p / (p + measure * measure)
        gain_v = pv / (p + measure * measure)
        surprise = box[c] - position
        mean[c, POSITION] = position + gain_p * surprise
        mean[c, VELOCITY] += gain_v * surprise
        cov[c, P] = (1.0 - gain_p) * p
        cov[c, PV] = (1.0 - gain_p) * pv
        cov[c, V] = v - gain_v * pv
    mean[W, POSITION] = max(mean[W, POSITION], HEIGHT_MIN)
    mean[H, POSITION] = max(mean[H, POSITION], HEIGHT_MIN)


@njit(cache=True)
def correct_along_path(
    mean: NDArray[np.float64],
    cov: NDArray[np.float64],
    last: NDArray[np.float64],
    box: NDArray[np.float64],
    gap: tuple[float, int],
    noise: Noise,
) -> None:
    """Take in `box` after a gap of (seconds, missed frames) as if it had been seen all along a straight path from `last`.

    The filter alone would trust a velocity from before the gap; the path gives it the velocity that was needed.
    """
    steps = min(max(gap[1] + 1, 1), PATH_STEPS_MAX)
    step_s = gap[0] / steps
    between = np.empty(4)
    for k in range(1, steps + 1):
        share = k / steps
        for c in range(4):
            between[c] = last[c] + (box[c] - last[c]) * share
        correct(mean, cov, between, step_s, noise, 1.0)
