"""A recording played on the machine's clock."""

from __future__ import annotations

from firmware.vision.detection import Detections, no_detections
from firmware.vision.paced import LATE_S_MAX, Paced


class Tape:
    """Detections at given times."""

    def __init__(self, times_s: list[float]) -> None:
        self.times_s = times_s
        self.closed = False

    def read(self) -> Detections | None:
        return no_detections(self.times_s.pop(0)) if self.times_s else None

    def close(self) -> None:
        self.closed = True


class Hands:
    """A clock that moves when somebody sleeps, or is busy."""

    def __init__(self, now_s: float = 1000.0) -> None:
        self.now_s = now_s

    def monotonic_s(self) -> float:
        return self.now_s

    def wall_ms(self) -> int:
        return 0

    def boot_id(self) -> str:
        return ""

    def sleep_s(self, seconds: float) -> None:
        self.now_s += seconds


def test_items_come_at_their_own_pace() -> None:
    """The first is now; each later one as far from it as in the recording."""
    hands = Hands()
    source = Paced(Tape([5.0, 5.1, 7.0]), hands, hands.sleep_s)
    seen = []
    while (item := source.read()) is not None:
        assert abs(hands.now_s - item.t_s) < 1e-9
        seen.append(round(item.t_s, 6))
    assert seen == [1000.0, 1000.1, 1002.0]


def test_what_is_late_is_dropped_and_counted() -> None:
    """A reader that is busy for a second loses the frames of that second, like a camera's."""
    hands = Hands()
    source = Paced(Tape([index / 10 for index in range(30)]), hands, hands.sleep_s)
    source.read()
    hands.now_s += 0.95
    item = source.read()
    assert item is not None
    assert hands.now_s - item.t_s <= LATE_S_MAX
    assert item.dropped == 7
    following = source.read()
    assert following is not None
    assert following.dropped == 0


def test_the_end_is_the_end() -> None:
    """None for ever after, and closing reaches the recording."""
    hands, tape = Hands(), Tape([])
    source = Paced(tape, hands, hands.sleep_s)
    assert source.read() is None
    source.close()
    assert tape.closed
