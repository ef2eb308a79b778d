"""The messages that cross between vision and the daemon, and nothing else: a closed schema, msgpack, length-prefixed.

The daemon sends `Configure`, `Open`, `Ping`, `Watch`, `RoomWanted` and `Stop`; vision sends `Counted`, `Alive`, `Floor`, `Still`,
`EmptyRoom` and `Failed`. No message has a field that could hold a picture, but the empty room, which is asked for by name and has
nobody in it; each is bounded by MESSAGE_BYTES_MAX: a frame of the smallest camera would not fit.
Framing: u32 big-endian length, then msgpack. An unknown message or field is a WallError, and the reader hangs up.
"""

from __future__ import annotations

import struct
from typing import Annotated, Final, Literal

import msgpack
import msgspec

from firmware.errors import WallError
from firmware.events import Event, LineSums, Window
from firmware.health import LiveNumbers, VisionHealth
from firmware.still_places import StillMap

MESSAGE_BYTES_MAX: Final = 64 * 1024  # 200 people crossing at once is 20 KB; a 320x240 grey frame would be 77 KB
PREFIX_BYTES: Final = 4
WORDS_MAX: Final = 1000  # letters of one error: a path and what to do
ROOM_EDGE_MAX: Final = 192  # of the empty room, in pixels: enough to draw a line on, too coarse to read a label
FEET_MAX: Final = 256  # of one message; a door camera sees fewer than fifty people
FEET_S: Final = 0.2  # vision says foot points no oftener
INSIDE_MAX: Final = 100_000  # no shop holds more
WATCH_S_MAX: Final = 10.0  # so long after the last `Watch` vision says foot points; then nobody looks any more
_LENGTH = struct.Struct(">I")


class Will(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of things if vision dies now: the daemon books it, and nothing counted is lost or said twice.

    Attributes:
        window: the sums of the window still open.
        unsettled: of each line, crossings that were published and have not settled yet, as they then settle.
        events: the same as events, where events may leave.
    """

    window: Window | None = None
    unsettled: tuple[LineSums, ...] = ()
    events: tuple[Event, ...] = ()


class Counted(msgspec.Struct, frozen=True, tag="counted", forbid_unknown_fields=True):
    """What one step of the pipeline said. In one message with the will that holds from now on: both cross, or neither."""

    camera: str
    events: tuple[Event, ...] = ()
    windows: tuple[Window, ...] = ()
    will: Will = Will()


class Alive(msgspec.Struct, frozen=True, tag="alive", forbid_unknown_fields=True):
    """Vision's heartbeat, twice a second, from a loop that saw a new frame or says that it did not."""

    health: VisionHealth
    live: LiveNumbers
    will: Will = Will()


Thousandths = Annotated[int, msgspec.Meta(ge=0, le=1000)]


class Floor(msgspec.Struct, frozen=True, tag="floor", forbid_unknown_fields=True):
    """Where people stand now: foot points in thousandths of the view, without ids, in the order of the plane.

    Only while an authenticated person looks at the floor view: after a `Watch`, until that runs out.
    """

    camera: str
    points: Annotated[tuple[tuple[Thousandths, Thousandths], ...], msgspec.Meta(max_length=FEET_MAX)] = ()


class Still(msgspec.Struct, frozen=True, tag="still", forbid_unknown_fields=True):
    """Where things stand that are not people, when that changed: the daemon keeps it over a restart."""

    camera: str
    map: StillMap


class EmptyRoom(msgspec.Struct, frozen=True, tag="empty_room", forbid_unknown_fields=True):
    """The one picture that may cross, once for each `RoomWanted`: a small grey still with nobody in it (`firmware.vision.empty_room`).

    Attributes:
        width, height: pixels; 0 when it was refused.
        grey: width * height levels, row by row.
        known_permille: share of the view that was ever free of people; the rest is flat grey.
        seconds: over which it was made.
        refused: why there is none.
    """

    camera: str
    width: Annotated[int, msgspec.Meta(ge=0, le=ROOM_EDGE_MAX)]
    height: Annotated[int, msgspec.Meta(ge=0, le=ROOM_EDGE_MAX)]
    grey: Annotated[bytes, msgspec.Meta(max_length=ROOM_EDGE_MAX * ROOM_EDGE_MAX)]
    known_permille: Annotated[int, msgspec.Meta(ge=0, le=1000)]
    seconds: Annotated[int, msgspec.Meta(ge=0, le=3600)]
    refused: Annotated[str, msgspec.Meta(max_length=200)] = ""

    def __post_init__(self) -> None:
        """As many levels as pixels: nothing rides behind the picture."""
        if len(self.grey) != self.width * self.height:
            raise ValueError(f"{len(self.grey)} grey levels for {self.width} x {self.height} pixels")


class Failed(msgspec.Struct, frozen=True, tag="failed", forbid_unknown_fields=True):
    """Vision's last words: why it cannot see. The text names files and devices, never people."""

    camera: Annotated[str, msgspec.Meta(max_length=64)]
    what: Annotated[str, msgspec.Meta(max_length=WORDS_MAX)]
    hint: Annotated[str, msgspec.Meta(max_length=WORDS_MAX)] = ""
    exit_code: int = 1


class Configure(msgspec.Struct, frozen=True, tag="configure", forbid_unknown_fields=True):
    """The first message: which camera of which configuration, and what stood still there. Vision parses the text anew."""

    text: str
    filename: str
    camera: str
    still: StillMap = StillMap()


class Open(msgspec.Struct, frozen=True, tag="open", forbid_unknown_fields=True):
    """The second message: the camera is free, open it. A process that stands by has all else ready and waits for this.

    `inside`: how many people were inside by the doors when the process before this one ended.
    """

    inside: Annotated[int, msgspec.Meta(ge=0, le=INSIDE_MAX)] = 0


class Ping(msgspec.Struct, frozen=True, tag="ping", forbid_unknown_fields=True):
    """The daemon asks for an Alive."""


class Watch(msgspec.Struct, frozen=True, tag="watch", forbid_unknown_fields=True):
    """Somebody looks at the floor view: say foot points for so many seconds. 0: nobody does any more."""

    seconds: Annotated[float, msgspec.Meta(ge=0.0, le=WATCH_S_MAX)]


class RoomWanted(msgspec.Struct, frozen=True, tag="room_wanted", forbid_unknown_fields=True):
    """Somebody beside the device wants the empty room, once. Vision makes none without this."""

    presence: Literal["power-up", "button"]


class Stop(msgspec.Struct, frozen=True, tag="stop", forbid_unknown_fields=True):
    """The daemon asks vision to settle, say its last words and end."""


FromVision = Counted | Alive | Floor | Still | EmptyRoom | Failed
ToVision = Configure | Open | Ping | Watch | RoomWanted | Stop

_from_vision = msgspec.msgpack.Decoder(FromVision)
_to_vision = msgspec.msgpack.Decoder(ToVision)


def encode(message: FromVision | ToVision) -> bytes:
    """Length prefix and body.

    Raises:
        WallError: the message is larger than may cross.
    """
    body: bytes = msgpack.packb(msgspec.to_builtins(message, builtin_types=(bytes,)), use_bin_type=True)
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
