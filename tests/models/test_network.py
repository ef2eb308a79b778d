"""The network and its losses, on numbers that can be checked by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="training needs PyTorch: make model-setup")
from models_tflite.training import losses, network  # noqa: E402 only where PyTorch is


@pytest.mark.parametrize("body", ["tiny", "walker"])
def test_heads_have_their_strides(body: str) -> None:
    """A picture of 64 pixels gives 16 and 8 cells a side, distances within reach and never negative, whatever the body."""
    with torch.no_grad():
        outputs = network.Detector(network.Shape(body=body))(torch.zeros(1, 3, 64, 64))
    for (peak, edge), stride, reach in zip(outputs, network.STRIDES, network.REACH, strict=True):
        assert peak.shape == (1, 1, 64 // stride, 64 // stride)
        assert edge.shape == (1, 4, 64 // stride, 64 // stride)
        assert 0 <= float(edge.min()) <= float(edge.max()) <= reach


def test_giou_of_equal_boxes_is_no_loss() -> None:
    """Equal distances cost nothing; a box of twice the width costs a half."""
    wanted = torch.tensor([[1.0, 2.0, 1.0, 2.0]])
    assert float(losses.giou_loss(wanted, wanted)) == pytest.approx(0.0, abs=1e-6)
    assert float(losses.giou_loss(torch.tensor([[2.0, 2.0, 2.0, 2.0]]), wanted)) == pytest.approx(0.5, abs=1e-6)


def test_cells_not_asked_cost_nothing() -> None:
    """A confident cell that is not asked has no loss; the same cell as background has."""
    logits = torch.full((1, 2, 2), -20.0)
    logits[0, 0, 0] = 5.0
    asked, ignored = torch.zeros(1, 2, 2), torch.zeros(1, 2, 2)
    ignored[0, 0, 0] = -1
    assert float(losses.focal(logits, ignored)) < 1e-3 < float(losses.focal(logits, asked))
