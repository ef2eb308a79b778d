"""What teachers make of labels: tighter boxes, forgotten people, and whole clips that nobody labelled.

`corrected` takes the teachers' box where label and teachers mean one person: uploaders turned and squeezed their pictures, and boxes grew
with them. `doubted` leaves careful labels as they are. In both, people whom the labels forgot become people where the teachers are sure,
and otherwise neither person nor background.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from models_tflite.training import judge
from models_tflite.training.measure import Found, iou
from models_tflite.training.pictures import Picture
from models_tflite.training.teachers import Teachers

SAME = 0.42  # overlap from which a label and the teachers mean one person
TRUSTED = 0.25  # score from which the teachers' box is better than a label
SURE, UNSURE = 0.42, 0.2  # scores of a forgotten person; of somebody perhaps
SEEN, PERHAPS = 0.3, 0.12  # the same in a clip, where nobody else says
NEAR = 0.4  # share of the smaller box that a label and the teachers share when they mean one person or a part
EVERY = 2  # frames of a clip


def corrected(pictures: Iterable[Picture], teachers: Teachers) -> Iterator[Picture]:
    """The pictures with the teachers' boxes for people whom labels and teachers see; forgotten people are added."""
    for picture in pictures:
        seen = in_pixels(teachers.look(picture.pixels), picture.pixels)
        boxes = tightened(picture.boxes, seen)
        forgotten = alone(seen, np.concatenate([picture.boxes, picture.ignored]))
        sure = forgotten.scores >= SURE
        unsure = ~sure & (forgotten.scores >= UNSURE)
        yield dataclasses.replace(
            picture,
            boxes=np.concatenate([boxes, forgotten.boxes[sure]]),
            ignored=np.concatenate([picture.ignored, forgotten.boxes[unsure]]),
        )


def doubted(pictures: Iterable[Picture], teachers: Teachers) -> Iterator[Picture]:
    """The pictures with their labels; forgotten people are neither person nor background."""
    for picture in pictures:
        seen = in_pixels(teachers.look(picture.pixels, tiled=True), picture.pixels)
        forgotten = alone(seen, np.concatenate([picture.boxes, picture.ignored]))
        yield dataclasses.replace(picture, ignored=np.concatenate([picture.ignored, forgotten.boxes[forgotten.scores >= UNSURE]]))


def watched(path: Path, teachers: Teachers) -> Iterator[Picture]:
    """The frames of a clip that nobody labelled, with what the teachers see."""
    for number, pixels in enumerate(judge.clip(path, EVERY)):
        seen = in_pixels(teachers.look(pixels, tiled=True), pixels)
        sure = seen.scores >= SEEN
        perhaps = ~sure & (seen.scores >= PERHAPS)
        yield Picture(f"{path.stem}-{number}", pixels, seen.boxes[sure], seen.boxes[perhaps])


def in_pixels(found: Found, pixels: np.ndarray) -> Found:
    """Boxes in 0..1 as pixels of the picture."""
    height, width = pixels.shape[:2]
    return Found((found.boxes * np.array([width, height] * 2)).astype(np.float32), found.scores)


def tightened(labels: np.ndarray, seen: Found) -> np.ndarray:
    """Labels [n, 4], each replaced by the trusted box that means the same person; no box serves two labels."""
    made = labels.copy()
    trusted = np.flatnonzero(seen.scores >= TRUSTED)
    if not len(labels) or not len(trusted):
        return made
    shared = iou(labels, seen.boxes[trusted])
    while shared.max() >= SAME:
        label, box = np.unravel_index(shared.argmax(), shared.shape)
        made[label] = seen.boxes[trusted[box]]
        shared[label], shared[:, box] = -1, -1
    return made


def alone(seen: Found, labels: np.ndarray) -> Found:
    """What the teachers see where no label is near."""
    kept = [index for index, box in enumerate(seen.boxes) if not near(box, labels)]
    return Found(seen.boxes[kept], seen.scores[kept])


def near(box: np.ndarray, labels: np.ndarray) -> bool:
    """Whether any label shares much with a box [4]."""
    shared = np.prod(np.maximum(np.minimum(labels[:, 2:], box[2:]) - np.maximum(labels[:, :2], box[:2]), 0), axis=1)
    smaller = np.minimum(np.prod(labels[:, 2:] - labels[:, :2], axis=1), np.prod(box[2:] - box[:2]))
    return bool((shared / np.maximum(smaller, 1e-6) > NEAR).any())
