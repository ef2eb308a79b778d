"""Which way is in? A camera's lines and zones in words, and as a small sketch of the view for a terminal.

Rules: one character is a cell; cells are twice as high as wide, as in most terminals; the sketch holds box-drawing
characters and arrows, and `ascii_only` gives it in plain ASCII. Lines begin at `A`, end at `B`; their arrow stands on
the `in` side and points to it. A zone's corners are numbered, so that its sides can be: side i runs from corner i to
the next. Pure.
"""

from __future__ import annotations

import math
import unicodedata
from typing import Final

from firmware.analytics.view_geometry import compass, normal_to_in, outward, view_of, xy
from firmware.config import CameraConfig, LineConfig, Point, ZoneConfig
from firmware.config_keys import shown

COLUMNS: Final = 64  # of the view; with its frame it fits a terminal of 80
NAME_MAX: Final = 28  # of its name a sketch shows so much: two fit beside each other
_ARROWS: Final = {
    "right": "→",
    "down and right": "↘",
    "down": "↓",
    "down and left": "↙",
    "left": "←",
    "up and left": "↖",
    "up": "↑",
    "up and right": "↗",
}
_ASCII: Final = str.maketrans("→↘↓↙←↖↑↗─│┌┐└┘·═", ">\\v/<\\^/-|++++.=")


def line_words(line: LineConfig, aspect: float) -> str:
    """One sentence: who counts as in."""
    way = compass(*normal_to_in(line, aspect))
    depth = {"up": ", away from the camera", "down": ", towards the camera"}.get(way, "")
    return (
        f"line {shown(line.name)}: who goes {way} in the picture{depth}, counts as in "
        f"(from {xy(line.start)} to {xy(line.end)}, in = {line.in_side})"
    )


def zone_words(zone: ZoneConfig, camera: CameraConfig, aspect: float) -> str:
    """One sentence: what a zone measures, and by which side served people leave."""
    if zone.kind == "area" or zone.service_side is None:
        return f"zone {shown(zone.name)}: {zone.kind}, {len(zone.polygon)} corners"
    side = zone.service_side
    way = compass(*outward(zone.polygon, side, view_of(camera, aspect)))
    after = (side + 1) % len(zone.polygon)
    return f"zone {shown(zone.name)}: queue; who leaves it {way}, over side {side} (corner {side} to {after}), was served"


def sketch(camera: CameraConfig, aspect: float, *, ascii_only: bool = False) -> str:
    """The view with its lines and zones, framed; then one sentence for each."""
    rows = max(6, round(COLUMNS / aspect / 2))
    canvas = [[" "] * COLUMNS for _ in range(rows)]
    for zone in camera.zone:
        _draw_zone(canvas, zone)
    for line in camera.line:
        _draw_line(canvas, line, aspect)
    framed = ["┌" + "─" * COLUMNS + "┐", *("│" + "".join(row) + "│" for row in canvas), "└" + "─" * COLUMNS + "┘"]
    words = [line_words(line, aspect) for line in camera.line] + [zone_words(zone, camera, aspect) for zone in camera.zone]
    drawn = "\n".join(framed)
    return "\n".join((drawn.translate(_ASCII) if ascii_only else drawn, *words))


def _draw_line(canvas: list[list[str]], line: LineConfig, aspect: float) -> None:
    _stroke(canvas, line.start, line.end, _dash(line.start, line.end, aspect))
    nx, ny = normal_to_in(line, aspect)
    middle = ((line.start[0] + line.end[0]) / 2, (line.start[1] + line.end[1]) / 2)
    beside = (middle[0] + 0.09 * nx / aspect, middle[1] + 0.09 * ny)  # of the view's height: between one and two rows
    _put(canvas, beside, _ARROWS[compass(nx, ny)])
    _label(canvas, beside, f"in: {line.name}", gap=2)
    _put(canvas, line.start, "A")
    _put(canvas, line.end, "B")


def _draw_zone(canvas: list[list[str]], zone: ZoneConfig) -> None:
    count = len(zone.polygon)
    for side in range(count):
        _stroke(canvas, zone.polygon[side], zone.polygon[(side + 1) % count], "═" if side == zone.service_side else "·")
    for index, corner in enumerate(zone.polygon):
        _put(canvas, corner, str(index % 10))
    middle = (sum(x for x, _ in zone.polygon) / count, sum(y for _, y in zone.polygon) / count)
    _label(canvas, (middle[0] - len(zone.name) / 2 / COLUMNS, middle[1]), zone.name)


def _dash(a: Point, b: Point, aspect: float) -> str:
    """The character that lies best along a segment."""
    angle = math.degrees(math.atan2(b[1] - a[1], (b[0] - a[0]) * aspect)) % 180
    return "─" if angle < 22.5 or angle >= 157.5 else "\\" if angle < 67.5 else "│" if angle < 112.5 else "/"


def _stroke(canvas: list[list[str]], a: Point, b: Point, character: str) -> None:
    steps = 2 * COLUMNS
    for step in range(steps + 1):
        t = step / steps
        _put(canvas, (a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])), character)


def _cell(canvas: list[list[str]], point: Point) -> tuple[int, int]:
    return math.floor(point[0] * len(canvas[0])), math.floor(point[1] * len(canvas))


def _put(canvas: list[list[str]], point: Point, character: str) -> None:
    column, row = _cell(canvas, (point[0] - 1e-9 if point[0] == 1 else point[0], point[1] - 1e-9 if point[1] == 1 else point[1]))
    if 0 <= row < len(canvas) and 0 <= column < len(canvas[0]):
        canvas[row][column] = character


def _label(canvas: list[list[str]], point: Point, text: str, gap: int = 0) -> None:
    """A name right of a point, or left of it where the frame is near; what may break the frame is a question mark."""
    text = text[:NAME_MAX]
    column, row = _cell(canvas, point)
    fits = column + gap + len(text) <= len(canvas[0])
    first = column + gap if fits or not gap else column - gap - 1 - len(text)
    first = min(max(first, 0), len(canvas[0]) - len(text))
    row = min(max(row, 0), len(canvas) - 1)
    for offset, character in enumerate(text):
        canvas[row][first + offset] = character if _one_cell_wide(character) else "?"


def _one_cell_wide(character: str) -> bool:
    """Surely so: from Hangul on characters may be twice as wide, marks have no width, controls move about."""
    return ord(character) < 0x1100 and character.isprintable() and not unicodedata.combining(character)
