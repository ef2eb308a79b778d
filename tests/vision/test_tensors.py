"""Tensors: the real values that quantised elements stand for."""

from __future__ import annotations

import pytest

from firmware.vision.tensors import Tensor


def test_real_range_of_quantised_tensors() -> None:
    """uint8 around 128 and int8 around 0 with the same scale cover the same reals; a float tensor has no range."""
    assert Tensor("a", (1,), "uint8", 1 / 128, 128).real_range == pytest.approx((-1.0, 127 / 128))
    assert Tensor("a", (1,), "int8", 1 / 128, 0).real_range == pytest.approx((-1.0, 127 / 128))
    assert Tensor("a", (1,), "float32").real_range is None
