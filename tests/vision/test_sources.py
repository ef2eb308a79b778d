"""From an address to a source: each kind, each mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from firmware.config import CameraConfig
from firmware.errors import DataError, SourceError
from firmware.vision.detection import Detections
from firmware.vision.frame import Frame
from firmware.vision.newest import LiveSource
from firmware.vision.pacing import Paced
from firmware.vision.recorded import RecordedDetections
from firmware.vision.simulated_source import SimulatedBoxes, SimulatedFrames
from firmware.vision.sources import SourceSettings, gives_detections, needs_network, open_source, settings_of
from firmware.vision.video_file import VideoFile
from tests.vision.clips import write_clip
from tests.vision.rtsp_server import RtspServer


def test_a_video_file_is_opened(tmp_path: Path) -> None:
    """A path is a video file: every frame, not live, no boxes."""
    path = write_clip(tmp_path / "shop.mp4", [0.0, 0.1])
    source = open_source(str(path))
    assert isinstance(source, VideoFile)
    assert not source.live
    assert isinstance(source.read(), Frame)
    source.close()


def test_recorded_detections_are_opened(tmp_path: Path) -> None:
    """A name that ends in .jsonl is recorded detections, known before it is read."""
    path = tmp_path / "DOOR.JSONL"
    path.write_text(json.dumps({"t": 0, "boxes": [], "scores": []}))
    source = open_source(str(path))
    assert isinstance(source, RecordedDetections)
    assert gives_detections(str(path))
    assert isinstance(source.read(), Detections)
    source.close()


def test_the_simulated_shop_is_opened_as_frames_and_as_boxes() -> None:
    """`sim:` gives frames, `sim-boxes:` gives detections, each told by its address."""
    frames, boxes = open_source("sim:?size=64x48&people=1&minutes=0.1"), open_source("sim-boxes:?people=1&minutes=0.1")
    assert isinstance(frames, SimulatedFrames)
    assert isinstance(boxes, SimulatedBoxes)
    assert isinstance(frames.read(), Frame)
    assert isinstance(boxes.read(), Detections)
    assert gives_detections("sim-boxes:")
    assert not gives_detections("sim:")


def test_an_rtsp_camera_is_opened() -> None:
    """An rtsp address is a live source; its name in messages has no password."""
    with RtspServer(password="secret") as server:
        address = f"rtsp://admin:secret@127.0.0.1:{server.port}/live"
        source = open_source(address)
        assert isinstance(source, LiveSource)
        assert source.live
        assert isinstance(source.read(), Frame)
        source.close()
        with pytest.raises(SourceError, match="is closed") as caught:
            source.read()
    assert "secret" not in str(caught.value)
    assert needs_network(address)
    assert not needs_network("shop.mp4")


def test_recordings_play_as_cameras_when_asked(tmp_path: Path) -> None:
    """With `live`, a recording is paced and says that it is live."""
    path = write_clip(tmp_path / "shop.mp4", [0.0, 0.1])
    source = open_source(str(path), SourceSettings(live=True))
    assert isinstance(source, Paced)
    assert source.live
    source.close()


def test_the_rate_reaches_the_source(tmp_path: Path) -> None:
    """`fps_max` thins a recording, and is the simulated shop's rate where its address names none."""
    path = write_clip(tmp_path / "shop.mp4", [number / 30 for number in range(60)])
    source = open_source(str(path), SourceSettings(fps_max=10.0))
    count = 0
    while source.read() is not None:
        count += 1
    source.close()
    assert count == 20
    slow = open_source("sim-boxes:?people=0&minutes=0.1", SourceSettings(fps_max=2.0))
    slow.read()
    second = slow.read()
    assert second is not None
    assert second.t_s == pytest.approx(0.5)


def test_settings_come_from_the_cameras_configuration() -> None:
    """The camera's rate, and whether it plays live."""
    assert settings_of(CameraConfig(name="door", source="sim:", fps_max=5.0), live=True) == SourceSettings(fps_max=5.0, live=True)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("", "the source is empty; one of: picamera2, v4l2:"),
        ("   ", "the source is empty"),
        ("foo:bar", "no source is written foo:; one of"),
        ("picamera:0", "no source is written picamera:; a Raspberry Pi camera is written picamera2"),
        ("webcam:0", "a USB camera is written v4l2:/dev/video0"),
        ("http://cam/x.mjpg", "network cameras are read by RTSP"),
        ("picamera2:left", "names no camera; picamera2, or picamera2:1"),
        ("v4l2:", "names no device; for instance v4l2:/dev/video0"),
        ("v4l2:video0", "names no device"),
        ("v4l2:/dev/video97", "there is no camera /dev/video97"),
        ("/dev/video0", "/dev/video0 is a device, not a file; write v4l2:/dev/video0"),
        ("rtsp://", "names no camera; rtsp://user:password@host/path"),
        ("rtsp://admin:secret@", "names no camera"),
        ("nope.mp4", "there is no file nope.mp4"),
        ("nope.jsonl", "nope.jsonl cannot be read: No such file"),
        ("sim:seed=3", r"begins with \?"),
        ("sim:?sed=3", "there is no parameter sed; one of seed, fps"),
        ("sim:?seed=one", "seed is one; seed is a whole number"),
        ("sim:?seed=-1", "seed is -1"),
        ("sim:?fps=0", "fps is 0; fps is frames a second, 0.5 to 120"),
        ("sim:?fps=nan", "fps is nan"),
        ("sim:?minutes=", "minutes is empty"),
        ("sim:?size=640", "size is 640; size is width x height"),
        ("sim:?size=9999x9999", "size is 9999x9999"),
        ("sim:?people=1000000", "people is 1000000"),
        ("sim-boxes:?miss=2", "miss is 2; miss is a share"),
    ],
)
def test_each_mistake_has_its_words(spec: str, says: str) -> None:
    """One line, exit code 3, what is wrong and what to write instead; never a password."""
    with pytest.raises(SourceError, match=says) as caught:
        open_source(spec)
    assert caught.value.hint
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_file_whose_name_looks_like_an_address_is_still_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A colon in a file's name is no scheme where the file exists."""
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "a.mp4", [0.0, 0.1]).rename(tmp_path / "12:30.mp4")
    write_clip(tmp_path / "a.mp4", [0.0, 0.1]).rename(tmp_path / "door:monday.mp4")
    for name in ("12:30.mp4", "door:monday.mp4"):
        source = open_source(name)
        assert source.read() is not None
        source.close()


def test_an_empty_recording_is_a_data_error(tmp_path: Path) -> None:
    """A .jsonl of nothing is the data's fault: exit code 5."""
    path = tmp_path / "empty.jsonl"
    path.touch()
    source = open_source(str(path))
    with pytest.raises(DataError, match="holds no detections"):
        source.read()
