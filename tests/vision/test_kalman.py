"""The filter: steady at any frame rate, exact in one stride or many, and put right after a gap."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware.vision.kalman import (
    PV,
    STATE,
    STRIDE,
    VELOCITY,
    H,
    Noise,
    P,
    V,
    W,
    X,
    begin,
    correct,
    correct_along_path,
    predict,
    restart,
    travel,
)

NOISE = Noise()
BOX = np.array([0.5, 0.5, 0.1, 0.3])


def moved(right: float) -> NDArray[np.float64]:
    return BOX + np.array([right, 0, 0, 0])


def started() -> NDArray[np.float64]:
    state = np.zeros(STATE)
    begin(state, BOX, NOISE)
    return state


def walked(fps: float, seconds: float, speed: float = 0.2, jitter: float = 0.0) -> NDArray[np.float64]:
    """The state after `seconds` of a walk to the right at `speed` frame heights a second."""
    state, rng = started(), np.random.default_rng(5)
    for k in range(1, round(seconds * fps) + 1):
        box = moved(speed * k / fps) + jitter * BOX[H] * rng.standard_normal(4)
        correct(state, box, 1 / fps, NOISE, 1.0)
    return state


def ahead(state: NDArray[np.float64], elapsed_s: float) -> NDArray[np.float64]:
    out = np.zeros(8)
    predict(state, elapsed_s, NOISE, out)
    return out


@pytest.mark.parametrize("fps", [5, 10, 30])
def test_the_speed_of_a_walker_is_found_at_any_frame_rate(fps: float) -> None:
    """After two seconds of steady walking the filter knows the speed to a twentieth, at 5, 10 and 30 frames a second."""
    assert walked(fps, 2.0)[X * STRIDE + VELOCITY] == pytest.approx(0.2, rel=0.05)


def test_uncertainty_of_a_prediction_hardly_depends_on_the_frame_rate() -> None:
    """Noise is per second, not per frame: half a second ahead is as sure at 10 as at 30 frames a second, within half."""
    slow, fast = ahead(walked(10, 2.0), 0.5)[4], ahead(walked(30, 2.0), 0.5)[4]
    assert 0.5 < fast / slow <= 1.0


def test_near_and_far_people_are_filtered_alike() -> None:
    """A picture scaled by three gives a state scaled by three: all noise is a share of the height."""
    small, large = started(), np.zeros(STATE)
    begin(large, 3 * BOX, NOISE)
    for k in range(1, 10):
        box = BOX + np.array([0.01 * k, 0.02, 0.001 * k, 0])
        correct(small, box, 0.1, NOISE, 1.0)
        correct(large, 3 * box, 0.1, NOISE, 1.0)
    scale = np.tile([3, 3, 9, 9, 9], 4)
    np.testing.assert_allclose(large, small * scale, rtol=1e-12)


def test_the_variance_of_the_filter_is_that_of_the_textbook() -> None:
    """Each coordinate is the two-state filter: the same as matrices F P F' + Q and the Joseph-free update give."""
    state = started()
    height, walk, measure = BOX[H], NOISE.walk_position, NOISE.measure_position
    before = np.array([[state[P], state[PV]], [state[PV], state[V]]])
    dt = 0.2
    step = np.array([[1, dt], [0, 1]])
    noise = (walk * height) ** 2 * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
    predicted = step @ before @ step.T + noise
    gain = predicted[:, :1] / (predicted[0, 0] + (measure * height) ** 2)
    expected = predicted - gain @ predicted[:1, :]
    correct(state, BOX, dt, NOISE, 1.0)
    np.testing.assert_allclose([state[P], state[PV], state[V]], [expected[0, 0], expected[0, 1], expected[1, 1]], rtol=1e-12)


def test_a_prediction_does_not_depend_on_how_often_one_looks() -> None:
    """The prediction is a function of the time since the last observation; looking changes nothing."""
    state = walked(10, 1.0)
    first = ahead(state, 0.7)
    ahead(state, 0.3)
    np.testing.assert_array_equal(ahead(state, 0.7), first)


def test_size_stops_growing_while_nobody_looks() -> None:
    """Growth counts for half a second at most, walking for as long as it takes."""
    assert travel(X, 10.0, NOISE) == 10.0
    assert travel(W, 10.0, NOISE) < NOISE.size_halt_s
    assert travel(H, 0.01, NOISE) == pytest.approx(0.01, rel=0.03)


def test_a_doubtful_box_moves_the_state_less() -> None:
    """Twice the doubt, less of the surprise is believed."""
    sure, unsure, box = walked(10, 1.0), walked(10, 1.0), moved(0.35)
    correct(sure, box, 0.1, NOISE, 1.0)
    correct(unsure, box, 0.1, NOISE, 2.0)
    assert unsure[X * STRIDE] < sure[X * STRIDE] < box[X]


def test_after_a_gap_the_path_gives_the_speed_that_was_needed() -> None:
    """A person who stood, vanished for a second and reappears half a frame height further must have walked."""
    plain, path, found = walked(10, 3.0, speed=0.0), walked(10, 3.0, speed=0.0), moved(0.3)
    correct(plain, found, 1.0, NOISE, 1.0)
    correct_along_path(path, BOX, found, 1.0, 10, NOISE, 1.0)
    assert abs(path[X * STRIDE + VELOCITY] - 0.3) < abs(plain[X * STRIDE + VELOCITY] - 0.3)
    assert path[X * STRIDE] == pytest.approx(found[X], abs=0.02)


def test_a_path_of_one_step_is_a_plain_correction() -> None:
    """Without a gap nothing is re-updated."""
    plain, path, found = walked(10, 1.0), walked(10, 1.0), moved(0.22)
    correct(plain, found, 0.1, NOISE, 1.0)
    correct_along_path(path, BOX, found, 0.1, 1, NOISE, 1.0)
    np.testing.assert_array_equal(path, plain)


def test_a_restart_forgets_one_coordinate_and_no_other() -> None:
    """The height is the box's, with the doubt of a beginning; the walk to the right goes on."""
    state, fresh, box = walked(10, 1.0), started(), BOX * np.array([1, 1, 1, 2])
    before = state.copy()
    restart(state, H, box, NOISE)
    np.testing.assert_array_equal(state[: H * STRIDE], before[: H * STRIDE])
    assert state[H * STRIDE] == box[H]
    assert state[H * STRIDE + V] == pytest.approx(4 * fresh[H * STRIDE + V])


def test_sizes_stay_above_zero_whatever_comes() -> None:
    """A shrinking box predicted far ahead has still a width and a height."""
    state = started()
    for k in range(20):
        correct(state, BOX * [1, 1, 0.8**k, 0.8**k], 0.2, NOISE, 1.0)
    out = ahead(state, 5.0)
    assert out[W] > 0
    assert out[H] > 0


def test_two_boxes_at_the_same_time_are_averaged() -> None:
    """No time passed: the state moves between the two, and nothing divides by zero."""
    state = started()
    correct(state, moved(0.02), 0.0, NOISE, 1.0)
    assert BOX[X] < state[X * STRIDE] < BOX[X] + 0.02
    assert np.isfinite(state).all()
