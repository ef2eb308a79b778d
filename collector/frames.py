"""What passes between the collector's two processes: the one that faces the devices, and the one that opens, enters and signs.

A message is a msgpack array after its length (u32). To the writer: `Start`, once, then `Asked`. Back: `Started`, once, then a
`Round` for a few requests at a time. The face holds no key that opens an envelope or signs an answer: it verifies and hands
over what a device posted, and hands back what it could not make itself. Both ends are ours and of one version; no disk
and no network has these bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

import msgspec

from collector.receive import Checked
from firmware.errors import DataError

FRAME_BYTES_MAX: Final = 2**20  # a request or four answers, twice over
_LENGTH: Final = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()


class Start(msgspec.Struct, frozen=True, array_like=True):
    """What the writer needs; on its socket, because command lines can be read by others."""

    site: str
    database: str
    opens: bool
    passphrase: bytes | None


class Started(msgspec.Struct, frozen=True, array_like=True):
    """It is ready; or, with the name of an error, it is not."""

    error: str = ""
    what: str = ""
    hint: str = ""


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """A request of an enrolled device, its signatures checked; `number` is whatever the face calls it."""

    number: int
    checked: Checked


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What became of a request: durable, with its signed answer; or refused, `fault` says why.

    Attributes:
        number: as asked.
        signed: the answer's bytes; empty with a fault.
        kept, spoiled: envelopes that were taken, and that were set aside.
        conflicts: numbers under which other bytes are held.
        fault: empty when it is durable.
    """

    number: int
    signed: bytes = b""
    kept: int = 0
    spoiled: int = 0
    conflicts: tuple[int, ...] = ()
    fault: str = ""


class Round(msgspec.Struct, frozen=True, array_like=True):
    """What became of some requests, and how many commits are behind them that no round named before."""

    told: tuple[Told, ...]
    commits: int


class Frames:
    """Bytes as they come, cut into messages."""

    def __init__(self) -> None:
        """Nothing was read."""
        self._buffer = bytearray()

    def feed(self, received: bytes) -> Iterator[bytes]:
        """The messages that are whole now.

        Raises:
            DataError: a length that no message has.
        """
        self._buffer += received
        at = 0
        while len(self._buffer) - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer, at)
            if length > FRAME_BYTES_MAX:
                raise DataError(f"a message of {length} bytes between the collector's processes")
            if len(self._buffer) - at - _LENGTH.size < length:
                break
            at += _LENGTH.size
            yield bytes(self._buffer[at : at + length])
            at += length
        del self._buffer[:at]


def frame(message: Start | Started | Asked | Round) -> bytes:
    """A message with its length."""
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body
