"""Every figure of the device, one JSON line each, measured now: `make show NAME=device`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Final

from benchmarks.figure import Figure

TOPICS: Final = ("exposure", "status_cost", "start_time", "claims", "byte_budget", "staying_up", "device_soak")


def figures() -> Iterator[Figure]:
    """The quick ones first."""
    for topic in TOPICS:
        yield from importlib.import_module(f"benchmarks.{topic}").figures()


def main() -> int:
    held = True
    for one in figures():
        print(one.line(), flush=True)
        held &= one.holds
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
