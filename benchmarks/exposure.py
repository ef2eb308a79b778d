"""How much the units leave open, by `systemd-analyze security --offline=true`: 0 is nothing, 10 is everything."""

from __future__ import annotations

import argparse
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.figure import Figure, figure, print_figures

UNITS: Final = Path(__file__).parent.parent / "systemd"
EXPOSURE_MAX: Final = 1.3  # reliability: what a network daemon of this design scores
EXPOSURE_VISION_MAX: Final = 1.2  # with Numba's writable and executable memory
COMMAND: Final = "python -m benchmarks.exposure"


def exposure(unit: Path) -> float:
    """Of one unit file; not a number where systemd-analyze is missing, so that the figure does not hold."""
    if shutil.which("systemd-analyze") is None:
        return float("nan")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)], capture_output=True, text=True, check=False, timeout=60
    )
    return float(done.stdout.rsplit(":", 1)[1].split()[0])


def bound(unit: Path) -> float:
    """What a unit may score."""
    return EXPOSURE_VISION_MAX if "vision" in unit.name else EXPOSURE_MAX


def figures() -> Iterator[Figure]:
    """One a unit."""
    for unit in sorted(UNITS.glob("*.service")):
        yield figure(f"exposure.{unit.stem.rstrip('@')}", exposure(unit), "at most", bound(unit), unit="of 10", command=COMMAND)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the same: it takes a moment")
    parser.add_argument("--seed", type=int, help="nothing here is drawn")
    parser.parse_args()
    print_figures(figures())
