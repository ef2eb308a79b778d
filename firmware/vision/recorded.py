"""Recorded detections, one JSON object a line: `{"t": 1.5, "boxes": [[x0, y0, x1, y1], ...], "scores": [0.9, ...]}`.

Boxes are in 0..1 of the picture, x0 < x1 and y0 < y1, times are seconds that never go back; a line may carry `width` and `height` (px)
of its picture, or `dropped`. Every line is delivered. What does not fit is a DataError with file, line and what to do;
nothing is skipped or guessed. Lines and boxes are bounded, so a wrong file cannot eat the memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Annotated, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from firmware.errors import DataError, SourceError
from firmware.vision.detection import Detections

LINE_BYTES_MAX: Final = 1_000_000  # ten thousand boxes are 700 KB
BOXES_MAX: Final = 10_000  # far beyond any crowd; the tracker takes the best of them
ROUNDING: Final = 1e-3  # boxes a rounding error outside the picture are brought back in
FORMAT: Final = '{"t": 1.5, "boxes": [[x0, y0, x1, y1], ...], "scores": [0.9, ...]}, boxes and scores in 0..1'

Box = tuple[float, float, float, float]
Pixels = Annotated[int, msgspec.Meta(ge=1, le=65_536)]


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    t: float
    boxes: list[Box]
    scores: list[float]
    width: Pixels | None = None
    height: Pixels | None = None
    dropped: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0


class RecordedDetections:
    """A DetectionSource that reads such a file.

    Args:
        path: the file; `name` is how messages call it.
        aspect: width divided by height of the picture, for lines that do not say.

    Raises:
        SourceError: the file cannot be opened.
    """

    live = False

    def __init__(self, path: Path, aspect: float = 16 / 9) -> None:
        try:
            self._file: IO[bytes] = path.open("rb")
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}", "check the path and its permissions") from error
        self._lines = read_detections(self._file, str(path), aspect)

    def read(self) -> Detections | None:
        """The next line's detections; None at the end.

        Raises:
            DataError: the line does not fit the format; `file:line: what; hint`.
        """
        try:
            found = next(self._lines, None)
        except DataError:
            self.close()
            raise
        if found is None:
            self.close()
        return found

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()


def read_detections(lines: Iterable[bytes], name: str, aspect: float = 16 / 9) -> Iterator[Detections]:
    """Each line's detections, in order.

    Args:
        lines: raw lines, for instance a file opened for binary reading.
        name: of the file, for messages.
        aspect: width divided by height, until a line says otherwise.

    Raises:
        DataError: a line does not fit, or there is none.
    """
    decoder = msgspec.json.Decoder(_Line)
    last_s, found = -math.inf, False
    for number, raw in enumerate(_bounded(lines, name), start=1):
        if not raw.strip():
            continue
        found = True
        where = f"{name}:{number}"
        line = _decoded(decoder, raw, where)
        if line.t < last_s:
            raise DataError(f"{where}: time goes back from {last_s:g} to {line.t:g} s", "sort the lines by t, or split the recordings")
        last_s = line.t
        if line.width and line.height:
            aspect = line.width / line.height
        boxes = _checked(line, where)
        yield Detections(line.t, boxes, np.array(line.scores, dtype=np.float64), aspect, line.dropped)
    if not found:
        raise DataError(f"{name}: holds no detections", f"expected lines of {FORMAT}")


def _bounded(lines: Iterable[bytes], name: str) -> Iterator[bytes]:
    """The lines, none longer than LINE_BYTES_MAX: a binary file may have no line ends at all."""
    readline = getattr(lines, "readline", None)
    if readline is None:
        yield from lines
        return
    number = 0
    while raw := readline(LINE_BYTES_MAX + 1):
        number += 1
        if len(raw) > LINE_BYTES_MAX:
            raise DataError(f"{name}:{number}: is longer than {LINE_BYTES_MAX} bytes", f"expected lines of {FORMAT}")
        yield raw


def _decoded(decoder: msgspec.json.Decoder[_Line], raw: bytes, where: str) -> _Line:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # a ValidationError is a DecodeError
        raise DataError(f"{where}: {_plain(error)}", f"expected {FORMAT}") from error


def _plain(error: Exception) -> str:
    """The decoder's words, without its `$` for the whole line."""
    return str(error).replace(" - at `$.", " - at `").replace(" - at `$`", "")


def _checked(line: _Line, where: str) -> NDArray[np.float64]:
    """The boxes as an array, (N, 4)."""
    if not math.isfinite(line.t):
        raise DataError(f"{where}: t is not a time", "seconds of the recording")
    if len(line.boxes) != len(line.scores):
        raise DataError(f"{where}: {len(line.boxes)} boxes but {len(line.scores)} scores", "one score for each box")
    if len(line.boxes) > BOXES_MAX:
        raise DataError(f"{where}: {len(line.boxes)} boxes", f"at most {BOXES_MAX}")
    boxes = np.array(line.boxes, dtype=np.float64).reshape(-1, 4)
    scores = np.array(line.scores, dtype=np.float64)
    inside = (boxes >= -ROUNDING) & (boxes <= 1 + ROUNDING)  # false for NaN, too
    if not inside.all():
        row = int(np.flatnonzero(~inside.all(axis=1))[0])
        raise DataError(
            f"{where}: box {row} is outside the picture: {_shown(boxes[row])}", "divide by the picture's width and height: 0..1"
        )
    if not ((scores >= 0) & (scores <= 1)).all():
        row = int(np.flatnonzero(~((scores >= 0) & (scores <= 1)))[0])
        raise DataError(f"{where}: score {row} is {scores[row]:g}", "scores lie in 0..1")
    boxes = np.clip(boxes, 0.0, 1.0)
    empty = (boxes[:, 2] <= boxes[:, 0]) | (boxes[:, 3] <= boxes[:, 1])
    if empty.any():
        row = int(np.flatnonzero(empty)[0])
        raise DataError(
            f"{where}: box {row} has no area: {_shown(boxes[row])}", "x0 y0 x1 y1 with x0 < x1 and y0 < y1, not x y width height"
        )
    return boxes


def _shown(box: NDArray[np.float64]) -> str:
    return "[" + ", ".join(f"{v:g}" for v in box) + "]"
