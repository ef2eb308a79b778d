"""Can this geometry count? Findings about lines and zones before anybody walks: `check_camera(camera) -> findings`.

The commonest reason for a count of zero is a line that people's boxes never clear, and the commonest reason for a wrong
one is a line read the wrong way round; neither says a word at run time. These checks do, from the configuration alone.
Rules: lengths are measured in heights of the view (x times the aspect), people in shares of their box height, which
`person_height_share` gives for each place; a finding names its rule, what is wrong, and by how much to move what.
Pure. Left to others: single values (`firmware.struct_reader`), telling directions (`firmware.analytics.view_sketch`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from typing import Final, Literal, NamedTuple

import numpy as np

from firmware.analytics.view_geometry import (
    GRID,
    View,
    apart,
    aspect_of,
    beyond,
    cells,
    compass,
    inscribed,
    into,
    moved,
    normal_to_in,
    outward,
    scaled,
    self_crossing,
    view_of,
    xy,
)
from firmware.config import CameraConfig, Config, LineConfig, ZoneConfig
from firmware.config_keys import shown
from firmware.toml_lines import Path

Level = Literal["error", "warning", "note"]

JITTER_SHARE: Final = 0.03  # a good detector's foot point wanders by 2 to 3 % of the box height
WALK_SHARE_S: Final = 0.82  # box heights a second: 1.4 m/s for 1.7 m (Bohannon 1997, comfortable gait)
LINE_SHARE_MIN: Final = 0.25  # of box height: the shoulders of one person, 0.45 m
DOOR_SHARE_MIN: Final = 0.45  # of box height: the narrowest door, 0.8 m
ZONE_RADIUS_MIN: Final = 0.08  # of box height: three times the jitter
ZONE_RADIUS_GOOD: Final = 0.15  # of box height: one person's place on the floor, 0.5 m across
SAME_FLOOR: Final = 0.9  # intersection over union from which two zones are one
LINES_APART_SHARE: Final = 0.3  # of box height: nearer parallel lines are crossed in one step
SAMPLES: Final = 21  # points along a line; judged from 5 to 95 % of it, the ends may touch the frame
FAIL_ERROR: Final = 0.5  # share of the samples at which a line cannot be cleared
FAIL_WARNING: Final = 0.2


class Finding(NamedTuple):
    """One remark on a geometry. `path` leads to the key in the configuration; `rule` is a stable name."""

    level: Level
    rule: str
    path: Path
    what: str
    hint: str


def check_config(config: Config, aspect: float | None = None) -> tuple[Finding, ...]:
    """Findings about every camera, worst first within each; `aspect` is the view's width over its height, None: by its source."""
    findings: list[Finding] = []
    if not config.camera:
        findings.append(Finding("error", "no_camera", (), "no camera: nothing would be counted", "add a [[camera]] with a line or a zone"))
    if config.uplink.url and not config.uplink.keys:
        what = "an address but no keys: nothing is sealed, spooled or sent"
        findings.append(
            Finding(
                "warning",
                "uplink_incomplete",
                ("uplink", "url"),
                what,
                "enrol the device (passerby-provision), and name the folder of its keys",
            )
        )
    for index, camera in enumerate(config.camera):
        findings += [
            finding._replace(path=("camera", index, *finding.path)) for finding in check_camera(camera, aspect or aspect_of(camera))
        ]
        if camera.still.map and not config.opening_hours:
            what = f"still things of camera {shown(camera.name)} cannot be learned: no opening hours"
            findings.append(
                Finding(
                    "note", "no_opening_hours", ("camera", index), what, 'add opening_hours = "Mo-Sa 09:00-20:00", or still.map = false'
                )
            )
    return tuple(findings)


