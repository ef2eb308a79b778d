"""What a power cut takes of the collector's commits on SQLite: nothing as the collector uses it, much where less is synced.

The real SQLite under the real `collector.receive.commit`, cut at every write and sync (tests/collector/sqlite_power_cuts.py).
PostgreSQL is not cut here: its commit waits for its own log, `synchronous_commit = on` is asked for at each connection.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmarks.figure import Figure, figure, figure_parser, print_figures
from tests.collector.sqlite_on_model import library
from tests.collector.sqlite_power_cuts import UPLINKS, run

COMMAND = "python -m benchmarks.power_cuts"


def figures(seed: int = 1, *, quick: bool = False) -> Iterator[Figure]:
    """States and losses under FULL; the controls under NORMAL and OFF."""
    if library() is None:
        print("left out: power cuts under SQLite: this Python has SQLite built in", file=sys.stderr)
        return
    uplinks = 10 if quick else UPLINKS
    full = run("", seed, uplinks)  # as the collector opens it
    yield figure("collector.sqlite_full.power_cut_states", full["states"], "at least", 50 * uplinks, command=COMMAND)
    yield figure("collector.sqlite_full.states_that_lost_a_commit", full["lost_states"], "equal", 0, command=COMMAND)
    yield figure("collector.sqlite_full.states_with_wrong_books", full["wrong"], "equal", 0, command=COMMAND)
    for level in ("NORMAL", "OFF"):
        tally = run(level, seed, uplinks)
        share = tally["lost_states"] / tally["states"]
        name = f"collector.sqlite_{level.lower()}_control.states_that_lost_a_commit"
        yield figure(name, share, "at least", 0.01, unit="share; a control that must lose", command=COMMAND)


def main() -> None:
    """Print them."""
    options = figure_parser(__doc__, "a quarter of the uplinks", "of the random cuts (default 1)").parse_args()
    print_figures(figures(options.seed, quick=options.quick))


if __name__ == "__main__":
    main()
