"""The line grid: simulated doorways in every mix of jitter, missed boxes, changing ids and frame rate, counted and compared.

Two chains are judged against the truth: `ids`, tracks whose ids switch as often as the cell says, through re-linking and
line; and `boxes`, the same boxes without ids through the real tracker first. With supervision installed, its `LineZone`
stands beside them on the same boxes and ids.

    python -m benchmarks.line_grid [--quick] [--seed N] [--places] [--table] [--jobs N]
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import Any

import msgspec

from benchmarks.doorway import Crowd, Place, Scene, Sensor, scene
from benchmarks.figure import Figure, figure, print_figures
from firmware.analytics.line_crossing import LineCounter, LineStep
from firmware.analytics.relink import Relinker
from firmware.vision.tracker import Tracker

COUNTS: dict[Crowd, int] = {"walkers": 400, "abreast": 200, "loiterers": 100, "strollers": 50, "peeks": 100, "turners": 100}
STANDARD = "standard"
PLACES: dict[str, Place] = {
    STANDARD: Place(),
    "small people": Place(box_px=(26.0, 70.0), speed_px_s=(35.0, 80.0), exit_px=80.0, far_px=140.0, spread_px=200.0, body_px=20.0),
    "tall boxes": Place(box_px=(80.0, 230.0), speed_px_s=(110.0, 230.0), exit_px=150.0, far_px=210.0, body_px=60.0),
    "slanted line": Place(angle_deg=30.0, spread_px=150.0, line_px=420.0),
    "upright line": Place(angle_deg=90.0, exit_px=170.0, far_px=200.0, spread_px=120.0, line_px=360.0),
    "line near the exit": Place(exit_px=75.0, far_px=240.0),
    "turned round": Place(angle_deg=180.0),
}


class Cell(msgspec.Struct, frozen=True):
    """One cell of the grid."""

    crowd: Crowd
    place: str
    fps: float
    jitter_px: float
    miss: float
    switch: float
    seed: int
    count: int


class Row(msgspec.Struct, frozen=True):
    """What was counted in one cell: (in, out) of the truth and of each chain; `off` sums the differences of both directions."""

    cell: Cell
    truth: tuple[int, int]
    ids: tuple[int, int]
    boxes: tuple[int, int]
    off_ids: int
    off_boxes: int
    ambiguous: int
    rival: dict[str, int]


def count(made: Scene, chain: str) -> tuple[int, int, int]:
    """Settled in, settled out and ambiguous of one scene, by ids or by boxes."""
    tracker = Tracker() if chain == "boxes" else None
    relinker, counter = Relinker(), LineCounter(made.line)
    steps: list[LineStep] = []
    for tracks, detections in zip(made.tracks, made.detections, strict=True):
        steps.append(counter.step(relinker.step(tracker.step(detections) if tracker else tracks)))
    steps.append(counter.finish(made.tracks[-1].t_s))
    directions = [crossing.direction for step in steps for crossing in step.settled]
    return directions.count("in"), directions.count("out"), sum(step.ambiguous for step in steps)


def measure(cell: Cell) -> Row:
    """Simulate and count one cell."""
    sensor = Sensor(cell.fps, cell.jitter_px, cell.miss, cell.switch)
    made = scene({cell.crowd: cell.count}, PLACES[cell.place], sensor, cell.seed)
    truth = (made.truth_in, made.truth_out)
    ids, boxes = count(made, "ids"), count(made, "boxes")
    rival = rivals(made) if cell.fps == 10 and cell.place == STANDARD and find_spec("supervision") else {}
    return Row(cell, truth, ids[:2], boxes[:2], off(truth, ids), off(truth, boxes), ids[2], rival)


def off(truth: tuple[int, int], counted: tuple[int, ...]) -> int:
    """Differences in both directions, summed: errors do not cancel."""
    return abs(counted[0] - truth[0]) + abs(counted[1] - truth[1])


def rivals(made: Scene) -> dict[str, int]:
    """Crossings that supervision's LineZone books, both directions together, on the same boxes and ids."""
    import numpy as np
    import supervision as sv

    start, end = (sv.Point(x * 640, y * 480) for x, y in (made.line.start, made.line.end))
    foot = (sv.Position.BOTTOM_CENTER,)
    zones: dict[str, Any] = {"corners": sv.LineZone(start, end)}
    for threshold in (1, 2, 3):
        zones[f"foot {threshold}"] = sv.LineZone(start, end, triggering_anchors=foot, minimum_crossing_threshold=threshold)
    for tracks in made.tracks:
        boxes = tracks.boxes * np.array([640.0, 480.0, 640.0, 480.0])
        seen = sv.Detections(xyxy=boxes, confidence=tracks.scores, tracker_id=tracks.ids, class_id=np.zeros(len(boxes), int))
        for zone in zones.values():
            zone.trigger(seen)
    return {name: zone.in_count + zone.out_count for name, zone in zones.items()}


