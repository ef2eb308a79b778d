"""The messages that cross between vision and the daemon, and nothing else: a closed schema, msgpack, length-prefixed.

Vision sends `Counted` and `Alive`; the daemon sends `Stop` and `Ping`. No message has a field that could hold a
picture: the largest one is bounded by MESSAGE_BYTES_MAX, and a frame of the smallest camera would not fit in it.
Framing: u32 big-endian length, then msgpack. An unknown message or field is a WallError, and the reader hangs up.
"""

from __future__ import annotations

import struct
from typing import Final

import msgspec

from firmware.errors import WallError
from firmware.events import Event, Window
from firmware.health import VisionHealth

MESSAGE_BYTES_MAX: Final = 64 * 1024  # 200 people crossing at once is 20 KB; a 320x240 grey frame would be 77 KB
_LENGTH = struct.Struct(">I")


class Counted(msgspec.Struct, frozen=True, tag="counted", forbid_unknown_fields=True):
    """What one step of the pipeline said."""

    camera: str
    events: tuple[Event, ...] = ()
    windows: tuple[Window, ...] = ()


class Alive(msgspec.Struct, frozen=True, tag="alive", forbid_unknown_fields=True):
    """Vision's heartbeat, once a second, from a loop that saw a new frame or says that it did not."""

    health: VisionHealth


class Ping(msgspec.Struct, frozen=True, tag="ping", forbid_unknown_fields=True):
    """The daemon asks for an Alive."""


class Stop(msgspec.Struct, frozen=True, tag="stop", forbid_unknown_fields=True):
    """The daemon asks vision to settle, say its last words and end."""


FromVision = Counted | Alive
ToVision = Ping | Stop

_encoder = msgspec.msgpack.Encoder()
_from_vision = msgspec.msgpack.Decoder(FromVision)
_to_vision = msgspec.msgpack.Decoder(ToVision)


def encode(message: FromVision | ToVision) -> bytes:
    """Length prefix and body.

    Raises:
        WallError: the message is larger than may cross.
    """
    body = _encoder.encode(message)
    if len(body) > MESSAGE_BYTES_MAX:
        raise WallError(f"a {type(message).__name__} of {len(body)} bytes may not cross the wall", f"at most {MESSAGE_BYTES_MAX}")
    return _LENGTH.pack(len(body)) + body


def decode_from_vision(body: bytes) -> FromVision:
    """A message body that came from vision.

    Raises:
        WallError: it is none of the messages that may cross.
    """
    try:
        return _from_vision.decode(body)
    except msgspec.DecodeError as error:
        raise WallError(f"vision sent what may not cross: {error}") from error


def decode_to_vision(body: bytes) -> ToVision:
    """A message body that came from the daemon. Raises WallError as `decode_from_vision`."""
    try:
        return _to_vision.decode(body)
    except msgspec.DecodeError as error:
        raise WallError(f"the daemon sent what may not cross: {error}") from error


def body_length(prefix: bytes) -> int:
    """The length in a 4-byte prefix.

    Raises:
        WallError: longer than may cross.
    """
    (length,) = _LENGTH.unpack(prefix)
    if length > MESSAGE_BYTES_MAX:
        raise WallError(f"a message of {length} bytes may not cross the wall")
    return int(length)
