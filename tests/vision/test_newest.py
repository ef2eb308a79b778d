"""Live sources: the newest frame, counted drops, silence, the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from firmware.errors import SourceError, SourceSilentError
from firmware.vision import newest
from firmware.vision.frame import Frame
from firmware.vision.newest import LiveSource, NewestFrame, Thinner
from tests.fakes import FakeClock, grey_frame


def test_an_unread_frame_is_replaced_and_counted() -> None:
    """Of three frames put, the reader gets the last one and is told that two were lost."""
    slot = NewestFrame()
    for number in range(3):
        slot.put(grey_frame(number / 10), now_s=number / 10)
    taken = slot.take(0.0)
    assert taken is not None
    assert (taken.t_s, taken.dropped) == (0.2, 2)


def test_drops_are_counted_once() -> None:
    """The count begins anew with each frame taken."""
    slot = NewestFrame()
    slot.put(grey_frame(0.0), 0.0)
    slot.put(grey_frame(0.1), 0.1)
    slot.take(0.0)
    slot.put(grey_frame(0.2), 0.2)
    taken = slot.take(0.0)
    assert taken is not None
    assert taken.dropped == 0


def test_what_the_device_lost_is_added() -> None:
    """A frame that says the device lost four before it, put over one unread frame, is five drops."""
    slot = NewestFrame()
    slot.put(grey_frame(0.0), 0.0)
    slot.put(grey_frame(0.5, dropped=4), 0.5)
    taken = slot.take(0.0)
    assert taken is not None
    assert taken.dropped == 5


def test_an_empty_slot_gives_none_in_time() -> None:
    """Waiting has an end."""
    assert NewestFrame().take(0.01) is None


def test_the_last_frame_comes_before_the_error() -> None:
    """A camera that fails after a frame: the frame is read, then the error."""
    slot = NewestFrame()
    slot.put(grey_frame(0.0), 0.0)
    slot.fail(SourceError("gone"))
    assert slot.take(0.0) is not None
    with pytest.raises(SourceError, match="gone"):
        slot.take(0.0)


def test_age_is_of_the_newest_frame() -> None:
    """The watchdog's measure: none before the first frame, then the time since the last one was put."""
    slot = NewestFrame()
    assert slot.age_s(5.0) is None
    slot.put(grey_frame(1.0), now_s=5.0)
    slot.take(0.0)
    assert slot.age_s(7.5) == pytest.approx(2.5)


class Scripted:
    """A grabber that gives what a script says, and says when it was closed and in which thread it ran."""

    def __init__(self, script: Iterator[Frame | SourceError | None]) -> None:
        self.script, self.closed, self.threads = script, 0, set[str]()
        self.hang = threading.Event()

    def grab(self) -> Frame | None:
        self.threads.add(threading.current_thread().name)
        step = next(self.script, "hang")
        if isinstance(step, SourceError):
            raise step
        if step == "hang":
            self.hang.wait()
            return None
        assert not isinstance(step, str)
        return step

    def close(self) -> None:
        self.closed += 1


def test_no_thread_before_the_first_read() -> None:
    """Opening a source starts no thread, so the process can first give up its rights; reading does."""
    grabber = Scripted(iter([grey_frame(1.0)]))
    source = LiveSource(grabber, FakeClock(), "test")
    assert grabber.threads == set()
    assert source.read() is not None
    assert grabber.threads == {"camera test"}
    grabber.hang.set()
    source.close()


def test_none_of_a_grabber_is_not_the_end() -> None:
    """A grabber that has nothing for now is asked again."""
    grabber = Scripted(iter([None, None, grey_frame(2.0)]))
    source = LiveSource(grabber, FakeClock(), "test")
    frame = source.read()
    assert frame is not None
    assert frame.t_s == 2.0
    grabber.hang.set()
    source.close()


def test_a_hanging_camera_is_silence_and_can_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that never returns: each read ends in SourceSilentError, and close comes back without touching the device."""
    monkeypatch.setattr(newest, "SILENT_S", 0.05)
    monkeypatch.setattr(newest, "AGAIN_S", 0.01)
    monkeypatch.setattr(newest, "CLOSE_S", 60.0)  # not waited for: the call hung before
    grabber = Scripted(iter([]))
    source = LiveSource(grabber, FakeClock(), "the shop's camera")
    for _ in range(2):
        with pytest.raises(SourceSilentError, match="the shop's camera has sent no frame"):
            source.read()
    source.close()
    assert grabber.closed == 0
    grabber.hang.set()


def test_an_error_ends_the_source() -> None:
    """A camera that is gone raises in the reader, each time it reads."""
    source = LiveSource(Scripted(iter([SourceError("unplugged")])), FakeClock(), "test")
    for _ in range(2):
        with pytest.raises(SourceError, match="unplugged"):
            source.read()
    source.close()


def test_a_closed_source_says_so() -> None:
    """Reading after close is a SourceError, and closing twice is nothing; the device is released."""
    grabber = Scripted(iter([]))
    source = LiveSource(grabber, FakeClock(), "test")
    source.close()
    source.close()
    assert grabber.closed >= 1
    with pytest.raises(SourceError, match="closed"):
        source.read()


@pytest.mark.parametrize(
    ("rate", "wanted", "kept"), [(30.0, 10.0, 100), (25.0, 10.0, 100), (12.0, 10.0, 100), (10.0, 10.0, 100), (5.0, 10.0, 50)]
)
def test_thinning_keeps_at_most_the_rate(rate: float, wanted: float, kept: int) -> None:
    """Ten seconds of a camera at `rate` leave about `kept` frames, never more than one over."""
    thinner = Thinner(wanted)
    count = sum(thinner.wants(number / rate) for number in range(int(10 * rate)))
    assert kept * 0.97 <= count <= kept + 1


def test_thinning_is_even() -> None:
    """From 30 to 10 a second every third frame stays."""
    thinner = Thinner(10.0)
    kept = [number for number in range(30) if thinner.wants(number / 30)]
    assert kept == list(range(0, 30, 3))


def test_thinning_starts_anew_after_a_jump_back() -> None:
    """A stream whose time goes back (a reconnect) is not silent until the old time is reached again."""
    thinner = Thinner(10.0)
    assert thinner.wants(500.0)
    assert thinner.wants(1.0)
    assert not thinner.wants(1.01)


def test_no_rate_keeps_everything() -> None:
    """Without a rate every frame is wanted, equal times too."""
    thinner = Thinner(None)
    assert all(thinner.wants(t_s) for t_s in (0.0, 0.0, 0.001, 0.5))
