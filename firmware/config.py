"""The configuration: frozen structs with every threshold, and `parse(text, filename) -> Config`.

Rules: the unknown is refused; every key states unit, meaning and limits beside its type (docs/configuration.md is made
from them); each object is handed only its part; seconds and shares of box height, never frames or pixels. A person's
place is the foot point: the bottom centre of the box.
Left to others: reading the file (`firmware.commands.config_file`), what single values may be (`firmware.struct_reader`),
what several keys mean together (`firmware.config_rules`), whether the geometry can count
(`firmware.analytics.geometry_check`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from firmware.config_keys import key, says
from firmware.config_rules import rule_faults
from firmware.errors import ConfigError
from firmware.events import Disclosure, ZoneKind
from firmware.struct_reader import Fault, Written, read
from firmware.toml_lines import Path, TooDeepError, key_lines

T = TypeVar("T", bound=msgspec.Struct)
TEXT_BYTES_MAX: Final = 64 * 1024  # a device with 8 cameras and 100 zones needs 20 KB
_AT_LINE: Final = re.compile(r" \(at line (\d+), column (\d+)\)$")

# Wider than the view by half of it: the geometry checks explain a point just outside better than a type can.
Coordinate = Annotated[float, msgspec.Meta(ge=-0.5, le=1.5)]
Point = Annotated[tuple[Coordinate, Coordinate], says("[x, y] with both from 0 to 1")]  # origin top left


class LineConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A directed tripwire. Standing at `start` and looking at `end`, left is to the left as seen in the picture."""

    name: Annotated[str, key("", "Name of the line in events, windows and reports.", min_length=1, max_length=64)]
    start: Annotated[Point, key("share of view", "Where the line begins, on the floor: x, y in 0..1 from the top left corner.")]
    end: Annotated[Point, key("share of view", "Where the line ends.")]
    in_side: Annotated[
        Literal["left", "right"],
        key("", "The side on which people are inside: who goes to it is counted as in. Standing at start and looking to end."),
    ] = msgspec.field(default="left", name="in")
    dead_band_share: Annotated[
        float,
        # Below 0.02 the jitter of a good detector alone crosses; above 0.5 the far side of a doorway is never reached.
        key("share of box height", "A foot point nearer to the line than this belongs to neither side.", ge=0.02, le=0.5),
    ] = 0.12
    settle_s: Annotated[
        float,
        # Shorter than 0.5 s splits one visit into several; after a minute the settled count is no longer live.
        key("s", "Away from the line for so long: the visit to it is over, and its net crossing is settled.", ge=0.5, le=60.0),
    ] = 3.0
    staff: Annotated[bool, key("", "A staff door: its crossings are counted apart from shoppers.")] = False
    door: Annotated[bool, key("", "Counts towards the number of people inside.")] = True


class ZoneConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A polygon on the floor."""

    name: Annotated[str, key("", "Name of the zone in events, windows and reports.", min_length=1, max_length=64)]
    polygon: Annotated[
        tuple[Point, ...],
        # 64 corners outline any carpet; each costs time for every person in every frame.
        key("share of view", "Corners on the floor, in order, without repeating the first.", min_length=3, max_length=64),
    ]
    kind: Annotated[ZoneKind, key("", "An area measures visits and dwell; a queue also measures wait, served and abandoned.")] = "area"
    service_side: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=63)] | None,
        key("side number", "Queue: the side by which served people leave. Side i runs from corner i to corner i+1, counted from 0."),
    ] = None
    enter_s: Annotated[
        float,
        # Above 10 s a display's short looks are lost without a trace: that is what dwell_s_min is for.
        key("s", "A visit begins when somebody has been inside for so long; its time counts from the first step in.", ge=0.0, le=10.0),
    ] = 0.5
    exit_s: Annotated[
        float,
        # Above 30 s two customers' visits run together.
        key("s", "A visit ends when somebody has been outside for so long; its time ends with the step out.", ge=0.0, le=30.0),
    ] = 1.0
    dwell_s_min: Annotated[float, key("s", "Shorter visits are not reported: people who only walk through.", ge=0.0, le=3600.0)] = 0.0
    staff: Annotated[bool, key("", "Who works here is staff, and left out of shopper numbers everywhere.")] = False


class TrackerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How boxes become tracks. Defaults measured in docs/tracking.md; noise and pairing are `Noise` and `Rules` there."""

    score_high: Annotated[float, key("score", "Boxes from this score on are matched first, and may begin a track.", ge=0.0, le=1.0)] = 0.4
    score_low: Annotated[float, key("score", "Boxes from this score on keep a track alive that is half hidden.", ge=0.0, le=1.0)] = 0.1
    confirm_s: Annotated[float, key("s", "A track counts when it has been seen for so long.", ge=0.0, le=5.0)] = (
        0.2  # longer than 5 s and people who walk through are never confirmed
    )
    lost_s_max: Annotated[float, key("s", "A track that is not seen for so long ends.", ge=0.0, le=30.0)] = (
        2.0  # a prediction says nothing after 30 s
    )
    trial_s_max: Annotated[float, key("s", "A track not yet confirmed ends when it is not seen for so long.", ge=0.0, le=5.0)] = (
        0.25  # longer than confirm_s at its longest would confirm what was seen twice
    )
    low_s_max: Annotated[float, key("s", "Boxes of low score keep a track that was seen so long ago.", ge=0.0, le=5.0)] = (
        0.5  # after seconds a faint box is more likely nobody
    )
    height_ratio_min: Annotated[
        float, key("share of box height", "A box shorter or taller by more than this ratio is not the same person.", ge=0.0, le=0.95)
    ] = 0.75  # above 0.95 the jitter of a good detector breaks tracks
    relink_s_max: Annotated[
        float, key("s", "A new track that begins where one ended within this time is the same person.", ge=0.0, le=60.0)
    ] = 4.0  # after a minute anybody may stand there
    capacity: Annotated[int, key("tracks", "Most tracks at once; memory for them is taken once.", ge=8, le=4096)] = (
        512  # the costs of matching grow with the square
    )


class StillConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mannequins and posters: what never moves is not a person."""

    move_share: Annotated[
        float,
        key("share of box height", "Somebody who has not moved farther than this ...", ge=0.01, le=1.0),
    ] = 0.15
    still_s: Annotated[
        float,
        # Below 30 s a shopper reading a label becomes furniture.
        key("s", "... for so long is a thing, and not counted until it moves.", ge=30.0, le=86400.0),
    ] = 300.0
    map: Annotated[bool, key("", "Learn the places of still things while the shop is closed (needs opening_hours).")] = True


class CameraConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One camera."""

    name: Annotated[str, key("", "Name of the camera; unique on the device.", min_length=1, max_length=64)]
    source: Annotated[
        str,
        key(
            "",
            'Where frames come from: "picamera2", "v4l2:/dev/video0", "rtsp://host/path", a video file, "sim:" (the simulated '
            "shop), or recorded detections (.jsonl).",
            min_length=1,
            max_length=1024,
        ),
    ]
    model: Annotated[str, key("", "Packaged model by name, or path of a folder with a manifest.toml.", min_length=1, max_length=256)] = (
        "person-320"
    )
    tiling: Annotated[
        Literal["auto", "1x1", "2x1", "2x2", "2x2+1"],
        key("", "Cut the picture into tiles, for high rooms with small people; each tile costs one run of the model."),
    ] = "auto"
    threads: Annotated[int, key("threads", "CPU threads of the model; 0: as many as help on this machine.", ge=0, le=64)] = 0
    fps_max: Annotated[
        float,
        # Below 1 a walker crosses a doorway between two frames; above 60 no model here keeps up.
        key("frames/s", "Take no more frames than this.", ge=1.0, le=60.0),
    ] = 10.0
    blind_after_s: Annotated[float, key("s", "No frame for so long: the camera is blind, and the windows say so.", ge=0.2, le=60.0)] = 2.0
    person_height_share: Annotated[
        tuple[Annotated[float, msgspec.Meta(ge=0.02, le=2.0)], Annotated[float, msgspec.Meta(ge=0.02, le=2.0)]],
        key(
            "share of view",
            "Height of a grown person's box whose feet are at the top edge of the view, and at the bottom edge (above 1: taller "
            "than the picture). The geometry checks use it, and lines: of who comes in under the camera only the head is seen at first. "
            "Measure it at commissioning.",
        ),
    ] = (0.12, 0.55)  # boxes in Spatial Analysis' published sample messages: 0.39 to 0.45 high with the feet at 0.64
    purpose: Annotated[str, key("", "What this camera is for; empty: as at the top of the file.", max_length=500)] = ""
    line: Annotated[tuple[LineConfig, ...], key("", "Lines.", max_length=16)] = ()
    zone: Annotated[tuple[ZoneConfig, ...], key("", "Zones.", max_length=32)] = ()
    tracker: Annotated[TrackerConfig, key("", "The tracker.")] = TrackerConfig()
    still: Annotated[StillConfig, key("", "Still things.")] = StillConfig()


class UplinkConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where batches go."""

    url: Annotated[
        str, key("", "Address of the collector, https://host[:port]; empty: nothing is sent, everything is spooled.", max_length=1024)
    ] = ""
    keys: Annotated[str, key("", "Folder with identity, certificates and trust roots.", max_length=1024)] = ""
    enrol_url: Annotated[
        str, key("", "Where the certificate is renewed, https://host[:port]; empty: as device.toml in `keys` says.", max_length=1024)
    ] = ""
    spool: Annotated[str, key("", "Folder of the spool.", max_length=1024)] = ""
    flush_s: Annotated[
        float,
        # Each flush is one write to the card: below 5 s it wears out; above 900 s a power cut loses a quarter of an hour.
        key("s", "Write a batch to the spool this often.", ge=5.0, le=900.0),
    ] = 30.0
    spool_bytes_max: Annotated[
        int,
        # 192 MiB are 67 days of flushes every 30 s (docs/spool-v1.md). 2 MiB are two segments, the least that can rotate;
        # 64 GiB is the largest card in the field.
        key("bytes", "Most space for batches; the oldest give way, with a gap record.", ge=2 * 1024 * 1024, le=64 * 1024**3),
    ] = 192 * 1024 * 1024


class StatusConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The page on the LAN."""

    enabled: Annotated[bool, key("", "Serve the status page.")] = True
    port: Annotated[int, key("", "TCP port; below 1024 needs root, which the device has not.", ge=1024, le=65535)] = 8443
    interfaces: Annotated[
        tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=64)], ...],
        key("", "Addresses or network interfaces to serve on; empty: all private ones.", max_length=8),
    ] = ()


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    site: Annotated[str, key("", "Name of the shop, as the collector knows it.", min_length=1, max_length=64)]
    disclosure: Annotated[
        Disclosure,
        key(
            "",
            "What may leave the device: windows (integer sums), events (also each crossing and visit, under a pseudonym), or boxes "
            "(also the box of each event; needs a purpose).",
        ),
    ] = "events"
    purpose: Annotated[str, key("", "Why people are counted here; printed on the entrance notice.", max_length=500)] = ""
    window_s: Annotated[
        int,
        # Below 5 s the windows cost more than the events they sum.
        key("s", "Length of a window; divides an hour, so that windows of all devices line up.", ge=5, le=3600),
    ] = 15
    epoch_s: Annotated[
        tuple[Annotated[int, msgspec.Meta(ge=300, le=900)], Annotated[int, msgspec.Meta(ge=300, le=900)]],
        # 300: CNIL's limit for audience measurement without consent; shorter epochs split most visits. 900: privacy.md.
        key("s", "A pseudonym lives for a random time between these two."),
    ] = (300, 900)
    opening_hours: Annotated[
        str,
        key("", 'When the shop is open, local time: "Mo-Fr 09:00-20:00; Sa 10:00-18:00"; empty: not known.', max_length=256),
    ] = ""
    # A Raspberry Pi runs one or two; eight is what the message between the processes holds.
    camera: Annotated[tuple[CameraConfig, ...], key("", "Cameras.", max_length=8)] = ()
    uplink: Annotated[UplinkConfig, key("", "The uplink.")] = UplinkConfig()
    status: Annotated[StatusConfig, key("", "The status page.")] = StatusConfig()


