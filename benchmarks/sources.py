"""What sources cost and whether the simulated shop can be trusted as a measure: `python -m benchmarks.sources [--quick] [--seed N]`.

Rendering and decoding are CPU time of this process (the machine may be busy with other things); bounds are the design's. The
share of simulated people that a stock COCO detector finds, in overlapping tiles, says whether they look like people to one
that was never trained on them; it needs the data folder.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.figure import Figure, figure, figure_parser, print_figures
from firmware.vision.shop.truth import truth_of
from firmware.vision.shop.world import live
from firmware.vision.simulated_shop import PersonBox, SimulatedShop
from firmware.vision.video_file import VideoFile

COMMAND = "python -m benchmarks.sources"
DATA = Path(os.environ.get("PASSERBY_DATA", Path(__file__).resolve().parents[1] / ".." / "shared" / "data"))
COCO = DATA / "models" / "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite"
CLIP = DATA / "videos" / "intel_sample_videos" / "one-by-one-person-detection.mp4"
TILES = (
    (0.0, 0.0, 0.5, 0.5),
    (0.25, 0.0, 0.5, 0.5),
    (0.5, 0.0, 0.5, 0.5),
    (0.0, 0.3, 0.55, 0.7),
    (0.45, 0.3, 0.55, 0.7),
)  # x, y, width, height
SCORE_MIN, IOU_MIN, VISIBLE_MIN = 0.4, 0.45, 0.7


def figures(*, quick: bool = False, seed: int = 1) -> Iterator[Figure]:
    """Each figure, measured now."""
    shop = SimulatedShop(seed, people=60)
    shop.frame(0.0)
    times = np.arange(60.0, 540.0, 24.0 if quick else 4.0)
    rendering = [cpu_ms(partial(shop.frame, float(t_s))) for t_s in times]
    yield figure(
        "sources.shop.render",
        float(np.mean(rendering)),
        "at most",
        8.0,
        unit="ms CPU a frame, 640x480, 60 people in 10 min",
        command=COMMAND,
    )
    yield figure("sources.shop.render.p95", float(np.percentile(rendering, 95)), "shown", unit="ms CPU a frame", command=COMMAND)
    yield figure(
        "sources.shop.unaccounted",
        unaccounted(3 if quick else 12, seed),
        "equal",
        0.0,
        unit="people who came in and never left",
        command=COMMAND,
    )
    if CLIP.exists():
        yield figure("sources.video.decode", decode_ms(), "shown", unit="ms CPU a frame, 768x432 H.264, one thread", command=COMMAND)
    if COCO.exists():
        near, far = found_by_coco(range(seed, seed + (1 if quick else 3)), 30.0 if quick else 8.0)
        yield figure(
            "sources.shop.found_near", near, "at least", 0.9, unit="share of people of 30 % of the picture or more", command=COMMAND
        )
        yield figure("sources.shop.found_far", far, "at least", 0.75, unit="share of smaller people", command=COMMAND)


def cpu_ms(work: Callable[[], object]) -> float:
    """CPU time of one call, milliseconds."""
    begun = time.process_time()
    work()
    return (time.process_time() - begun) * 1000.0


def unaccounted(runs: int, seed: int) -> int:
    """People left inside at the end of runs, and queue visits without an outcome of the till's own book."""
    wrong = 0
    for number in range(seed, seed + runs):
        world = live(number, people=20 * (1 + number % 3), minutes=10.0)
        truth = truth_of(world, world.duration_s)
        wrong += abs(truth.inside) + abs(len(truth.of("till")) - len(world.served) - len(world.abandoned))
    return wrong


def decode_ms() -> float:
    """CPU time a frame of the sample clip, decoded and converted."""
    source = VideoFile(CLIP, threads=1)
    source.read()
    spent = cpu_ms(lambda: [source.read() for _ in range(300)])
    source.close()
    return spent / 300


def found_by_coco(seeds: range, every_s: float) -> tuple[float, float]:
    """Share of near and of far people that the stock detector finds."""
    from ai_edge_litert.interpreter import Interpreter

    stock = Interpreter(str(COCO), num_threads=1)
    stock.allocate_tensors()
    found: dict[bool, list[bool]] = {True: [], False: []}
    for seed in seeds:
        shop = SimulatedShop(seed)
        for t_s in np.arange(20.0, 560.0, every_s):
            people = [person for person in shop.boxes(float(t_s)) if person.visible > VISIBLE_MIN]
            if people:
                boxes = tiled(stock, shop.frame(float(t_s)).pixels)
                for person in people:
                    found[person.box[3] - person.box[1] >= 0.3].append(any(iou(person, box) > IOU_MIN for box in boxes))
    return float(np.mean(found[True])), float(np.mean(found[False]))


def tiled(stock: object, pixels: NDArray[np.uint8]) -> list[tuple[float, float, float, float]]:
    """Person boxes of all tiles, 0..1."""
    high, wide = pixels.shape[:2]
    out = []
    for x, y, across, down in TILES:
        tile = pixels[int(y * high) : int((y + down) * high), int(x * wide) : int((x + across) * wide)]
        image = np.asarray(Image.fromarray(np.ascontiguousarray(tile)).resize((300, 300), Image.Resampling.BILINEAR))[None]
        stock.set_tensor(stock.get_input_details()[0]["index"], image)  # type: ignore[attr-defined]
        stock.invoke()  # type: ignore[attr-defined]
        details = stock.get_output_details()  # type: ignore[attr-defined]
        boxes, classes, scores = (stock.get_tensor(details[number]["index"])[0] for number in range(3))  # type: ignore[attr-defined]
        for (top, left, bottom, right), kind, score in zip(boxes, classes, scores, strict=True):
            if kind == 0 and score > SCORE_MIN:
                out.append((x + left * across, y + top * down, x + right * across, y + bottom * down))
    return out


def iou(person: PersonBox, box: tuple[float, float, float, float]) -> float:
    """Intersection over union."""
    x0, y0, x1, y1 = person.box
    wide, high = min(x1, box[2]) - max(x0, box[0]), min(y1, box[3]) - max(y0, box[1])
    if wide <= 0 or high <= 0:
        return 0.0
    both = wide * high
    return both / ((x1 - x0) * (y1 - y0) + (box[2] - box[0]) * (box[3] - box[1]) - both)


def main() -> None:
    """Print them."""
    options = figure_parser(__doc__, "fewer frames", "first seed").parse_args()
    print_figures(figures(quick=options.quick, seed=options.seed))


if __name__ == "__main__":
    main()
