"""A replay is a function of its input: twice the same bytes, and the same events without the compiler."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, figure, print_figures
from firmware.vision.simulated_shop import SimulatedShop

SOURCE = "sim-boxes:?seed=5&people=12&minutes=1&fps=10"
COMMAND = "python -m benchmarks.replay_identity"


def replayed(folder: Path, name: str, source: str, **environment: str) -> tuple[bytes, bytes]:
    """Events and windows of one replay, as bytes."""
    config, events, windows = folder / "shop.toml", folder / f"{name}.events", folder / f"{name}.windows"
    config.write_text(SimulatedShop(5, 12, 1.0).config_toml(source), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "firmware",
        "replay",
        source,
        "--config",
        str(config),
        "--events",
        str(events),
        "--windows",
        str(windows),
    ]
    subprocess.run([*command, "--json"], check=True, capture_output=True, env={**os.environ, **environment})
    return events.read_bytes(), windows.read_bytes()


def figures() -> Iterator[Figure]:
    """How many of two files differ: between two runs, through the model, and without the JIT."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first, again = replayed(folder, "first", SOURCE), replayed(folder, "again", SOURCE)
        yield figure("replay.bytes", len(first[0]) + len(first[1]), "at least", 5_000, unit="bytes", command=COMMAND)
        yield figure("replay.twice.differing_files", differing(first, again), "equal", 0, unit="files", command=COMMAND)
        interpreted = replayed(folder, "interpreted", SOURCE, NUMBA_DISABLE_JIT="1")
        yield figure("replay.without_jit.differing_files", differing(first, interpreted), "equal", 0, unit="files", command=COMMAND)
        pixels = SOURCE.replace("sim-boxes", "sim").replace("minutes=1", "minutes=0.5")
        seen = replayed(folder, "seen", pixels), replayed(folder, "seen-again", pixels)
        yield figure("replay.pixels.twice.differing_files", differing(*seen), "equal", 0, unit="files", command=COMMAND)


def differing(one: tuple[bytes, bytes], other: tuple[bytes, bytes]) -> int:
    """How many of the files are not the same."""
    return sum(a != b for a, b in zip(one, other, strict=True))


def main() -> None:
    """Print them."""
    print_figures(figures())


if __name__ == "__main__":
    main()
