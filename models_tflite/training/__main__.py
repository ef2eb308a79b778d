"""The command line of training: `python -m models_tflite.training make|train|pack|assess|smoke`.

`make` is `train`, then `pack`, then `assess`. Run again, training goes on from its last checkpoint; `--folder` names another run.
"""

import argparse
import dataclasses
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from models_tflite.training import sources
from models_tflite.training.recipe import RECIPE, Phase

PACKAGE = Path(__file__).parents[1]
RUN = Path(__file__).parent / ".cache" / "runs" / "main"


def train_command(folder: Path) -> None:
    """The real run: hours on two processor cores."""
    from models_tflite.training import body_weights, network, pictures, train

    data = pictures.data_folder()
    learned, held = sources.load(data)
    detector = network.Detector()
    body_weights.fill_body(detector, data / "models" / "mobilenet_v1_0.5_160_quant.tflite")
    train.run(RECIPE, learned, held, detector, folder)


def pack_command(folder: Path, package: Path = PACKAGE) -> None:
    """Exports the averaged weights of a run into the package."""
    from models_tflite.training import pack, pictures, train

    learned, held = sources.load(pictures.data_folder())
    pack.pack(train.load_average(folder / "last.pt"), learned, held, package)


def assess_command(package: Path = PACKAGE) -> None:
    """Prints the figures of every packaged model and of the yardstick on what is held back."""
    from models_tflite.training import assess, judge, pictures

    data = pictures.data_folder()
    _, held = sources.load(data)
    entries = judge.entries(package / "manifest.toml")
    entries["coco-ssd"] = judge.Entry(data / "models" / "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite")
    for name, entry in entries.items():
        judged = judge.Judged(entry)
        for tiling in dict.fromkeys(("1x1", entry.tiling)):
            for source, held_back in held.items():
                row = assess.assess(lambda pixels, judged=judged, tiling=tiling: judged.find(pixels, tiling), held_back)
                print(assess.line(f"{name} {tiling} {source}", row), flush=True)


def smoke_command() -> None:
    """A few steps on made-up pictures, through export and an invoke: shows that the recipe runs, not that it is good."""
    from models_tflite.training import judge, network, pack, synthetic, train

    recipe = dataclasses.replace(
        RECIPE,
        phases=(Phase("blobs", 24, 8e-3, 0.5, {"blobs": 1.0}, (128,)),),
        batch=8,
        workers=0,
        checkpoint_steps=8,
        validate_steps=24,
    )
    learned, held = {"blobs": synthetic.blobs(40, 1)}, {"blobs": synthetic.blobs(6, 2)}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        made = train.run(recipe, learned, held, network.Detector(network.Shape(body=0.25, frozen=0)), place / "run").cpu().eval()
        pack.pack(made, learned, held, place, (pack.Plan("person-128", (128, 128), "1x1", "smoke"),))
        judged = judge.Judged(judge.entries(place / "manifest.toml")["person-128"])
        found = judged.find(held["blobs"][0].pixels)
        print(f"smoke: {recipe.steps()} steps, {(place / 'person-128.tflite').stat().st_size} bytes, {len(found.scores)} boxes")


def main() -> None:
    """Parses arguments and hands over."""
    parser = argparse.ArgumentParser(prog="models_tflite.training", description=__doc__)
    parser.add_argument("command", choices=["make", "train", "pack", "assess", "smoke"])
    parser.add_argument("--folder", type=Path, default=RUN, help="where the run keeps its checkpoints")
    chosen = parser.parse_args()
    if chosen.command == "smoke":
        smoke_command()
    if chosen.command in {"make", "train"}:
        train_command(chosen.folder)
    if chosen.command in {"make", "pack"}:
        pack_command(chosen.folder)
    if chosen.command in {"make", "assess"}:
        assess_command()


if __name__ == "__main__":
    main()