def check_camera(camera: CameraConfig, aspect: float) -> tuple[Finding, ...]:
    """Findings about one camera; paths begin at the camera's table."""
    view = view_of(camera, aspect)
    findings = [
        finding for index, line in enumerate(camera.line) for finding in _line(line, ("line", index), view, camera.tracker.confirm_s)
    ]
    findings += _line_pairs(camera.line, view)
    findings += [finding for index, zone in enumerate(camera.zone) for finding in _zone(zone, ("zone", index), view)]
    findings += _zone_pairs(camera.zone)
    findings += _camera(camera)
    order = {"error": 0, "warning": 1, "note": 2}
    return tuple(sorted(findings, key=lambda finding: order[finding.level]))


# ---- lines


def _line(line: LineConfig, path: Path, view: View, confirm_s: float) -> Iterator[Finding]:
    name = f"line {shown(line.name)}"
    outside = [(end, point) for end, point in (("start", line.start), ("end", line.end)) if beyond(point)]
    for end, point in outside:
        yield Finding(
            "error", "line_outside", (*path, end), f"{name}: {end} = {xy(point)} is outside the view", f"move it to {xy(into(point))}"
        )
    if outside or line.start == line.end:
        return
    yield from _line_length(line, name, path, view)
    yield from _line_room(line, name, path, view, confirm_s)


def _line_length(line: LineConfig, name: str, path: Path, view: View) -> Iterator[Finding]:
    height = view.person((line.start[1] + line.end[1]) / 2)
    share = view.length(line.start, line.end) / height
    what = f"{name} is {share:.2f} box heights long"
    if share < LINE_SHARE_MIN:
        yield Finding("error", "line_short", path, f"{what}, narrower than one person", "draw it from door post to door post, on the floor")
    elif share < DOOR_SHARE_MIN:
        yield Finding(
            "warning",
            "line_short",
            path,
            f"{what}, narrower than a door",
            "people will pass beside it: draw it from door post to door post",
        )


def _line_room(line: LineConfig, name: str, path: Path, view: View, confirm_s: float) -> Iterator[Finding]:
    """Is there room on both sides for a foot point beyond the dead band, and for a track to be confirmed there?"""
    least = line.dead_band_share + JITTER_SHARE
    good = line.dead_band_share + WALK_SHARE_S * confirm_s
    failing = {side: _failing(line, side, view, least) for side in (1.0, -1.0)}
    side = max(failing, key=lambda one: failing[one])
    share = failing[side]
    kind = "in" if side > 0 else "out"
    hint = _move_hint(line, side, view, good)
    if share >= FAIL_ERROR:
        where = f"along {share:.0%} of it a foot point beyond the dead band is out of view"
        what = f"{name} can never be cleared on its {kind} side, its count would be a guess: {where}"
        yield Finding("error", "line_near_edge", path, what, hint)
    elif share >= FAIL_WARNING:
        what = (
            f"{name} cannot be cleared on its {kind} side along {share:.0%} of it: a foot point beyond the dead band is out of view there"
        )
        yield Finding("warning", "line_near_edge", path, what, hint)
    else:
        tight = {one: _failing(line, one, view, good) for one in (1.0, -1.0)}
        side = max(tight, key=lambda one: tight[one])
        if tight[side] >= FAIL_ERROR:
            kind = "in" if side > 0 else "out"
            what = f"{name} leaves little room on its {kind} side: fast walkers are out of view before their track is confirmed"
            yield Finding("warning", "line_tight", path, what, _move_hint(line, side, view, good))


def _failing(line: LineConfig, side: float, view: View, room_share: float, shift: float = 0.0) -> float:
    """Share of the samples at which a foot point `room_share` box heights beyond the line cannot be seen."""
    nx, ny = normal_to_in(line, view.aspect)
    failing = 0
    for index in range(SAMPLES):
        t = 0.05 + 0.9 * index / (SAMPLES - 1)
        x = line.start[0] + t * (line.end[0] - line.start[0]) - side * shift * nx / view.aspect
        y = line.start[1] + t * (line.end[1] - line.start[1]) - side * shift * ny
        room = room_share * view.person(y)
        failing += not view.seen(x + side * room * nx / view.aspect, y + side * room * ny)
    return failing / SAMPLES