def grid(seed: int, *, quick: bool, places: bool) -> list[Cell]:
    """The cells: every mix in the standard doorway; with `places` the other doorways in a few mixes; or a quick handful."""
    mixes: Iterable[tuple[float, float, float, float]] = itertools.product((5.0, 10.0, 30.0), (2.0, 5.0), (0.1, 0.3), (0.0, 0.02, 0.05))
    if quick:
        mixes = [(5.0, 2.0, 0.1, 0.05), (10.0, 5.0, 0.1, 0.02), (10.0, 2.0, 0.3, 0.05)]
    cells = [Cell(crowd, STANDARD, *mix, seed=seed, count=n // 4 if quick else n) for mix in mixes for crowd, n in COUNTS.items()]
    if places:
        few = [(5.0, 2.0, 0.1, 0.02), (10.0, 2.0, 0.1, 0.05), (10.0, 2.0, 0.3, 0.02), (30.0, 2.0, 0.1, 0.0)]
        cells += [
            Cell(crowd, place, *mix, seed=seed + 1, count=n // 2)
            for place in PLACES
            if place != STANDARD
            for mix in few
            for crowd, n in COUNTS.items()
        ]
    return cells


def rows(cells: Iterable[Cell], jobs: int = 1) -> Iterator[Row]:
    """Measure cells, in the order given, on `jobs` processors."""
    if jobs == 1:
        yield from map(measure, cells)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(measure, cells)


def figures(seed: int = 1, *, quick: bool = False, jobs: int | None = None) -> Iterator[Figure]:
    """The grid in ten lines: the worst cell of each crowd, for both chains."""
    command = f"python -m benchmarks.line_grid --seed {seed}" + (" --quick" if quick else "")
    measured = list(rows(grid(seed, quick=quick, places=False), jobs or os.cpu_count() or 1))
    for crowd in COUNTS:
        mine = [row for row in measured if row.cell.crowd == crowd]
        for chain in ("ids", "boxes"):
            worst = max(row.off_ids if chain == "ids" else row.off_boxes for row in mine)
            if crowd in {"walkers", "abreast"}:
                share = worst / mine[0].cell.count
                yield figure(f"line.{crowd}.{chain}.worst_cell", share, "at most", 0.01, unit="share of people", command=command)
            else:
                yield figure(f"line.{crowd}.{chain}.worst_cell", worst, "equal", 0, unit="crossings", command=command)


def table(measured: list[Row]) -> str:
    """The tables of docs/accuracy.md: every mix with what is off by ids and by boxes, and LineZone beside it where it ran."""
    mixes: dict[tuple[str, float, float, float, float], dict[str, Row]] = {}
    for row in measured:
        cell = row.cell
        mixes.setdefault((cell.place, cell.fps, cell.jitter_px, cell.miss, cell.switch), {})[cell.crowd] = row
    lines = ["| place | fps | jitter px | missed | id switches | " + " | ".join(COUNTS) + " |", "|---" * (5 + len(COUNTS)) + "|"]
    for mix, crowds in mixes.items():
        off_by = (f"{crowds[crowd].off_ids} / {crowds[crowd].off_boxes}" if crowd in crowds else "" for crowd in COUNTS)
        lines.append(f"| {_mix(mix)} | " + " | ".join(off_by) + " |")
    names = ("corners", "foot 1", "foot 2", "foot 3")
    rivals = [row for row in measured if row.rival and row.cell.crowd in {"walkers", "loiterers", "peeks"}]
    if rivals:
        lines += [
            "",
            "| people | fps | jitter px | missed | id switches | truth | ours, ids | ours, boxes | LineZone " + " | ".join(names) + " |",
        ]
        lines.append("|---" * (8 + len(names)) + "|")
    for row in rivals:
        who = _mix((row.cell.crowd, row.cell.fps, row.cell.jitter_px, row.cell.miss, row.cell.switch))
        counts = (sum(row.truth), sum(row.ids), sum(row.boxes), *(row.rival[name] for name in names))
        lines.append(f"| {who} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join(lines)


def _mix(mix: tuple[str, float, float, float, float]) -> str:
    first, fps, jitter_px, miss, switch = mix
    return f"{first} | {fps:g} | {jitter_px:g} | {miss:.0%} | {switch:.0%}"


def main() -> None:
    """Print every cell as a JSON line, or the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three mixes, a quarter of the people")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn")
    parser.add_argument("--places", action="store_true", help="other doorways too: sizes, angles, a line near the exit")
    parser.add_argument("--table", action="store_true", help="a Markdown table instead of JSON lines")
    parser.add_argument("--figures", action="store_true", help="only the worst cell of each crowd")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processors to use")
    chosen = parser.parse_args()
    if chosen.figures:
        print_figures(figures(chosen.seed, quick=chosen.quick, jobs=chosen.jobs))
        return
    measured = []
    for row in rows(grid(chosen.seed, quick=chosen.quick, places=chosen.places), chosen.jobs):
        measured.append(row)
        if not chosen.table:
            print(json.dumps(msgspec.to_builtins(row)), flush=True)
    if chosen.table:
        print(table(measured))


if __name__ == "__main__":
    main()
