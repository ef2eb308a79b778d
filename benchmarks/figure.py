"""One measured figure: a value, the bound it must keep, and the command that measures it.

Every benchmark module offers `figures() -> Iterator[Figure]`, so that `make show` can print one JSON line a figure,
measured then and there and never stored. A figure without a bound is shown for context and holds as long as it is a number.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable
from typing import Literal

import msgspec

Sense = Literal["at least", "at most", "equal", "shown"]


class Figure(msgspec.Struct, frozen=True):
    """One line of `make show`.

    Attributes:
        name: what was measured, dotted from the general to the special: `tracker.hota.TUD-Campus`.
        value: the measured value.
        bound: what it is held against.
        unit: of both, in words; "" for a plain number.
        holds: whether the value keeps the bound.
        command: what to type to measure it again.
    """

    name: str
    value: float
    bound: str
    unit: str
    holds: bool
    command: str

    def line(self) -> str:
        """The figure as one line of JSON; a value that is not finite becomes null, for JSON has no word for it."""
        value = round(self.value, 6) if math.isfinite(self.value) else None
        return json.dumps({**msgspec.structs.asdict(self), "value": value}, ensure_ascii=False)


def figure(name: str, value: float, sense: Sense, bound: float = 0.0, *, unit: str = "", command: str = "") -> Figure:
    """Judge a value: `figure("tracker.speedup.50", 21.3, "at least", 10, unit="times", command=...)`."""
    value = float(value)
    holds = {"at least": value >= bound, "at most": value <= bound, "equal": value == bound, "shown": math.isfinite(value)}[sense]
    return Figure(name, value, sense if sense == "shown" else f"{sense} {bound:g}", unit, holds, command)


def print_figures(figures: Iterable[Figure]) -> int:
    """Print each as it is measured; the exit code: 0 when all hold, else 1."""
    held = True
    for one in figures:
        print(one.line(), flush=True)
        held &= one.holds
    return 0 if held else 1


def figure_parser(about: str | None, quick: str | None = None, seed: str | None = None, seed_default: int = 1) -> argparse.ArgumentParser:
    """What every benchmark asks: `--quick` and `--seed`, each with its help, under its module's docstring."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--seed", type=int, default=seed_default, help=seed)
    return parser
