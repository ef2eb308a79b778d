"""Focal loss on the peaks, generalised IoU on the distances.

The focal loss forgives cells near a peak (CornerNet, Law and Deng 2018, equation 1); the distances are judged as boxes around their cell
(GIoU, Rezatofighi and others 2019).
"""

import torch

PEAK = 0.999  # a target this high is a person's one peak


def focal(logits: torch.Tensor, peak: torch.Tensor) -> torch.Tensor:
    """Sum over cells for each picture, [b]; logits, peak [b, h, w], peak -1 where nothing is asked."""
    logits = logits.float()
    positive = peak >= PEAK
    asked = peak >= 0
    chance = logits.sigmoid().clamp(1e-5, 1 - 1e-5)
    near = (1 - chance).square() * torch.nn.functional.logsigmoid(logits)
    far = (1 - peak.clamp(0, 1)).pow(4) * chance.square() * torch.nn.functional.logsigmoid(-logits)
    return -(torch.where(positive, near, far) * asked).sum(dim=(1, 2))


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
    """(peak loss, edge loss), averaged over pictures and summed over heads.

    outputs: (logits [b, 1, h, w], distances [b, 4, h, w]) a head; targets: (peak [b, h, w], edge [b, 4, h, w], weight [b, h, w]) a head.
    A picture of n people weighs as the root of n: by people, grids of hundreds would drown the one who fills the frame.
    """
    peaks = edges = torch.zeros((), device=targets[0][0].device)
    for (logits, distances), (peak, edge, weight) in zip(outputs, targets, strict=True):
        people = (peak >= PEAK).sum(dim=(1, 2)).clamp(min=1).float()
        peaks = peaks + (focal(logits[:, 0], peak) * people.rsqrt()).mean()
        picture, down, across = torch.nonzero(weight, as_tuple=True)
        found, wanted = distances[picture, :, down, across], edge[picture, :, down, across]
        # A distance of zero has no gradient through ReLU6's lower bend; a small floor keeps the area positive.
        shares = weight[picture, down, across] * people.rsqrt()[picture]
        edges = edges + (giou_loss(found + 0.01, wanted) * shares).sum() / len(people)
    return peaks, edges
