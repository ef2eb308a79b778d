"""An accelerator that may die at any time, with the CPU behind it: no frame is lost, and every one says who did it.

`WithFallback` is an Interpreter. While the accelerator runs it does the work; the frame at which it dies or hangs is
done again on the CPU from the same input; from then on the CPU works and `fallback` is True, until a new child, started
after a pause that doubles from PAUSE_S_MIN to PAUSE_S_MAX, has built its model. Rules: starting never blocks a frame; an
accelerator that is slower than the CPU on this very model is not used at all.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from firmware.clock import Clock, stopwatch_s
from firmware.errors import ModelError
from firmware.vision.tensors import Interpreter, Signature

PAUSE_S_MIN: Final = 1.0  # a cable that was pulled and put back
PAUSE_S_MAX: Final = 300.0  # a device that dies each time costs a start every five minutes
_TRIALS: Final = 5  # the fastest of so many invokes


class Accelerator(Interpreter, Protocol):
    """An interpreter that is started, may die (every method raises ModelError), and may be started again."""

    def start(self) -> None:
        """Begin to start it, without waiting."""
        ...

    def ready(self, timeout_s: float = 0.0) -> bool:
        """Whether it has started. Raises ModelError when it never will."""
        ...


class WithFallback:
    """See the module. `reason` says why the CPU does the work, or did last."""

    def __init__(self, accelerator: Accelerator, cpu: Interpreter, clock: Clock) -> None:
        """Both run the same model: same input, same outputs."""
        self.signature: Signature = cpu.signature
        self.fallback = True
        self.reason = "not started"
        self._accelerator, self._cpu, self._clock = accelerator, cpu, clock
        self._starting = False
        self._pause_s = PAUSE_S_MIN
        self._next_start_s = clock.monotonic_s()
        self._refused = False

    def open(self, timeout_s: float, cpu_ms: float) -> None:
        """Start the accelerator, wait for it, and let it show that it is faster than the CPU's `cpu_ms`."""
        try:
            self._accelerator.start()
            self._starting = True
            if not self._accelerator.ready(timeout_s):
                return  # it may still come
            self._took_over()
            fastest_ms = min(self._invoke_ms() for _ in range(_TRIALS))
        except ModelError as error:
            self._lost(error)
            return
        if fastest_ms >= cpu_ms:
            self._refused, self.fallback = True, True
            self.reason = f"the Edge TPU takes {fastest_ms:.1f} ms, the CPU {cpu_ms:.1f}"
            self._accelerator.close()

    def input(self) -> NDArray[Any]:
        """See Interpreter: the input of whoever does the next frame."""
        if self.fallback and not self._refused:
            self._restart()
        return self._cpu.input() if self.fallback else self._accelerator.input()

    def invoke(self) -> None:
        """See Interpreter. Raises ModelError only when the CPU fails too."""
        if not self.fallback:
            frame = self._accelerator.input()
            try:
                self._accelerator.invoke()
            except ModelError as error:
                np.copyto(self._cpu.input(), frame)
                self._lost(error)
            else:
                self._pause_s = PAUSE_S_MIN
                return
        self._cpu.invoke()

    def outputs(self) -> tuple[NDArray[Any], ...]:
        """See Interpreter: of whoever did the last invoke."""
        return self._cpu.outputs() if self.fallback else self._accelerator.outputs()

    def close(self) -> None:
        """See Interpreter."""
        self._accelerator.close()
        self._cpu.close()

    def _restart(self) -> None:
        """One step towards a running accelerator; takes no time."""
        try:
            if self._starting:
                if self._accelerator.ready():
                    self._took_over()
            elif self._clock.monotonic_s() >= self._next_start_s:
                self._starting = True
                self._accelerator.start()
        except ModelError as error:
            self._lost(error)

    def _took_over(self) -> None:
        if not _same(self._accelerator.signature, self.signature):
            self._refused = True
            raise ModelError("the compiled model's tensors are not those of the model", "compile the very file that runs on the CPU")
        self._starting, self.fallback, self.reason = False, False, ""

    def _lost(self, error: ModelError) -> None:
        self._starting, self.fallback, self.reason = False, True, error.what
        self._next_start_s = self._clock.monotonic_s() + self._pause_s
        self._pause_s = min(self._pause_s * 2, PAUSE_S_MAX)

    def _invoke_ms(self) -> float:
        start_s = stopwatch_s()
        self._accelerator.invoke()
        return (stopwatch_s() - start_s) * 1000


def _same(left: Signature, right: Signature) -> bool:
    """Whether two files take and give the same numbers; names may differ."""
    return all(
        [(t.shape, t.dtype, t.scale, t.zero) for t in ours] == [(t.shape, t.dtype, t.scale, t.zero) for t in theirs]
        for ours, theirs in ((left.inputs, right.inputs), (left.outputs, right.outputs))
    )
