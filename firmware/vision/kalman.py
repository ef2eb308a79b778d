"""Constant-velocity Kalman filter of a box: four coordinates, each its own filter of position and velocity.

Centre x, centre y, width and height do not share noise, so the usual filter of eight states falls apart into four of
two, exactly and at a fifteenth of the arithmetic. Lengths are in frame heights, time in seconds, noise in shares of the
box height (per second), so that 5, 10 and 30 frames a second, near and far, behave alike.

A track keeps its state as of its last observation; the prediction is a function of the time that has passed since.
With white-noise acceleration, predicting in one stride or in many is the same, so nothing drifts while a track coasts.
Rules: plain + - * / in a fixed order, so that results are the same bits with and without JIT. Left to others: which box
belongs to which track (`association`, `matching`).

Source: Bar-Shalom, Li, Kirubarajan, *Estimation with Applications to Tracking and Navigation* (2001), section 6.2.2;
the path after a gap: Cao et al., *Observation-Centric SORT* (2023), section 4.1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

X, Y, W, H = 0, 1, 2, 3  # coordinates of a box: centre, width, height
POSITION, VELOCITY, P, PV, V = 0, 1, 2, 3, 4  # of each coordinate: mean, then var(position), cov, var(velocity)
STRIDE = 5
STATE = 4 * STRIDE  # numbers in a state: coordinate c at c * STRIDE
PATH_STEPS_MAX = 32  # virtual observations along a gap; more change nothing but the time it takes
HEIGHT_MIN = 1e-6  # frame heights; keeps every division defined


class Noise(NamedTuple):
    """How far boxes can be trusted, in shares of the box height. Measured in docs/tracking.md; a tuple because kernels take tuples."""

    measure_position: float = 0.04  # standard deviation of a detected centre
    measure_size: float = 0.1  # of a detected width or height
    walk_position: float = 0.2  # by which a velocity changes in a second, heights per second
    walk_size: float = 0.15
    speed_start: float = 0.8  # standard deviation of the velocity of somebody just seen, heights per second
    growth_start: float = 0.1  # same for width and height
    size_halt_s: float = 0.5  # growth dies away after so long unseen


@njit(cache=True, error_model="numpy")
def begin(state: NDArray[np.float64], box: NDArray[np.float64], noise: Noise) -> None:
    """First observation: write `state` (STATE,) from `box` (4,), centre x, centre y, width, height."""
    for c in range(4):
        restart(state, c, box, noise)


@njit(cache=True, error_model="numpy")
def restart(state: NDArray[np.float64], c: int, box: NDArray[np.float64], noise: Noise) -> None:
    """Forget what is known of coordinate `c`, and take it from `box`."""
    height = max(box[H], HEIGHT_MIN)
    measure = (noise.measure_position if c < W else noise.measure_size) * height
    speed = (noise.speed_start if c < W else noise.growth_start) * height
    k = c * STRIDE
    state[k + POSITION] = box[c]
    state[k + VELOCITY] = 0.0
    state[k + P] = measure * measure
    state[k + PV] = 0.0
    state[k + V] = speed * speed


@njit(cache=True, error_model="numpy")
def travel(c: int, elapsed_s: float, noise: Noise) -> float:
    """Seconds of motion that count: size stops growing while nobody looks, else a turning person swells without end."""
    if c < W:
        return elapsed_s
    return elapsed_s / (1.0 + elapsed_s / noise.size_halt_s)


@njit(cache=True, error_model="numpy")
def predict(state: NDArray[np.float64], elapsed_s: float, noise: Noise, ahead: NDArray[np.float64]) -> None:
    """Where the box is `elapsed_s` later: write `ahead` (8,), four positions and their four variances."""
    height = max(state[H * STRIDE + POSITION], HEIGHT_MIN)
    for c in range(4):
        k = c * STRIDE
        walk = (noise.walk_position if c < W else noise.walk_size) * height
        ahead[c] = state[k + POSITION] + state[k + VELOCITY] * travel(c, elapsed_s, noise)
        spread = state[k + P] + elapsed_s * (2.0 * state[k + PV] + elapsed_s * state[k + V])
        ahead[4 + c] = spread + walk * walk * elapsed_s * elapsed_s * elapsed_s / 3.0
    ahead[W] = max(ahead[W], HEIGHT_MIN)
    ahead[H] = max(ahead[H], 0.5 * height)


@njit(cache=True, error_model="numpy")
def correct(state: NDArray[np.float64], box: NDArray[np.float64], elapsed_s: float, noise: Noise, doubt: float) -> None:
    """Carry `state` over `elapsed_s` and take in `box` (4,), whose standard deviations are `doubt` times the usual."""
    height = max(state[H * STRIDE + POSITION], HEIGHT_MIN)
    for c in range(4):
        k = c * STRIDE
        walk = (noise.walk_position if c < W else noise.walk_size) * height
        measure = (noise.measure_position if c < W else noise.measure_size) * height * doubt
        q = walk * walk
        p = state[k + P] + elapsed_s * (2.0 * state[k + PV] + elapsed_s * state[k + V]) + q * elapsed_s * elapsed_s * elapsed_s / 3.0
        pv = state[k + PV] + elapsed_s * state[k + V] + q * elapsed_s * elapsed_s / 2.0
        v = state[k + V] + q * elapsed_s
        position = state[k + POSITION] + state[k + VELOCITY] * travel(c, elapsed_s, noise)
        gain_p = p / (p + measure * measure)
        gain_v = pv / (p + measure * measure)
        surprise = box[c] - position
        state[k + POSITION] = position + gain_p * surprise
        state[k + VELOCITY] += gain_v * surprise
        state[k + P] = (1.0 - gain_p) * p
        state[k + PV] = (1.0 - gain_p) * pv
        state[k + V] = v - gain_v * pv
    for c in range(W, H + 1):
        state[c * STRIDE + POSITION] = max(state[c * STRIDE + POSITION], HEIGHT_MIN)


@njit(cache=True, error_model="numpy")
def correct_along_path(
    state: NDArray[np.float64],
    last: NDArray[np.float64],
    box: NDArray[np.float64],
    elapsed_s: float,
    steps: int,
    noise: Noise,
    doubt: float,
) -> None:
    """Take in `box` as if it had been seen `steps` times along a straight path from `last`; 1 is a plain correction.

    After a gap the filter alone would trust a velocity from before it; the path gives the velocity that was needed.
    """
    if steps == 1:
        correct(state, box, elapsed_s, noise, doubt)
    else:
        _correct_between(state, last, box, elapsed_s, steps, noise, doubt)


@njit(cache=True, error_model="numpy")
def _correct_between(
    state: NDArray[np.float64],
    last: NDArray[np.float64],
    box: NDArray[np.float64],
    elapsed_s: float,
    steps: int,
    noise: Noise,
    doubt: float,
) -> None:
    """The path itself; apart, for it needs memory that a plain correction does not."""
    between = np.empty(4)
    for k in range(1, steps + 1):
        for c in range(4):
            between[c] = last[c] + (box[c] - last[c]) * (k / steps)
        correct(state, between, elapsed_s / steps, noise, doubt)
