"""USB and other Video4Linux cameras, through FFmpeg's v4l2 input: `v4l2:/dev/video0`.

Only the newest frame counts (`LiveSource`). The driver chooses the nearest size and rate it has. A camera that is pulled out, is
in use elsewhere or is none says so with what to do; one that hangs shows as silence.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any, Final

import av.error

from firmware.clock import Clock
from firmware.errors import SourceError
from firmware.vision.frame import Frame
from firmware.vision.libav import LiveDecoder, open_container
from firmware.vision.newest import Thinner

_HINTS: Final = {
    errno.ENOENT: ("there is no camera {}", "is it plugged in? `ls /dev/video*` lists cameras; passerby doctor says more"),
    errno.ENODEV: ("the camera at {} is gone", "check its cable and power"),
    errno.ENXIO: ("the camera at {} is gone", "check its cable and power"),
    errno.EBUSY: ("the camera at {} is in use", "stop the other program that uses it (`fuser -v {}` names it)"),
    errno.EACCES: ("the camera at {} may not be opened", "add the user to the group video"),
    errno.EPERM: ("the camera at {} may not be opened", "add the user to the group video"),
    errno.EIO: ("the camera at {} does not answer", "unplug it and plug it in again; try another cable or port"),
    errno.ENOTTY: ("{} is not a camera", "`v4l2-ctl --list-devices` names cameras and their devices"),
    errno.EINVAL: ("{} gives no picture: not a camera's video device", "a camera has several devices: try the next number"),
}


class V4l2Camera:
    """A Grabber for one device. `source = LiveSource(V4l2Camera(...), ...)`.

    Args:
        device: for instance /dev/video0.
        size: wanted width and height, pixels.
        fps_max: leave frames out above this rate.
        clock: for capture times.
        opener: opens the container; tests pass a fake.

    Raises:
        SourceError: there is no such camera, or it is in use, may not be opened or is none.
    """

    def __init__(
        self, device: str, size: tuple[int, int], fps_max: float | None, clock: Clock, opener: Callable[..., Any] = open_container
    ) -> None:
        self._device = device
        options = {"video_size": f"{size[0]}x{size[1]}"}
        try:
            container = opener(device, format_name="v4l2", options=options)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise _in_words(device, error) from error
        self._decoder = LiveDecoder(container, device, Thinner(fps_max), clock)

    def grab(self) -> Frame | None:
        """The next wanted frame."""
        try:
            frame = self._decoder.next_wanted()
        except (av.error.FFmpegError, OSError) as error:
            raise _in_words(self._device, error) from error
        if frame is None:
            raise SourceError(f"the camera at {self._device} has ended its stream", "unplug it and plug it in again")
        return frame

    def close(self) -> None:
        """Release the device; may be called twice."""
        self._decoder.close()


def _in_words(device: str, error: BaseException) -> SourceError:
    number = getattr(error, "errno", None)
    what, hint = _HINTS.get(
        number or 0, ("the camera at {} cannot be read" + f": {type(error).__name__}", "passerby doctor checks the cameras")
    )
    return SourceError(what.format(device), hint.format(device))
