"""The numbers of a training run, in one frozen value.

The defaults are the recipe of the committed model; the smoke run replaces a few of them. Everything that decides the outcome is here or
in the code: a run is a function of (recipe, data folder, start weights).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Phase:
    """One stretch of training on one mixture of sources.

    `steps` batches at `rate`, the last `decay` share of them falling linearly to a hundredth; `sources` maps a source's name to its share
    of the drawn pictures.
    """

    name: str
    steps: int
    rate: float
    decay: float
    sources: dict[str, float]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome of a run."""

    phases: tuple[Phase, ...]
    seed: int = 20
    batch: int = 24
    # A convolutional network learns once for all input sizes; most steps at the default's.
    sizes: tuple[int, ...] = (320, 320, 320, 256, 320, 320, 416)
    body_rate: float = 0.3  # the body starts from ImageNet and moves slower than the new layers
    weight_decay: float = 0.02
    gradient_norm_max: float = 10.0
    averaging: float = 0.9995  # exponential moving average of the weights, per step
    checkpoint_steps: int = 250
    validate_steps: int = 1500
    workers: int = 2

    def steps(self) -> int:
        """All steps of all phases."""
        return sum(phase.steps for phase in self.phases)

    def size_at(self, step: int) -> int:
        """Input side in pixels of the batch of one step."""
        return self.sizes[step % len(self.sizes)]

    def batch_at(self, step: int) -> int:
        """Pictures in the batch of one step: about the same number of pixels whatever the size."""
        return max(4, round(self.batch * (320 / self.size_at(step)) ** 2))
