"""What the sources that decode with PyAV share: opening with deadlines, frames to RGB, rotation, errors to words.

The only third-party errors that pass here are PyAV's; they become SourceErrors whose words never hold an address's user name and
password. Decoded frames are converted with one swscale context a stream, and only those that are wanted.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from typing import Any, Final

import av
import av.error
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from firmware.clock import Clock
from firmware.errors import SourceError
from firmware.vision.frame import Frame
from firmware.vision.newest import Thinner

SIDE_PX_MAX: Final = 8192  # of a picture: 8K; more is a broken or hostile file
OPEN_S: Final = 10.0  # a camera across a slow link answers within this
READ_S: Final = 5.0  # between two packets of a live stream
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/\s]*@")  # up to the last @: passwords hold them


def without_credentials(address: str) -> str:
    """An address as messages may show it: no user name, no password, no query (cameras take passwords there, too)."""
    return _CREDENTIALS.sub("", address).split("?", 1)[0]


def open_container(address: str, *, format_name: str | None = None, options: dict[str, str] | None = None, live: bool = False) -> Any:
    """An open PyAV container for reading.

    Raises:
        av.error.FFmpegError, OSError, ValueError: as PyAV does; the caller knows the words.
    """
    timeout = (OPEN_S, READ_S) if live else None
    return av.open(address, mode="r", format=format_name, options=options or {}, timeout=timeout)


def scrubbed(error: BaseException) -> OSError:
    """A stand-in for an error whose text may hold the address with its password; for `raise ... from`."""
    return OSError(getattr(error, "errno", None) or 0, getattr(error, "strerror", None) or type(error).__name__)


class Developer:
    """Decoded frames to upright RGB."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._reformatter = VideoReformatter()

    def develop(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB, upright.

        Raises:
            SourceError: the picture is larger than SIDE_PX_MAX, or in a format that cannot be converted.
        """
        if not (0 < frame.width <= SIDE_PX_MAX and 0 < frame.height <= SIDE_PX_MAX):
            raise SourceError(f"{self._name} has pictures of {frame.width}x{frame.height}", f"at most {SIDE_PX_MAX} a side")
        try:
            pixels = self._reformatter.reformat(frame, format="rgb24").to_ndarray()
        except (av.error.FFmpegError, ValueError) as error:
            raise SourceError(f"{self._name}: a picture cannot be converted from {frame.format.name}", "is the file complete?") from error
        return np.rot90(pixels, quarter_turns(frame))


class ArrivalClock:
    """Capture times on our monotonic clock for frames of a stream that has its own: the least delayed frame tells the offset.

    A frame that arrives late (a busy link) then still carries the time at which it was taken. The offset may creep up by
    DRIFT of the time passed, for cameras whose clock is slow.
    """

    DRIFT: Final = 1e-3  # quartz is ten times better
    BACKLOG_S: Final = 10.0  # a frame this late says that the stream's clock has jumped

    def __init__(self) -> None:
        self._offset_s: float | None = None
        self._now_s = self._last_s = 0.0

    def stamp(self, stamp_s: float | None, now_s: float) -> float:
        """When the frame that carries `stamp_s` and arrived at `now_s` was taken; never before the one before it."""
        if stamp_s is None:
            return now_s
        offset_s = now_s - stamp_s
        if self._offset_s is None or offset_s > self._offset_s + self.BACKLOG_S:
            self._offset_s = offset_s
        else:
            self._offset_s = min(offset_s, self._offset_s + self.DRIFT * (now_s - self._now_s))
        self._now_s = now_s
        self._last_s = max(self._last_s, stamp_s + self._offset_s)
        return self._last_s


class LiveDecoder:
    """The frames of an open live container, with their capture times on the monotonic clock."""

    def __init__(self, container: Any, name: str, thinner: Thinner, clock: Clock) -> None:
        self._container, self._thinner, self._clock = container, thinner, clock
        self._developer, self._arrival = Developer(name), ArrivalClock()
        if not container.streams.video:
            raise SourceError(f"{name} sends no picture", "name a stream with video")
        self._stream = container.streams.video[0]
        self._stream.thread_type = "SLICE"  # whole frames in parallel would each wait for the next ones
        self._decoded: Iterator[VideoFrame] = container.decode(self._stream)

    def next_wanted(self) -> Frame | None:
        """The next frame that is not thinned out; None when the stream has ended. Raises as PyAV does."""
        for decoded in self._decoded:
            t_s = self._arrival.stamp(decoded.time, self._clock.monotonic_s())
            if self._thinner.wants(t_s):
                return Frame(t_s, self._developer.develop(decoded))
        return None

    def close(self) -> None:
        """Release the device or connection."""
        self._container.close()


def quarter_turns(frame: VideoFrame) -> int:
    """How many quarter turns counter-clockwise make the frame upright, from its display matrix (ISO 14496-12, 8.5.2); 0 without one."""
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    if matrix is not None:
        a, b, _, c, d = struct.unpack("<5i", bytes(matrix)[:20])
        if a * d - b * c > 0:  # not mirrored
            return round(math.atan2(-b, a) / (math.pi / 2)) % 4
    return 0
