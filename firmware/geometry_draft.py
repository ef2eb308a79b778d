"""Drafts of lines and zones from the page: shown, checked, and put into the configuration's text in place of the old ones.

The rest of the file stays as somebody wrote it, comments and all: only the `[[camera.line]]` and `[[camera.zone]]` tables
of one camera are replaced. What comes out is parsed and compared before anybody writes it: a draft can change lines and
zones of its camera, and nothing else. Left to others: the checks themselves, the card, and counting by it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from firmware.analytics.geometry_check import Finding, check_config
from firmware.analytics.view_geometry import aspect_of
from firmware.commissioning.config_store import ConfigStore
from firmware.config import CameraConfig, Config, parse
from firmware.config_keys import shown
from firmware.daemon import Daemon, Source
from firmware.errors import ConfigError
from firmware.status.values import Checked, Geometry, Plane, Planes, Remark

_TABLE: Final = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_NOT_HERE: Final = "this configuration cannot be edited here"
_HOW: Final = "write it with one table each: [[camera]], [[camera.line]], [[camera.zone]]"
DIGITS: Final = 4  # a tenth of a pixel at 1000 pixels


class Drafts:
    """The page's `Drawing` port over a running daemon; without a store everything can be tried and nothing kept."""

    def __init__(self, daemon: Daemon, store: ConfigStore | None) -> None:
        self._daemon, self._store = daemon, store
        self._saving = asyncio.Lock()

    def planes(self) -> Planes:
        return Planes(tuple(_plane(camera) for camera in self._daemon.source.config.camera), writable=not self._daemon.source.faults)

    def check(self, geometry: Geometry) -> Checked:
        try:
            text = with_geometry(self._daemon.source.text, geometry)
            config = parse(text, "draft")
        except ConfigError as error:
            faults = tuple(Remark("error", "faulty", _bare(fault), "") for fault in error.faults)
            return Checked(good=False, remarks=faults)
        index = _index(config, geometry.camera)
        alone = replace(config, camera=(config.camera[index],))
        remarks = tuple(_remark(finding) for finding in check_config(alone) if finding.path[:1] == ("camera",))
        return Checked(all(remark.level != "error" for remark in remarks), remarks)

    async def save(self, geometry: Geometry) -> Checked:
        async with self._saving:
            checked = self.check(geometry)
            if not checked.good:
                return checked
            source = self._daemon.source
            if source.faults:
                raise ConfigError("the configuration has faults, and the last good one runs", "mend the file first: saving would lose it")
            text = with_geometry(source.text, geometry)
            config = parse(text, source.filename)
            if self._store is not None:
                await asyncio.get_running_loop().run_in_executor(None, self._store.save, text)
            if not await self._daemon.apply(Source(config, text, source.filename)):
                raise ConfigError("more than lines and zones would change", "restart the device")
            return checked


def with_geometry(text: str, geometry: Geometry) -> str:
    """A configuration's text with a camera's lines and zones replaced.

    Raises:
        ConfigError: no such camera, or a text whose tables are not written one by one.
    """
    before = parse(text, "configuration")
    index = _index(before, geometry.camera)
    lines = text.split("\n")
    first, last = _span(lines, index)
    kept = [*_without_drawings(lines[first:last])]
    while kept and not kept[-1].strip():
        kept.pop()
    bare = parse("\n".join([*lines[:first], *kept, "", *lines[last:]]), "configuration").camera[index]
    if bare.line or bare.zone:
        raise ConfigError(_NOT_HERE, _HOW)
    new = "\n".join([*lines[:first], *kept, "", *_tables(geometry), *lines[last:]])
    drawn = replace(before.camera[index], line=_rounded(geometry).line, zone=_rounded(geometry).zone)
    wanted = replace(before, camera=(*before.camera[:index], drawn, *before.camera[index + 1 :]))
    if parse(new, "draft") != wanted:
        raise ConfigError(_NOT_HERE, _HOW)
    return new


def _span(lines: list[str], index: int) -> tuple[int, int]:
    """From the line after the camera's `[[camera]]` to the next table that is none of its own."""
    heads = [(at, match[1]) for at, line in enumerate(lines) if (match := _TABLE.match(line))]
    starts = [at for at, name in heads if name == "camera"]
    if index >= len(starts):
        raise ConfigError(_NOT_HERE, _HOW)
    first = starts[index] + 1
    last = next((at for at, name in heads if at >= first and not name.startswith("camera.")), len(lines))
    return first, last


def _without_drawings(lines: list[str]) -> Iterator[str]:
    drawing = False
    for line in lines:
        match = _TABLE.match(line)
        if match:
            drawing = match[1] in {"camera.line", "camera.zone"}
        if not drawing:
            yield line


def _tables(geometry: Geometry) -> Iterator[str]:
    for kind in ("line", "zone"):
        for each in getattr(_rounded(geometry), kind):
            yield f"[[camera.{kind}]]"
            yield from (f"{name} = {_toml(value)}" for name, value in _written(each))
            yield ""


def _written(struct: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    """What differs from the defaults, by the names of the file."""
    names = struct.__struct_encode_fields__
    for name, field in zip(names, msgspec.structs.fields(struct), strict=True):
        value = getattr(struct, field.name)
        if value is not None and value != field.default:
            yield name, value


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return repr(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}" for c in escaped) + '"'


def _rounded(geometry: Geometry) -> Geometry:
    def at(point: tuple[float, float]) -> tuple[float, float]:
        return round(point[0], DIGITS), round(point[1], DIGITS)

    line = tuple(replace(each, start=at(each.start), end=at(each.end)) for each in geometry.line)
    zone = tuple(replace(each, polygon=tuple(at(corner) for corner in each.polygon)) for each in geometry.zone)
    return Geometry(geometry.camera, line, zone)


def _index(config: Config, name: str) -> int:
    for index, camera in enumerate(config.camera):
        if camera.name == name:
            return index
    raise ConfigError(f"there is no camera {shown(name)}")


def _plane(camera: CameraConfig) -> Plane:
    return Plane(aspect_of(camera), camera.person_height_share, Geometry(camera.name, camera.line, camera.zone))


def _remark(finding: Finding) -> Remark:
    """Its place: `camera, i, line | zone, index, ...`."""
    path = finding.path[2:]
    if len(path) >= 2 and path[0] in {"line", "zone"} and isinstance(path[1], int):
        return Remark(finding.level, finding.rule, finding.what, finding.hint, path[0], path[1])  # type: ignore[arg-type]
    return Remark(finding.level, finding.rule, finding.what, finding.hint)


def _bare(fault: str) -> str:
    """A fault without the name of a file that does not exist."""
    return fault.partition(": ")[2] or fault
