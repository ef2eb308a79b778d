"""Everything the device can say: a tagged union of events, and the 15-second windows of integer sums.

Times are monotonic milliseconds of the camera's clock (`t_ms`); wall time is attached by the batch. Windows hold
integers only, so that sums are exact in any order. An event names at most a pseudonym of the current epoch: 8 random
bytes. What may leave the device at which disclosure level is decided in `firmware.analytics.pipeline`, nowhere else.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Direction = Literal["in", "out"]
Stage = Literal["provisional", "settled"]
Outcome = Literal["", "served", "abandoned"]
ZoneKind = Literal["area", "queue"]
Disclosure = Literal["windows", "events", "boxes"]
Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in 0..1, origin top left

# Upper edges of the histogram cells in seconds; the last cell is open. Fixed for ever: sums over years depend on it.
DWELL_EDGES_S: Final = (2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200, 1800)
WAIT_EDGES_S: Final = (15, 30, 45, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 3600)
HISTOGRAM_CELLS: Final = len(DWELL_EDGES_S) + 1


class LineCrossed(msgspec.Struct, frozen=True, tag="line_crossed", forbid_unknown_fields=True):
    """Somebody crossed a line. `provisional` at once; `settled` once per visit, with the crossing's own time."""

    line: str
    t_ms: int
    direction: Direction
    stage: Stage
    staff: bool = False
    confidence_permille: int = 0
    pseudonym: bytes = b""
    box: Box | None = None


class ZoneEntered(msgspec.Struct, frozen=True, tag="zone_entered", forbid_unknown_fields=True):
    """A visit began. `side` is the polygon side 0..n-1 by which the person came, None if they appeared inside."""

    zone: str
    t_ms: int
    side: int | None = None
    staff: bool = False
    confidence_permille: int = 0
    pseudonym: bytes = b""
    box: Box | None = None


class ZoneLeft(msgspec.Struct, frozen=True, tag="zone_left", forbid_unknown_fields=True):
    """A visit ended. `dwell_ms` is None and `partial` true when the visit began in an earlier epoch."""

    zone: str
    t_ms: int
    dwell_ms: int | None
    partial: bool = False
    outcome: Outcome = ""
    side: int | None = None
    staff: bool = False
    confidence_permille: int = 0
    pseudonym: bytes = b""
    box: Box | None = None


class OccupancyChanged(msgspec.Struct, frozen=True, tag="occupancy_changed", forbid_unknown_fields=True):
    """How many people are in a zone now; for a queue, also the live wait estimate of who still waits."""

    zone: str
    t_ms: int
    count: int
    wait_estimate_ms: int | None = None


Event = LineCrossed | ZoneEntered | ZoneLeft | OccupancyChanged


class LineSums(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line, one window. `entries` and `exits` are settled counts of shoppers; staff apart."""

    name: str
    entries: int = 0
    exits: int = 0
    provisional_entries: int = 0
    provisional_exits: int = 0
    staff_entries: int = 0
    staff_exits: int = 0
    ambiguous: int = 0


class ZoneSums(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One zone, one window. Histograms have HISTOGRAM_CELLS cells; wait fields stay zero for an area.

    `occupancy_ms` is the time that shoppers spent here in the window, cut exactly at its edges. Dwell and wait are booked
    in the window in which the visit ends; waits are those of the served and the abandoned (their end was seen).
    """

    name: str
    kind: ZoneKind = "area"
    entries: int = 0
    exits: int = 0
    occupancy_ms: int = 0
    occupancy_max: int = 0
    dwell_ms: int = 0
    dwell_histogram: tuple[int, ...] = (0,) * HISTOGRAM_CELLS
    wait_ms: int = 0
    wait_max_ms: int = 0
    wait_histogram: tuple[int, ...] = (0,) * HISTOGRAM_CELLS
    served: int = 0
    abandoned: int = 0
    staff_entries: int = 0
    staff_exits: int = 0
    staff_dwell_ms: int = 0


class Audit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the numbers of a window can be trusted. observed_ms + blind_ms = the window's length.

    `births` are people who appeared; `births_inside` those of them away from the view's edges and from every line.
    `still` counts people found to be furniture, `voided` visits that were begun and then disowned (furniture, staff),
    `drift` the times that more people left through the doors than had come.
    """

    observed_ms: int = 0
    blind_ms: int = 0
    frames: int = 0
    dropped_frames: int = 0
    ambiguous: int = 0
    births: int = 0
    births_inside: int = 0
    relinked: int = 0
    still: int = 0
    voided: int = 0
    drift: int = 0
    fallback_frames: int = 0


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Integer sums over [start_ms, start_ms + length_ms) of the camera's monotonic clock."""

    start_ms: int
    length_ms: int
    lines: tuple[LineSums, ...] = ()
    zones: tuple[ZoneSums, ...] = ()
    audit: Audit = Audit()
