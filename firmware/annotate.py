"""A film of what was counted: boxes, lines and zones on a blank floor, or on the recording itself when asked to.

Without `pixels` no part of any frame is read: the film shows rectangles that move, and can be shown to anybody. It has no
ids: nobody in it can be followed by a number. Encoding is PyAV's (FFmpeg); frames carry their own times.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import av.error
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from firmware.config import CameraConfig, LineConfig, ZoneConfig
from firmware.errors import StorageError
from firmware.health import LiveNumbers
from firmware.vision.detection import Detections

WIDTH_MAX: Final = 960  # pixels: legible text, small files
FLOOR: Final = (236, 234, 228)
INK: Final = (40, 40, 40)
PERSON: Final = (31, 94, 170)
LINE: Final = (190, 60, 40)
AREA: Final = (60, 140, 90)
QUEUE: Final = (150, 90, 170)
ARROW_SHARE: Final = 0.06  # of the picture's height: the arrow that shows which way is in
_TIME_BASE: Final = Fraction(1, 1000)
_CODECS: Final = ("libx264", "mpeg4")  # the first that this FFmpeg has


class Film:
    """Writes the film, frame by frame."""

    def __init__(self, path: Path, camera: CameraConfig) -> None:
        """The file is opened with the first frame, which says the shape of the picture."""
        self._path, self._camera = path, camera
        self._container: Any = None
        self._stream: Any = None
        self._size = (0, 0)
        self._start_s = 0.0
        self._pts = -1

    def draw(self, detections: Detections, live: LiveNumbers, pixels: NDArray[np.uint8] | None = None) -> None:
        """One frame: what was detected, and the numbers as of now.

        Raises:
            StorageError: the film cannot be written.
        """
        try:
            if self._container is None:
                self._open(detections)
            picture = picture_of(detections, live, self._camera, self._size, pixels)
            frame = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
            self._pts = max(round((detections.t_s - self._start_s) * 1000), self._pts + 1)
            frame.pts, frame.time_base = self._pts, _TIME_BASE
            self._container.mux(self._stream.encode(frame))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise StorageError(f"{self._path}: cannot be written: {error}", "the name must end in .mp4, in a folder that exists") from error

    def close(self) -> None:
        """Finish the file; may be called twice."""
        if self._container is not None:
            container, self._container = self._container, None
            try:
                container.mux(self._stream.encode(None))
                container.close()
            except (av.error.FFmpegError, OSError) as error:
                raise StorageError(f"{self._path}: cannot be finished: {error}", "is the disk full?") from error

    def _open(self, detections: Detections) -> None:
        height = round(WIDTH_MAX / detections.aspect / 2) * 2
        self._size, self._start_s = (WIDTH_MAX, height), detections.t_s
        self._path.open("wb").close()  # FFmpeg would say so only at the end
        self._container = av.open(str(self._path), "w")
        codec = next(name for name in _CODECS if name in av.codecs_available)
        self._stream = self._container.add_stream(codec, rate=30)
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = self._stream.codec_context.time_base = _TIME_BASE


def picture_of(
    detections: Detections, live: LiveNumbers, camera: CameraConfig, size: tuple[int, int], pixels: NDArray[np.uint8] | None = None
) -> Image.Image:
    """One picture of the film."""
    picture = Image.new("RGB", size, FLOOR) if pixels is None else Image.fromarray(np.ascontiguousarray(pixels)).resize(size)
    draw = ImageDraw.Draw(picture)
    for zone, now in zip(camera.zone, live.zones, strict=True):
        _draw_zone(draw, size, zone, f"{zone.name}: {now.count}")
    for line, counted in zip(camera.line, live.lines, strict=True):
        _draw_line(draw, size, line, f"{line.name}: in {counted.entries} out {counted.exits}")
    for x0, y0, x1, y1 in detections.boxes.tolist():
        draw.rectangle((*_at(size, x0, y0), *_at(size, x1, y1)), outline=PERSON, width=2)
        foot_x, foot_y = _at(size, (x0 + x1) / 2, y1)
        draw.ellipse((foot_x - 3, foot_y - 3, foot_x + 3, foot_y + 3), fill=PERSON)
    draw.text((6, 4), f"{detections.t_s:.1f} s", fill=INK)
    return picture


def _at(size: tuple[int, int], x: float, y: float) -> tuple[float, float]:
    return x * size[0], y * size[1]


def _draw_zone(draw: ImageDraw.ImageDraw, size: tuple[int, int], zone: ZoneConfig, text: str) -> None:
    colour = QUEUE if zone.kind == "queue" else AREA
    corners = [_at(size, *point) for point in zone.polygon]
    draw.polygon(corners, outline=colour, width=2)
    if zone.service_side is not None:
        draw.line((*corners[zone.service_side], *corners[(zone.service_side + 1) % len(corners)]), fill=colour, width=6)
    draw.text((corners[0][0] + 4, corners[0][1] + 4), text, fill=colour)


def _draw_line(draw: ImageDraw.ImageDraw, size: tuple[int, int], line: LineConfig, text: str) -> None:
    """The line, and an arrow from its middle to the side that is in."""
    start, end = np.array(_at(size, *line.start)), np.array(_at(size, *line.end))
    draw.line((*start.tolist(), *end.tolist()), fill=LINE, width=3)
    along = end - start
    length = float(np.hypot(along[0], along[1])) or 1.0
    left = np.array((along[1], -along[0])) / length  # seen in the picture, y down
    middle, step = (start + end) / 2, ARROW_SHARE * size[1] * (left if line.in_side == "left" else -left)
    tip = middle + step
    draw.line((*middle.tolist(), *tip.tolist()), fill=LINE, width=3)
    wing = np.array((-step[1], step[0])) * 0.3
    draw.polygon([tuple((tip + step * 0.3).tolist()), tuple((tip + wing).tolist()), tuple((tip - wing).tolist())], fill=LINE)
    draw.text((middle[0] + 6, middle[1] + 4), text, fill=LINE)
