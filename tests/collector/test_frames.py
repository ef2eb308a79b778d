"""Messages between the two processes come out as they went in, however the bytes are cut."""

from __future__ import annotations

import random
from itertools import pairwise

import msgspec
import pytest

from collector.frames import FRAME_BYTES_MAX, Asked, Frames, Round, Told, frame
from collector.receive import Checked
from firmware.errors import DataError


def test_however_the_bytes_are_cut_the_messages_are_the_same() -> None:
    """In one piece, byte by byte, at random."""
    sent = [Asked(number, Checked(bytes(16), bytes(32), (bytes(number * 7), b""), ((1, "empty"),))) for number in range(50)]
    whole = b"".join(map(frame, sent))
    rng = random.Random(1)
    for pieces in (1, len(whole), 37):
        cuts = sorted({0, len(whole), *rng.sample(range(1, len(whole)), pieces - 1)})
        frames = Frames()
        read = [message for start, end in pairwise(cuts) for message in frames.feed(whole[start:end])]
        assert [msgspec.msgpack.decode(message, type=Asked) for message in read] == sent


def test_a_round_comes_back_with_every_field() -> None:
    """Nothing of what became of a request is lost on the way."""
    said = Round((Told(1, b"signed", 3, 1, (5, 6)), Told(2, fault="no")), 1)
    (message,) = Frames().feed(frame(said))
    assert msgspec.msgpack.decode(message, type=Round) == said


def test_a_length_that_no_message_has_ends_it() -> None:
    """Instead of waiting for gigabytes."""
    with pytest.raises(DataError):
        list(Frames().feed((FRAME_BYTES_MAX + 1).to_bytes(4, "big")))