def _move_hint(line: LineConfig, side: float, view: View, room_share: float) -> str:
    """By how much to move the line away from the side that lacks room."""
    nx, ny = normal_to_in(line, view.aspect)
    for step in range(1, 61):
        shift = step / 100
        if max(_failing(line, one, view, room_share, shift if one == side else -shift) for one in (side, -side)) < FAIL_WARNING:
            dx, dy = -side * shift * nx / view.aspect, -side * shift * ny
            start, end = moved(line.start, dx, dy), moved(line.end, dx, dy)
            return f"move it {_way(dx, dy)}: start = {xy(start)}, end = {xy(end)}"
    return "no place in this view has room for it: mount the camera higher or farther away, or correct person_height_share"


def _way(dx: float, dy: float) -> str:
    ways = [(abs(dy), "down" if dy > 0 else "up"), (abs(dx), "to the right" if dx > 0 else "to the left")]
    return " and ".join(f"{math.ceil(amount * 100 - 1e-9) / 100:.2f} {word}" for amount, word in ways if amount >= 0.005)


def _line_pairs(lines: tuple[LineConfig, ...], view: View) -> Iterator[Finding]:
    for (_, a), (index, b) in combinations(enumerate(lines), 2):
        if not (a.door and b.door) or any(beyond(point) for point in (a.start, a.end, b.start, b.end)):
            continue
        middle = ((b.start[0] + b.end[0]) / 2, (b.start[1] + b.end[1]) / 2)
        near = apart(scaled(a.start, view), scaled(a.end, view), scaled(middle, view)) / view.person(middle[1])
        na, nb = normal_to_in(a, view.aspect), normal_to_in(b, view.aspect)
        if near < LINES_APART_SHARE and abs(na[0] * nb[0] + na[1] * nb[1]) > math.cos(math.radians(30)):
            what = f"lines {shown(a.name)} and {shown(b.name)} are {near:.2f} box heights apart: one walk crosses both and counts twice"
            yield Finding("warning", "lines_close", ("line", index), what, "keep one, or say door = false on one of them")


# ---- zones


def _zone(zone: ZoneConfig, path: Path, view: View) -> Iterator[Finding]:
    name = f"zone {shown(zone.name)}"
    outside = [(index, corner) for index, corner in enumerate(zone.polygon) if beyond(corner)]
    for index, corner in outside:
        what = f"{name}: corner {index} = {xy(corner)} is outside the view"
        yield Finding("error", "zone_outside", (*path, "polygon", index), what, f"move it to {xy(into(corner))}")
    crossing = self_crossing(zone.polygon)
    if crossing is not None:
        a, b = crossing
        what = f"{name} crosses itself: side {a} (corner {a} to {(a + 1) % len(zone.polygon)}) meets side {b}"
        yield Finding("error", "zone_crosses_itself", (*path, "polygon"), what, "list the corners in order round the zone")
    if outside or crossing is not None:
        return
    yield from _zone_size(zone, name, path, view)
    yield from _zone_sight(zone, name, path, view)
    yield from _service_side(zone, name, path, view)


def _zone_size(zone: ZoneConfig, name: str, path: Path, view: View) -> Iterator[Finding]:
    radius, at = inscribed(zone.polygon, view)
    height = view.person(at[1])
    share = radius / height
    wanted = ZONE_RADIUS_GOOD * height
    hint = f"make it at least {2 * wanted / view.aspect:.2f} wide and {2 * wanted:.2f} high there"
    what = f"{name} is {2 * share:.2f} box heights across at its widest"
    if share < ZONE_RADIUS_MIN:
        yield Finding("error", "zone_small", (*path, "polygon"), f"{what}: less than a foot point's jitter", hint)
    elif share < ZONE_RADIUS_GOOD:
        yield Finding("warning", "zone_small", (*path, "polygon"), f"{what}: not room for one person", hint)


