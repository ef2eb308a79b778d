"""USB cameras: the errors this machine can make for real, the rest at the port's edge."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from firmware.clock import SystemClock
from firmware.errors import SourceError
from firmware.vision.v4l2 import V4l2Camera
from tests.fakes import FakeClock


@pytest.mark.parametrize(
    ("device", "says"),
    [("/dev/video97", "there is no camera /dev/video97"), ("/dev/null", "/dev/null is not a camera")],
)
def test_what_is_no_camera_says_so(device: str, says: str) -> None:
    """FFmpeg's own errors for a missing device and for one that is no camera, in words with a hint."""
    with pytest.raises(SourceError, match=says) as caught:
        V4l2Camera(device, (640, 480), None, SystemClock())
    assert caught.value.hint


def test_a_plain_file_is_no_camera(tmp_path: Path) -> None:
    """A file in place of a device."""
    path = tmp_path / "video0"
    path.write_bytes(b"x" * 100)
    with pytest.raises(SourceError, match="is not a camera"):
        V4l2Camera(str(path), (640, 480), None, SystemClock())


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.EBUSY, "is in use; stop the other program"),
        (errno.EACCES, "may not be opened; add the user to the group video"),
        (errno.ENODEV, "is gone"),
        (errno.EIO, "does not answer"),
        (errno.EINVAL, "try the next number"),
        (errno.ENOMEM, "cannot be read"),
    ],
)
def test_the_kernels_refusals_have_words(number: int, says: str) -> None:
    """What the kernel says by number, a person reads in words."""

    def opener(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number), "/dev/video0")

    with pytest.raises(SourceError, match=says):
        V4l2Camera("/dev/video0", (640, 480), None, FakeClock(), opener=opener)


class UsbCamera:
    """A container as PyAV's v4l2 input gives one: packets with kernel time stamps; unplugged after `count` frames."""

    def __init__(self, count: int, clock: FakeClock, unplugged: Exception | None = None) -> None:
        self.count, self.clock, self.unplugged, self.closed = count, clock, unplugged, 0
        self.wishes: dict[str, Any] = {}

    def __call__(self, device: str, **wishes: Any) -> UsbCamera:
        self.wishes = {"device": device, **wishes}
        return self

    @property
    def streams(self) -> UsbCamera:
        return self

    @property
    def video(self) -> list[UsbCamera]:
        return [self]

    def decode(self, stream: Any) -> Iterator[av.VideoFrame]:
        for number in range(self.count):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 10 + number, dtype=np.uint8), format="rgb24")
            frame.pts, frame.time_base = 77_000_000 + number * 33_333, Fraction(1, 1_000_000)
            self.clock.now_s += 1 / 30
            yield frame
        if self.unplugged is not None:
            raise self.unplugged

    def close(self) -> None:
        self.closed += 1


def test_frames_come_with_capture_times_at_the_wanted_rate() -> None:
    """Thirty a second thinned to ten: every third, on our clock, in the size asked for."""
    clock = FakeClock(500.0)
    usb = UsbCamera(30, clock)
    camera = V4l2Camera("/dev/video0", (640, 480), 10.0, clock, opener=usb)
    frames = [frame for frame in (camera.grab() for _ in range(10)) if frame]
    assert usb.wishes["format_name"] == "v4l2"
    assert usb.wishes["options"]["video_size"] == "640x480"
    assert [int(frame.pixels[0, 0, 0]) for frame in frames] == list(range(10, 40, 3))
    assert np.diff([frame.t_s for frame in frames]) == pytest.approx(0.1, abs=1e-3)
    assert frames[0].t_s == pytest.approx(500.0, abs=0.05)
    camera.close()
    assert usb.closed == 1


def test_a_camera_that_is_pulled_out_says_so() -> None:
    """ENODEV while reading is a SourceError that names the cable."""
    clock = FakeClock()
    camera = V4l2Camera("/dev/video0", (640, 480), None, clock, opener=UsbCamera(2, clock, OSError(errno.ENODEV, "No such device")))
    camera.grab()
    camera.grab()
    with pytest.raises(SourceError, match="is gone; check its cable"):
        camera.grab()


def test_a_stream_that_ends_is_an_error() -> None:
    """A camera has no end: when its stream stops without words, ours are said."""
    clock = FakeClock()
    camera = V4l2Camera("/dev/video0", (640, 480), None, clock, opener=UsbCamera(0, clock))
    with pytest.raises(SourceError, match="has ended its stream"):
        camera.grab()
