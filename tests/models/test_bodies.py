"""Start weights: a classifier's, with batch normalisation folded in."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="training needs PyTorch: make model-setup")
from models_tflite.training import bodies, network  # noqa: E402 only where PyTorch is


def lite_state(blocks: int) -> dict:
    """Random weights under the names of an EfficientNet-Lite's file, for its first blocks."""
    chance = torch.Generator().manual_seed(1)
    state = {}

    def add(convolution: str, norm: str, shape: tuple[int, ...]) -> None:
        state[f"{convolution}.weight"] = torch.randn(shape, generator=chance)
        for key in ("weight", "bias", "running_mean", "running_var"):
            state[f"{norm}.{key}"] = torch.rand(shape[0], generator=chance) + 0.5

    add("_conv_stem", "_bn0", (32, 3, 3, 3))
    for number, block in enumerate(bodies.blocks_of("lite0")[1][:blocks]):
        for part, name, norm in (
            ("wide", "_expand_conv", "_bn0"),
            ("depth", "_depthwise_conv", "_bn1"),
            ("point", "_project_conv", "_bn2"),
        ):
            if getattr(block, part) is not None:
                add(f"_blocks.{number}.{name}", f"_blocks.{number}.{norm}", tuple(getattr(block, part).weight.shape))
    return state


def test_folding_acts_as_the_normalisation_did() -> None:
    """A folded convolution gives what convolution and normalisation gave one after the other."""
    state = lite_state(1)
    weight, bias = bodies.folded(state, "_conv_stem", "_bn0")
    picture = torch.randn(1, 3, 8, 8)
    norm = [state[f"_bn0.{key}"] for key in ("running_mean", "running_var", "weight", "bias")]
    plain = torch.nn.functional.batch_norm(
        torch.nn.functional.conv2d(picture, state["_conv_stem.weight"]), *norm, eps=bodies.BATCH_NORM_FLOOR
    )
    assert torch.allclose(torch.nn.functional.conv2d(picture, weight, bias), plain, atol=1e-4)


def test_detector_takes_the_whole_body() -> None:
    """Every layer of the body comes from the file, to half precision."""
    detector = network.Detector(network.Shape("lite0"))
    blocks = len(detector.blocks)
    state = bodies.fold_lite(lite_state(blocks), blocks)
    bodies.fill(detector, state)
    assert torch.allclose(detector.stem.folded(), state["stem.weight"].float(), atol=1e-3)
    last = detector.blocks[-1].point
    assert torch.allclose(last.folded(), state[f"{blocks - 1}.point.weight"].float(), atol=1e-3)
    assert torch.allclose(last.bias, state[f"{blocks - 1}.point.bias"].float())
