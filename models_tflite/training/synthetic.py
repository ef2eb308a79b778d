"""Tiny made-up pictures, so that the whole recipe can be tried where the data folder is missing.

Upright blobs with heads on noisy floors: enough to show that the loss falls and that a box comes back, and nothing about people.
"""

import numpy as np

from models_tflite.training.pictures import Picture

SIZE = 192


def blobs(count: int, seed: int) -> list[Picture]:
    """`count` pictures of 192 x 192 with one to five blobs each."""
    rng = np.random.default_rng(seed)
    return [picture(rng, f"blobs-{number}") for number in range(count)]


def picture(rng: np.random.Generator, name: str) -> Picture:
    """One floor with blobs."""
    pixels = np.clip(rng.normal(rng.uniform(90, 170), 12, (SIZE, SIZE, 1)) + rng.normal(0, 6, 3), 0, 255).astype(np.uint8)
    boxes = []
    for _ in range(int(rng.integers(1, 6))):
        height = float(rng.uniform(30, 90))
        width = height * float(rng.uniform(0.3, 0.45))
        left, top = rng.uniform(0, SIZE - width), rng.uniform(0, SIZE - height)
        blob(rng, pixels, (left, top, width, height))
        boxes.append([left, top, left + width, top + height])
    return Picture(name, pixels, np.array(boxes, np.float32))


def blob(rng: np.random.Generator, pixels: np.ndarray, box: tuple[float, float, float, float]) -> None:
    """Draws a body and a head into a box (left, top, width, height)."""
    left, top, width, height = box
    down, across = np.mgrid[0:SIZE, 0:SIZE]
    x, y = (across - left) / width - 0.5, (down - top) / height
    body = (2 * np.abs(x)) ** 4 + (np.abs(y - 0.6) / 0.4) ** 4 < 1
    head = (x / 0.3) ** 2 + ((y - 0.12) / 0.12) ** 2 < 1
    pixels[body] = rng.integers(0, 80, 3)
    pixels[head] = (210, 170, 140)
