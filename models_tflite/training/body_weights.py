"""The start of the body: weights of a quantised ImageNet classifier, turned back into floats.

Reads MobileNet v1 as TFLite (uint8, batch normalisation folded) and fills a `Detector`'s stem and blocks. The classifier's own head is
left behind.
"""

from pathlib import Path

import numpy as np
import torch

from models_tflite.training.network import Detector


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


def fill_body(detector: Detector, path: Path) -> None:
    """Loads stem and blocks from the classifier at `path`, whose width must be the detector's."""
    floats = read_floats(path)

    def load(layer, stem: str, kind: str) -> None:
        weight = next(value for name, value in floats.items() if name.startswith(stem + "/") and "weights_quant" in name)
        bias = next(value for name, value in floats.items() if name.startswith(stem + "/") and name.endswith("bias"))
        order = (3, 0, 1, 2) if kind == "depth" else (0, 3, 1, 2)
        layer.load(torch.from_numpy(np.ascontiguousarray(weight.transpose(order))), torch.from_numpy(bias))

    prefix = "MobilenetV1/MobilenetV1/Conv2d_"
    load(detector.stem, f"{prefix}0", "conv")
    for number, block in enumerate(detector.blocks, start=1):
        load(block.depth, f"{prefix}{number}_depthwise", "depth")
        load(block.point, f"{prefix}{number}_pointwise", "conv")
