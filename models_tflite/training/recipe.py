"""The numbers of a training run, in one frozen value.

The defaults are the recipe of the committed model; the smoke run replaces a few of them. Everything that decides the outcome is here or
in the code: a run is a function of (recipe, data folder, start weights).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Phase:
    """One stretch of training on one mixture of sources.

    `steps` batches at `rate`, the last `decay` share of them falling linearly to a hundredth; `sources` maps a source's name to its share
    of the drawn pictures; batches take their input side in pixels from `sizes` in turn; `edge_weight` is what boxes weigh beside peaks.
    """

    name: str
    steps: int
    rate: float
    decay: float
    sources: dict[str, float]
    # A convolutional network learns once for all input sizes; most steps at the default's.
    sizes: tuple[int, ...] = (320, 320, 320, 256, 320, 320, 416)

    edge_weight: float = 2.5
    rise: int = 0  # steps from zero to the full rate

    def size_at(self, step: int) -> int:
        """Input side in pixels of the batch of one step."""
        return self.sizes[step % len(self.sizes)]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome of a run."""

    phases: tuple[Phase, ...]
    seed: int = 20
    batch: int = 16
    body_rate: float = 0.25  # the body starts from ImageNet and moves slower than the new layers
    weight_decay: float = 0.02
    gradient_norm_max: float = 20.0
    averaging: float = 0.998  # exponential moving average of the weights, per step
    checkpoint_steps: int = 250
    validate_steps: int = 1000
    workers: int = 2

    def steps(self) -> int:
        """All steps of all phases."""
        return sum(phase.steps for phase in self.phases)

    def batch_of(self, size: int) -> int:
        """Pictures in a batch of one size: about the same number of pixels whatever the size."""
        return max(4, round(self.batch * (320 / size) ** 2))


ROOMS = {"capston": 0.62, "shop": 0.06, "clinic-b": 0.12, "renders": 0.2}
ALL = {"capston": 0.56, "shop": 0.06, "clinic-a": 0.09, "clinic-b": 0.09, "renders": 0.2}
ALL_SIZES = (320, 320, 416, 320, 256, 320, 512)
RECIPE = Recipe(
    phases=(
        Phase("rooms", 3000, 8e-3, 0.0, ROOMS, rise=200),
        Phase("all", 750, 8e-3, 0.0, ALL, ALL_SIZES),
        Phase("boxes", 2600, 8e-3, 1.0, ALL, ALL_SIZES, edge_weight=6.0),
    )
)
