"""The privacy claims V1, V3 and V8 as figures: ways out that were refused, traces of pixels, unknown fields that were taken."""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from typing import Final

from benchmarks.figure import Figure, figure, print_figures
from firmware.clock import SystemClock
from firmware.prove import Finding, prove_locks, prove_no_trace, prove_schema

COMMAND: Final = "passerby prove --json"


def figures(seed: int = 1) -> Iterator[Figure]:
    """One a claim: how many of its findings do not hold. What could not be tried does not hold either."""
    clock = SystemClock()
    for name, findings in (
        ("v1.ways_out", prove_locks(clock)),
        ("v3.traces", prove_no_trace(clock)),
        ("v8.unknown_taken", prove_schema(random.Random(seed))),
    ):
        yield figure(f"{name}", _wrong(findings), "equal", 0, unit="findings", command=COMMAND)


def _wrong(findings: Iterator[Finding]) -> int:
    return sum(finding.verdict != "holds" for finding in findings)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.claims", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the same: it takes half a minute")
    parser.add_argument("--seed", type=int, default=1)
    print_figures(figures(parser.parse_args().seed))
