"""The messages that cross, and that nothing else does."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from firmware import wall
from firmware.errors import WallError
from firmware.events import LineCrossed, LineSums, Window
from firmware.health import LiveNumbers, VisionHealth


def body(message: wall.FromVision | wall.ToVision) -> bytes:
    return wall.encode(message)[wall.PREFIX_BYTES :]


def test_each_message_comes_back_as_it_went() -> None:
    """Encoding and decoding are inverse for every message of the two directions."""
    counted = wall.Counted("door", (LineCrossed("entrance", 12_000, "in", "settled", pseudonym=b"12345678"),), (Window(0, 15_000),))
    alive = wall.Alive(VisionHealth("door", 5), LiveNumbers(), wall.Will(Window(0, 15_000), (LineSums("entrance", 1),)))
    for message in (counted, alive, wall.Floor("door", ((0, 1000), (500, 20))), wall.Failed("door", "no camera")):
        assert message == wall.decode_from_vision(body(message))
    for order in (
        wall.Configure("site = 1", "a.toml", "door"),
        wall.Open(),
        wall.Open(inside=12),
        wall.Ping(),
        wall.Watch(5.0),
        wall.Stop(),
    ):
        assert order == wall.decode_to_vision(body(order))


def test_a_frame_cannot_cross() -> None:
    """The smallest camera's grey picture is larger than any message may be."""
    picture = np.zeros((240, 320), np.uint8).tobytes()
    with pytest.raises(WallError, match="may not cross"):
        wall.encode(wall.Failed("door", picture.decode()))


@pytest.mark.parametrize("extra", [{"picture": b"x"}, {"box": [0.1, 0.1, 0.2, 0.2]}, {"track": 7}])
def test_an_unknown_field_is_refused(extra: dict[str, object]) -> None:
    """The schema is closed in both directions."""
    with pytest.raises(WallError):
        wall.decode_from_vision(msgspec.msgpack.encode({"type": "counted", "camera": "door", **extra}))
    with pytest.raises(WallError):
        wall.decode_to_vision(msgspec.msgpack.encode({"type": "stop", **extra}))


@pytest.mark.parametrize("points", [[[0, 1001]], [[-1, 0]], [[1, 2, 3]], [[0.5, 0.5]], [[0, 0]] * (wall.FEET_MAX + 1)])
def test_a_floor_holds_a_few_points_in_the_view_and_nothing_else(points: list[object]) -> None:
    """No box, no fraction, no id, no crowd fits into it."""
    with pytest.raises(WallError):
        wall.decode_from_vision(msgspec.msgpack.encode({"type": "floor", "camera": "door", "points": points}))


@pytest.mark.parametrize("seconds", [-1.0, wall.WATCH_S_MAX + 0.1, float("nan")])
def test_nobody_watches_for_ever(seconds: float) -> None:
    """Foot points are asked for again and again, or they end."""
    with pytest.raises(WallError):
        wall.decode_to_vision(msgspec.msgpack.encode({"type": "watch", "seconds": seconds}))


def test_last_words_are_a_few() -> None:
    """The one message with free text holds a line, not a picture written as letters."""
    with pytest.raises(WallError):
        wall.decode_from_vision(body(wall.Failed("door", "x" * (wall.WORDS_MAX + 1))))


@pytest.mark.parametrize(
    ("width", "height", "levels"), [(2, 2, 5), (2, 2, 3), (0, 0, 1), (wall.ROOM_EDGE_MAX + 1, 1, wall.ROOM_EDGE_MAX + 1)]
)
def test_an_empty_room_is_small_and_nothing_rides_behind_it(width: int, height: int, levels: int) -> None:
    """As many grey levels as pixels, and no edge longer than it may be."""
    message = {
        "type": "empty_room",
        "camera": "door",
        "width": width,
        "height": height,
        "grey": bytes(levels),
        "known_permille": 1,
        "seconds": 20,
    }
    with pytest.raises(WallError):
        wall.decode_from_vision(msgspec.msgpack.encode(message))


def test_the_directions_are_apart() -> None:
    """What one side may say the other may not."""
    with pytest.raises(WallError):
        wall.decode_to_vision(body(wall.Counted("door")))
    with pytest.raises(WallError):
        wall.decode_from_vision(body(wall.Stop()))


def test_a_length_beyond_the_bound_is_refused_before_it_is_read() -> None:
    """Four bytes are enough to say no."""
    with pytest.raises(WallError, match="may not cross"):
        wall.body_length((wall.MESSAGE_BYTES_MAX + 1).to_bytes(4, "big"))
