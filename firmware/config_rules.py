"""What several keys of a configuration mean together, and texts with a grammar of their own: each fault with its line.

Rules: works on structs whose single values are already within their limits; says everything at once; reads nothing.
Left to others: types and limits (`firmware.struct_reader`), whether the geometry can count
(`firmware.analytics.geometry_check`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

from firmware.config_keys import shown
from firmware.opening_hours import OpeningHoursError, read_opening_hours
from firmware.struct_reader import Fault, Written
from firmware.toml_lines import Path

if TYPE_CHECKING:
    from firmware.config import CameraConfig, Config, LineConfig, ZoneConfig

T = TypeVar("T")

VIDEO_SUFFIXES: Final = (".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".ts", ".mpg", ".mpeg", ".h264", ".flv")
_SOURCES: Final = 'use "picamera2", "v4l2:/dev/video0", "rtsp://host/path", a video file, "sim:?seed=1" or a .jsonl of detections'
_PICAMERA: Final = re.compile(r"picamera2(:\d)?")  # the number of the camera, where a board has two
_CLOSE: Final = 1e-9  # two corners this near are one
_HIDDEN: Final = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}  # controls, direction marks, halves of pairs, line separators


def rule_faults(config: Config, written: Written) -> tuple[Fault, ...]:
    """All faults of `config`, which was read from `written`; keys that were wrong there hold defaults here."""
    return tuple(_Rules(written).file(config))


class _Rules:
    def __init__(self, written: Written) -> None:
        self.written = written

    def fault(self, path: Path, what: str, hint: str, why: str = "") -> Fault:
        return Fault(self.written.line(path), what + self.written.where(path[:-1]) + why, hint)

    def readable(self, *path: str | int) -> bool:
        """Whether a key holds what was written, not a default in place of something wrong."""
        return path not in self.written.wrong

    def file(self, config: Config) -> Iterator[Fault]:
        yield from self.name(("site",), config.site)
        yield from self.text(("purpose",), config.purpose)
        if config.disclosure == "boxes" and self.readable("purpose"):
            yield from self.purposes(config)
        if 3600 % config.window_s:
            near = min((n for n in range(5, 3601) if 3600 % n == 0), key=lambda n: abs(n - config.window_s))
            yield self.fault(("window_s",), f"window_s = {config.window_s} does not divide an hour", f"the nearest that does is {near}")
        if config.epoch_s[0] > config.epoch_s[1]:
            low, high = sorted(config.epoch_s)
            yield self.fault(("epoch_s",), "epoch_s has the longer time first", f"write epoch_s = [{low}, {high}]")
        try:
            read_opening_hours(config.opening_hours)
        except OpeningHoursError as error:
            yield self.fault(("opening_hours",), str(error), 'write it like "Mo-Fr 09:00-20:00; Sa 10:00-18:00; Su off"')
        for index, camera in self.placed(config.camera, ("camera",)):
            yield from self.camera(camera, index)
        yield from self.repeated(("camera",), config.camera)
        yield from self.uplink(config)

    def purposes(self, config: Config) -> Iterator[Fault]:
        """Boxes leave for a stated purpose only, of the device or of each camera."""
        cameras = self.placed(config.camera, ("camera",))
        without = [camera.name for at, camera in cameras if not camera.purpose.strip() and self.readable("camera", at, "purpose")]
        if without or not (config.camera or config.purpose.strip()):
            whose = f" for camera {', '.join(shown(name) for name in without)}" if without else ""
            hint = 'add purpose = "..." at the top of the file: why boxes must leave'
            yield self.fault(("disclosure",), 'disclosure = "boxes" needs a purpose' + whose, hint)

    def placed(self, structs: Sequence[T], path: Path) -> Iterator[tuple[int, T]]:
        """Each struct with its index in the file, where unreadable ones may stand between."""
        return zip(self.written.kept.get(path, ()), structs, strict=True)

    def camera(self, camera: CameraConfig, index: int) -> Iterator[Fault]:
        path: Path = ("camera", index)
        yield from self.name((*path, "name"), camera.name)
        if "/" in camera.name or "\\" in camera.name or camera.name.startswith("."):
            yield self.fault(
                (*path, "name"), f"name = {shown(camera.name)} cannot be the name of a file", "leave out slashes and leading dots"
            )
        yield from self.source((*path, "source"), camera.source)
        for key in ("model", "purpose"):
            yield from self.text((*path, key), getattr(camera, key))
        scores = [(*path, "tracker", name) for name in ("score_low", "score_high")]
        if camera.tracker.score_low > camera.tracker.score_high and all(self.readable(*score) for score in scores):
            yield self.fault(scores[0], "score_low is above score_high", f"give at most {camera.tracker.score_high}")
        far, near = camera.person_height_share
        if far > near:
            hint = "the first is for the top edge (far), the second for the bottom edge (near)"
            yield self.fault((*path, "person_height_share"), "person_height_share shrinks towards the camera", hint)
        for at, line in self.placed(camera.line, (*path, "line")):
            yield from self.line(line, (*path, "line", at))
        for at, zone in self.placed(camera.zone, (*path, "zone")):
            yield from self.zone(zone, (*path, "zone", at))
        yield from self.repeated((*path, "line"), camera.line)
        yield from self.repeated((*path, "zone"), camera.zone)

    def line(self, line: LineConfig, path: Path) -> Iterator[Fault]:
        yield from self.name((*path, "name"), line.name)
        if _same(line.start, line.end):
            yield self.fault(
                (*path, "end"), "the line has no length: start and end are the same point", "give two points, one at each door post"
            )

    def zone(self, zone: ZoneConfig, path: Path) -> Iterator[Fault]:
        yield from self.name((*path, "name"), zone.name)
        corners = len(zone.polygon)
        for i, corner in enumerate(zone.polygon):
            after = (i + 1) % corners
            if _same(corner, zone.polygon[after]):
                what = "the last corner repeats the first" if after == 0 else f"corners {i} and {after} are the same point"
                yield self.fault((*path, "polygon", after or i), what, "leave it out; the polygon closes by itself")
        side = zone.service_side
        if side is None:
            return
        if zone.kind != "queue" and self.readable(*path, "kind"):
            yield self.fault((*path, "service_side"), "service_side on an area", 'say kind = "queue", or leave service_side out')
        if not 0 <= side < corners:
            hint = f"{corners} corners have the sides 0 to {corners - 1}: side i runs from corner i to corner i+1"
            yield self.fault((*path, "service_side"), f"service_side = {side} does not exist", hint)

    def uplink(self, config: Config) -> Iterator[Fault]:
        path = ("uplink", "url")
        url = config.uplink.url
        if url:
            wrong = url_fault(url)
            if wrong:
                yield self.fault(path, f"url = {shown(url)}", 'write it like "https://collector.example:8444"', f" {wrong}")
        if config.uplink.keys and not config.uplink.spool and self.readable("uplink", "spool"):
            yield self.fault(("uplink", "keys"), "keys without a spool", 'add spool = "/var/lib/passerby/spool"')
        for name in ("keys", "spool"):
            yield from self.text(("uplink", name), getattr(config.uplink, name))
        for index, interface in enumerate(config.status.interfaces):
            yield from self.text(("status", "interfaces", index), interface)

    def name(self, path: Path, name: str) -> Iterator[Fault]:
        if not name.strip():
            yield self.fault(path, f"{path[-1]} is blank", "give it a name that staff will recognise")
        elif name != name.strip():
            yield self.fault(path, f"{path[-1]} = {shown(name)} begins or ends with a blank", "leave the blank out")
        yield from self.text(path, name)

    def text(self, path: Path, text: str) -> Iterator[Fault]:
        hidden = next((c for c in text if unicodedata.category(c) in _HIDDEN), None)
        if hidden is not None:
            what = f"{path[-1]} = {shown(text)} holds the invisible character U+{ord(hidden):04X}"
            yield self.fault(path, what, "use visible characters only, on one line")

    def repeated(self, path: Path, named: Sequence[CameraConfig | LineConfig | ZoneConfig]) -> Iterator[Fault]:
        first: dict[str, int] = {}
        for index, one in self.placed(named, path):
            folded = unicodedata.normalize("NFKC", one.name).casefold()  # "Till" and "till" would be one row in every report
            if folded in first:
                before = self.written.line((*path, first[folded], "name"))
                what = f"{path[-1]} {shown(one.name)} is there twice{self.written.where(path[:-1])}"
                yield Fault(self.written.line((*path, index, "name")), what, f"the first is on line {before}; rename one")
            first.setdefault(folded, index)

    def source(self, path: Path, source: str) -> Iterator[Fault]:
        yield from self.text(path, source)
        wrong = source_fault(source)
        if wrong:
            yield self.fault(path, f"source = {shown(source)}", _SOURCES, f" {wrong}")


def source_fault(source: str) -> str:
    """What is wrong with a camera's source, or "". What `firmware.vision.sources` opens, told before there is a camera."""
    scheme, colon, rest = source.partition(":")
    scheme = scheme.lower()
    if _PICAMERA.fullmatch(source):
        return ""
    if scheme in {"sim", "sim-boxes"} and colon:
        return "" if not rest or rest.startswith("?") else "names its parameters without a question mark"
    if scheme == "v4l2":
        return "" if rest.startswith("/dev/") and len(rest) > len("/dev/") else "names no device under /dev"
    if scheme in {"rtsp", "rtsps"}:
        return "" if _host(source) else "has no host"
    if "://" in source:
        return "is of a kind that is not read: vision may reach a camera by rtsp, nothing else"
    if source.lower().endswith((*VIDEO_SUFFIXES, ".jsonl")):
        return ""
    return "is not a kind of source"


def url_fault(url: str) -> str:
    """What is wrong with the collector's address, or ""."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is not an address"
    host = parts.hostname or ""
    local = host in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        return "is not https"
    if not host or port == 0:
        return "has no host" if not host else "has the port 0"
    if parts.username is not None or parts.password is not None:
        return "holds a user or password: the device signs in with its certificate"
    return "has a query or fragment" if parts.query or parts.fragment else ""


def _host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def _same(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return abs(a[0] - b[0]) < _CLOSE and abs(a[1] - b[1]) < _CLOSE
