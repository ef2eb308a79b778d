"""The command line of training: `python -m models_tflite.training train|...`."""

import argparse
from pathlib import Path

from models_tflite.training.recipe import Phase, Recipe

RUNS = Path(__file__).parent / ".cache" / "runs"
PHASES = (
    Phase("pictures", 750, 2e-3, 0.0, {"capston": 0.8, "shop": 0.06, "clinic-b": 0.14}),
    Phase("rooms", 2750, 2e-3, 0.0, {"capston": 0.62, "shop": 0.06, "clinic-b": 0.12, "renders": 0.2}),
)


def main() -> None:
    """Parses arguments and hands over."""
    parser = argparse.ArgumentParser(prog="models_tflite.training", description=__doc__)
    parser.add_argument("command", choices=["train"])
    parser.add_argument("--folder", type=Path, default=RUNS / "main")
    chosen = parser.parse_args()
    from models_tflite.training import body_weights, network, pictures, renders, train

    recipe = Recipe(phases=PHASES)
    data = pictures.data_folder()
    sources = pictures.load_sources(data, {"capston", "shop", "clinic-a", "clinic-b", "classroom"})
    held = {"classroom": sources.pop("classroom"), "clinic-a": sources.pop("clinic-a")[::3], "capston": sources["capston"][3600::12]}
    sources["capston"] = sources["capston"][:3600]
    sources["renders"] = renders.render(600)
    held["renders"] = list(renders.moments(24, 0))
    detector = network.Detector()
    body_weights.fill_body(detector, data / "models" / "mobilenet_v1_0.5_160_quant.tflite")
    train.run(recipe, sources, held, detector, chosen.folder)


if __name__ == "__main__":
    main()
