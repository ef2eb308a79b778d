"""What each cell of the heads shall say for a picture: people assigned to cells.

Each person is an elliptic bump around the box centre on the head that fits the size (both heads, where sizes overlap). Cells well inside
the bump also learn the distances to the four edges. People too small to be a label are neither: their cells are left out of the loss.
Pure numpy; the loss itself is `losses`.
"""

import numpy as np

STRIDES = (4, 8)
# Longer side in pixels for which a head is responsible; the ranges overlap, so that no size falls between.
RANGES = ((0.0, 80.0), (48.0, 1e9))
SPREAD = 0.16  # standard deviation of the bump, as a share of the box side
SHORTEST = 6.0  # pixels of the longer side: smaller people are ignored, neither person nor background
CORE = 0.4  # bump height above which a cell learns distances


def assign(boxes: np.ndarray, ignored: np.ndarray, size: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Targets of one picture.

    boxes, ignored: float32 [n, 4] corners in pixels of a square picture of side `size`. For each of STRIDES: peak float32 [h, w] in
    0..1 (-1 where nothing is asked), distances float32 [4, h, w] in cells, weight float32 [h, w] of the distances.
    """
    made = []
    for stride, (low, high) in zip(STRIDES, RANGES, strict=True):
        cells = size // stride
        peak = np.zeros((cells, cells), np.float32)
        edge = np.zeros((4, cells, cells), np.float32)
        weight = np.zeros((cells, cells), np.float32)
        for box in ignored:
            blank(peak, box / stride)
        longer = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
        # Large people first: where bumps meet, the smaller person, who has fewer cells, wins.
        for index in np.argsort(-longer):
            if longer[index] < SHORTEST:
                blank(peak, boxes[index] / stride)
            elif low <= longer[index] < high:
                splat(peak, edge, weight, boxes[index] / stride)
        made.append((peak, edge, weight))
    return made


def blank(peak: np.ndarray, box: np.ndarray) -> None:
    """Marks the cells of a box [4] (in cells) as not asked, where nobody stands yet."""
    height, width = peak.shape
    left, top = max(0, int(box[0])), max(0, int(box[1]))
    part = peak[top : min(height, int(np.ceil(box[3]))), left : min(width, int(np.ceil(box[2])))]
    part[part == 0] = -1


def splat(peak: np.ndarray, edge: np.ndarray, weight: np.ndarray, box: np.ndarray) -> None:
    """Writes one person's bump, distances and weights; box [4] in cells."""
    height, width = peak.shape
    centre_x, centre_y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    # The cell whose centre is nearest to the box centre is the peak, at exactly one.
    x, y = min(max(int(centre_x), 0), width - 1), min(max(int(centre_y), 0), height - 1)
    sigma_x, sigma_y = max((box[2] - box[0]) * SPREAD, 0.35), max((box[3] - box[1]) * SPREAD, 0.35)
    reach_x, reach_y = int(3 * sigma_x) + 1, int(3 * sigma_y) + 1
    x0, x1, y0, y1 = max(0, x - reach_x), min(width, x + reach_x + 1), max(0, y - reach_y), min(height, y + reach_y + 1)
    across, down = np.arange(x0, x1, dtype=np.float32), np.arange(y0, y1, dtype=np.float32)
    bump = np.exp(-((down - y) ** 2) / (2 * sigma_y**2))[:, None] * np.exp(-((across - x) ** 2) / (2 * sigma_x**2))[None]
    part = peak[y0:y1, x0:x1]
    np.maximum(part, bump, out=part)
    inside = (bump > CORE) & (across[None] + 0.5 > box[0]) & (across[None] + 0.5 < box[2])
    inside &= ((down + 0.5 > box[1]) & (down + 0.5 < box[3]))[:, None]
    inside[y - y0, x - x0] = True
    distances = np.empty((4, *bump.shape), np.float32)
    distances[0], distances[2] = across + 0.5 - box[0], box[2] - across - 0.5
    distances[1], distances[3] = (down + 0.5 - box[1])[:, None], (box[3] - down - 0.5)[:, None]
    edge[:, y0:y1, x0:x1][:, inside] = np.maximum(distances[:, inside], 0.01)
    # Each person weighs the same, however many cells the box covers.
    weight[y0:y1, x0:x1][inside] = bump[inside] / bump[inside].sum()
