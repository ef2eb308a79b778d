"""Recordings played as a camera."""

from __future__ import annotations

import pytest

from firmware.vision.detection import no_detections
from firmware.vision.frame import Frame
from firmware.vision.pacing import Paced
from tests.fakes import FakeClock, FakeDetections, FakeFrames, grey_frame


def frames(count: int, fps: float = 10.0) -> FakeFrames:
    return FakeFrames(grey_frame(number / fps) for number in range(count))


def test_frames_come_when_they_are_due() -> None:
    """The clock moves by a frame's time between two reads, and frames carry the machine's time."""
    clock = FakeClock(50.0)
    source = Paced(frames(3), clock, clock.sleep_s)
    seen = [source.read() for _ in range(3)]
    assert [frame.t_s for frame in seen if frame] == pytest.approx([50.0, 50.1, 50.2])
    assert clock.now_s == pytest.approx(50.2)
    assert source.read() is None


def test_a_slow_reader_loses_frames_and_is_told() -> None:
    """Half a second of work between two frames at ten a second costs the frames of that time, as with a camera."""
    clock = FakeClock(0.0)
    source = Paced(frames(20), clock, clock.sleep_s)
    source.read()
    clock.now_s += 0.55
    frame = source.read()
    assert isinstance(frame, Frame)
    assert frame.t_s == pytest.approx(0.5)
    assert frame.dropped == 4


def test_drops_of_the_recording_are_kept() -> None:
    """What a recording says was lost is added to what pacing loses."""
    clock = FakeClock(0.0)
    source = Paced(FakeFrames([grey_frame(0.0), grey_frame(0.1, dropped=3), grey_frame(1.0)]), clock, clock.sleep_s)
    source.read()
    clock.now_s = 1.0
    frame = source.read()
    assert frame is not None
    assert frame.dropped == 4


def test_detections_are_paced_too() -> None:
    """Boxes without pixels are played the same way; closing reaches the recording."""
    clock = FakeClock(7.0)
    inner = FakeDetections([no_detections(0.0), no_detections(2.0)])
    source = Paced(inner, clock, clock.sleep_s)
    source.read()
    found = source.read()
    assert found is not None
    assert found.t_s == pytest.approx(9.0)
    source.close()
    assert inner.closed == 1
    assert source.live


def test_a_machine_too_slow_for_the_recording_still_sees_it() -> None:
    """Each frame takes a third of a second to make and is due after a tenth: reads return, times go on, drops are told, nothing hangs."""
    clock = FakeClock(0.0)

    class Slow(FakeFrames):
        def read(self) -> Frame | None:
            clock.now_s += 0.3
            return super().read()

    source = Paced(Slow(grey_frame(number / 10) for number in range(40)), clock, clock.sleep_s)
    seen = []
    for _ in range(6):
        before_s = clock.now_s
        frame = source.read()
        assert frame is not None
        assert clock.now_s - before_s < 2.0
        seen.append(frame)
    times = [frame.t_s for frame in seen]
    assert times == sorted(times)
    assert times[-1] >= clock.now_s - 1.0
    assert sum(frame.dropped for frame in seen) > 0
