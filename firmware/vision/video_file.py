"""Video files: every frame in order with its presentation time, upright, in RGB.

Times are seconds since the first frame, from the file's own time stamps, so a variable frame rate stays one. With `fps_max` the
frames between are decoded but not converted. A file that ends long before its own length says so instead of ending quietly:
counts of half a recording must not pass for the whole. Decoding is PyAV's (FFmpeg).
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import av.error

from firmware.errors import SourceError
from firmware.vision.frame import Frame
from firmware.vision.libav import Developer, open_container
from firmware.vision.newest import Thinner

# What FFmpeg may take a file for. Without this list it finds "video" in text files, and playlists that open other addresses.
FORMATS: Final = frozenset({
    "3gp", "asf", "avi", "flv", "gif", "h264", "hevc", "m4v", "matroska", "mjpeg", "mov", "mp4", "mpeg", "mpegts", "mpegvideo", "ogg",
    "webm", "apng", "dav", "mxf", "ivf",
})  # fmt: skip
MISSING_S: Final = 2.0  # a file may end so much before its stated length: last frames last long
MISSING_SHARE: Final = 0.05


class VideoFile:
    """A FrameSource that delivers a video file's frames.

    Args:
        path: the file.
        fps_max: leave frames out above this rate; None: deliver every one.
        threads: of the decoder; 0 as many as it likes, 1 leaves the other cores to the model.

    Raises:
        SourceError: no such file, not a video, no picture in it.
    """

    live = False

    def __init__(self, path: Path, fps_max: float | None = None, threads: int = 0) -> None:
        self._name = str(path)
        self._container = _opened(path)
        try:
            self._stream = _picture_stream(self._container, self._name)
        except SourceError:
            self._container.close()
            raise
        context = self._stream.codec_context
        context.thread_count = threads
        self._stream.thread_type = "AUTO" if threads != 1 else "NONE"
        self._length_s = _length_s(self._stream)
        self._developer = Developer(self._name)
        self._frames = self._decoded(Thinner(fps_max))
        self._closed = False

    @property
    def seconds(self) -> float | None:
        """How long the file says it is; None when it does not say. For progress bars."""
        return self._length_s

    def read(self) -> Frame | None:
        """The next frame; None at the end.

        Raises:
            SourceError: the file is broken here, or ends before its own length.
        """
        return None if self._closed else next(self._frames, None)

    def close(self) -> None:
        """Close the file; may be called twice."""
        if not self._closed:
            self._closed = True
            self._frames.close()
            self._container.close()

    def _decoded(self, thinner: Thinner) -> Generator[Frame]:
        first_s: float | None = None
        last_s, count = 0.0, 0
        try:
            for decoded in self._container.decode(self._stream):
                stamp = decoded.time if decoded.time is not None else _guessed_s(self._stream, count)
                first_s = stamp if first_s is None else first_s
                last_s = max(last_s, stamp - first_s)  # a broken stamp must not turn time back
                count += 1
                if thinner.wants(last_s):
                    yield Frame(last_s, self._developer.develop(decoded))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise SourceError(f"{self._name} is broken after {last_s:.1f} s", "copy or export the recording again") from error
        if not count:
            raise SourceError(f"{self._name} holds no picture", "copy or export the recording again")
        if self._length_s is not None and self._length_s - last_s > max(MISSING_S, MISSING_SHARE * self._length_s):
            raise SourceError(
                f"{self._name} ends after {last_s:.1f} s of {self._length_s:.1f} s: it was cut off", "copy or export the recording again"
            )


def _opened(path: Path) -> Any:
    try:
        if path.is_file() and path.stat().st_size == 0:
            raise SourceError(f"{path} is empty", "copy or export the recording again")
        container = open_container(f"file:{path}", options={"protocol_whitelist": "file"})
    except FileNotFoundError as error:
        raise SourceError(
            f"there is no file {path}", "check the path; cameras are written picamera2, v4l2:/dev/video0 or rtsp://..."
        ) from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if path.is_dir():
            raise SourceError(f"{path} is a folder", "name one video file") from error
        if isinstance(error, PermissionError):
            raise SourceError(f"{path} may not be read", "check its permissions") from error
        raise SourceError(f"{path} is not a video, or it was cut off while it was written", "try to play it; export it again") from error
    if not FORMATS & set(container.format.name.split(",")):
        kind = container.format.name
        container.close()
        raise SourceError(f"{path} is not a video (it looks like {kind})", "MP4, MKV, AVI, MOV, WebM, MPEG-TS and GIF can be read")
    return container


def _picture_stream(container: Any, name: str) -> Any:
    for stream in container.streams.video:
        if stream.codec_context is not None and not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    raise SourceError(f"{name} holds no video stream" + (", only sound" if container.streams.audio else ""), "name a video with a picture")


def _length_s(stream: Any) -> float | None:
    """The picture's own length; that of the file may be the sound's."""
    if stream.duration is None or stream.time_base is None:
        return None
    return float(stream.duration * stream.time_base)


def _guessed_s(stream: Any, count: int) -> float:
    """The time of a frame without a stamp (raw H.264): by its number and the rate the stream states, else 25 a second."""
    rate = stream.average_rate or stream.guessed_rate or 25
    return count / float(rate)
