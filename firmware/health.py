"""Frozen counters for the status page and the heartbeat. Whoever reads them sees values, never the objects behind."""

from __future__ import annotations

import msgspec


class VisionHealth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What vision knows of itself; crosses the wall once a second."""

    camera: str
    t_ms: int
    state: str = "starting"  # starting | running | blind | failed | ended
    reason: str = ""
    frames: int = 0
    dropped_frames: int = 0
    fps_permille: int = 0  # frames a second times 1000
    blind_ms: int = 0
    model: str = ""
    model_sha256: str = ""
    runtime: str = ""
    fallback: bool = False  # an accelerator was asked for and the CPU does its work
    tracks: int = 0
    stage_us: dict[str, int] = {}  # microseconds of each stage, running mean
    network_denied: bool = False  # the wall is enforced by the kernel


class LiveLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line since vision started."""

    name: str
    entries: int = 0
    exits: int = 0
    provisional_entries: int = 0
    provisional_exits: int = 0


class LiveZone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A zone now."""

    name: str
    kind: str = "area"
    count: int = 0
    wait_estimate_ms: int | None = None  # for who joins the queue now; None while nobody has been served yet
    longest_wait_ms: int | None = None  # of those who wait now: a lower bound while there is no estimate


class LiveNumbers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the status page shows of this second: numbers about the place, nothing about a person."""

    lines: tuple[LiveLine, ...] = ()
    zones: tuple[LiveZone, ...] = ()
    inside: int = 0
    drift: int = 0  # corrections of `inside`: how far it can be trusted


class UplinkHealth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the daemon knows of spool and delivery."""

    spooled: int = 0
    spool_bytes: int = 0
    acknowledged: int = 0
    last_ack_age_s: float | None = None
    last_error: str = ""
    storage: str = "durable"  # durable | full: the oldest detail gives way | volatile: in memory only
    segments_bad: int = 0
    gaps: int = 0
    bytes_sent: int = 0