class Examined(NamedTuple):
    """What could be made of a text. `config` may be there in spite of faults, with defaults where keys were wrong.

    `lines` and `kept` are as in `firmware.struct_reader.Written`: where each path stands, which tables could be read.
    """

    config: Config | None
    faults: tuple[Fault, ...]
    lines: Mapping[Path, int]
    kept: Mapping[Path, tuple[int, ...]]


def parse(text: str, filename: str) -> Config:
    """The configuration a text holds. Raises ConfigError whose `faults` are all that is wrong, `filename:line: what; hint`."""
    examined = examine(text)
    if examined.faults or examined.config is None:
        faults = tuple(fault.text(filename) for fault in examined.faults)
        raise ConfigError(f"{filename}: {len(faults)} fault{'s' * (len(faults) > 1)}", faults=faults)
    return examined.config


def examine(text: str) -> Examined:
    """Everything that can be told about a text; never raises. A text that is no TOML has one fault."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        tree, lines = _toml(text)
    except _NotTomlError as error:
        return Examined(None, (error.fault,), {(): 1}, {})
    config, faults, kept, wrong = read(Config, tree, lines)
    if config is not None:
        config = _with_purposes(config)
        faults = (*faults, *rule_faults(config, Written(tree, lines, kept, wrong)))
    return Examined(config, tuple(sorted(set(faults))), lines, kept)


def parse_as(struct: type[T], text: str, filename: str) -> T:
    """Another file of ours that is read by the same rules, as the collector's. Raises ConfigError as `parse`."""
    try:
        tree, lines = _toml(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    except _NotTomlError as error:
        raise ConfigError(f"{filename}: 1 fault", faults=(error.fault.text(filename),)) from error
    value, faults, _, _ = read(struct, tree, lines)
    if faults or value is None:
        raise ConfigError(f"{filename}: {len(faults)} faults", faults=tuple(fault.text(filename) for fault in sorted(set(faults))))
    return msgspec.convert(value, struct)


def _with_purposes(config: Config) -> Config:
    """Each camera is handed only its own part: with a purpose, its own or the whole device's."""
    cameras = (replace(camera, purpose=camera.purpose or config.purpose) for camera in config.camera)
    return replace(config, camera=tuple(cameras))


class _NotTomlError(Exception):
    def __init__(self, line: int, what: str, hint: str) -> None:
        super().__init__(what)
        self.fault = Fault(line, what, hint)


def _toml(text: str) -> tuple[dict[str, Any], dict[Path, int]]:
    if len(text.encode(errors="replace")) > TEXT_BYTES_MAX:
        raise _NotTomlError(1, f"larger than {TEXT_BYTES_MAX // 1024} KiB", "this is not a configuration, or it holds far too much")
    try:
        return tomllib.loads(text), key_lines(text)
    except TooDeepError as error:
        raise _NotTomlError(error.line, str(error), "a configuration needs three") from error
    except RecursionError as error:
        raise _NotTomlError(1, "brackets nested too deep", "a configuration needs three") from error
    except ValueError as error:
        raise _not_toml(str(error), text) from error


def _not_toml(message: str, text: str) -> _NotTomlError:
    match = _AT_LINE.search(message)
    if match:
        line = int(match[1])
        what = f"not TOML: {message[: match.start()].rstrip('.')} (column {match[2]})"
    else:
        line = max(1, text.rstrip("\n").count("\n") + 1)
        what = f"not TOML: {message.rstrip('.')}"
    written = text.split("\n")[line - 1].strip()
    return _NotTomlError(line, what, _toml_hint(written))


def _toml_hint(written: str) -> str:
    name, equals, value = (part.strip() for part in written.partition("="))
    if equals and value and not value.startswith(('"', "'", "[", "{")) and value[0].isalpha() and value not in {"true", "false"}:
        return f'text stands in quotes: {name} = "{value[:40]}"'
    if ":" in name and not equals:
        return "write key = value, with an equals sign"
    return "see https://toml.io for how TOML is written"
