"""MOTChallenge text in and out: one box a line, `frame, id, left, top, width, height, score, ...`, frames from 1, pixels.

Rules: the first line that does not fit is refused with file:line; columns are parted by commas or blanks; columns beyond
the seventh are not read. Scores of any range come in (0..1, logits of an old detector, all the same): `unit_scores` says
what they are worth in 0..1, in a way that is written down there. Reading and writing files is the caller's work.

Source: MOTChallenge's instructions; Milan et al., *MOT16: A benchmark for multi-object tracking* (2016), section 4.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from firmware.errors import DataError
from firmware.vision.detection import Detections

FRAME_MAX = 10_000_000  # four days at 30 frames a second; a larger number is a slip, and every frame costs a step
ROWS_MAX = 20_000_000  # about 1 GB of text; more would not fit a small machine's memory
COLUMNS_MIN = 6
SCORE_COLUMN = 6
TRUSTED = 0.5  # a score that the tracker's defaults trust with some room
TRUSTED_SHARE_MIN = 0.1  # of the boxes; a network that trusts fewer of its own boxes uses another range
DOUBTED_SHARE = 0.25  # of the boxes of a detector with a range of its own: as many are false in public detections of old detectors
ScoreRule = Literal["alike", "unit", "rank"]


@dataclass(frozen=True, slots=True)
class MotRows:
    """Boxes of one file, ordered by frame.

    Attributes:
        frames: (N,) int64, from 1.
        ids: (N,) int64; -1 where the file is of detections.
        boxes: (N, 4) float64, left, top, width, height in pixels.
        scores: (N,) float64, as the file has them; 1 where it has none.
    """

    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def frame_last(self) -> int:
        """The last frame with a box; 0 when there is none."""
        return int(self.frames[-1]) if len(self.frames) else 0


def parse(text: str, name: str) -> MotRows:
    """The rows of a file called `name`. Raises DataError with `name:line` at the first line that does not fit."""
    rows: list[tuple[float, ...]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line and not line.isspace():
            rows.append(_row(line.lstrip("\ufeff"), f"{name}:{number}"))
            if len(rows) > ROWS_MAX:
                raise DataError(f"{name}:{number}: more than {ROWS_MAX:,} boxes", "split the file")
    table = np.array(rows, np.float64).reshape(-1, 7)
    table = table[np.argsort(table[:, 0], kind="stable")]
    return MotRows(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2:6].copy(), table[:, 6].copy())


def _row(line: str, where: str) -> tuple[float, ...]:
    words = line.replace(",", " ").split()
    if len(words) < COLUMNS_MIN:
        raise DataError(f"{where}: {len(words)} columns, at least 6 are needed", "frame, id, left, top, width, height, score")
    try:
        numbers = [float(word) for word in words[:7]]
    except ValueError:
        raise DataError(f"{where}: {_not_a_number(words)!r} is not a number", "frame, id, left, top, width, height, score") from None
    if not all(map(math.isfinite, numbers)):
        raise DataError(f"{where}: a number is infinite or not a number", "every column must be finite")
    frame, track, _, _, width, height = numbers[:6]
    if frame != int(frame) or not 1 <= frame <= FRAME_MAX:
        raise DataError(f"{where}: frame {words[0]} is not a whole number from 1 to {FRAME_MAX:,}", "MOTChallenge counts frames from 1")
    if track != int(track):
        raise DataError(f"{where}: id {words[1]} is not a whole number", "detections carry -1")
    if width <= 0 or height <= 0:
        raise DataError(f"{where}: width {words[4]}, height {words[5]} enclose nothing", "the columns are left, top, width, height")
    return (*numbers, 1.0) if len(numbers) == SCORE_COLUMN else tuple(numbers)


def _not_a_number(words: list[str]) -> str:
    for word in words[:7]:
        try:
            float(word)
        except ValueError:
            return word[:40]
    return ""


def line(frame: int, track: int, box: Iterable[float], score: float = 1.0) -> str:
    """One row of a file of tracks; `box` is left, top, width, height in pixels."""
    left, top, width, height = box
    return f"{frame},{track},{left:.2f},{top:.2f},{width:.2f},{height:.2f},{score:.4g},-1,-1,-1\n"


def pixels(box: NDArray[np.float64], scale: float) -> tuple[float, float, float, float]:
    """x0 y0 x1 y1 of `frames_of` back to left, top, width, height."""
    left, top, right, bottom = (float(value) * scale for value in box)
    return left, top, right - left, bottom - top


def scale_px(rows: MotRows) -> float:
    """The pixels that become 1.0: the reach of the boxes, for the file does not tell the size of the picture.

    The tracker measures in box heights, so any common factor gives the same tracks.
    """
    return float(max(1.0, (rows.boxes[:, :2] + rows.boxes[:, 2:]).max(initial=1.0)))


def frames_of(rows: MotRows, fps: float) -> Iterator[Detections]:
    """Every frame from 1 to the last, empty ones too, at `fps`; boxes divided by `scale_px`, aspect 1."""
    scale = scale_px(rows)
    scores = unit_scores(rows.scores)
    corners = np.concatenate((rows.boxes[:, :2], rows.boxes[:, :2] + rows.boxes[:, 2:]), axis=1) / scale
    ends = np.searchsorted(rows.frames, np.arange(rows.frame_last + 1), side="right")
    for frame in range(1, rows.frame_last + 1):
        part = slice(ends[frame - 1], ends[frame])
        yield Detections((frame - 1) / fps, corners[part], scores[part], aspect=1.0)


def score_rule(scores: NDArray[np.float64]) -> ScoreRule:
    """How `unit_scores` reads these scores."""
    if not len(scores) or scores.min() == scores.max():
        return "alike"
    if scores.min() >= 0.0 and scores.max() <= 1.0 and np.mean(scores >= TRUSTED) >= TRUSTED_SHARE_MIN:
        return "unit"
    return "rank"


def unit_scores(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) scores of any detector to 0..1, where about 0.5 and more is what the tracker trusts.

    alike (all 1, all -1): every box is trusted. unit (within 0..1, and a tenth of them or more at least 0.5): as they are.
    rank, for a range of the detector's own (margins of an SVM, percent, a timid network): by their order, the lowest
    quarter from 0 to the trusted score, where it helps only to keep a track alive, the rest from there to 1.
    """
    rule = score_rule(scores)
    if rule == "alike":
        return np.ones(len(scores))
    if rule == "unit":
        return scores.astype(np.float64)
    ordered = np.sort(scores)
    rank = (np.searchsorted(ordered, scores, side="left") + np.searchsorted(ordered, scores, side="right")) / (2 * len(scores))
    return np.interp(rank, (0.0, DOUBTED_SHARE, 1.0), (0.0, TRUSTED, 1.0))
