"""Every figure of the device, one JSON line each, measured now: `make show NAME=device`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Final

from benchmarks.figure import Figure, print_figures

TOPICS: Final = ("exposure", "status_cost", "start_time", "claims", "byte_budget", "staying_up", "device_soak")


def figures() -> Iterator[Figure]:
    """The quick ones first."""
    for topic in TOPICS:
        yield from importlib.import_module(f"benchmarks.{topic}").figures()


if __name__ == "__main__":
    sys.exit(print_figures(figures()))
