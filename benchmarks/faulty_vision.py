"""A vision process with a fault on order, for staying-up figures and tests: `python -m benchmarks.faulty_vision --fd N`.

PASSERBY_FAULT is KIND:FRAME:MARKER. At that frame of its first life the fault happens; MARKER is a file that says that it has,
so that the next life is healthy. Everything but the fault is the real process with its real locks. Kinds:

    call     the camera's call never returns (in its own thread, as with a real camera)
    read     the source itself never returns: not even heartbeats come
    garbage  a picture of no size
    crash    an error that nobody foresaw
    coral    the Edge TPU's library aborts its process: the delegate is a real child that dies
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.faulty_coral import put_before
from firmware.clock import SystemClock
from firmware.vision import live, process
from firmware.vision.detector import open_detector
from firmware.vision.frame import Frame
from firmware.vision.newest import LiveSource
from firmware.vision.sources import open_source


class Faulty:
    """A source in front of which the fault stands; also a Grabber."""

    live = True

    def __init__(self, inner: Any, kind: str, frame: int, marker: Path) -> None:
        self._inner, self._kind, self._left, self._marker = inner, kind, frame, marker
        self._armed = not marker.exists()
        if self._armed:  # now: later no file may grow
            marker.write_bytes(b"1")

    def read(self) -> Any:
        self._left -= 1
        if self._left == 0 and self._armed:
            self._strike()
            if self._kind == "garbage":
                return Frame(SystemClock().monotonic_s(), np.zeros((0, 0, 3), np.uint8))
        return self._inner.read()

    def grab(self) -> Any:
        return self.read()

    def close(self) -> None:
        self._inner.close()

    def _strike(self) -> None:
        if self._kind in {"call", "read"}:
            while True:
                time.sleep(3600.0)
        if self._kind == "crash":
            raise ZeroDivisionError("nobody foresaw this")


def main() -> int:
    kind, frame, marker = os.environ["PASSERBY_FAULT"].split(":", 2)

    def faulty(spec: str, settings: Any) -> Any:
        source = Faulty(open_source(spec, settings), kind, int(frame), Path(marker))
        return LiveSource(source, SystemClock(), "a camera that hangs") if kind == "call" else source

    def with_coral(model: str, **settings: Any) -> Any:
        return put_before(open_detector(model, **settings), int(frame))

    if kind == "coral":
        vars(live)["open_detector"] = with_coral
    else:
        vars(live)["open_source"] = faulty
    return process.main(sys.argv[1:])


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    code = main()
    os._exit(code)
