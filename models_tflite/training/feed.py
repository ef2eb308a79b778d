"""Batches for training: picture number n of a run is always the same picture.

Each training picture is made by a generator seeded with (seed, number), so a run can stop, resume and be repeated with any number of
worker processes. Batches differ in size from step to step as the phase says.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from models_tflite.training import appearance, compose, targets
from models_tflite.training.pictures import Picture
from models_tflite.training.recipe import Phase, Recipe

BATCHES_AHEAD = 3


class Batches(Dataset):
    """Batch number `step` of a run, made whole by one worker."""

    def __init__(self, recipe: Recipe, phase: Phase, sources: dict[str, list[Picture]], *, first: int, last: int):
        self.recipe, self.phase, self.first, self.last = recipe, phase, first, last
        self.names = [name for name, share in phase.sources.items() if share > 0 and sources.get(name)]
        shares = np.array([phase.sources[name] for name in self.names])
        self.shares, self.sources = shares / shares.sum(), sources
        self.outlined = [picture for name in self.names for picture in sources[name] if len(picture.cutouts)]

    def __len__(self) -> int:
        return self.last - self.first

    def draw(self, rng: np.random.Generator) -> Picture:
        """A random picture of the mixture."""
        pictures = self.sources[self.names[int(rng.choice(len(self.names), p=self.shares))]]
        return pictures[int(rng.integers(len(pictures)))]

    def draw_outlined(self, rng: np.random.Generator) -> Picture:
        """A random picture that has cut-outs."""
        return self.outlined[int(rng.integers(len(self.outlined)))]

    def __getitem__(self, index: int) -> list[torch.Tensor]:
        if index >= len(self):
            raise IndexError
        step = self.first + index
        size = self.phase.size_at(step)
        made = [self.example(np.random.default_rng((self.recipe.seed, step, k)), size) for k in range(self.recipe.batch_of(size))]
        return [torch.from_numpy(np.stack(column)) for column in zip(*made, strict=True)]

    def example(self, rng: np.random.Generator, size: int) -> list[np.ndarray]:
        """One picture [3, s, s] uint8 and, for each head, peak, edge and weight."""
        canvas = compose.compose(rng, self.draw, self.draw_outlined if self.outlined else None, size)
        pixels = appearance.spoil(rng, canvas.pixels)
        assigned = targets.assign(canvas.boxes, canvas.ignored, size)
        return [np.ascontiguousarray(pixels.transpose(2, 0, 1)), *(array for level in assigned for array in level)]


def batches(dataset: Batches, workers: int) -> Iterator[list[torch.Tensor]]:
    """The batches in order, made ahead by worker processes."""
    if not workers:
        return iter(dataset[index] for index in range(len(dataset)))
    loader = DataLoader(
        dataset,
        batch_size=None,
        shuffle=False,
        num_workers=workers,
        prefetch_factor=BATCHES_AHEAD,
        multiprocessing_context="fork",
    )
    return iter(loader)
