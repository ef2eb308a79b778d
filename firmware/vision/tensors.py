"""What a built model looks like from outside: its tensors, its operators, and the port through which it is run.

`Interpreter` is the seam between the detector and whatever runs the model: LiteRT, tflite-runtime, an Edge TPU in its
child process, a fake in tests. Values only; building one is left to `firmware.vision.detector`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input or output.

    Attributes:
        name: as in the file.
        shape: static.
        dtype: numpy's name of it.
        scale: a quantised value q stands for scale * (q - zero); 0 when not quantised.
        zero: see scale.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float = 0.0
    zero: int = 0

    @property
    def real_range(self) -> tuple[float, float] | None:
        """The real values its smallest and largest element stand for; None when not quantised."""
        if not self.scale:
            return None
        limits = np.iinfo(self.dtype)
        return self.scale * (int(limits.min) - self.zero), self.scale * (int(limits.max) - self.zero)


@dataclass(frozen=True, slots=True)
class Signature:
    """A model's tensors.

    Attributes:
        inputs: every input, in the file's order.
        outputs: every output, in the file's order.
        operators: names of its operators, each once, sorted; empty when the runtime does not tell.
        postprocess: indexes into outputs of boxes, classes, scores and count, where the file ends in
            TFLite_Detection_PostProcess; else empty.
    """

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    operators: tuple[str, ...] = ()
    postprocess: tuple[int, ...] = ()


class Interpreter(Protocol):
    """A built model. Raises ModelError when the runtime fails."""

    signature: Signature

    def input(self) -> NDArray[Any]:
        """The first input, writable, without a copy. Drop it before `invoke`."""
        ...

    def invoke(self) -> None:
        """Run the model once on what lies in the input."""
        ...

    def outputs(self) -> tuple[NDArray[Any], ...]:
        """Every output, without a copy, valid until the next `invoke`. Drop them before it."""
        ...

    def close(self) -> None:
        """Release the runtime; may be called twice."""
        ...
