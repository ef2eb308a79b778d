"""The resizing benchmark measures every size, and what it compares gives the same picture."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import resizing
from firmware.vision.resize import plan


def test_every_size_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A figure in milliseconds for each size; the one with a bound is VGA into the default model."""
    monkeypatch.setattr(resizing, "SIZES", (((48, 64), (32, 32)), ((40, 60), (32, 32))))
    monkeypatch.setattr(resizing, "opencv", lambda target: None)
    first, second = resizing.figures(quick=True)
    assert (first.name, first.bound) == ("resize.64x48.32x32.ms", "at most 0.1")
    assert (second.bound, second.holds) == ("shown", True)


def test_opencv_gives_the_same_picture() -> None:
    """Where OpenCV is installed, both pictures agree within a level: the comparison is fair."""
    theirs = resizing.opencv((320, 320))
    if theirs is None:
        pytest.skip("OpenCV is not installed here")
    pixels = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    ours = np.zeros((320, 320, 3), np.uint8)
    plan((480, 640), (320, 320), np.arange(256, dtype=np.uint8))(pixels, ours)
    assert np.abs(ours.astype(int) - np.asarray(theirs(pixels)).astype(int)).max() <= 1


def test_turns_are_taken_fairly() -> None:
    """Every work is done as often as any other."""
    calls: list[str] = []
    assert len(resizing.turn_by_turn([lambda: calls.append("a"), lambda: calls.append("b")], 5)) == 2
    assert calls == ["a", "b"] * 5
