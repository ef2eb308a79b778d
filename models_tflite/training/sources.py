"""Which pictures teach and which judge: one place for the split, so that every command uses the same.

Held back for good: `classroom`, a whole room, and renders of worlds with other seeds. The renders are made here, since they come from the
firmware's simulated shop and not from the data folder.
"""

from pathlib import Path

from models_tflite.training import pictures, renders
from models_tflite.training.pictures import Picture

RENDERS = 600
RENDER_SEED, HELD_RENDER_SEED = 3, 0
HELD_RENDERS = 24


def load(folder: Path) -> tuple[dict[str, list[Picture]], dict[str, list[Picture]]]:
    """(what is learned from, what is held back), by source."""
    learned = pictures.load_sources(folder, {"capston", "shop", "clinic-a", "clinic-b", "classroom"})
    held = {"classroom": learned.pop("classroom"), "renders": list(renders.moments(HELD_RENDERS, HELD_RENDER_SEED))}
    learned["renders"] = renders.render(RENDERS, RENDER_SEED)
    return learned, held
