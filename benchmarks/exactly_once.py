"""Each count exactly once, end to end: 100,000 steps of a hostile world, and the books beside the truth, on both engines.

The world is tests/hostile_world.py: real spools on a modelled card, real delivery, the real ledger; a link that loses, doubles,
delays, reorders and cuts, a portal that says 200, clocks that jump, power cuts, and a collector that dies around its commit.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import postgres
from benchmarks.figure import Figure, figure, figure_parser, print_figures
from tests.hostile_world import lived

COMMAND = "python -m benchmarks.exactly_once"
STEPS = 100_000
ORDERS = 5
DEATHS = ("collector_dies_early", "collector_dies_late")


def figures(seed: int = 1, *, quick: bool = False) -> Iterator[Figure]:
    """Steps, faults, and how many of the orders gave the same books."""
    steps = STEPS // 20 if quick else STEPS
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        elsewhere = []
        if postgres.missing():
            print(f"left out: exactly once on PostgreSQL: {postgres.missing()}", file=sys.stderr)
        else:
            server = running.enter_context(postgres.private_server())
            elsewhere.append(postgres.new_database(server, "exactly_once"))
        life = lived(seed, steps, Path(folder), elsewhere, ORDERS)
    deaths = sum(life.seen[name] for name in DEATHS)
    engines = 1 + len(elsewhere)
    yield figure("exactly_once.steps", life.steps, "at least", steps, command=COMMAND)
    yield figure("exactly_once.books_unlike_the_truth", 0 if life.right else 1, "equal", 0, command=COMMAND)
    yield figure("exactly_once.conflicts", life.conflicts, "equal", 0, command=COMMAND)
    unit = f"of {ORDERS} orders on {engines} engines with the same books"
    yield figure("exactly_once.orders", life.orders, "equal", ORDERS * engines, unit=unit, command=COMMAND)
    unit = "times, before and after its commit"
    yield figure("exactly_once.collector_died", deaths, "at least", 1 if quick else 50, unit=unit, command=COMMAND)
    yield figure("exactly_once.power_cuts", life.seen["power_cut"], "at least", 1 if quick else 20, command=COMMAND)


def main() -> None:
    """Print them."""
    options = figure_parser(__doc__, "a twentieth of the steps", "of the world (default 1)").parse_args()
    print_figures(figures(options.seed, quick=options.quick))


if __name__ == "__main__":
    main()
