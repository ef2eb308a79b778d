"""Every figure that the packaged models must show, one JSON line each, measured now.

Accuracy on `classroom` (a whole room that training never saw) and on a simulated world with its own seed; int8 against float; invoke time
beside the COCO SSD in the same run; memory; size; operators; the one-by-one clip. What needs the data folder is left out where it is
missing, and a line on stderr says so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import model_accuracy, model_cost
from benchmarks.figure import Figure, Sense, figure, print_figures
from firmware.vision.manifest import packaged_manifest
from models_tflite.training import measure
from models_tflite.training.pictures import data_folder

COMMAND = "make show NAME=model"
COCO = Path("models") / "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite"
CLIP = Path("videos") / "intel_sample_videos" / "one-by-one-person-detection.mp4"
FILE_BYTES_MAX = 2_000_000
HEIGHT_NAMES = ("under_16th", "16th_to_8th", "8th_to_4th", "over_4th")


def shown(name: str, value: float, sense: Sense = "shown", bound: float = 0.0, unit: str = "") -> Figure:
    """One figure of this module."""
    return figure(f"model.{name}", value, sense, bound, unit=unit, command=COMMAND)


def figures() -> Iterator[Figure]:
    """All figures that this machine can measure."""
    yield from sizes()
    yield from shop_figures()
    folder = data_folder()
    if not (folder / "person_boxes").is_dir():
        print(f"the data folder is missing ({folder}): accuracy, speed and clip are left out", file=sys.stderr)
        return
    yield from room_figures(folder)
    yield from gap_figures(folder)
    yield from cost_figures(folder)
    yield from clip_figures(folder)


def sizes() -> Iterator[Figure]:
    """Bytes of each file."""
    for name, table in model_accuracy.packaged().items():
        size = (packaged_manifest().parent / table["file"]).stat().st_size
        yield shown(f"{name}.file", size, "at most", FILE_BYTES_MAX, "bytes")


def shop_figures() -> Iterator[Figure]:
    """The simulated shop's people."""
    given, truth = model_accuracy.shop()
    for name in model_accuracy.packaged():
        found = model_accuracy.found_in(model_accuracy.opened(name), given)
        yield shown(f"{name}.shop.ap50", measure.average_precision(found, truth), "at least", 0.8)
        yield shown(f"{name}.shop.recall", recall(found, truth), "at least", 0.85)


def recall(found: list[measure.Found], truth: model_accuracy.Truth) -> float:
    """Share of people found by boxes that are believed."""
    sure = [
        measure.Found(one.boxes[one.scores >= model_accuracy.BELIEVED], one.scores[one.scores >= model_accuracy.BELIEVED]) for one in found
    ]
    hits = sum(int((measure.match(one, boxes, 0.5) >= 0).sum()) for one, boxes in zip(sure, truth, strict=True))
    return hits / max(1, sum(len(boxes) for boxes in truth))


def room_figures(folder: Path) -> Iterator[Figure]:
    """The held-back classroom: each model, with the tiling it proposes and without, and the yardstick."""
    given, truth = model_accuracy.room(folder, "classroom")
    yardstick = measure.average_precision(model_accuracy.found_in(model_accuracy.opened(str(folder / COCO)), given), truth)
    yield shown("coco-ssd.classroom.ap50", yardstick)
    for name, table in model_accuracy.packaged().items():
        for tiling in dict.fromkeys(("1x1", table["tiling"])):
            found = model_accuracy.found_in(model_accuracy.opened(name, tiling), given)
            yield from one_room(f"{name}.{tiling}.classroom", found, truth, yardstick)


def one_room(name: str, found: list[measure.Found], truth: model_accuracy.Truth, yardstick: float) -> Iterator[Figure]:
    """All figures of one model on one room."""
    yield shown(f"{name}.ap50", measure.average_precision(found, truth), "at least", yardstick)
    yield shown(f"{name}.ap50_95", measure.mean_precision(found, truth))
    for label, heights in zip(HEIGHT_NAMES, measure.HEIGHTS, strict=True):
        if any(((boxes[:, 3] - boxes[:, 1] >= heights[0]) & (boxes[:, 3] - boxes[:, 1] < heights[1])).any() for boxes in truth):
            yield shown(f"{name}.ap50.{label}", measure.average_precision(found, truth, heights=heights))
    yield shown(f"{name}.recall_at_0.1_false_alarms", measure.recall_at(found, truth)[0])
    yield shown(f"{name}.counting_error", measure.counting_error(found, truth, model_accuracy.BELIEVED), unit="people a picture")


def gap_figures(folder: Path) -> Iterator[Figure]:
    """Quantised against float, on the classroom."""
    given = model_accuracy.room(folder, "classroom")
    for reference in sorted((packaged_manifest().parent / "training" / "reference").glob("*-float16.tflite")):
        name = reference.name.removesuffix("-float16.tflite")
        yield shown(f"{name}.float_minus_int8.ap50", model_accuracy.reference_gap(name, reference, given), "at most", 0.02)


def cost_figures(folder: Path) -> Iterator[Figure]:
    """Time beside the yardstick, memory over the bare runtime."""
    models = model_accuracy.packaged()
    paths = [packaged_manifest().parent / table["file"] for table in models.values()]
    *times, yardstick = model_cost.invoke_ms([*paths, folder / COCO])
    yield shown("coco-ssd.invoke", yardstick, unit="ms")
    for (name, table), path, time in zip(models.items(), paths, times, strict=True):
        yield shown(f"{name}.invoke", time, unit="ms")
        yield shown(f"{name}.invoke_ratio", time / yardstick, "at most", 0.4 if name == "person-320" else 1.0, "of the COCO SSD's")
        invokes = {"1x1": 1, "2x1": 2, "2x2": 4, "2x2+1": 5}[table["tiling"]]
        yield shown(f"{name}.tiled_ratio", invokes * time / yardstick, "at most", 1.5, "of the COCO SSD's")
        yield shown(f"{name}.memory", model_cost.memory_mb(path), "at most", 40, "MB")


def clip_figures(folder: Path) -> Iterator[Figure]:
    """The one-by-one clip with the default model."""
    if not (folder / CLIP).is_file():
        return
    present, empty = model_accuracy.clip_shares(model_accuracy.opened("person-320", score_min=0.1), folder / CLIP)
    yield shown("person-320.one_by_one.found", present, "at least", 0.97, "of the frames with somebody in view")
    yield shown("person-320.one_by_one.quiet", empty, "at least", 0.99, "of the empty frames")


if __name__ == "__main__":
    print_figures(figures())
