"""A built model that is none: fixed outputs, a time that each invoke takes, and a count of invokes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware.errors import ModelError
from firmware.vision.tensors import Signature, Tensor

SPOT = Signature(
    (Tensor("picture", (1, 8, 8, 3), "uint8", 1 / 128, 128),),
    (Tensor("heat", (1, 2, 2, 1), "int8", 1 / 16, 0), Tensor("box", (1, 2, 2, 4), "int8", 1 / 64, 0)),
)
"""A centre-point model of 8x8 pixels and 2x2 cells of stride 4."""


class FakeInterpreter:
    """See `firmware.vision.tensors.Interpreter`. By default a SPOT that sees nobody."""

    def __init__(self, signature: Signature = SPOT, outputs: tuple[NDArray[Any], ...] | None = None, failing: bool = False) -> None:
        self.signature = signature
        self.invokes = 0
        self.closed = False
        self._failing = failing
        self._input = np.zeros(signature.inputs[0].shape, signature.inputs[0].dtype)
        self._outputs = outputs or tuple(np.full(o.shape, -128 if o.dtype == "int8" else 0, o.dtype) for o in signature.outputs)

    def input(self) -> NDArray[Any]:
        return self._input

    def invoke(self) -> None:
        if self._failing:
            raise ModelError("the runtime failed", "restart")
        self.invokes += 1

    def outputs(self) -> tuple[NDArray[Any], ...]:
        return self._outputs

    def close(self) -> None:
        self.closed = True
