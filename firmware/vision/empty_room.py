"""The empty room: the one picture that may ever leave vision, small, grey, and with nobody in it.

The median of SECONDS_MIN or more of samples, each without the people in it. Nobody, by four rules: every box of every frame,
down to a score at which most are nobody, is grown and left out; what was left out stays so for HOLD_S before and after, so
that a detector that misses somebody for a moment shows nothing of them; a place counts only if it was clear for SECONDS_MIN,
and looked the same in the earlier samples as in the later; a place that was not is filled with one flat grey. A view with too much of that
is refused, in words. Samples live while one is being made, in this process, and are dropped with it.
Left to others: who may ask (`firmware.daemon`), when it is forgotten, the message (`firmware.wall`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from firmware.vision.detection import Detections
from firmware.vision.frame import Frame
from firmware.wall import ROOM_EDGE_MAX, EmptyRoom

SECONDS_MIN: Final = 20.0  # privacy: the shortest time whose median a passer-by leaves no trace in
SECONDS_MAX: Final = 120.0  # an installer waits no longer
SAMPLE_S: Final = 0.5
HOLD_S: Final = 2.0  # at ten frames a second twenty misses in a row on either side: no detector that finds people at all does that
SCORE_MIN: Final = 0.15  # the packaged detector misses 1 in 50 bodies of a crowd in one frame from here on; below, it is mostly wrong
GROWN_WIDTH: Final = 0.3  # of the box, on each side: arms, bags, a pushchair
GROWN_HEIGHT: Final = 0.15  # ... above and below: hair, shadow at the feet
DRIFT_LEVELS: Final = 24  # of 255, between earlier and later samples: a lamp, yes; somebody who left, no
KNOWN_ENOUGH: Final = 0.98  # then there is nothing to wait for ...
KNOWN_WELL: Final = 0.8  # ... and after PATIENCE_S this will do: a detector takes some things for people again and again
PATIENCE_S: Final = 40.0
KNOWN_MIN: Final = 0.5  # of the view: below, no line can be drawn on it
UNKNOWN: Final = 128  # flat grey

Grey = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment: (h, w) grey levels, and (h, w) where somebody may have been."""

    grey: Grey
    people: Mask


class EmptyRoomMaker:
    """Makes one empty room. `take` each frame until it gives something back, then drop it."""

    def __init__(self, camera: str) -> None:
        """`camera` is the name that goes into the message."""
        self._camera = camera
        self._samples: list[Sample] = []
        self._began_s: float | None = None
        self._sampled_s = 0.0
        self._people: Mask | None = None

    def take(self, frame: Frame, detections: Detections) -> EmptyRoom | None:
        """A frame and everybody in it; the result once there is one, a refusal included."""
        if self._began_s is None or self._people is None:
            self._began_s = self._sampled_s = frame.t_s
            self._people = np.zeros(_size(frame), np.bool_)
        if self._people.shape != _size(frame):  # the camera changed its picture: begin again
            self._samples, self._people = [], np.zeros(_size(frame), np.bool_)
        mark(self._people, detections)
        if frame.t_s - self._sampled_s < SAMPLE_S:
            return None
        self._sampled_s = frame.t_s
        self._samples.append(Sample(shrunk(frame.pixels), self._people))
        self._people = np.zeros_like(self._people)
        return self._result(frame.t_s - self._began_s)

    def _result(self, seconds: float) -> EmptyRoom | None:
        if seconds < SECONDS_MIN or (seconds < SECONDS_MAX and len(self._samples) % 4):  # look at it every two seconds
            return None
        grey, known = median_without_people(self._samples)
        share = float(known.mean())
        if share < (KNOWN_ENOUGH if seconds < PATIENCE_S else KNOWN_WELL) and seconds < SECONDS_MAX:
            return None
        height, width = grey.shape
        if share < KNOWN_MIN:
            refused = f"people hid {100 - round(100 * share)} % of the view for {seconds:.0f} s: ask again when it is quieter"
            return EmptyRoom(self._camera, 0, 0, b"", round(1000 * share), int(seconds), refused)
        return EmptyRoom(self._camera, width, height, grey.tobytes(), round(1000 * share), int(seconds))


def median_without_people(samples: list[Sample]) -> tuple[Grey, Mask]:
    """(h, w) grey levels and (h, w) where they are known; UNKNOWN elsewhere. Samples are SAMPLE_S apart."""
    grey = np.stack([sample.grey for sample in samples])
    hidden = _held(np.stack([sample.people for sample in samples]), round(HOLD_S / SAMPLE_S))
    clear = (~hidden).sum(axis=0)
    half = len(samples) // 2
    early, late = _median(grey[:half], hidden[:half]), _median(grey[half:], hidden[half:])
    both = (early <= 255) & (late <= 255)
    steady = ~both | (np.abs(early - late) <= DRIFT_LEVELS)
    known = (clear * SAMPLE_S >= SECONDS_MIN) & steady
    return np.where(known, np.minimum(_median(grey, hidden), 255), UNKNOWN).astype(np.uint8), known


def mark(people: Mask, detections: Detections) -> None:
    """Set `people` (h, w) wherever a grown box lies."""
    height, width = people.shape
    for x0, y0, x1, y1 in detections.boxes[detections.scores >= SCORE_MIN].tolist():
        across, down = GROWN_WIDTH * (x1 - x0), GROWN_HEIGHT * (y1 - y0)
        left, right = int((x0 - across) * width) - 1, int(np.ceil((x1 + across) * width)) + 1
        top, bottom = int((y0 - down) * height) - 1, int(np.ceil((y1 + down) * height)) + 1
        people[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = True


def shrunk(pixels: NDArray[np.uint8]) -> Grey:
    """(h, w) grey of (H, W, 3): means of square blocks, no edge longer than ROOM_EDGE_MAX; a part of a block at the border falls off."""
    step = _step(pixels.shape[0], pixels.shape[1])
    height, width = pixels.shape[0] // step, pixels.shape[1] // step
    blocks = pixels[: height * step, : width * step].reshape(height, step, width, step, 3)
    red, green, blue = np.moveaxis(blocks.mean(axis=(1, 3), dtype=np.float32), -1, 0)
    grey: Grey = (0.299 * red + 0.587 * green + 0.114 * blue + 0.5).astype(np.uint8)  # ITU-R BT.601
    return grey


def _step(height: int, width: int) -> int:
    return -(-max(height, width) // ROOM_EDGE_MAX)


def _size(frame: Frame) -> tuple[int, int]:
    height, width = frame.pixels.shape[:2]
    step = _step(height, width)
    return height // step, width // step


def _held(people: Mask, samples: int) -> Mask:
    """What is hidden in one of (T, h, w) is hidden so many samples before and after."""
    held = people.copy()
    for shift in range(1, min(samples, len(people) - 1) + 1):
        held[shift:] |= people[:-shift]
        held[:-shift] |= people[shift:]
    return held


def _median(grey: Grey, hidden: Mask) -> NDArray[np.int16]:
    """(h, w): the lower median of the levels that are not hidden; 256 where all are."""
    levels = np.where(hidden, np.int16(256), grey.astype(np.int16))
    levels.sort(axis=0)
    middle = np.maximum((~hidden).sum(axis=0) - 1, 0) // 2
    taken: NDArray[np.int16] = np.take_along_axis(levels, middle[None], axis=0)[0]
    return taken
