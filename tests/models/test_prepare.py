"""The archive that training reads."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from models_tflite.training import synthetic

pytest.importorskip("torch", reason="training needs PyTorch: make model-setup")
from models_tflite.training import prepare


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Labels come back to a hundredth of a pixel, outlines exactly, pixels nearly."""
    first, second = synthetic.blobs(2, 3)
    mask = np.zeros(first.pixels.shape[:2], np.uint8)
    mask[20:90, 30:60] = 255
    outlined = dataclasses.replace(first, mask=mask, cutouts=first.boxes[:1], ignored=first.boxes[-1:] + 1)
    prepare.write(tmp_path / "some.zip", [("blobs", [outlined, second])])
    back = prepare.read(tmp_path / "some.zip")["blobs"]
    assert [picture.name for picture in back] == [first.name, second.name]
    assert back[0].boxes == pytest.approx(first.boxes, abs=0.006)
    assert back[0].ignored == pytest.approx(outlined.ignored, abs=0.006)
    assert back[0].mask is not None
    assert np.array_equal(back[0].mask, mask)
    assert (back[1].mask, len(back[1].cutouts)) == (None, 0)
    assert float(np.abs(back[1].pixels.astype(float) - second.pixels).mean()) < 15
    assert not list(tmp_path.glob("*.tmp"))
