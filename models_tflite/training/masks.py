"""Outlines of the people in the labelled pictures, so that they can be cut out and set elsewhere.

A segmentation model (DeepLab v3, Pascal classes) looks at each person large enough; the connected region that fills the box is the person,
if its own bounds agree with the label. What disagrees is not used: better few clean cut-outs than many ragged ones.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from models_tflite.training.pictures import Picture

PERSON_CLASS = 15  # of Pascal VOC
TALL_MIN, WIDE_MIN = 56.0, 16.0  # pixels: below, the outline is guesswork
CONTEXT = 1.25  # side of the square looked at, in longer sides of the box
OVERLAP_MIN = 0.72  # of label and outline bounds
FILLED = (0.28, 0.92)  # share of the box that a person's outline fills
CROWD_MAX = 0.3  # share of the box that other labelled people may take


class Outliner:
    """The segmentation model on one thread."""

    def __init__(self, path: Path):
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        # XNNPACK refuses one of its operators.
        plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        self.interpreter = Interpreter(str(path), num_threads=1, experimental_op_resolver_type=plain)
        self.interpreter.allocate_tensors()
        self.source = self.interpreter.get_input_details()[0]["index"]
        self.sink = self.interpreter.get_output_details()[0]["index"]
        self.side = int(self.interpreter.get_input_details()[0]["shape"][1])

    def people(self, pixels: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(bool [side, side], affine [2, 3] from picture to it): where the model sees people around a box [4]."""
        side = CONTEXT * float(max(box[2] - box[0], box[3] - box[1]))
        scale = self.side / side
        left, top = (box[0] + box[2] - side) / 2, (box[1] + box[3] - side) / 2
        turn = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]], np.float32)
        crop = cv2.warpAffine(pixels, turn, (self.side, self.side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        self.interpreter.set_tensor(self.source, crop[None])
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.sink)[0] == PERSON_CLASS, turn


def outlined(pictures: Iterable[Picture], outliner: Outliner) -> Iterator[Picture]:
    """The pictures with masks and cut-outs where they can be trusted."""
    for picture in pictures:
        mask, cutouts = np.zeros(picture.pixels.shape[:2], np.uint8), []
        for index, box in enumerate(picture.boxes):
            if box[3] - box[1] < TALL_MIN or box[2] - box[0] < WIDE_MIN or crowded(picture.boxes, index):
                continue
            found = outline(outliner, picture.pixels, box)
            if found is not None:
                mask = np.maximum(mask, found)
                cutouts.append(box)
        if cutouts:
            yield dataclasses.replace(picture, mask=mask, cutouts=np.array(cutouts, np.float32))
        else:
            yield picture


def crowded(boxes: np.ndarray, index: int) -> bool:
    """Whether other people take much of a box."""
    box, others = boxes[index], np.delete(boxes, index, axis=0)
    if not len(others):
        return False
    shared = np.prod(np.maximum(np.minimum(others[:, 2:], box[2:]) - np.maximum(others[:, :2], box[:2]), 0), axis=1)
    return bool((shared / np.prod(box[2:] - box[:2]) > CROWD_MAX).any())


def outline(outliner: Outliner, pixels: np.ndarray, box: np.ndarray) -> np.ndarray | None:
    """uint8 [h, w], 255 on the person of one box; None where region and label disagree."""
    people, turn = outliner.people(pixels, box)
    count, regions = cv2.connectedComponents(people.astype(np.uint8), connectivity=4)
    left, top, right, bottom = (turn @ [[box[0], box[2]], [box[1], box[3]], [1, 1]]).T.ravel()
    inner = regions[max(0, round(top)) : round(bottom), max(0, round(left)) : round(right)]
    sizes = np.bincount(inner.ravel(), minlength=count)[1:]
    if not len(sizes) or not FILLED[0] <= sizes.max() / inner.size <= FILLED[1]:
        return None
    region = regions == 1 + int(sizes.argmax())
    across, down = np.flatnonzero(region.any(0)), np.flatnonzero(region.any(1))
    bounds = np.array([across[0], down[0], across[-1] + 1, down[-1] + 1], np.float64)
    if agreement(bounds, np.array([left, top, right, bottom])) < OVERLAP_MIN:
        return None
    size = pixels.shape[1::-1]
    return cv2.warpAffine(region.astype(np.uint8) * 255, cv2.invertAffineTransform(turn), size, flags=cv2.INTER_LINEAR)


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two boxes [4]."""
    shared = float(np.prod(np.maximum(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0)))
    return shared / float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - shared)
