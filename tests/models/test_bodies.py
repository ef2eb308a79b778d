"""Start weights: a published detector's, with batch normalisation folded in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs PyTorch: make model-setup")
from models_tflite.training import bodies, network  # noqa: E402 only where PyTorch is

BODY = "FeatureExtractor/MobilenetV2/"


def graph_file(folder: Path, blocks: int) -> Path:
    """A frozen graph with random weights under the names of a published MobileNet v2, as far as `blocks`."""
    tf = pytest.importorskip("tensorflow", reason="training needs TensorFlow: make model-setup")
    chance = np.random.default_rng(1)
    graph = tf.compat.v1.GraphDef()

    def constant(name: str, shape: tuple[int, ...]) -> None:
        node = graph.node.add(name=BODY + name, op="Const")
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(chance.uniform(0.5, 1.5, shape).astype(np.float32)))

    def convolution(layer: str, kind: str, shape: tuple[int, ...], out: int) -> None:
        constant(f"{layer}/{kind}", shape)
        for part in bodies.NORM:
            constant(f"{layer}/BatchNorm/{part}", (out,))

    convolution("Conv", "weights", (3, 3, 3, bodies.STEM), bodies.STEM)
    for number, block in enumerate(bodies.blocks_of("walker")[0][:blocks]):
        name = f"expanded_conv_{number}" if number else "expanded_conv"
        if block.wide is not None:
            out, source = block.wide.weight.shape[:2]
            convolution(f"{name}/expand", "weights", (1, 1, source, out), out)
        middle = block.depth.weight.shape[0]
        convolution(f"{name}/depthwise", "depthwise_weights", (3, 3, middle, 1), middle)
        out, source = block.point.weight.shape[:2]
        convolution(f"{name}/project", "weights", (1, 1, source, out), out)
    path = folder / "graph.pb"
    path.write_bytes(graph.SerializeToString())
    return path


def test_folding_acts_as_the_normalisation_did() -> None:
    """A folded convolution gives what convolution and normalisation gave one after the other."""
    chance = np.random.default_rng(2)
    weight = chance.normal(size=(4, 3, 3, 3)).astype(np.float32)
    norm = {part: chance.uniform(0.5, 1.5, 4).astype(np.float32) for part in bodies.NORM}
    made, bias = (torch.from_numpy(part) for part in bodies.folded(weight, norm))
    picture = torch.randn(1, 3, 8, 8)
    order = [torch.from_numpy(norm[part]) for part in ("moving_mean", "moving_variance", "gamma", "beta")]
    plain = torch.nn.functional.batch_norm(
        torch.nn.functional.conv2d(picture, torch.from_numpy(weight)), *order, eps=bodies.BATCH_NORM_FLOOR
    )
    assert torch.allclose(torch.nn.functional.conv2d(picture, made, bias), plain, atol=1e-4)


def test_detector_takes_the_whole_body(tmp_path: Path) -> None:
    """Every layer of the body comes from the file, to half precision."""
    detector = network.Detector(network.Shape("walker"))
    blocks = len(detector.blocks)
    state = bodies.fold_walker(graph_file(tmp_path, blocks), blocks)
    bodies.fill(detector, state)
    assert torch.allclose(detector.stem.folded(), state["stem.weight"].float(), atol=1e-3)
    last = detector.blocks[-1].point
    assert torch.allclose(last.folded(), state[f"{blocks - 1}.point.weight"].float(), atol=1e-3)
    assert torch.allclose(last.bias, state[f"{blocks - 1}.point.bias"].float())
