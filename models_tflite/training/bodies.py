"""The body: what turns a picture into maps at strides 4, 8 and 16, cut off a published network and started from its weights.

`walker` is MobileNet v2 (Sandler and others 2018) cut after stride 16 out of an SSDLite detector of pedestrians (MIT): it has seen COCO's
people and furniture, and people from above. Classifiers' bodies (MobileNet v1, EfficientNet-Lite0) needed far more training to get less
far: see the lab book.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from models_tflite.training.layers import Inverted, Layer

BATCH_NORM_FLOOR = 1e-3  # the epsilon of TensorFlow's detectors


@dataclass(frozen=True)
class Stage:
    """Alike blocks: how many, output channels, stride of the first, widening."""

    blocks: int
    out: int
    stride: int
    widen: int


STEM = 32
STAGES = {
    "walker": (Stage(1, 16, 1, 1), Stage(2, 24, 2, 6), Stage(3, 32, 2, 6), Stage(4, 64, 2, 6), Stage(3, 96, 1, 6)),
    "tiny": (Stage(1, 8, 1, 1), Stage(1, 12, 2, 2), Stage(1, 16, 2, 2), Stage(1, 24, 2, 2)),  # for tests of the recipe
}


def blocks_of(name: str) -> tuple[list[nn.Module], list[int]]:
    """(blocks, output channels of each) of a body."""
    made: list[nn.Module] = []
    outs, width = [], STEM
    for stage in STAGES[name]:
        for number in range(stage.blocks):
            made.append(Inverted(width, stage.out, stage.stride if number == 0 else 1, 3, stage.widen))
            width = stage.out
            outs.append(width)
    return made, outs


def fold_walker(path: Path, blocks: int) -> dict[str, torch.Tensor]:
    """Stem and first blocks of a frozen TensorFlow graph's MobileNet v2 as half-precision `stem`, `N.wide`, `N.depth`, `N.point`."""
    import tensorflow as tf

    graph = tf.compat.v1.GraphDef.FromString(path.read_bytes())
    body = "FeatureExtractor/MobilenetV2/"
    floats = {
        node.name.removeprefix(body): tf.make_ndarray(node.attr["value"].tensor)
        for node in graph.node
        if node.op == "Const" and node.name.startswith(body)
    }
    made = {}

    def add(name: str, layer: str, kind: str, order: tuple[int, int, int, int]) -> None:
        weight, bias = folded(floats[f"{layer}/{kind}"].transpose(order), {part: floats[f"{layer}/BatchNorm/{part}"] for part in NORM})
        made[f"{name}.weight"], made[f"{name}.bias"] = torch.from_numpy(weight).half(), torch.from_numpy(bias).half()

    add("stem", "Conv", "weights", (3, 2, 0, 1))
    for number in range(blocks):
        block = f"expanded_conv_{number}" if number else "expanded_conv"
        if number:
            add(f"{number}.wide", f"{block}/expand", "weights", (3, 2, 0, 1))
        add(f"{number}.depth", f"{block}/depthwise", "depthwise_weights", (2, 3, 0, 1))
        add(f"{number}.point", f"{block}/project", "weights", (3, 2, 0, 1))
    return made


NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def folded(weight: np.ndarray, norm: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(weight [out, in, k, k], bias [out]) of a convolution with the batch normalisation after it folded in."""
    scale = norm["gamma"] / np.sqrt(norm["moving_variance"] + BATCH_NORM_FLOOR)
    return np.ascontiguousarray(weight * scale[:, None, None, None]), norm["beta"] - norm["moving_mean"] * scale


def fill(detector: nn.Module, state: dict[str, torch.Tensor]) -> None:
    """Loads stem and as many blocks as the detector has from folded weights."""

    def load(layer: Layer, name: str) -> None:
        layer.load(state[f"{name}.weight"].float(), state[f"{name}.bias"].float())

    load(detector.stem, "stem")
    for number, block in enumerate(detector.blocks):
        for part in ("wide", "depth", "point"):
            layer = getattr(block, part, None)
            if layer is not None:
                load(layer, f"{number}.{part}")
