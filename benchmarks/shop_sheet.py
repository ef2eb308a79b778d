"""Draws the contact sheet of the simulated shop for docs/simulated-shop.md: `python -m benchmarks.shop_sheet docs/simulated-shop.png`.

Above, moments of a run; below, random training scenes with their boxes. Synthetic people only.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from firmware.vision.shop.training import render_training_scene
from firmware.vision.simulated_shop import SimulatedShop

CELL = (320, 240)
SEEDS = (3, 10, 7)
SCENES = 9
COLOURS = 160  # of the file's palette: noise makes full-colour files large


def moments() -> list[Image.Image]:
    """Frames of runs, one with what an annotator would draw."""
    out = []
    for number, seed in enumerate(SEEDS):
        shop = SimulatedShop(seed, people=40)
        t_s = max(range(30, 570, 3), key=lambda t: busy(shop, float(t)))
        image = Image.fromarray(shop.frame(t_s).pixels).resize(CELL, Image.Resampling.LANCZOS)
        if number == 1:
            framed(image, [person.box for person in shop.boxes(t_s) if person.visible > 0.2])
        out.append(image)
    return out


def busy(shop: SimulatedShop, t_s: float) -> int:
    """How many people are in the shop."""
    return sum(path.start_s <= t_s < path.end_s and path.at(t_s)[1] < 7.0 for path in shop.world.paths)


def scenes() -> list[Image.Image]:
    """Training scenes with their boxes."""
    rng = np.random.default_rng(21)
    out: list[Image.Image] = []
    while len(out) < SCENES:
        pixels, boxes = render_training_scene(rng, CELL)
        if len(boxes):
            image = Image.fromarray(pixels)
            framed(image, [tuple(box[:4]) for box in boxes])
            out.append(image)
    return out


def framed(image: Image.Image, boxes: list[tuple[float, ...]]) -> None:
    """Draw boxes of 0..1 into a picture."""
    pen = ImageDraw.Draw(image)
    for x0, y0, x1, y1 in boxes:
        pen.rectangle((x0 * image.width, y0 * image.height, x1 * image.width, y1 * image.height), outline=(255, 60, 60))


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    cells = [*moments(), *scenes()]
    sheet = Image.new("RGB", (CELL[0] * 3, CELL[1] * (len(cells) // 3)))
    for number, cell in enumerate(cells):
        sheet.paste(cell, (number % 3 * CELL[0], number // 3 * CELL[1]))
    sheet.quantize(COLOURS, dither=Image.Dither.NONE).save(parser.parse_args().out, optimize=True)


if __name__ == "__main__":
    main()
