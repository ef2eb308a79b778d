"""Every figure of the vision and analytics core, one JSON line each, measured now: `make show NAME=core`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from benchmarks import bad_inputs, line_grid, one_by_one, pipeline_memory, replay_identity, shop_pixels, step_cost, tracking
from benchmarks.figure import Figure, print_figures

TOPICS: tuple[Callable[[], Iterator[Figure]], ...] = (
    one_by_one.figures,
    line_grid.figures,
    shop_pixels.figures,
    tracking.figures,
    step_cost.figures,
    pipeline_memory.figures,
    replay_identity.figures,
    bad_inputs.figures,
)


if __name__ == "__main__":
    sys.exit(print_figures(one for topic in TOPICS for one in topic()))
