"""The configuration: frozen structs with every threshold, and `parse(text, filename) -> Config`.

Rules: the unknown is refused; each object is handed only its part; seconds and shares of box height, never frames or
pixels. Reading the file is the caller's work; so are the geometry checks (`firmware.analytics.geometry_check`).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from firmware.events import Disclosure, ZoneKind

Point = tuple[float, float]  # x, y in 0..1, origin top left


class LineConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A directed tripwire. Standing at `start` and looking at `end`, left is to the left as seen in the picture."""

    name: str
    start: Point
    end: Point
    in_side: Literal["left", "right"] = msgspec.field(default="left", name="in")
    dead_band_share: float = 0.12  # of box height, on either side of the line
    settle_s: float = 3.0  # away from the band for so long: the visit to the line is over
    staff: bool = False  # a staff door: crossings are counted apart
    door: bool = True  # counts towards the number of people inside


class ZoneConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A polygon on the floor."""

    name: str
    polygon: tuple[Point, ...]
    kind: ZoneKind = "area"
    service_side: int | None = None  # queue: side i runs from point i to point i+1
    enter_s: float = 0.5
    exit_s: float = 1.0
    dwell_s_min: float = 0.0  # shorter visits are not reported
    staff: bool = False  # who works here is staff: left out of shopper numbers everywhere


class TrackerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How boxes become tracks. Filled in by measurement; see docs/accuracy.md."""

    score_high: float = 0.5  # first association and birth
    score_low: float = 0.1  # second association keeps half-hidden people alive
    confirm_s: float = 0.2
    lost_s_max: float = 1.5
    relink_s_max: float = 4.0
    capacity: int = 512


class StillConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mannequins and posters."""

    move_share: float = 0.15  # of box height: has not moved more than this ...
    still_s: float = 300.0  # ... for so long
    map: bool = True  # learn still places while the shop is closed


class CameraConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One camera."""

    name: str
    source: str
    model: str = "person-320"
    tiling: Literal["auto", "1x1", "2x1", "2x2", "2x2+1"] = "auto"
    threads: int = 0  # 0: as many as help on this machine
    fps_max: float = 10.0
    blind_after_s: float = 2.0  # no frame for so long: the camera is blind
    purpose: str = ""
    line: tuple[LineConfig, ...] = ()
    zone: tuple[ZoneConfig, ...] = ()
    tracker: TrackerConfig = TrackerConfig()
    still: StillConfig = StillConfig()


class UplinkConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where batches go."""

    url: str = ""  # empty: nothing is sent, everything is spooled
    keys: str = ""  # folder with identity, certificates and trust roots
    spool: str = ""  # folder of the spool
    flush_s: float = 30.0
    spool_bytes_max: int = 64 * 1024 * 1024


class StatusConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The page on the LAN."""

    enabled: bool = True
    port: int = 8443
    interfaces: tuple[str, ...] = ()


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    site: str
    disclosure: Disclosure = "events"
    purpose: str = ""
    window_s: int = 15
    epoch_s: tuple[int, int] = (300, 900)
    opening_hours: str = ""
    camera: tuple[CameraConfig, ...] = ()
    uplink: UplinkConfig = UplinkConfig()
    status: StatusConfig = StatusConfig()
