"""Live sources: a thread takes frames from the camera, only the newest one is kept, and what is lost is counted.

`LiveSource` turns any grabber (one blocking call a frame) into a FrameSource. The thread starts with the first `read`, so that
a process can first give up what it must before threads exist. A camera whose call never returns cannot be waited for: `read`
ends in SourceSilentError after SILENT_S, and the next `read` goes on waiting, AGAIN_S at a time; the caller counts blind seconds
from that, and the daemon restarts the process. Frames that are left out on purpose (`Thinner`) are not drops.
"""

from __future__ import annotations

import threading
from typing import Final, Protocol

from firmware.clock import Clock
from firmware.errors import SourceError, SourceSilentError
from firmware.vision.frame import Frame

SILENT_S: Final = 2.2  # longer than blind_after_s, so that all of it is blind; shorter, so that heartbeats go on beside a dead camera
AGAIN_S: Final = 0.5  # beside a camera that is silent: as often as heartbeats are due, and as the daemon may have hung up
CLOSE_S: Final = 2.0  # for a call that is at work; one that was silent before is left to the end of the process
EARLY_SHARE: Final = 0.1  # of a frame's time: cameras jitter ...
EARLY_S_MAX: Final = 0.02  # ... but not more than this


class Grabber(Protocol):
    """What an adapter of a camera implements; `grab` runs in a thread of its own."""

    def grab(self) -> Frame | None:
        """The next frame; None: nothing for now (reconnecting), ask again. Raises SourceError when there will be no more."""
        ...

    def close(self) -> None:
        """Release the device; may be called twice, never while `grab` runs."""
        ...


class NewestFrame:
    """A slot for one frame between two threads. Putting over an unread frame drops that one, and counts it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._error: SourceError | None = None
        self._dropped = 0
        self._put_s: float | None = None

    def put(self, frame: Frame, now_s: float) -> None:
        """Replace what is in the slot. The frame's own `dropped` (frames the device lost) is added to the count."""
        with self._changed:
            self._dropped += frame.dropped + (self._frame is not None)
            self._frame, self._put_s = frame, now_s
            self._changed.notify_all()

    def fail(self, error: SourceError) -> None:
        """No frame will come any more; the waiting reader gets the error, after the frame that is still here."""
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def take(self, timeout_s: float) -> Frame | None:
        """The newest unread frame with the number lost since the last one taken; None when none came in time.

        Raises:
            SourceError: there will be no more.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self._error is not None, timeout_s)
            frame, self._frame = self._frame, None
            if frame is not None:
                dropped, self._dropped = self._dropped, 0
                return Frame(frame.t_s, frame.pixels, dropped)
            if self._error is not None:
                raise self._error
            return None

    def age_s(self, now_s: float) -> float | None:
        """How long ago a frame was put; None before the first."""
        with self._changed:
            return None if self._put_s is None else now_s - self._put_s


class LiveSource:
    """A FrameSource that reads the newest frame of a camera."""

    live = True

    def __init__(self, grabber: Grabber, clock: Clock, name: str) -> None:
        self._grabber, self._clock, self._name = grabber, clock, name
        self._slot = NewestFrame()
        self._closing = threading.Event()
        self._silent = False
        self._thread: threading.Thread | None = None

    def read(self) -> Frame | None:
        """The newest frame; never None.

        Raises:
            SourceSilentError: none came for SILENT_S, or for another AGAIN_S since it was said; reading on may bring the next.
            SourceError: there will be no more.
        """
        if self._closing.is_set():
            raise SourceError(f"{self._name} is closed")
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"camera {self._name}", daemon=True)
            self._thread.start()
        frame = self._slot.take(AGAIN_S if self._silent else SILENT_S)
        self._silent = frame is None
        if frame is None:
            raise SourceSilentError(f"{self._name} has sent no frame for more than {SILENT_S:g} s", "check its cable, power and network")
        return frame

    def age_s(self) -> float | None:
        """How old the newest frame is; None before the first. The watchdog's measure."""
        return self._slot.age_s(self._clock.monotonic_s())

    def close(self) -> None:
        """Stop the thread and release the camera; a camera whose call hangs is left to the end of the process."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(0.0 if self._silent else CLOSE_S)
            if self._thread.is_alive():
                return
        self._grabber.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                frame = self._grabber.grab()
            except SourceError as error:
                self._slot.fail(error)
                return
            if frame is not None:
                self._slot.put(frame, self._clock.monotonic_s())


class Thinner:
    """Leaves frames out so that at most `fps_max` a second remain, evenly; decides from the frames' own times."""

    def __init__(self, fps_max: float | None) -> None:
        self._step_s = 0.0 if fps_max is None else 1.0 / fps_max
        self._early_s = min(EARLY_SHARE * self._step_s, EARLY_S_MAX)
        self._due_s = float("-inf")

    def wants(self, t_s: float) -> bool:
        """Whether the frame of this time is one to deliver. Times may jump (a reconnect, a loop): the beat begins anew."""
        if t_s < self._due_s - self._early_s and t_s > self._due_s - 2 * self._step_s:
            return False
        late = t_s > self._due_s + self._step_s or t_s < self._due_s - self._step_s
        self._due_s = (t_s if late else self._due_s) + self._step_s
        return True
