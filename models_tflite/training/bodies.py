"""The bodies: what turns a picture into maps at strides 4, 8, 16 (and 32), cut off ImageNet classifiers and started from their weights.

`mobilenet-0.5` is MobileNet v1 at half width (Howard and others 2017), small and fast. `lite0` is EfficientNet-Lite0 (Google 2020, made
for integer arithmetic) cut after stride 16: far stronger features for twice the time a pixel.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from models_tflite.training.layers import Inverted, Layer, Separable

# MobileNet v1: output channels at width 1.0 and stride of each separable block.
MOBILENET = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
)
BATCH_NORM_FLOOR = 1e-3  # EfficientNet's epsilon


@dataclass(frozen=True)
class Stage:
    """Alike blocks: how many, output channels, stride of the first, kernel, widening."""

    blocks: int
    out: int
    stride: int
    kernel: int
    widen: int


LITES = {"lite0": (Stage(1, 16, 1, 3, 1), Stage(2, 24, 2, 3, 6), Stage(2, 40, 2, 5, 6), Stage(3, 80, 2, 3, 6), Stage(3, 112, 1, 5, 6))}


def blocks_of(name: str) -> tuple[int, list[nn.Module], list[int]]:
    """(stem channels, blocks, output channels of each) of a body."""
    if name.startswith("mobilenet-"):
        share = float(name.removeprefix("mobilenet-"))
        width = stem = int(32 * share)
        outs = [int(channels * share) for channels, _ in MOBILENET]
        sources = [width, *outs]
        return stem, [Separable(source, out, stride) for source, out, (_, stride) in zip(sources, outs, MOBILENET, strict=False)], outs
    made: list[nn.Module] = []
    outs, width = [], 32
    for stage in LITES[name]:
        for number in range(stage.blocks):
            made.append(Inverted(width, stage.out, stage.stride if number == 0 else 1, stage.kernel, stage.widen))
            width = stage.out
            outs.append(width)
    return 32, made, outs


def read_floats(path: Path) -> dict[str, np.ndarray]:
    """All quantised constants of a TFLite file by tensor name, as float32."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    found = {}
    for detail in interpreter.get_tensor_details():
        scale, zero = detail["quantization"]
        if scale and ("weights_quant" in detail["name"] or detail["name"].endswith("bias")):
            found[detail["name"]] = (interpreter.get_tensor(detail["index"]).astype(np.float32) - zero) * scale
    return found


def fold_mobilenet(path: Path) -> dict[str, torch.Tensor]:
    """A quantised MobileNet v1 as half-precision `stem`, `N.depth`, `N.point` weights and biases."""
    floats = read_floats(path)
    made = {}

    def add(name: str, stem: str, order: tuple[int, int, int, int]) -> None:
        weight = next(value for key, value in floats.items() if key.startswith(stem + "/") and "weights_quant" in key)
        bias = next(value for key, value in floats.items() if key.startswith(stem + "/") and key.endswith("bias"))
        made[f"{name}.weight"] = torch.from_numpy(np.ascontiguousarray(weight.transpose(order))).half()
        made[f"{name}.bias"] = torch.from_numpy(bias).half()

    prefix = "MobilenetV1/MobilenetV1/Conv2d_"
    add("stem", f"{prefix}0", (0, 3, 1, 2))
    for number in range(len(MOBILENET)):
        add(f"{number}.depth", f"{prefix}{number + 1}_depthwise", (3, 0, 1, 2))
        add(f"{number}.point", f"{prefix}{number + 1}_pointwise", (0, 3, 1, 2))
    return made


def folded(state: dict[str, torch.Tensor], convolution: str, norm: str) -> tuple[torch.Tensor, torch.Tensor]:
    """(weight, bias) of a convolution with its batch normalisation folded in."""
    scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + BATCH_NORM_FLOOR).sqrt()
    return state[f"{convolution}.weight"] * scale[:, None, None, None], state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale


def fold_lite(state: dict[str, torch.Tensor], blocks: int) -> dict[str, torch.Tensor]:
    """The stem and first blocks of an EfficientNet-Lite as half-precision `stem`, `N.wide`, `N.depth`, `N.point` weights and biases."""
    made = {}

    def add(name: str, convolution: str, norm: str) -> None:
        weight, bias = folded(state, convolution, norm)
        made[f"{name}.weight"], made[f"{name}.bias"] = weight.half(), bias.half()

    add("stem", "_conv_stem", "_bn0")
    for number in range(blocks):
        block = f"_blocks.{number}"
        if f"{block}._expand_conv.weight" in state:
            add(f"{number}.wide", f"{block}._expand_conv", f"{block}._bn0")
        add(f"{number}.depth", f"{block}._depthwise_conv", f"{block}._bn1")
        add(f"{number}.point", f"{block}._project_conv", f"{block}._bn2")
    return made


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
