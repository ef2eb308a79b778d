"""From the `source` of a camera's configuration to an open source: one function, and words for every way to get it wrong.

    picamera2, picamera2:1          a Raspberry Pi camera, by number
    v4l2:/dev/video0                a USB camera
    rtsp://user:password@host/path  a network camera (rtsps too)
    shop.mp4                        a video file
    detections.jsonl                recorded detections
    sim:?seed=3&fps=10&people=20&minutes=10&size=640x480    the simulated shop, as frames
    sim-boxes:?miss=0.05&jitter=0.02&false=0.02             the same, as boxes with a detector's faults

Cameras give the newest frame and count drops; recordings and simulations give every frame, or play as a camera does with
`SourceSettings.live`. What a source gives is known by `gives_detections`, or by the type of what `read` returns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firmware.clock import Clock, SystemClock
from firmware.config import CameraConfig
from firmware.errors import SourceError
from firmware.vision.newest import Grabber, LiveSource
from firmware.vision.pacing import Paced
from firmware.vision.ports import DetectionSource, FrameSource
from firmware.vision.recorded import RecordedDetections

KINDS: Final = "picamera2, v4l2:/dev/video0, rtsp://host/path, sim:, sim-boxes:, a video file, or detections.jsonl"
_SCHEME: Final = re.compile(r"^([a-z][a-z0-9+.-]+):(?!\\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """How a source is to behave.

    Attributes:
        fps_max: take no more frames than this; None: all there are.
        threads: of a video decoder; 1 leaves the other cores to the model.
        size: wanted width and height of a camera's picture, pixels; the model sees a third of a megapixel at most.
        live: play recordings and simulations in real time, as a camera would; a simulation then goes on for ever.
    """

    fps_max: float | None = None
    threads: int = 1
    size: tuple[int, int] = (640, 480)
    live: bool = False


def settings_of(camera: CameraConfig, *, live: bool) -> SourceSettings:
    """The settings that a camera's configuration asks for."""
    return SourceSettings(fps_max=camera.fps_max, live=live)


def gives_detections(spec: str) -> bool:
    """Whether a source gives boxes (no model is needed) instead of frames."""
    return spec.startswith("sim-boxes:") or _is_recorded(spec)


def needs_network(spec: str) -> bool:
    """Whether reading the source needs the network: such a camera weakens the wall, and the status page says so."""
    return _scheme(spec) in {"rtsp", "rtsps"}


def open_source(spec: str, settings: SourceSettings | None = None, clock: Clock | None = None) -> FrameSource | DetectionSource:
    """Open a source.

    Args:
        spec: as in the configuration; see the module's docstring.
        settings: how it is to behave; by default every frame, not paced.
        clock: the machine's by default.

    Returns:
        The open source: close it. Frames, or detections where `gives_detections(spec)`.

    Raises:
        SourceError: it cannot be opened, or the spec is none; what, where, and what to do.
        DataError: recorded detections that are empty or malformed (at the first read).
    """
    settings, clock = settings or SourceSettings(), clock or SystemClock()
    scheme = _scheme(spec)
    if not spec.strip():
        raise SourceError("the source is empty", f"one of: {KINDS}")
    if spec == "picamera2" or scheme == "picamera2":
        return _live(_picamera(spec, settings), clock, spec)
    if scheme == "v4l2":
        return _live(_v4l2(spec, settings, clock), clock, spec)
    if scheme in {"rtsp", "rtsps"}:
        return _rtsp(spec, settings, clock)
    if scheme in {"sim", "sim-boxes"}:
        return _simulated(spec, settings, clock)
    if scheme is not None and not Path(spec).exists():
        raise SourceError(f"no source is written {scheme}:", _near_miss(scheme))
    if spec.startswith("/dev/"):
        raise SourceError(f"{spec} is a device, not a file", f"write v4l2:{spec}")
    return _recording(Path(spec), settings, clock)


def _scheme(spec: str) -> str | None:
    match = _SCHEME.match(spec)
    return match.group(1).lower() if match else None


def _is_recorded(spec: str) -> bool:
    return _scheme(spec) is None and spec.lower().endswith(".jsonl")


def _near_miss(scheme: str) -> str:
    if scheme in {"http", "https", "rtmp", "onvif"}:
        return "network cameras are read by RTSP: rtsp://user:password@host/path"
    if scheme in {"picamera", "libcamera", "csi"}:
        return "a Raspberry Pi camera is written picamera2"
    if scheme in {"usb", "webcam", "video"}:
        return "a USB camera is written v4l2:/dev/video0"
    return f"one of: {KINDS}"


def _live(grabber: Grabber, clock: Clock, name: str) -> LiveSource:
    return LiveSource(grabber, clock, name)


def _picamera(spec: str, settings: SourceSettings) -> Grabber:
    from firmware.vision.picamera import PiCamera

    _, _, number = spec.partition(":")
    if number and not number.isdecimal():
        raise SourceError(f"{spec} names no camera", "picamera2, or picamera2:1 for the second camera")
    return PiCamera(int(number or 0), settings.size[0], settings.fps_max)


def _v4l2(spec: str, settings: SourceSettings, clock: Clock) -> Grabber:
    from firmware.vision.v4l2 import V4l2Camera

    device = spec.partition(":")[2]
    if not device.startswith("/"):
        raise SourceError(f"{spec} names no device", "for instance v4l2:/dev/video0; `ls /dev/video*` lists cameras")
    return V4l2Camera(device, settings.size, settings.fps_max, clock)


def _rtsp(spec: str, settings: SourceSettings, clock: Clock) -> LiveSource:
    from firmware.vision.libav import without_credentials
    from firmware.vision.rtsp import RtspCamera

    name = without_credentials(spec)
    if not name.partition("://")[2].strip("/"):
        raise SourceError(f"{name} names no camera", "rtsp://user:password@host/path; the camera's manual names the path")
    return LiveSource(RtspCamera(spec, settings.fps_max, clock), clock, name)


def _simulated(spec: str, settings: SourceSettings, clock: Clock) -> FrameSource | DetectionSource:
    from firmware.vision import simulated_source

    wish = simulated_source.parse(spec, settings.fps_max)
    if spec.startswith("sim-boxes"):
        boxes = simulated_source.SimulatedBoxes(wish, endless=settings.live)
        return Paced(boxes, clock) if settings.live else boxes
    frames = simulated_source.SimulatedFrames(wish, endless=settings.live)
    return Paced(frames, clock) if settings.live else frames


def _recording(path: Path, settings: SourceSettings, clock: Clock) -> FrameSource | DetectionSource:
    if _is_recorded(str(path)):
        recorded = RecordedDetections(path)
        return Paced(recorded, clock) if settings.live else recorded
    from firmware.vision.video_file import VideoFile

    video = VideoFile(path, settings.fps_max, settings.threads)
    return Paced(video, clock) if settings.live else video
