"""The one kind of layer, and the blocks made of it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="training needs PyTorch: make model-setup")
from models_tflite.training.layers import Inverted, Layer  # noqa: E402 only where PyTorch is


def test_loading_keeps_what_a_layer_does() -> None:
    """Weights split into gain and unit size act as they did."""
    layer = Layer(4, 6, 3)
    weight, bias = torch.randn(6, 4, 3, 3) * torch.tensor([0.1, 1, 10, 1, 1, 1])[:, None, None, None], torch.randn(6)
    layer.load(weight, bias)
    assert torch.allclose(layer.folded(), weight, atol=1e-5)
    assert float(layer.weight.detach().square().mean(dim=(1, 2, 3)).sqrt().median()) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("kernel", [3, 5])
def test_reducing_pads_as_tensorflow_does(kernel: int) -> None:
    """At stride 2 the missing columns are on the right and below first: SAME for even sides."""
    layer = Layer(1, 1, kernel, 2, depthwise=True, linear=True)
    layer.load(torch.ones(1, 1, kernel, kernel), torch.zeros(1))
    made = layer(torch.ones(1, 1, 8, 8)).detach()[0, 0]
    before, after = (kernel - 2) // 2, (kernel - 1) // 2
    assert float(made[0, 0]) == pytest.approx((kernel - before) ** 2)
    assert float(made[-1, -1]) == pytest.approx((kernel - after) ** 2)


def test_inverted_block_adds_what_came_in() -> None:
    """With a body of zeros a block of equal width hands on its input, and a reducing one nothing."""
    for stride, wanted in ((1, 3.0), (2, 0.0)):
        block = Inverted(4, 4, stride, 3, 6)
        torch.nn.init.zeros_(block.point.weight)
        assert float(block(torch.full((1, 4, 8, 8), 3.0)).detach().mean()) == pytest.approx(wanted)
