"""Network cameras over RTSP: only the newest frame counts, and a lost connection is made again, for ever, ever more slowly.

The first connection is made at once, so that a wrong address or password is said at start. Afterwards a camera that is away is
silence (blind time), not an error: networks come back. User name and password live in the address alone and never in a
message. TCP is asked for, since lost packets smear pictures; every packet has a deadline (READ_S).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import av.error

from firmware.clock import Clock, sleep_s
from firmware.errors import SourceError
from firmware.vision import libav
from firmware.vision.frame import Frame
from firmware.vision.libav import LiveDecoder, open_container, scrubbed, without_credentials
from firmware.vision.newest import Thinner

BACK_OFF_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # a rebooting camera is back within a minute; a dead one costs little
SLICE_S: Final = 0.25  # of waiting: closing must not take longer
_REASONS: Final = (
    (av.error.HTTPUnauthorizedError, "does not accept the user name and password", "write rtsp://user:password@host/path"),
    (av.error.HTTPForbiddenError, "forbids this user its stream", "give the user the right to view in the camera's settings"),
    (av.error.HTTPNotFoundError, "knows no such stream", "look the path up in the camera's manual"),
    (av.error.ConnectionRefusedError, "refuses the connection", "check the port (554 is usual) and that RTSP is switched on"),
    (av.error.ExitError, "does not answer in time", "check its address, power and network"),
    (TimeoutError, "does not answer in time", "check its address, power and network"),
    (av.error.InvalidDataError, "does not speak RTSP", "check the address and port"),
)


class RtspCamera:
    """A Grabber for one address.

    Args:
        address: rtsp:// or rtsps://, with user name and password where the camera wants them.
        fps_max: leave frames out above this rate.
        clock: for capture times and waiting.
        opener: opens the container; tests pass a fake.
        wait_s: sleeps; tests pass their own.

    Raises:
        SourceError: the first connection failed; why, without the password.
    """

    def __init__(
        self,
        address: str,
        fps_max: float | None,
        clock: Clock,
        opener: Callable[..., Any] = open_container,
        wait_s: Callable[[float], None] = sleep_s,
    ) -> None:
        self._address, self._name = address, without_credentials(address)
        self._thinner, self._clock, self._opener, self._wait_s = Thinner(fps_max), clock, opener, wait_s
        self._failures, self._due_s = 0, 0.0
        self._decoder: LiveDecoder | None = self._connected()

    def grab(self) -> Frame | None:
        """The next wanted frame; None while the camera is away."""
        if self._decoder is None:
            self._come_back()
            return None
        try:
            frame = self._decoder.next_wanted()
        except (av.error.FFmpegError, OSError, ValueError):
            frame = None  # not lost: the silence that follows is counted as blind time
        if frame is None:
            self._lose()
        else:
            self._failures = 0
        return frame

    def close(self) -> None:
        """End the connection; may be called twice."""
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None

    def _come_back(self) -> None:
        """Wait a slice of the back-off, then connect."""
        if self._clock.monotonic_s() < self._due_s:
            self._wait_s(SLICE_S)
            return
        try:
            self._decoder = self._connected()
        except SourceError:
            self._lose()

    def _lose(self) -> None:
        self.close()
        self._due_s = self._clock.monotonic_s() + BACK_OFF_S[min(self._failures, len(BACK_OFF_S) - 1)]
        self._failures += 1

    def _connected(self) -> LiveDecoder:
        begun_s = self._clock.monotonic_s()
        try:
            container = self._opener(self._address, format_name="rtsp", options={"rtsp_transport": "tcp"}, live=True)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            late = self._clock.monotonic_s() - begun_s >= libav.OPEN_S  # FFmpeg then says "invalid data"
            raise self._in_words(TimeoutError() if late else error) from scrubbed(error)
        return LiveDecoder(container, self._name, self._thinner, self._clock)

    def _in_words(self, error: BaseException) -> SourceError:
        for kind, what, hint in _REASONS:
            if isinstance(error, kind):
                return SourceError(f"the camera at {self._name} {what}", hint)
        return SourceError(
            f"the camera at {self._name} cannot be reached: {getattr(error, 'strerror', None) or type(error).__name__}",
            "check its address, power and network",
        )
