"""The command line of training: `python -m models_tflite.training make|prepare|train|pack|assess|smoke`.

`make` is `prepare`, `train` for each network, `pack`, `assess`. Run again, training goes on from its last checkpoint; `--cache` names
another place for everything that is made on the way, `--body` one network of several.
"""

import argparse
import dataclasses
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from models_tflite.training.recipe import RECIPES, Phase, Recipe

PACKAGE = Path(__file__).parents[1]
CACHE = Path(__file__).parent / ".cache"


def prepare_command(cache: Path) -> None:
    """Everything that training reads: minutes, once."""
    from models_tflite.training import pictures, prepare

    prepare.prepare(cache, pictures.data_folder())


def train_command(cache: Path, bodies_wanted: list[str]) -> None:
    """The real runs, one network after the other: an hour or two each on two processor cores."""
    import torch

    from models_tflite.training import bodies, network, sources, train

    learned, held = sources.load(cache)
    for body in bodies_wanted:
        recipe = RECIPES[body]
        torch.manual_seed(recipe.seed)
        detector = network.Detector(recipe.shape)
        bodies.fill(detector, torch.load(cache / f"{body}.pt", weights_only=True))
        train.run(recipe, learned, held, detector, cache / "runs" / body)


def pack_command(cache: Path, package: Path = PACKAGE) -> None:
    """Exports the averaged weights of the runs into the package."""
    from models_tflite.training import pack, sources, train

    learned, held = sources.load(cache)
    pack.pack({body: train.load_average(cache / "runs" / body / "last.pt") for body in RECIPES}, learned, held, package)


def assess_command(package: Path = PACKAGE) -> None:
    """Prints the figures of every packaged model and of the yardstick on what is held back."""
    from models_tflite.training import assess, judge, pictures, renders
    from models_tflite.training.sources import HELD_RENDER_SEED, HELD_RENDERS

    data = pictures.data_folder()
    held = pictures.load_sources(data, {"classroom"}) | {"renders": list(renders.moments(HELD_RENDERS, HELD_RENDER_SEED))}
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
        Recipe((Phase("blobs", 24, 8e-3, 0.5, {"blobs": 1.0}, (128,), frozen=0),), network.Shape("tiny", 16, 8, 16)),
        batch=8,
        workers=0,
        checkpoint_steps=8,
        validate_steps=24,
    )
    learned, held = {"blobs": synthetic.blobs(40, 1)}, {"blobs": synthetic.blobs(6, 2)}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        made = train.run(recipe, learned, held, network.Detector(recipe.shape), place / "run").cpu().eval()
        pack.pack({"small": made}, learned, held, place, (pack.Plan("person-128", "small", (128, 128), "1x1", "smoke"),))
        judged = judge.Judged(judge.entries(place / "manifest.toml")["person-128"])
        found = judged.find(held["blobs"][0].pixels)
        print(f"smoke: {recipe.steps()} steps, {(place / 'person-128.tflite').stat().st_size} bytes, {len(found.scores)} boxes")


def main() -> None:
    """Parses arguments and hands over."""
    parser = argparse.ArgumentParser(prog="models_tflite.training", description=__doc__)
    parser.add_argument("command", choices=["make", "prepare", "train", "pack", "assess", "smoke"])
    parser.add_argument("--cache", type=Path, default=CACHE, help="where prepared data and checkpoints are kept")
    parser.add_argument("--body", choices=list(RECIPES), help="train this network alone")
    chosen = parser.parse_args()
    if chosen.command == "smoke":
        smoke_command()
    if chosen.command in {"make", "prepare"}:
        prepare_command(chosen.cache)
    if chosen.command in {"make", "train"}:
        train_command(chosen.cache, [chosen.body] if chosen.body else list(RECIPES))
    if chosen.command in {"make", "pack"}:
        pack_command(chosen.cache)
    if chosen.command in {"make", "assess"}:
        assess_command()


if __name__ == "__main__":
    main()
