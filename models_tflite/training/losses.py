"""Focal loss on the peaks, generalised IoU on the distances.

The focal loss forgives cells near a peak (CornerNet, Law and Deng 2018, equation 1); the distances are judged as boxes around their cell
(GIoU, Rezatofighi and others 2019).
"""

import torch

EDGE_WEIGHT = 2.5


def focal(logits: torch.Tensor, peak: torch.Tensor) -> torch.Tensor:
    """Sum over cells; logits, peak [b, h, w], peak -1 where nothing is asked."""
    logits = logits.float()
    positive = peak >= 0.999
    asked = peak >= 0
    chance = logits.sigmoid().clamp(1e-5, 1 - 1e-5)
    near = (1 - chance).square() * torch.nn.functional.logsigmoid(logits)
    far = (1 - peak.clamp(0, 1)).pow(4) * chance.square() * torch.nn.functional.logsigmoid(-logits)
    return -(torch.where(positive, near, far) * asked).sum()


def giou_loss(found: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """1 - GIoU of boxes given as distances [n, 4] (left, top, right, bottom) from the same point."""
    inter = (torch.minimum(found[:, 0], wanted[:, 0]) + torch.minimum(found[:, 2], wanted[:, 2])) * (
        torch.minimum(found[:, 1], wanted[:, 1]) + torch.minimum(found[:, 3], wanted[:, 3])
    )
    hull = (torch.maximum(found[:, 0], wanted[:, 0]) + torch.maximum(found[:, 2], wanted[:, 2])) * (
        torch.maximum(found[:, 1], wanted[:, 1]) + torch.maximum(found[:, 3], wanted[:, 3])
    )
    area = (found[:, 0] + found[:, 2]) * (found[:, 1] + found[:, 3]) + (wanted[:, 0] + wanted[:, 2]) * (wanted[:, 1] + wanted[:, 3])
    union = (area - inter).clamp(min=1e-4)
    return 1 - inter / union + (hull - union) / hull.clamp(min=1e-4)


def total(outputs: list, targets: list) -> tuple[torch.Tensor, torch.Tensor]:
    """(peak loss, edge loss) per person.

    outputs: (logits [b, 1, h, w], distances [b, 4, h, w]) a head; targets: (peak [b, h, w], edge [b, 4, h, w], weight [b, h, w]) a head.
    """
    people = sum(float((peak >= 0.999).sum()) for peak, _, _ in targets)
    peaks = edges = torch.zeros(())
    for (logits, distances), (peak, edge, weight) in zip(outputs, targets, strict=True):
        peaks = peaks.to(peak.device) + focal(logits[:, 0], peak)
        where = weight > 0
        found, wanted = distances.permute(0, 2, 3, 1)[where], edge.permute(0, 2, 3, 1)[where]
        # A distance of zero has no gradient through ReLU6's lower bend; a small floor keeps the area positive.
        edges = edges.to(peak.device) + (giou_loss(found + 0.01, wanted) * weight[where]).sum()
    return peaks / max(people, 1.0), edges / max(people, 1.0)
