"""What an envelope says once it is open: five payloads, each a closed schema (docs/envelope-v1.md, section 4).

Rules: integers only in windows; an unknown, missing or misplaced field is a DataError at both ends; one byte string
per meaning (a decoder encodes again and compares); what the disclosure level forbids can be neither encoded nor
decoded. `msgpack` writes and `msgspec` reads, by types: what goes out is read back first, so two implementations agree on
every payload (ADR 11). Pure: no clock, no I/O. Sealing is `firmware.uplink.envelope`, filling a batch is `firmware.uplink.fold`,
the bytes of a row are `firmware.uplink.rows`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

import msgpack
import msgspec

from firmware.errors import DataError
from firmware.events import Disclosure, Event, Window
from firmware.health import UplinkHealth, VisionHealth
from firmware.uplink.envelope import Kind
from firmware.uplink.padding import PAYLOAD_BYTES_MAX
from firmware.uplink.rows import (
    CameraRow,
    EventRow,
    LineCrossedRow,
    Name,
    UplinkRow,
    WindowRow,
    event_of,
    event_row,
    row_of,
    value_of,
    window_of,
    window_row,
)
from firmware.uplink.stamp import Bytes8, Count, Stamp

WINDOWS_MAX: Final = 1024  # four hours of 15 s: more than any flush holds
EVENTS_MAX: Final = 8192  # 128 KiB of the shortest event
CAMERAS_MAX: Final = 16
FOREVER: Final = 2**64 - 1  # `last` of a gap: nothing follows in that stream

ModelId = Annotated[bytes, msgspec.Meta(max_length=8)]
GapReason = Literal["evicted", "damaged", "ended", "volatile"]


class Pulse(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The few words on health that ride with every batch."""

    state: Annotated[str, msgspec.Meta(max_length=16)]
    fps_permille: Count
    storage: Annotated[str, msgspec.Meta(max_length=16)]
    spooled: Count
    segments_bad: Count
    gaps: Count


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Windows and events of one flush of one camera. `model` is the start of the model file's SHA-256, or empty."""

    site: str
    camera: str
    disclosure: Disclosure
    model: bytes
    clock: Stamp
    windows: tuple[Window, ...] = ()
    events: tuple[Event, ...] = ()
    health: Pulse | None = None


class HourRollUp(msgspec.Struct, frozen=True, kw_only=True):
    """The sum of `windows` windows that lie in [sums.start_ms, end_ms): what is left when they are lost."""

    site: str
    camera: str
    model: bytes
    clock: Stamp
    windows: int
    end_ms: int
    sums: Window


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the device is."""

    site: str
    clock: Stamp
    firmware: str
    cameras: tuple[VisionHealth, ...]
    uplink: UplinkHealth


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """A moment at which boot time and wall time were read together; `error_ms` bounds their distance."""

    reason: Literal["boot", "ntp", "ack"]
    clock: Stamp
    error_ms: int


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of a stream that will not come: `first` to `last`; FOREVER says that the stream ended."""

    clock: Stamp
    stream: bytes
    first: int
    last: int
    reason: GapReason


Payload = Batch | HourRollUp | Health | Anchor | Gap


