"""Windows and events into payloads: batches that fit, and the sum of an hour.

Pure. What does not fit into one batch is split in order, so that nothing is lost or said twice; sums are of integers,
so that any order gives the same bytes. When to flush, and which windows make an hour, is the daemon's to say:
`hour_of` tells it apart. What may leave at a disclosure level was decided before (`firmware.analytics.pipeline`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from firmware.errors import DataError
from firmware.events import Disclosure, Event, LineSums, Window, ZoneSums
from firmware.uplink.batch import EVENTS_MAX, WINDOWS_MAX, Batch, HourRollUp, Pulse, encoded_bytes
from firmware.uplink.padding import PAYLOAD_BYTES_MAX
from firmware.uplink.stamp import Stamp
from firmware.window_sums import added

HOUR_MS: Final = 3_600_000
Named = TypeVar("Named", LineSums, ZoneSums)


class About(msgspec.Struct, frozen=True):
    """What every payload of one camera's flush says of itself."""

    site: str
    camera: str
    disclosure: Disclosure
    model: bytes
    clock: Stamp
    health: Pulse | None = None


def fold(about: About, windows: Sequence[Window], events: Sequence[Event]) -> tuple[Batch, ...]:
    """One batch, or as few as it takes, in order: windows first, then events. Nothing at all makes no batch.

    Raises:
        DataError: a single window or event that fits in no batch.
    """
    if not windows and not events:
        return ()
    batch = Batch(
        site=about.site,
        camera=about.camera,
        disclosure=about.disclosure,
        model=about.model,
        clock=about.clock,
        windows=tuple(windows),
        events=tuple(events),
        health=about.health,
    )
    if len(windows) <= WINDOWS_MAX and len(events) <= EVENTS_MAX and encoded_bytes(batch) <= PAYLOAD_BYTES_MAX:
        return (batch,)
    if len(windows) + len(events) == 1:
        raise DataError(f"one {type((*windows, *events)[0]).__name__} larger than a batch", f"at most {PAYLOAD_BYTES_MAX} bytes")
    half = (len(windows) + len(events)) // 2
    in_windows, in_events = min(half, len(windows)), max(0, half - len(windows))
    return fold(about, windows[:in_windows], events[:in_events]) + fold(about, windows[in_windows:], events[in_events:])


def hour_of(window: Window) -> int:
    """The hour of the boot clock in which a window begins."""
    return window.start_ms // HOUR_MS


def roll_up(about: About, windows: Sequence[Window]) -> HourRollUp:
    """The sum of one camera's windows, whatever their order.

    Raises:
        DataError: no windows, or windows of more than one hour.
    """
    if not windows or len({hour_of(window) for window in windows}) != 1:
        raise DataError(f"a roll-up of {len(windows)} windows that are not of one hour")
    return HourRollUp(
        site=about.site,
        camera=about.camera,
        model=about.model,
        clock=about.clock,
        windows=len(windows),
        end_ms=max(window.start_ms + window.length_ms for window in windows),
        sums=add_windows(windows),
    )


def add_windows(windows: Sequence[Window]) -> Window:
    """One window that says what these say together; lines and zones by name."""
    return Window(
        start_ms=min(window.start_ms for window in windows),
        length_ms=sum(window.length_ms for window in windows),
        lines=_by_name([line for window in windows for line in window.lines]),
        zones=_by_name([zone for window in windows for zone in window.zones]),
        audit=added([window.audit for window in windows]),
    )


def _by_name(rows: Sequence[Named]) -> tuple[Named, ...]:
    names = sorted({row.name for row in rows})
    return tuple(added([row for row in rows if row.name == name]) for name in names)
