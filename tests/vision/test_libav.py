"""What PyAV's sources share: addresses without passwords, capture times of streams."""

from __future__ import annotations

import pytest

from firmware.vision.libav import ArrivalClock, scrubbed, without_credentials


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://admin:secret@10.0.0.5:554/live", "rtsp://10.0.0.5:554/live"),
        ("rtsp://admin:p@ss@w@10.0.0.5/live", "rtsp://10.0.0.5/live"),
        ("rtsp://10.0.0.5/live?user=admin&password=secret", "rtsp://10.0.0.5/live"),
        ("rtsps://u@cam.local/a@b", "rtsps://cam.local/a@b"),
        ("/dev/video0", "/dev/video0"),
    ],
)
def test_addresses_are_shown_without_secrets(address: str, shown: str) -> None:
    """User name, password and query are left out of what messages show."""
    assert without_credentials(address) == shown


def test_a_scrubbed_error_keeps_only_its_reason() -> None:
    """The cause chained to an error must not carry the address either."""
    error = scrubbed(ConnectionRefusedError(111, "Connection refused", "rtsp://u:secret@host/x"))
    assert "secret" not in repr(error)
    assert "Connection refused" in repr(error)


def test_late_frames_keep_the_time_at_which_they_were_taken() -> None:
    """A stream whose frames come 0 to 400 ms late: the times are as even as the stream's own stamps."""
    arrival = ArrivalClock()
    lateness = [0.0, 0.1, 0.4, 0.3, 0.0, 0.2]
    times = [arrival.stamp(number * 0.1, 500.0 + number * 0.1 + late) for number, late in enumerate(lateness)]
    assert times == pytest.approx([500.0 + number * 0.1 for number in range(6)], abs=2e-3)


def test_the_least_delayed_frame_sets_the_offset() -> None:
    """When the first frame was late, the first punctual one corrects the rest, and time still never goes back."""
    arrival = ArrivalClock()
    times = [arrival.stamp(0.0, 10.5), arrival.stamp(0.1, 10.1), arrival.stamp(0.9, 10.9)]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(10.9)


def test_a_slow_camera_clock_does_not_run_away() -> None:
    """A camera whose clock loses 0.05 % stays within a tenth of a second of ours over an hour."""
    arrival = ArrivalClock()
    for number in range(3600):
        now_s = 100.0 + number
        t_s = arrival.stamp(number * 0.9995, now_s)
        assert abs(t_s - now_s) < 0.1


def test_a_jump_of_the_streams_clock_is_followed() -> None:
    """Stamps that begin anew an hour back are taken as a new beginning, not as frames an hour late."""
    arrival = ArrivalClock()
    arrival.stamp(3600.0, 50.0)
    assert arrival.stamp(0.0, 51.0) == pytest.approx(51.0)


def test_a_frame_without_a_stamp_has_the_time_of_its_arrival() -> None:
    """No stamp, no guess."""
    assert ArrivalClock().stamp(None, 12.5) == 12.5
