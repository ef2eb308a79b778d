"""Which pictures teach and which judge: one place for the split, so that every command uses the same.

Held back for good: `classroom`, a whole room, and renders of worlds with other seeds. Both come out of the run's cache (`prepare`), so that
a machine with an accelerator needs nothing else.
"""

from pathlib import Path

from models_tflite.training import prepare, renders
from models_tflite.training.pictures import Picture

HELD_RENDER_SEED = 0
HELD_RENDERS = 24


def load(cache: Path) -> tuple[dict[str, list[Picture]], dict[str, list[Picture]]]:
    """(what is learned from, what is held back), by source."""
    learned = prepare.read(cache / "pictures.zip") | prepare.read(cache / "renders.zip")
    held = {"classroom": learned.pop("classroom"), "renders": list(renders.moments(HELD_RENDERS, HELD_RENDER_SEED))}
    return learned, held
