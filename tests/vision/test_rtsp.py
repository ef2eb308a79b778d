"""Network cameras: the protocol for real against a small server, the rest at the port's edge."""

from __future__ import annotations

import traceback
from typing import Any

import av.error
import pytest

from firmware.clock import SystemClock
from firmware.errors import SourceError
from firmware.vision.libav import open_container
from firmware.vision.newest import LiveSource
from firmware.vision.rtsp import BACK_OFF_S, RtspCamera
from tests.fakes import FakeClock
from tests.vision.rtsp_server import RtspServer


def test_a_camera_is_read_through_its_password() -> None:
    """The real protocol: authentication, then RGB frames with rising times on our clock."""
    with RtspServer(password="secret") as server:
        camera = RtspCamera(f"rtsp://admin:secret@127.0.0.1:{server.port}/live", None, SystemClock())
        frames = [frame for frame in (camera.grab() for _ in range(20)) if frame]
        camera.close()
    assert len(frames) == 20
    assert frames[0].pixels.shape == (48, 64, 3)
    assert frames[0].pixels[0, 0].tolist() == pytest.approx([40, 40, 40], abs=4)
    times = [frame.t_s for frame in frames]
    assert times == sorted(times)
    assert abs(times[-1] - SystemClock().monotonic_s()) < 5.0


def test_a_wrong_password_says_so_without_saying_it() -> None:
    """The message, its hint and the whole traceback are free of user name and password."""
    with RtspServer(password="right") as server, pytest.raises(SourceError, match="does not accept the user name and password") as caught:
        RtspCamera(f"rtsp://someone:wr0ng@127.0.0.1:{server.port}/live", None, SystemClock())
    told = "".join(traceback.format_exception(caught.value))
    message = str(caught.value)
    assert "wr0ng" not in message
    assert "someone" not in message
    assert "wr0ng" not in told.replace('f"rtsp://someone:wr0ng@127.0.0.1', "")  # this test's own line is in the traceback


def test_a_lost_connection_is_made_again() -> None:
    """A camera that hangs up after some frames is silent for a moment, then sends again."""
    clock = FakeClock()
    with RtspServer(frames=40, gap_s=0.0) as server:
        camera = RtspCamera(f"rtsp://127.0.0.1:{server.port}/live", None, clock, wait_s=clock.sleep_s)
        frames = 0
        for _ in range(400):
            frames += camera.grab() is not None
            if frames > 50:
                break
        camera.close()
    assert frames > 50
    assert server.connections >= 2


def test_the_newest_frame_of_a_fast_camera_is_kept() -> None:
    """Through LiveSource a slow reader gets few frames and the count of the rest."""
    with RtspServer(frames=100, gap_s=0.005) as server:
        clock = SystemClock()
        source = LiveSource(RtspCamera(f"rtsp://127.0.0.1:{server.port}/live", None, clock), clock, "rtsp")
        first = source.read()
        import time

        time.sleep(0.3)
        second = source.read()
        source.close()
    assert first is not None
    assert second is not None
    assert second.dropped > 5


def test_nobody_listening_says_so() -> None:
    """A refused connection is said with the port in mind, at start."""
    with pytest.raises(SourceError, match=r"rtsp://127.0.0.1:9/x refuses the connection"):
        RtspCamera("rtsp://admin:secret@127.0.0.1:9/x", None, SystemClock())


class Opener:
    """Counts connections and fails them all after the first."""

    def __init__(self, clock: FakeClock, error: Exception) -> None:
        self.clock, self.error, self.times = clock, error, list[float]()

    def __call__(self, address: str, **wishes: Any) -> Any:
        self.times.append(self.clock.now_s)
        assert wishes["live"] is True
        assert wishes["options"]["rtsp_transport"] == "tcp"
        if len(self.times) > 1:
            raise self.error
        return EmptyContainer()


class EmptyContainer:
    """A stream that ends at once."""

    class Streams:
        def __init__(self) -> None:
            self.video = [self]

    def __init__(self) -> None:
        self.streams, self.closed = self.Streams(), 0

    def decode(self, stream: Any) -> Any:
        return iter(())

    def close(self) -> None:
        self.closed += 1


def test_back_off_grows_to_its_end_and_never_gives_up() -> None:
    """A camera that is away for ten minutes is asked ever more rarely, at most every half minute, and never an error."""
    clock = FakeClock(0.0)
    opener = Opener(clock, av.error.ConnectionRefusedError(111, "Connection refused"))
    camera = RtspCamera("rtsp://cam/x", None, clock, opener=opener, wait_s=clock.sleep_s)
    while clock.now_s < 600:
        assert camera.grab() is None
    gaps = [later - earlier for earlier, later in zip(opener.times, opener.times[1:], strict=False)]
    assert gaps[: len(BACK_OFF_S)] == pytest.approx(list(BACK_OFF_S), abs=0.3)
    assert gaps[-1] == pytest.approx(BACK_OFF_S[-1], abs=0.3)


def test_an_error_in_the_stream_is_silence() -> None:
    """What breaks while reading ends in None and a new connection, not in an error."""
    clock = FakeClock(0.0)

    class Broken(EmptyContainer):
        def decode(self, stream: Any) -> Any:
            raise av.error.TimeoutError(110, "timed out", "rtsp://u:secret@cam/x")
            yield

    containers = [Broken(), Broken()]
    camera = RtspCamera("rtsp://cam/x", None, clock, opener=lambda *_, **__: containers.pop(), wait_s=clock.sleep_s)
    assert camera.grab() is None
    clock.now_s += 1.1
    assert camera.grab() is None
    assert containers == []


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (av.error.HTTPNotFoundError(404, "not found", "rtsp://u:secret@cam/x"), "knows no such stream"),
        (av.error.ExitError(1, "exit", "rtsp://u:secret@cam/x"), "does not answer in time"),
        (av.error.InvalidDataError(1, "invalid", "rtsp://u:secret@cam/x"), "does not speak RTSP"),
        (OSError(113, "No route to host", "rtsp://u:secret@cam/x"), "No route to host"),
    ],
)
def test_each_reason_has_its_words(error: Exception, says: str) -> None:
    """What PyAV raises becomes words with a hint; never the address with its password."""

    def opener(*_: Any, **__: Any) -> Any:
        raise error

    with pytest.raises(SourceError, match=says) as caught:
        RtspCamera("rtsp://u:secret@cam/x", None, FakeClock(), opener=opener)
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(caught.value.__cause__)
    assert caught.value.hint


def test_a_server_that_never_answers_is_given_up() -> None:
    """A port that accepts and says nothing ends in words within the deadline, not in a hang."""
    import socket

    from firmware.vision import libav

    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.MonkeyPatch.context() as patch:
        patch.setattr(libav, "OPEN_S", 0.5)
        with pytest.raises(SourceError, match="does not answer in time"):
            RtspCamera(f"rtsp://127.0.0.1:{listener.getsockname()[1]}/x", None, SystemClock(), opener=open_container)