class _Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all payloads begin with."""

    v: Literal[1]


class _BatchWire(_Wire, frozen=True, kw_only=True, forbid_unknown_fields=True):
    site: Name
    camera: Name
    disclosure: Disclosure
    model: ModelId
    clock: Stamp
    windows: Annotated[tuple[WindowRow, ...], msgspec.Meta(max_length=WINDOWS_MAX)]
    events: Annotated[tuple[EventRow, ...], msgspec.Meta(max_length=EVENTS_MAX)]
    health: Pulse | None


class _HourWire(_Wire, frozen=True, kw_only=True, forbid_unknown_fields=True):
    site: Name
    camera: Name
    model: ModelId
    clock: Stamp
    windows: Annotated[int, msgspec.Meta(ge=1, le=86_400)]
    end_ms: Count
    sums: WindowRow


class _HealthWire(_Wire, frozen=True, kw_only=True, forbid_unknown_fields=True):
    site: Name
    clock: Stamp
    firmware: Annotated[str, msgspec.Meta(max_length=32)]
    cameras: Annotated[tuple[CameraRow, ...], msgspec.Meta(max_length=CAMERAS_MAX)]
    uplink: UplinkRow


class _AnchorWire(_Wire, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Literal["boot", "ntp", "ack"]
    clock: Stamp
    error_ms: Count


class _GapWire(_Wire, frozen=True, kw_only=True, forbid_unknown_fields=True):
    clock: Stamp
    stream: Bytes8
    first: Annotated[int, msgspec.Meta(ge=0)]
    last: Annotated[int, msgspec.Meta(ge=0)]
    reason: GapReason


_DECODERS: Final[dict[Kind, msgspec.msgpack.Decoder[Any]]] = {
    Kind.BATCH: msgspec.msgpack.Decoder(_BatchWire),
    Kind.HOUR: msgspec.msgpack.Decoder(_HourWire),
    Kind.HEALTH: msgspec.msgpack.Decoder(_HealthWire),
    Kind.ANCHOR: msgspec.msgpack.Decoder(_AnchorWire),
    Kind.GAP: msgspec.msgpack.Decoder(_GapWire),
}
_KINDS: Final = {Batch: Kind.BATCH, HourRollUp: Kind.HOUR, Health: Kind.HEALTH, Anchor: Kind.ANCHOR, Gap: Kind.GAP}


def kind_of(payload: Payload) -> Kind:
    """The kind that an envelope of this payload carries in its header."""
    return _KINDS[type(payload)]


def to_bytes(payload: Payload) -> bytes:
    """The payload as msgpack, ready for `seal`.

    Raises:
        DataError: a value outside its limits, more than a payload may hold, or more than its disclosure allows.
    """
    encoded = _encoded(payload)
    from_bytes(kind_of(payload), encoded)  # what goes out passes the same door as what comes in
    return encoded


def encoded_bytes(payload: Payload) -> int:
    """How long the payload would be; it may be too long to send. Raises DataError as `to_bytes`."""
    return len(_encoded(payload))


def from_bytes(kind: Kind, payload: bytes) -> Payload:
    """The payload of an opened envelope; `kind` is its header's.

    Raises:
        DataError: anything but what `to_bytes` makes of a payload of this kind.
    """
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise DataError(f"a payload of {len(payload)} bytes", f"at most {PAYLOAD_BYTES_MAX}")
    try:
        wire = _DECODERS[kind].decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"no {kind.name.lower()} payload: {error}") from error
    _check_meaning(wire)
    value = _payload_of(wire)
    if _encoded(value) != payload:
        raise DataError(f"a {kind.name.lower()} payload that is not in canonical form", "one meaning has one byte string")
    return value


def _encoded(payload: Payload) -> bytes:
    try:
        plain = msgspec.to_builtins(_wire_of(payload), builtin_types=(bytes,))
        return bytes(msgpack.packb(plain, use_bin_type=True))
    except (msgspec.ValidationError, UnicodeEncodeError, OverflowError) as error:
        raise DataError(f"a {type(payload).__name__} that may not be sent: {error}") from error


def _check_meaning(wire: msgspec.Struct) -> None:
    if isinstance(wire, _BatchWire):
        if wire.disclosure == "windows" and wire.events:
            raise DataError("a batch with events under disclosure 'windows'", "nothing about a single person leaves")
        if wire.disclosure != "boxes" and any(getattr(row, "box", None) is not None for row in wire.events):
            raise DataError(f"a batch with a box under disclosure {wire.disclosure!r}", "boxes need disclosure 'boxes'")
    if any("\0" in name for name in _names(wire)):
        raise DataError("a name with a NUL in it", "no database's text holds one, so it could be stored nowhere")
    if isinstance(wire, _GapWire) and wire.last < wire.first:
        raise DataError(f"a gap from {wire.first} to {wire.last}", "first comes before last")


def _names(wire: msgspec.Struct) -> Iterator[str]:
    """Every name that becomes a place in the books."""
    if isinstance(wire, _BatchWire | _HourWire):
        yield wire.site
        yield wire.camera
        for window in wire.windows if isinstance(wire, _BatchWire) else (wire.sums,):
            yield from (line.name for line in window.lines)
            yield from (zone.name for zone in window.zones)
    if isinstance(wire, _BatchWire):
        yield from (row.line if isinstance(row, LineCrossedRow) else row.zone for row in wire.events)


def _wire_of(payload: Payload) -> msgspec.Struct:
    fields = {name: getattr(payload, name) for name in payload.__struct_fields__}
    if isinstance(payload, Batch):
        fields["windows"] = tuple(window_row(window) for window in payload.windows)
        fields["events"] = tuple(event_row(event) for event in payload.events)
        return _BatchWire(v=1, **fields)
    if isinstance(payload, HourRollUp):
        return _HourWire(v=1, **(fields | {"sums": window_row(payload.sums)}))
    if isinstance(payload, Health):
        fields["cameras"] = tuple(CameraRow.of(camera) for camera in payload.cameras)
        return _HealthWire(v=1, **(fields | {"uplink": row_of(payload.uplink, UplinkRow)}))
    return (_AnchorWire if isinstance(payload, Anchor) else _GapWire)(v=1, **fields)


def _payload_of(wire: msgspec.Struct) -> Payload:
    fields = {name: getattr(wire, name) for name in wire.__struct_fields__ if name != "v"}
    if isinstance(wire, _BatchWire):
        fields["windows"] = tuple(window_of(row) for row in wire.windows)
        fields["events"] = tuple(event_of(row) for row in wire.events)
        return Batch(**fields)
    if isinstance(wire, _HourWire):
        return HourRollUp(**(fields | {"sums": window_of(wire.sums)}))
    if isinstance(wire, _HealthWire):
        fields["cameras"] = tuple(camera.value() for camera in wire.cameras)
        return Health(**(fields | {"uplink": value_of(wire.uplink, UplinkHealth)}))
    return (Anchor if isinstance(wire, _AnchorWire) else Gap)(**fields)
