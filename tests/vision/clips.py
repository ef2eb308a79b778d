"""Small clips that tests make for themselves: no picture of anybody is kept in the project."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def write_clip(path: Path, times: Sequence[float], size: tuple[int, int] = (64, 48), *, codec: str = "mpeg4", noise: bool = False) -> Path:
    """A clip whose frame k has a red level of 10 k on its left half, at the times given (ms precision); `noise` makes the file large."""
    options = {"movflags": "faststart"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        stream.bit_rate = 2_000_000
        rng = np.random.default_rng(1)
        for number, t_s in enumerate(times):
            pixels = np.zeros((size[1], size[0], 3), dtype=np.uint8)
            pixels[:, : size[0] // 2, 0] = min(250, 10 * number + 20)
            if noise:
                pixels = rng.integers(0, 255, pixels.shape, dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = round(t_s * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_sound(path: Path) -> Path:
    """A file with sound and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), format="fltp", layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def turn(path: Path, quarters: int) -> Path:
    """Write a display matrix of clockwise quarter turns into an MP4's track header (ISO 14496-12, 8.3.2)."""
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarters % 4]
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4
    version = content[at]
    matrix = at + (52 if version else 40)
    one = 1 << 16
    struct.pack_into(">9i", content, matrix, cosine * one, sine * one, 0, -sine * one, cosine * one, 0, 0, 0, 1 << 30)
    path.write_bytes(bytes(content))
    return path
