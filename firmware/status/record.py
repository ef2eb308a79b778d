"""What left this device: the newest payloads in clear, as they were sealed, from memory (privacy.md, V5).

The device cannot open what it sealed; so what the page shows is noted at the moment of sealing, on the uplink's thread,
with stream and number: whoever runs the collector can lay both side by side. Bounded in number and bytes, and gone with
the power.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, islice
from typing import Any, Final

import msgspec

from firmware.status.values import Sent, SentList
from firmware.uplink.batch import Payload, kind_of
from firmware.uplink.envelope import Place

PAYLOADS_MAX: Final = 200  # reliability 1.5, V5
BYTES_MAX: Final = 4 * 1024 * 1024  # of payloads, where they are unusually long
SHOWN_MAX: Final = 50  # in one answer: a phone renders no more
SHOWN_BYTES_MAX: Final = 256 * 1024  # of envelopes in one answer; at least one is shown, and one may be so large


@dataclass(frozen=True, slots=True)
class _Entry:
    place: Place
    payload: Payload
    bytes: int
    sealed_s: float
    acknowledged: bool = False


class Record:
    """The newest payloads. `noted` rises with each change."""

    def __init__(self) -> None:
        self._entries: deque[_Entry] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self.noted = 0

    def sealed(self, place: Place, payload: Payload, size: int, now_s: float) -> None:
        """A payload was sealed for its place; `size` is its envelope's, in bytes. Called on the uplink's thread."""
        with self._lock:
            self._entries.append(_Entry(place, payload, size, now_s))
            self._bytes += size
            while len(self._entries) > PAYLOADS_MAX or self._bytes > BYTES_MAX:
                self._bytes -= self._entries.popleft().bytes
            self.noted += 1

    def acknowledged(self, ranges: Sequence[tuple[bytes, int, int]]) -> None:
        """The collector keeps these: (stream, first, last). Called on the uplink's thread."""
        with self._lock:
            for at, entry in enumerate(self._entries):
                stream, seq = entry.place.stream, entry.place.seq
                if not entry.acknowledged and any(stream == each and first <= seq <= last for each, first, last in ranges):
                    self._entries[at] = replace(entry, acknowledged=True)
                    self.noted += 1

    def newest(self, now_s: float, count: int = SHOWN_MAX) -> SentList:
        """The newest payloads, newest first."""
        with self._lock:
            entries = list(islice(reversed(self._entries), count))
        sizes = accumulate(entry.bytes for entry in entries)
        shown = [entry for at, (entry, size) in enumerate(zip(entries, sizes, strict=True)) if at == 0 or size <= SHOWN_BYTES_MAX]
        return SentList(tuple(_shown(entry, now_s) for entry in shown))


def _shown(entry: _Entry, now_s: float) -> Sent:
    content = clear(entry.payload)
    kind = kind_of(entry.payload).name.lower()
    return Sent(entry.place.stream.hex(), entry.place.seq, kind, entry.bytes, round(now_s - entry.sealed_s, 1), entry.acknowledged, content)


def clear(payload: Payload) -> dict[str, Any]:
    """A payload as JSON can show it: byte strings in hex."""
    shown: dict[str, Any] = _hexed(msgspec.to_builtins(payload, builtin_types=(bytes,)))
    return shown


def _hexed(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: _hexed(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_hexed(each) for each in value]
    return value
