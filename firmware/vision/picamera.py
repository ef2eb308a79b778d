"""Raspberry Pi cameras through picamera2, which comes with the system (apt), not with us: imported late, and only here.

One small RGB stream, scaled by the camera's own ISP from the whole field of view: no second stream, no conversion on the CPU, few
buffers (they come from the small CMA memory), one `configure` in the life of a process. A capture has a deadline; the call itself may
still never return (a loose cable, a hung ISP), which the reading side sees as silence. Frames carry libcamera's SensorTimestamp:
nanoseconds of CLOCK_BOOTTIME, the clock of `firmware.clock`. Every call used here is checked against the real package by a test.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from firmware.errors import SourceError
from firmware.vision.frame import Frame
from firmware.vision.newest import Thinner

BUFFERS: Final = 3  # one in the sensor's hands, one in the ISP's, one in ours; on 512 MB boards six no longer fit
CAPTURE_S_MAX: Final = 5.0  # fifty frames late is not late, it is stopped
EXPOSURE_S_MAX: Final = 1 / 15  # longer smears a walker over a shoulder's width
MISSED_MAX: Final = 3  # captures in a row that may fail before the camera counts as stopped


class Request(Protocol):
    """What we use of picamera2's CompletedRequest."""

    def make_array(self, name: str) -> NDArray[np.uint8]: ...
    def get_metadata(self) -> dict[str, Any]: ...
    def release(self) -> None: ...


class Picamera(Protocol):
    """What we use of picamera2's Picamera2."""

    camera_properties: dict[str, Any]

    def create_video_configuration(
        self,
        main: Any = ...,
        raw: Any = ...,
        buffer_count: int = ...,
        controls: Any = ...,
        display: Any = ...,
        encode: Any = ...,
        *,
        queue: bool = ...,
        sensor: Any = ...,
    ) -> dict[str, Any]: ...
    def configure(self, camera_config: Any = ...) -> None: ...
    def start(self) -> None: ...
    def capture_request(self, wait: Any = ...) -> Any: ...
    def wait(self, job: Any, timeout: float | None = ...) -> Request: ...
    def cancel_all_and_flush(self) -> None: ...
    def close(self) -> None: ...


class PiCamera:
    """A Grabber for one Raspberry Pi camera. `source = LiveSource(PiCamera(...), ...)`.

    Args:
        number: of the camera, as `rpicam-hello --list-cameras` counts.
        width: of the picture, pixels; its height follows from the sensor's shape.
        fps_max: leave frames out above this rate; the sensor itself runs at 15 a second or more, so that exposures stay short.
        make: opens the camera; tests pass their own.

    Raises:
        SourceError: picamera2 or its libcamera cannot be used, there is no camera, or it is in use.
    """

    def __init__(self, number: int, width: int, fps_max: float | None, make: Callable[[int], Picamera] | None = None) -> None:
        self._name = f"the Pi camera {number}"
        self._thinner = Thinner(fps_max)
        self._missed = 0
        self._camera = _opened(make or _picamera2, number)
        try:
            self._camera.configure(_configuration(self._camera, width, fps_max))
            self._camera.start()
        except Exception as error:  # libcamera's and picamera2's own kinds, RuntimeError mostly
            self._camera.close()
            raise SourceError(
                f"{self._name} cannot be set up: {error}", "`rpicam-hello` tests the camera without us; reboot after changes"
            ) from error

    def grab(self) -> Frame | None:
        """The next wanted frame; None when this one was not wanted or did not come in time."""
        job = self._camera.capture_request(wait=False)
        try:
            request = self._camera.wait(job, timeout=CAPTURE_S_MAX)
        except TimeoutError as error:
            self._missed += 1
            if self._missed >= MISSED_MAX:
                raise SourceError(
                    "camera stopped", f"{self._name} sent nothing for {MISSED_MAX * CAPTURE_S_MAX:g} s: check its ribbon cable"
                ) from error
            self._camera.cancel_all_and_flush()
            return None
        self._missed = 0
        try:
            t_s = float(request.get_metadata()["SensorTimestamp"]) * 1e-9
            return Frame(t_s, request.make_array("main")) if self._thinner.wants(t_s) else None
        finally:
            request.release()

    def close(self) -> None:
        """Stop and release the camera; one that has stopped answering is left to the kernel, since its `close` would wait for ever."""
        if self._missed:
            atexit.unregister(self._camera.close)
            return
        self._camera.close()


def _opened(make: Callable[[int], Picamera], number: int) -> Picamera:
    try:
        return make(number)
    except ImportError as error:
        raise SourceError(
            f"picamera2 cannot be used: {error}",
            "sudo apt install -y python3-picamera2, and a venv made by /usr/bin/python3 -m venv --system-site-packages",
        ) from error
    except ValueError as error:  # "numpy.dtype size changed": a second numpy over the system's
        raise SourceError(
            f"picamera2 cannot be used: {error}", "remove the numpy that pip put over the system's: pip uninstall numpy simplejpeg"
        ) from error
    except (RuntimeError, IndexError) as error:
        raise SourceError(
            f"there is no Pi camera {number}, or another program uses it: {error}", "rpicam-hello --list-cameras shows what is connected"
        ) from error


def _picamera2(number: int) -> Picamera:
    from picamera2 import Picamera2

    camera: Picamera = Picamera2(camera_num=number)
    return camera


def _configuration(camera: Picamera, width: int, fps_max: float | None) -> dict[str, Any]:
    """One stream of the whole field of view.

    Half the pixel array is a binned mode of the full field on every sensor Raspberry Pi sells; a small size alone may get a
    cropped mode. The mode is named by `sensor`, so that no raw stream takes memory.
    """
    across, down = camera.camera_properties.get("PixelArraySize", (640, 480))
    frame_us = int(1e6 / max(fps_max or 30.0, 1 / EXPOSURE_S_MAX))
    return camera.create_video_configuration(
        main={"size": (width, round(width * down / across / 2) * 2), "format": "BGR888"},  # named from the highest byte: R, G, B in memory
        raw=None,
        buffer_count=BUFFERS,
        controls={"FrameDurationLimits": (frame_us, frame_us)},
        display=None,
        encode=None,
        queue=False,
        sensor={"output_size": (across // 2, down // 2)},
    )
