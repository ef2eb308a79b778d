"""The messages that cross, and that nothing else does."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from firmware import wall
from firmware.errors import WallError
from firmware.events import LineCrossed, Window
from firmware.health import LiveNumbers, VisionHealth


def body(message: wall.FromVision | wall.ToVision) -> bytes:
    return wall.encode(message)[wall.PREFIX_BYTES :]


def test_each_message_comes_back_as_it_went() -> None:
    """Encoding and decoding are inverse for every message of the two directions."""
    counted = wall.Counted("door", (LineCrossed("entrance", 12_000, "in", "settled", pseudonym=b"12345678"),), (Window(0, 15_000),))
    alive = wall.Alive(VisionHealth("door", 5), LiveNumbers(), Window(0, 15_000))
    for message in (counted, alive, wall.Failed("door", "no camera")):
        assert message == wall.decode_from_vision(body(message))
    for order in (wall.Configure("site = 1", "a.toml", "door"), wall.Ping(), wall.Stop()):
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
