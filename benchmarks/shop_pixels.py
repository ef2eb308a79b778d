"""The simulated shop, pixels to events: ten minutes, three seeds, against the shop's own truth.

Frames are rendered, the packaged model looks at them, and the pipeline counts; the shop knows who really crossed, how long
each visit was and how long each wait. Bounds: door counts within 2 %, dwell within 0.5 s at the median, queue length and
wait within 10 %. The same through the shop's own boxes (`--boxes`) shows what the analytics alone cost.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

from benchmarks.figure import Figure, figure, print_figures
from firmware.vision.shop.truth import Truth, Visit
from firmware.vision.simulated_shop import SimulatedShop

SEEDS = (1, 2, 3)
PEOPLE = 60
COMMAND = "python -m benchmarks.shop_pixels"


def replayed(seed: int, minutes: float, *, boxes: bool) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Summary and windows of one replay of the shop."""
    scheme = "sim-boxes" if boxes else "sim"
    source = f"{scheme}:?seed={seed}&people={PEOPLE}&minutes={minutes:g}&fps=10"
    with tempfile.TemporaryDirectory() as folder:
        config, windows = Path(folder) / "shop.toml", Path(folder) / "windows.jsonl"
        config.write_text(SimulatedShop(seed, PEOPLE, minutes).config_toml(source), encoding="utf-8")
        command = [sys.executable, "-m", "firmware", "replay", source, "--config", str(config), "--windows", str(windows), "--json"]
        finished = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(finished.stdout), [json.loads(line) for line in windows.read_text().splitlines()]


def share(counted: float, truth: float) -> float:
    """How far off, as a share of the truth."""
    return abs(counted - truth) / truth if truth else float(counted != 0)


def queue_length(truth: Truth, seconds: float) -> float:
    """People in the queue, averaged over the run."""
    return sum(visit.end_s - visit.begin_s for visit in truth.of("till")) / seconds


def errors(seed: int, minutes: float, *, boxes: bool) -> dict[str, float]:
    """Each error of one seed."""
    shop = SimulatedShop(seed, PEOPLE, minutes)
    truth = shop.truth()
    summary, windows = replayed(seed, minutes, boxes=boxes)
    door, display, till = summary["lines"]["entrance"], summary["zones"]["display"], summary["zones"]["till"]
    dwell_s = median(lengths(truth.of("display")))
    waits = lengths([visit for visit in truth.of("till") if visit.outcome in {"served", "abandoned"}])
    occupied_ms = sum(zone["occupancy_ms"] for window in windows for zone in window["zones"] if zone["name"] == "till")
    seconds = summary["seconds"]
    return {
        "door": share(door["in"] + door["out"], truth.count("in") + truth.count("out")),
        "door_in": share(door["in"], truth.count("in")),
        "door_out": share(door["out"], truth.count("out")),
        "dwell_median": abs((display["dwell_s"]["p50"] or 0.0) - dwell_s),
        "queue_length": share(occupied_ms / 1000 / seconds, queue_length(truth, seconds)),
        "queue_wait": share(till["wait_s"]["mean"] or 0.0, mean(waits)),
    }


def lengths(visits: Sequence[Visit]) -> list[float]:
    """Their lengths in seconds; a visit of no length at all keeps the median defined."""
    return [visit.end_s - visit.begin_s for visit in visits] or [0.0]


def figures(minutes: float = 10.0, seeds: Sequence[int] = SEEDS, *, boxes: bool = False) -> Iterator[Figure]:
    """The worst of the seeds for each error."""
    every = [errors(seed, minutes, boxes=boxes) for seed in seeds]
    what = "shop_boxes" if boxes else "shop_pixels"
    bounds = {"door": 0.02, "door_in": 0.02, "door_out": 0.02, "dwell_median": 0.5, "queue_length": 0.1, "queue_wait": 0.1}
    for name, bound in bounds.items():
        unit = "s" if name == "dwell_median" else "share"
        command = COMMAND + (" --boxes" if boxes else "")
        yield figure(f"{what}.{name}.error", max(one[name] for one in every), "at most", bound, unit=unit, command=command)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, action="append", help="may be repeated (default: 1, 2, 3)")
    parser.add_argument("--boxes", action="store_true", help="the shop's own boxes instead of pixels and model")
    arguments = parser.parse_args()
    print_figures(figures(arguments.minutes, arguments.seed or SEEDS, boxes=arguments.boxes))


if __name__ == "__main__":
    main()
