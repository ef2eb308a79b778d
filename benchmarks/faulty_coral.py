"""The Edge TPU's child process with the real model on the CPU, whose library aborts at the Nth invoke, as libedgetpu does.

`python -m benchmarks.faulty_coral N --model-fd ... `: speaks the bytes of `firmware.vision.edgetpu`. `put_before` gives a
detector this child as its accelerator.
"""

from __future__ import annotations

import mmap
import os
import sys
from typing import Any

from firmware.clock import SystemClock
from firmware.vision.detector import OpenedDetector
from firmware.vision.edgetpu import BUILD_S_MAX, SHARED_BYTES, EdgeTpu, parse, serve
from firmware.vision.fallback import WithFallback
from firmware.vision.interpreter import LITERT, build
from firmware.vision.manifest import find_model

NEVER_MS = 1e9  # so slow is the CPU said to be: the child is never refused for its speed


class Aborting:
    """An interpreter that takes its process with it at the Nth invoke after the trials."""

    def __init__(self, inner: Any, at: int) -> None:
        self._inner, self._left, self.signature = inner, at, inner.signature

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def invoke(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.abort()
        self._inner.invoke()


def put_before(detector: OpenedDetector, at: int) -> OpenedDetector:
    """Let the child do the detector's work until it aborts; its own interpreter is the fallback."""
    command = [sys.executable, "-m", "benchmarks.faulty_coral", str(at)]
    steady = WithFallback(EdgeTpu(find_model("person-320").content, command), detector._interpreter, SystemClock())  # noqa: SLF001 as accelerate()
    steady.open(BUILD_S_MAX, NEVER_MS)
    detector._interpreter = steady  # noqa: SLF001
    return detector


def main() -> None:
    arguments = parse(sys.argv[2:])
    content = os.pread(arguments.model_fd, os.fstat(arguments.model_fd).st_size, 0)
    model = Aborting(build(LITERT, content, 1), int(sys.argv[1]))
    with os.fdopen(arguments.answer_fd, "wb") as answers:
        serve(model, mmap.mmap(arguments.memory_fd, SHARED_BYTES), sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
