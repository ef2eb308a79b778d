"""The clip in which six people come one at a time: pixels to numbers through `passerby replay` and the packaged model.

People come in under the camera, heads first, over the left half of the bottom edge, one as near to the table as half a step; they
stand at the table and leave to the right. So the way in has one line, across the floor between that edge and the table, and
the way out another; the zone is the whole view. Bounds: 6 in, 6 out, settled; 6 visits, each begin and end within 1.5 s of the stated
frames; never two people at once. The clip is not part of the project; without it the figures say nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, figure, print_figures

CLIP = "videos/intel_sample_videos/one-by-one-person-detection.mp4"
FPS = 10.0
STATED = ((61, 200), (228, 451), (503, 699), (745, 869), (921, 1200), (1235, 1360))  # frames, counted from 1
TOLERANCE_S = 1.5
COMMAND = "python -m benchmarks.one_by_one"
CONFIG = """
site = "one-by-one"
[[camera]]
name = "table"
source = "clip.mp4"
fps_max = 30.0
[[camera.line]]
name = "way in"
start = [0.35, 0.75]
end = [0.62, 1.0]
in = "left"
[[camera.line]]
name = "way out"
start = [0.75, 1.0]
end = [0.75, 0.4]
in = "left"
[[camera.zone]]
name = "view"
polygon = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.01], [0.0, 1.01]]
"""


def clip() -> Path:
    """Where the clip lies, beside the project."""
    data = Path(os.environ.get("PASSERBY_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    return data / CLIP


def replayed(model: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The summary and the events of one replay."""
    with tempfile.TemporaryDirectory() as folder:
        config, events = Path(folder) / "clip.toml", Path(folder) / "events.jsonl"
        config.write_text(CONFIG, encoding="utf-8")
        command = [sys.executable, "-m", "firmware", "replay", str(clip()), "--config", str(config), "--events", str(events)]
        finished = subprocess.run([*command, "--model", model, "--json"], capture_output=True, text=True, check=True)
        return json.loads(finished.stdout), [json.loads(line) for line in events.read_text().splitlines()]


def visits_s(events: list[dict[str, Any]]) -> list[tuple[float, float]]:
    """Begin and end of each visit to the view, in order."""
    begins = sorted(event["t_ms"] / 1000 for event in events if event["type"] == "zone_entered")
    ends = sorted(event["t_ms"] / 1000 for event in events if event["type"] == "zone_left")
    return list(zip(begins, ends, strict=False))


def figures(model: str = "person-320") -> Iterator[Figure]:
    """Counts and times of the clip."""
    if not clip().exists():
        print(f"skipped: {clip().name} is not beside the project (PASSERBY_DATA)", file=sys.stderr)
        return
    summary, events = replayed(model)
    lines, view = summary["lines"], summary["zones"]["view"]
    yield figure("one_by_one.in", lines["way in"]["in"], "equal", 6, unit="people", command=COMMAND)
    yield figure("one_by_one.out", lines["way out"]["out"], "equal", 6, unit="people", command=COMMAND)
    others = lines["way in"]["out"] + lines["way out"]["in"]
    yield figure("one_by_one.wrong_way", others, "equal", 0, unit="people", command=COMMAND)
    yield figure("one_by_one.visits", view["visits"], "equal", 6, unit="visits", command=COMMAND)
    yield figure("one_by_one.occupancy_max", view["occupancy_max"], "at most", 1, unit="people", command=COMMAND)
    found = visits_s(events)
    if len(found) == len(STATED):
        stated = [((first - 1) / FPS, (last - 1) / FPS) for first, last in STATED]
        begin_s = max(abs(visit[0] - truth[0]) for visit, truth in zip(found, stated, strict=True))
        end_s = max(abs(visit[1] - truth[1]) for visit, truth in zip(found, stated, strict=True))
    else:
        begin_s = end_s = float("inf")
    yield figure("one_by_one.begin_error_max", begin_s, "at most", TOLERANCE_S, unit="s", command=COMMAND)
    yield figure("one_by_one.end_error_max", end_s, "at most", TOLERANCE_S, unit="s", command=COMMAND)


def main() -> None:
    print_figures(figures(*sys.argv[1:2]))


if __name__ == "__main__":
    main()
