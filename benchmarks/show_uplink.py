"""Every figure of the uplink and the collector, one JSON line each, measured now: `make show NAME=uplink`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator

from benchmarks import exactly_once, herd, ingest, offline, power_cuts
from benchmarks.figure import Figure, print_figures


def figures() -> Iterator[Figure]:
    """Spool and card, power cuts, exactly once, sixty days offline, the herd, ingest on both engines; one after another."""
    yield from importlib.import_module("benchmarks.spool").figures()
    yield from power_cuts.figures()
    yield from exactly_once.figures()
    yield from offline.figures()
    yield from herd.figures()
    yield from ingest.on_each_engine()


if __name__ == "__main__":
    sys.exit(print_figures(figures()))
