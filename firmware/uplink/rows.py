"""The rows of a payload: windows, events and health as msgpack arrays, so that a quiet flush fits in 512 bytes.

A row has the fields of its value in `firmware.events` or `firmware.health`, in this file's order, each with its
limits. The order is the format: a field is added at the end of a new version, never in between. Values from outside
are checked here once more, field by field; canonical form and meaning are checked in `firmware.uplink.batch`.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar

import msgspec

from firmware.events import (
    HISTOGRAM_CELLS,
    Direction,
    Event,
    LineCrossed,
    OccupancyChanged,
    Outcome,
    Stage,
    Window,
    ZoneEntered,
    ZoneKind,
    ZoneLeft,
    ZoneSums,
)
from firmware.health import VisionHealth
from firmware.uplink.stamp import Count

ROWS_MAX: Final = 64  # lines or zones of one camera
STAGES_MAX: Final = 32
TEXT_MAX: Final = 200

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]  # without NUL: `batch` looks, a pattern here costs 80 us a payload
Text = Annotated[str, msgspec.Meta(max_length=TEXT_MAX)]
Permille = Annotated[int, msgspec.Meta(ge=0, le=1000)]
Side = Annotated[int, msgspec.Meta(ge=0, le=63)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Pseudonym = Annotated[bytes, msgspec.Meta(max_length=8)]
Histogram = Annotated[tuple[Count, ...], msgspec.Meta(max_length=HISTOGRAM_CELLS)]  # without the zeros at its end
BoxRow = tuple[Share, Share, Share, Share]
Row = TypeVar("Row", bound=msgspec.Struct)


class _Row(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """All rows are closed arrays."""


class LineRow(_Row, frozen=True, array_like=True, forbid_unknown_fields=True):
    name: Name
    entries: Count
    exits: Count
    provisional_entries: Count
    provisional_exits: Count
    staff_entries: Count
    staff_exits: Count
    ambiguous: Count


class ZoneRow(_Row, frozen=True, array_like=True, forbid_unknown_fields=True):
    name: Name
    kind: ZoneKind
    entries: Count
    exits: Count
    occupancy_ms: Count
    occupancy_max: Count
    dwell_ms: Count
    dwell_histogram: Histogram
    wait_ms: Count
    wait_max_ms: Count
    wait_histogram: Histogram
    served: Count
    abandoned: Count
    staff_entries: Count
    staff_exits: Count
    staff_dwell_ms: Count


class AuditRow(_Row, frozen=True, array_like=True, forbid_unknown_fields=True):
    observed_ms: Count
    blind_ms: Count
    frames: Count
    dropped_frames: Count
    ambiguous: Count
    births: Count
    births_inside: Count
    relinked: Count
    still: Count
    voided: Count
    drift: Count
    fallback_frames: Count


class WindowRow(_Row, frozen=True, array_like=True, forbid_unknown_fields=True):
    start_ms: Count
    length_ms: Count
    lines: Annotated[tuple[LineRow, ...], msgspec.Meta(max_length=ROWS_MAX)]
    zones: Annotated[tuple[ZoneRow, ...], msgspec.Meta(max_length=ROWS_MAX)]
    audit: AuditRow


class LineCrossedRow(_Row, frozen=True, array_like=True, forbid_unknown_fields=True, tag=1):
    line: Name
    t_ms: Count
    direction: Direction
    stage: Stage
    staff: bool
    confidence_permille: Permille
    pseudonym: Pseudonym
    box: BoxRow | None


class ZoneEnteredRow(_Row, frozen=True, array_like=True, forbid_unknown_fields=True, tag=2):
    zone: Name
    t_ms: Count
    side: Side | None
    staff: bool
    confidence_permille: Permille
    pseudonym: Pseudonym
    box: BoxRow | None


class ZoneLeftRow(_Row, frozen=True, array_like=True, forbid_unknown_fields=True, tag=3):
    zone: Name
    t_ms: Count
    dwell_ms: Count | None
    partial: bool
    outcome: Outcome
    side: Side | None
    staff: bool
    confidence_permille: Permille
    pseudonym: Pseudonym
    box: BoxRow | None


class OccupancyChangedRow(_Row, frozen=True, array_like=True, forbid_unknown_fields=True, tag=4):
    zone: Name
    t_ms: Count
    count: Count
    wait_estimate_ms: Count | None


EventRow = LineCrossedRow | ZoneEnteredRow | ZoneLeftRow | OccupancyChangedRow


class CameraRow(_Row, frozen=True, array_like=True, forbid_unknown_fields=True):
    """VisionHealth; the stages are pairs, because a map's order would be one more thing to fix."""

    camera: Text
    t_ms: Count
    state: Text
    reason: Text
    frames: Count
    dropped_frames: Count
    fps_permille: Count
    blind_ms: Count
    model: Text
    model_sha256: Text
    runtime: Text
    fallback: bool
    tracks: Count
    stage_us: Annotated[tuple[tuple[Text, Count], ...], msgspec.Meta(max_length=STAGES_MAX)]
    network_denied: bool

    @classmethod
    def of(cls, health: VisionHealth) -> CameraRow:
        """The row of a camera's health. Raises msgspec.ValidationError."""
        fields = {name: getattr(health, name) for name in cls.__struct_fields__}
        return msgspec.convert(tuple((fields | {"stage_us": tuple(health.stage_us.items())}).values()), cls)

    def value(self) -> VisionHealth:
        """The camera's health of this row."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return VisionHealth(**(fields | {"stage_us": dict(self.stage_us)}))


class UplinkRow(_Row, frozen=True, array_like=True, forbid_unknown_fields=True):
    """UplinkHealth."""

    spooled: Count
    spool_bytes: Count
    acknowledged: Count
    last_ack_age_s: Annotated[float, msgspec.Meta(ge=0, le=1e12)] | None
    last_error: Text
    storage: Text
    segments_bad: Count
    gaps: Count
    bytes_sent: Count


_EVENT_ROWS: Final[dict[type, Any]] = {
    LineCrossed: LineCrossedRow,
    ZoneEntered: ZoneEnteredRow,
    ZoneLeft: ZoneLeftRow,
    OccupancyChanged: OccupancyChangedRow,
}
_EVENTS: Final[dict[type, Any]] = {row: event for event, row in _EVENT_ROWS.items()}


def row_of(value: msgspec.Struct, row: type[Row]) -> Row:
    """The row of a value with the same fields. Raises msgspec.ValidationError."""
    return msgspec.convert(value, row, from_attributes=True)


def value_of(row: msgspec.Struct, value: type[Row]) -> Row:
    """The value of a row."""
    return msgspec.convert(row, value, from_attributes=True)


def window_row(window: Window) -> WindowRow:
    """The row of a window. Raises msgspec.ValidationError, also for a histogram that does not have all its cells."""
    return row_of(msgspec.structs.replace(window, zones=tuple(_cut(zone) for zone in window.zones)), WindowRow)


def window_of(row: WindowRow) -> Window:
    """The window of a row."""
    window = value_of(row, Window)
    return msgspec.structs.replace(window, zones=tuple(_filled(zone) for zone in window.zones))


def event_row(event: Event) -> EventRow:
    """The row of an event. Raises msgspec.ValidationError."""
    return row_of(event, _EVENT_ROWS[type(event)])


def event_of(row: EventRow) -> Event:
    """The event of a row."""
    return value_of(row, _EVENTS[type(row)])


def _cut(zone: ZoneSums) -> ZoneSums:
    if (len(zone.dwell_histogram), len(zone.wait_histogram)) != (HISTOGRAM_CELLS, HISTOGRAM_CELLS):
        raise msgspec.ValidationError(f"histograms of zone {zone.name!r} have {HISTOGRAM_CELLS} cells")
    return msgspec.structs.replace(
        zone, dwell_histogram=_without_end(zone.dwell_histogram), wait_histogram=_without_end(zone.wait_histogram)
    )


def _without_end(cells: tuple[int, ...]) -> tuple[int, ...]:
    used = max((index + 1 for index, count in enumerate(cells) if count), default=0)
    return cells[:used]


def _filled(zone: ZoneSums) -> ZoneSums:
    def fill(cells: tuple[int, ...]) -> tuple[int, ...]:
        return cells + (0,) * (HISTOGRAM_CELLS - len(cells))

    return msgspec.structs.replace(zone, dwell_histogram=fill(zone.dwell_histogram), wait_histogram=fill(zone.wait_histogram))
