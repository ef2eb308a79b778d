"""The canary: pixels of a known pattern are found again in every form they can take, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest

from firmware.vision.canary import NEEDLE_BYTES, needles, painted, traces
from firmware.vision.empty_room import shrunk
from firmware.vision.frame import Frame
from firmware.vision.resize import plan
from firmware.vision.simulated_source import SimulatedFrames
from firmware.vision.simulated_source import parse as wish_of

SEED = 7
WANTED = needles(SEED)


def frame(width: int = 640, height: int = 480) -> Frame:
    return painted(Frame(0.0, np.full((height, width, 3), 90, np.uint8)), SEED)


@pytest.mark.parametrize("begin", [0, 1, 777, 4801])
def test_any_copied_run_is_found(begin: int) -> None:
    """A hundred bytes from anywhere in the painted rows are enough."""
    raw = frame().pixels.tobytes()
    assert "rgb/1" in traces(raw[begin : begin + 100], WANTED)


def test_every_form_is_found() -> None:
    """Other orders, single colours, grey, shrunk, and as a model takes it."""
    pixels = frame().pixels
    assert "bgr/1" in traces(pixels[..., ::-1].tobytes(), WANTED)
    assert "red/1" in traces(pixels[..., 0].tobytes(), WANTED)
    half = pixels.reshape(240, 2, 320, 2, 3).mean(axis=(1, 3)) + 0.5
    assert "rgb/2" in traces(half.astype(np.uint8).tobytes(), WANTED)
    assert "rgb/1 signed" in traces((pixels ^ 0x80).tobytes(), WANTED)
    assert "grey/4" in traces(shrunk(pixels).tobytes(), WANTED)  # 640 to 160: the very form of the empty room


def test_the_models_own_input_is_found() -> None:
    """As the packaged detector is fed: half the size, signed."""
    table = np.arange(256, dtype=np.uint8) ^ 0x80
    out = np.zeros((1, 240, 320, 3), np.int8)
    plan((640, 480), (320, 240), table.view(np.int8))(frame().pixels, out[0])
    assert traces(out.tobytes(), WANTED)


def test_other_bytes_are_not() -> None:
    """A megabyte of chance, and another canary's picture, hold none."""
    assert traces(np.random.default_rng(1).bytes(1 << 20), WANTED) == []
    assert traces(painted(frame(), 8).pixels[:100].tobytes(), WANTED) == []
    assert all(len(needle) == NEEDLE_BYTES for needle in WANTED.values())
    assert all(len(set(needle)) > 2 for needle in WANTED.values())


def test_the_simulated_shop_wears_it() -> None:
    """sim:?canary=7 shows the shop below the pattern, and the pattern above it."""
    seen = SimulatedFrames(wish_of("sim:?canary=7&size=320x240")).read()
    assert seen is not None
    assert "rgb/1" in traces(seen.pixels[10].tobytes(), WANTED)
    assert traces(seen.pixels[100:].tobytes(), WANTED) == []
