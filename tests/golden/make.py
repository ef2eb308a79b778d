"""Writes the recordings of the golden scenarios: `python -m tests.golden.make`.

Each scenario is a folder with `shop.toml`, `detections.jsonl` (written here, from the ways below) and `expected.jsonl`
(written by hand from the same ways: where a straight way meets a side is a division). A person is 0.3 of the view high; boxes
are cut at the view's edges, as a detector's are, and jitter by a fixed pattern of a hundredth of their height.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEIGHT, WIDTH = 0.3, 0.1
Way = Sequence[tuple[float, float, float]]  # t_s, x, y of the foot point; straight between, absent before and after
Hidden = Callable[[int, float], bool]  # (person, t_s): not seen


def foot(way: Way, t_s: float) -> tuple[float, float] | None:
    """Where somebody is."""
    for (t0, x0, y0), (t1, x1, y1) in itertools.pairwise(way):
        if t0 <= t_s < t1:
            share = (t_s - t0) / (t1 - t0)
            return x0 + share * (x1 - x0), y0 + share * (y1 - y0)
    return None


def record(name: str, seconds: float, fps: float, ways: Sequence[Way], hidden: Hidden = lambda person, t_s: False) -> None:
    """Write one scenario's detections."""
    lines = []
    for frame in range(round(seconds * fps)):
        t_s = frame / fps
        boxes = []
        for person, way in enumerate(ways):
            here = foot(way, t_s)
            if here is None or hidden(person, t_s):
                continue
            sway = HEIGHT / 100 * ((frame * 7 + person * 3) % 5 - 2) / 2
            x, y = here[0] + sway / 2, here[1] + sway
            box = (x - WIDTH / 2, y - HEIGHT, x + WIDTH / 2, y)
            cut = [round(min(max(edge, 0.0), 1.0), 4) for edge in box]
            if cut[2] - cut[0] > 0.02 and cut[3] - cut[1] > 0.05:
                boxes.append(cut)
        lines.append(json.dumps({"t": round(t_s, 3), "boxes": boxes, "scores": [0.9] * len(boxes)}, separators=(",", ":")))
    (HERE / name / "detections.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """All scenarios."""
    # The line lies at y = 0.6, in is up. Everybody who walks up it comes from below the view at 0.2 of the view a second.
    record(
        "door",
        40.0,
        10.0,
        [
            [(1.0, 0.3, 1.1), (6.0, 0.3, 0.1)],  # in: 0.5 of the way after 2.5 s, at 3.5 s
            [(1.0, 0.6, 1.1), (6.0, 0.6, 0.1)],  # beside the first: in at 3.5 s
            [(12.0, 0.5, 0.1), (17.0, 0.5, 1.1)],  # out at 14.5 s
            [(20.0, 0.3, 1.1), (23.0, 0.3, 0.5), (24.0, 0.3, 0.5), (27.0, 0.3, 1.1)],  # a peek: in at 22.5, out at 24.5
            # a loiterer on the line: comes, stands on it, goes back
            [(20.0, 0.7, 1.1), (22.5, 0.7, 0.61), (26.0, 0.7, 0.59), (30.0, 0.7, 0.61), (32.5, 0.7, 1.1)],
        ],
    )
    # The display is the square 0.3 to 0.7. Someone walks in from the left at 0.1 a second, in at 3.0; a break at its right
    # side (out at 9.0, back at 9.8); hidden 14.0 to 15.8; out by the right side at 20.0. Another walks through a corner in 0.3 s.
    record(
        "display",
        36.0,
        10.0,
        [
            [(1.0, 0.1, 0.5), (5.0, 0.5, 0.5), (7.0, 0.5, 0.5), (9.4, 0.74, 0.5), (11.8, 0.5, 0.5), (18.0, 0.5, 0.5), (24.0, 1.1, 0.5)],
            [(27.0, 0.2, 0.4), (30.0, 0.5, 0.17), (32.0, 0.7, 0.0)],
        ],
        hidden=lambda person, t_s: person == 0 and 14.0 <= t_s < 15.8,
    )
    # The queue is 0.2..0.8 x 0.3..0.7, service side 0 (the top). Three walk up from below, wait, and leave over the top; a
    # fourth gives up and leaves to the right. A clerk stands in the staff zone behind the top.
    record(
        "queue",
        64.0,
        5.0,
        [
            [(1.0, 0.3, 1.1), (7.0, 0.3, 0.5), (15.0, 0.3, 0.5), (19.0, 0.3, 0.1), (20.0, 0.0, 0.1)],  # in 5.0, out 17.0
            [(6.0, 0.45, 1.1), (12.0, 0.45, 0.5), (25.0, 0.45, 0.5), (29.0, 0.45, 0.1), (31.0, 0.0, 0.1)],  # in 10.0, out 27.0
            [(11.0, 0.6, 1.1), (17.0, 0.6, 0.5), (39.0, 0.6, 0.5), (43.0, 0.6, 0.1), (47.0, 0.0, 0.1)],  # in 15.0, out 41.0
            [(16.0, 0.75, 1.1), (22.0, 0.75, 0.5), (30.0, 0.75, 0.5), (33.0, 1.05, 0.5)],  # in 20.0, out 30.5
            [(0.0, 0.9, 0.2), (60.0, 0.9, 0.2)],  # the clerk
        ],
    )
    # One visit over the end of an epoch (at 300 s): in at 292.0 by the left, out at 312.0 by the right.
    record("epoch", 330.0, 4.0, [[(290.0, 0.1, 0.5), (294.0, 0.5, 0.5), (310.0, 0.5, 0.5), (316.0, 1.1, 0.5)]])
    # A mannequin from the start, still after 30 s; a shopper passes it: in at 43.0 by the left, out at 47.0 by the right.
    record("mannequin", 60.0, 5.0, [[(0.0, 0.5, 0.65), (60.0, 0.5, 0.65)], [(41.0, 0.1, 0.45), (50.0, 1.0, 0.45)]])


if __name__ == "__main__":
    main()
