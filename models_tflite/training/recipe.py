"""The numbers of a training run, in one frozen value.

`RECIPES` are those of the committed models, one for each body; the smoke run replaces a few numbers. Everything that decides the outcome is
here or in the code: a run is a function of (recipe, prepared data, start weights).
"""

from dataclasses import dataclass, field

from models_tflite.training.network import Shape


@dataclass(frozen=True)
class Phase:
    """One stretch of training on one mixture of sources.

    `steps` batches at `rate`, the last `decay` share of them falling as half a cosine to nothing; `sources` maps a source's name to its
    share of the drawn pictures; batches take their input side in pixels from `sizes` in turn; `edge_weight` is what boxes weigh beside
    peaks; the first `frozen` blocks of the body keep their weights.
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
    frozen: int = 2

    def size_at(self, step: int) -> int:
        """Input side in pixels of the batch of one step."""
        return self.sizes[step % len(self.sizes)]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome of a run."""

    phases: tuple[Phase, ...]
    shape: Shape = field(default_factory=Shape)
    seed: int = 20
    batch: int = 16
    body_rate: float = 0.25  # the body has seen people and moves slower than the new layers
    weight_decay: float = 0.02
    gradient_norm_max: float = 20.0
    averaging: float = 0.998  # exponential moving average of the weights, per step
    checkpoint_steps: int = 250
    validate_steps: int = 500
    workers: int = 2

    def steps(self) -> int:
        """All steps of all phases."""
        return sum(phase.steps for phase in self.phases)

    def batch_of(self, size: int) -> int:
        """Pictures in a batch of one size: about the same number of pixels whatever the size."""
        return max(4, round(self.batch * (320 / size) ** 2))


ALL = {"capston": 0.5, "shop": 0.05, "clinic-a": 0.1, "clinic-b": 0.1, "renders": 0.19, "clips": 0.06}
RECIPES = {
    # The walker's body knows people already: first the new layers learn to read it, then all but its first blocks moves, then at the size
    # at which it is packaged.
    "walker": Recipe(
        (
            Phase("neck", 700, 8e-3, 0.3, ALL, (320, 256, 320, 384), edge_weight=3.5, rise=100, frozen=13),
            Phase("all", 2700, 6e-3, 0.6, ALL, (320, 256, 416, 320, 288, 384), edge_weight=3.5, rise=100, frozen=3),
            Phase("fine", 800, 3e-3, 1.0, ALL, (448, 320, 448, 352, 512), edge_weight=3.5, rise=50, frozen=3),
        ),
        Shape("walker"),
    ),
}
