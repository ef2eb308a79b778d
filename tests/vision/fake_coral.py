"""A child that speaks the Edge TPU child's bytes, with faults on order: `python -m tests.vision.fake_coral FAULT ...`.

FAULT: none | abort:N | hang:N | slow:SECONDS | refuse | silent | gone | other. N: at the Nth invoke. The model is a sum:
output 0 is the input's mean in every cell, as float32.
"""

from __future__ import annotations

import mmap
import os
import sys
import time
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from firmware.vision.edgetpu import SHARED_BYTES, Hello, parse, serve
from firmware.vision.tensors import Signature, Tensor

SUMMING = Signature((Tensor("picture", (1, 8, 8, 3), "uint8", 1 / 128, 128),), (Tensor("mean", (1, 5, 70), "float32"),))


class Summing:
    """The model, and its fault."""

    def __init__(self, fault: str = "none", signature: Signature = SUMMING) -> None:
        self.signature = signature
        self.invokes = 0
        self._kind, _, number = fault.partition(":")
        self._number = float(number or 0)
        self._input = np.zeros(signature.inputs[0].shape, np.uint8)
        self._mean = np.zeros(signature.outputs[0].shape, np.float32)

    def input(self) -> NDArray[Any]:
        return self._input

    def invoke(self) -> None:
        self.invokes += 1
        if self._kind == "slow":
            time.sleep(self._number)
        if self.invokes == self._number and self._kind == "abort":
            os.abort()
        if self.invokes == self._number and self._kind == "hang":
            time.sleep(600)
        self._mean[:] = self._input.mean()

    def outputs(self) -> tuple[NDArray[Any], ...]:
        return (self._mean,)

    def close(self) -> None: ...


def main() -> None:
    fault = sys.argv[1]
    arguments = parse(sys.argv[2:])
    with os.fdopen(arguments.answer_fd, "wb") as answers:
        if fault == "gone":
            return
        if fault == "refuse":
            answers.write(msgspec.json.encode(Hello(error="no device was found")) + b"\n")
            return
        if fault == "silent":
            time.sleep(600)
        assert os.pread(arguments.model_fd, 5, 0) == b"model"
        other = Signature(SUMMING.inputs, (Tensor("mean", (1, 6, 70), "float32"),))
        serve(
            Summing(fault, other if fault == "other" else SUMMING), mmap.mmap(arguments.memory_fd, SHARED_BYTES), sys.stdin.buffer, answers
        )


if __name__ == "__main__":
    main()
