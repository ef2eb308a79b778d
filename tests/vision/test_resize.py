"""Resizing: the area average to the last bit that eight bits allow, in one pass, for every layout and type."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware.vision.resize import flat_rows, is_plain, plan, taps

PLAIN = np.arange(256, dtype=np.uint8)


def exact(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.float64]:
    """The same picture by real arithmetic: a matrix of shares on either side."""
    down, across = shares(pixels.shape[0], height), shares(pixels.shape[1], width)
    return np.einsum("ys,sxc,wx->ywc", down, pixels.astype(float), across)


def shares(source: int, target: int) -> NDArray[np.float64]:
    ratio = source / target
    matrix = np.zeros((target, source))
    for i in range(target):
        if ratio >= 1:
            for s in range(source):
                matrix[i, s] = max(0.0, min(s + 1, (i + 1) * ratio) - max(s, i * ratio)) / ratio
        else:
            centre = min(max((i + 0.5) * ratio - 0.5, 0), source - 1)
            low = min(int(centre), source - 2)
            matrix[i, low], matrix[i, low + 1] = 1 - (centre - low), centre - low
    return matrix


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ((48, 64), (32, 32)),  # across by 2, down by 1.5: a VGA camera into 320
        ((72, 128), (32, 32)),  # across by 4
        ((54, 96), (40, 40)),  # no whole factor
        ((90, 160), (10, 23)),  # nine rows into one
        ((32, 32), (32, 32)),  # nothing to do
        ((20, 30), (40, 45)),  # enlarged
        ((60, 30), (40, 45)),  # shrunk down, enlarged across
        ((43, 38), (32, 38)),  # down alone
        ((7, 5), (3, 2)),
    ],
)
def test_as_real_arithmetic_would(source: tuple[int, int], target: tuple[int, int]) -> None:
    """Every size comes out within two levels of the exact area average, and level by level without a bias."""
    pixels = noise(*source)
    out = np.zeros((1, *target, 3), np.uint8)
    plan(source, target, PLAIN)(pixels, out)
    difference = out[0].astype(float) - exact(pixels, *target)
    assert np.abs(difference).max() <= 2.0
    assert abs(difference.mean()) < 0.3


def test_flat_grey_stays_flat() -> None:
    """Weights sum to one whatever the sizes: no level of grey is changed by any of them."""
    for source, target in (((33, 47), (20, 31)), ((48, 64), (32, 32)), ((10, 10), (17, 29))):
        for level in (0, 1, 127, 254, 255):
            out = np.zeros((*target, 3), np.uint8)
            plan(source, target, PLAIN)(np.full((*source, 3), level, np.uint8), out)
            assert np.all(out == level)


def test_taps_sum_to_256_within_the_source() -> None:
    """For every pair of lengths the weights of an output sum to 256 and stay inside the source."""
    for source in (1, 2, 3, 7, 100, 319, 320, 321, 640, 1080):
        for target in (1, 2, 5, 100, 320):
            found = taps(source, target)
            assert np.all(found.weight.sum(axis=1) == 256)
            assert found.first.min() >= 0
            assert np.all(found.first + found.count <= source)


def test_strided_rows_and_views_need_no_copy() -> None:
    """Padded rows and a tile of a larger frame are read in place and give what their copies give."""
    padded = noise(48, 80)[:, 5:69]
    assert np.shares_memory(flat_rows(padded)[0], padded)
    views, copies = np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32, 3), np.uint8)
    plan((48, 64), (32, 32), PLAIN)(padded, views)
    plan((48, 64), (32, 32), PLAIN)(padded.copy(), copies)
    assert np.array_equal(views, copies)


def test_mirrored_and_planar_frames_come_out_right() -> None:
    """BGR shown as RGB, mirrored and upside-down views are not misread."""
    pixels = noise(48, 64)
    for view in (pixels[:, :, ::-1], pixels[:, ::-1], pixels[::-1], np.moveaxis(np.moveaxis(pixels, 2, 0).copy(), 0, 2)):
        seen, copied = np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32, 3), np.uint8)
        plan((48, 64), (32, 32), PLAIN)(view, seen)
        plan((48, 64), (32, 32), PLAIN)(view.copy(), copied)
        assert np.array_equal(seen, copied)


@pytest.mark.parametrize("source", [(48, 64), (54, 70), (48, 32)])
def test_quantised_in_the_same_pass(source: tuple[int, int]) -> None:
    """int8 is the level less 128; a table and a float table give the table's value of each level."""
    pixels, target = noise(*source), (32, 32)
    levels = np.zeros((*target, 3), np.uint8)
    plan(source, target, PLAIN)(pixels, levels)
    shifted, scaled, real = (np.zeros((*target, 3), t) for t in (np.int8, np.uint8, np.float32))
    plan(source, target, (np.arange(256) - 128).astype(np.int8))(pixels, shifted)
    plan(source, target, (PLAIN // 2).astype(np.uint8))(pixels, scaled)
    plan(source, target, (PLAIN / 255).astype(np.float32))(pixels, real)
    assert np.array_equal(shifted.astype(int), levels.astype(int) - 128)
    assert np.array_equal(scaled, levels // 2)
    assert np.array_equal(real, (levels / 255).astype(np.float32))


def test_plain_tables_are_known() -> None:
    """Level as it is and level less 128 need no table; half a level does."""
    assert is_plain(PLAIN)
    assert is_plain((np.arange(256) - 128).astype(np.int8))
    assert not is_plain((PLAIN // 2).astype(np.uint8))


def test_a_frame_is_not_written_to() -> None:
    """The frame belongs to its source: it is only read, and may be read-only."""
    pixels = noise(48, 64)
    before = pixels.copy()
    pixels.flags.writeable = False
    plan((48, 64), (32, 32), PLAIN)(pixels, np.zeros((32, 32, 3), np.uint8))
    assert np.array_equal(pixels, before)
