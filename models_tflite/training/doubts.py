"""People whom the labels forgot: where a second opinion is sure of somebody and no label is near, the picture neither teaches nor forbids.

The second opinion is the COCO detector of the data folder. Its boxes never become labels: it is wrong about people seen from above, which
is what our detector is for.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from models_tflite.training import judge
from models_tflite.training.pictures import Picture

SURE = 0.5
NEAR = 0.4  # share of the smaller box that a label and the second opinion share when they mean one person


def with_doubts(pictures: Iterable[Picture], detector: Path) -> Iterator[Picture]:
    """The pictures with forgotten people among the ignored."""
    judged = judge.Judged(judge.Entry(detector))
    for picture in pictures:
        height, width = picture.pixels.shape[:2]
        boxes = judged.find(picture.pixels, score_min=SURE).boxes * np.array([width, height, width, height])
        new = [box for box in boxes.astype(np.float32) if not near(box, np.concatenate([picture.boxes, picture.ignored]))]
        yield dataclasses.replace(picture, ignored=np.concatenate([picture.ignored, np.array(new, np.float32).reshape(-1, 4)]))


def near(box: np.ndarray, labels: np.ndarray) -> bool:
    """Whether any label shares much with a box [4]."""
    shared = np.prod(np.maximum(np.minimum(labels[:, 2:], box[2:]) - np.maximum(labels[:, :2], box[:2]), 0), axis=1)
    smaller = np.minimum(np.prod(labels[:, 2:] - labels[:, :2], axis=1), np.prod(box[2:] - box[:2]))
    return bool((shared / np.maximum(smaller, 1e-6) > NEAR).any())