def _zone_sight(zone: ZoneConfig, name: str, path: Path, view: View) -> Iterator[Finding]:
    inside = cells(zone.polygon)
    if not inside.any():
        return
    places = np.argwhere(inside)
    hidden = sum(not view.seen((column + 0.5) / GRID, (row + 0.5) / GRID) for row, column in places) / len(places)
    what = f"{name}: over {hidden:.0%} of it less than half of a person standing there is in view"
    hint = "draw it on the floor, where feet stand, not where heads are; or tilt the camera"
    if hidden >= SAME_FLOOR:
        yield Finding("error", "zone_unseen", (*path, "polygon"), what, hint)
    elif hidden >= FAIL_ERROR:
        yield Finding("warning", "zone_unseen", (*path, "polygon"), what, hint)


def _service_side(zone: ZoneConfig, name: str, path: Path, view: View) -> Iterator[Finding]:
    if zone.kind != "queue":
        return
    if zone.service_side is None:
        hint = "add service_side: the number of the side by which served people leave"
        yield Finding("warning", "no_service_side", path, f"{name} has no service side: everybody who leaves it counts as abandoned", hint)
        return
    side = zone.service_side
    a, b = zone.polygon[side], zone.polygon[(side + 1) % len(zone.polygon)]
    middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
    nx, ny = outward(zone.polygon, side, view)
    height = view.person(middle[1])
    what = f"{name}: service side {side}, from {xy(a)} to {xy(b)}, faces out of the picture"
    hint = f"leave room beyond it, or choose the side by which served people leave: {_sides(zone, view)}"
    for level, share in (("error", JITTER_SHARE), ("warning", LINE_SHARE_MIN)):
        x, y = middle[0] + share * height * nx / view.aspect, middle[1] + share * height * ny
        if not view.seen(x, y):
            yield Finding(level, "service_side_outside", (*path, "service_side"), f"{what}: nobody can be seen to leave by it", hint)  # type: ignore[arg-type]
            return


def _sides(zone: ZoneConfig, view: View) -> str:
    """Each side of a zone with the way it faces: `0 up, 1 right, ...`."""
    return ", ".join(f"{side} {compass(*outward(zone.polygon, side, view))}" for side in range(len(zone.polygon)))


def _zone_pairs(zones: tuple[ZoneConfig, ...]) -> Iterator[Finding]:
    floors = [cells(zone.polygon) for zone in zones]
    for a, b in combinations(range(len(zones)), 2):
        union = int((floors[a] | floors[b]).sum())
        share = int((floors[a] & floors[b]).sum()) / union if union else 0.0
        if share >= SAME_FLOOR:
            what = f"zones {shown(zones[a].name)} and {shown(zones[b].name)} cover the same floor ({share:.0%})"
            yield Finding("warning", "zones_overlap", ("zone", b, "polygon"), what, "keep one of them: both would report the same people")


def _camera(camera: CameraConfig) -> Iterator[Finding]:
    if not camera.line and not camera.zone:
        what = f"camera {shown(camera.name)} has neither line nor zone: it would count nothing"
        yield Finding("warning", "counts_nothing", (), what, "add a [[camera.line]] or a [[camera.zone]]")
    for name in sorted({line.name for line in camera.line} & {zone.name for zone in camera.zone}):
        yield Finding(
            "note", "same_name", (), f"a line and a zone are both named {shown(name)}", "give them names that tell them apart in reports"
        )
    scheme, _, rest = camera.source.partition("://")
    if scheme in {"rtsp", "rtsps"}:
        what = f"camera {shown(camera.name)} is on the network: the process that sees pixels may reach it, and the wall is weaker"
        yield Finding("note", "camera_on_network", ("source",), what, "a camera on the board has no such hole")
        if "@" in rest.split("/")[0]:
            what = f"the source of camera {shown(camera.name)} holds a password"
            yield Finding("note", "password", ("source",), what, "keep this file readable by the device alone")
