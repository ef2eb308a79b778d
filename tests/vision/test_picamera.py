"""Raspberry Pi cameras: our calls against the real package's signatures, our logic against a fake made of them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from firmware.errors import SourceError
from firmware.vision import picamera
from firmware.vision.picamera import BUFFERS, MISSED_MAX, PiCamera
from tests.vision.picamera_signatures import signatures, source_of, text_of

needs_picamera2 = pytest.mark.skipif(source_of("picamera2") is None, reason="picamera2 is not installed (make setup puts it in)")


def our_calls() -> list[tuple[str, str, list[str], int]]:
    """(receiver, method, keywords, positional count) of every call in the adapter on a camera or request, and of Picamera2 itself."""
    tree = ast.parse(Path(picamera.__file__).read_text(encoding="utf-8"))
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        keywords = [keyword.arg or "**" for keyword in node.keywords]
        if isinstance(node.func, ast.Name) and node.func.id == "Picamera2":
            found.append(("camera", "__init__", keywords, len(node.args)))
        elif isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) in {"self._camera", "camera", "request"}:
            receiver = "request" if ast.unparse(node.func.value) == "request" else "camera"
            found.append((receiver, node.func.attr, keywords, len(node.args)))
    return found


@needs_picamera2
def test_every_call_exists_in_the_real_package() -> None:
    """Each method we call is one of Picamera2's or CompletedRequest's, and takes the parameters we give it."""
    real = {"camera": signatures("picamera2", "Picamera2"), "request": signatures("request", "CompletedRequest")}
    calls = our_calls()
    used = "__init__ create_video_configuration configure start capture_request wait close make_array get_metadata release"
    assert {method for _, method, _, _ in calls} >= set(used.split())
    for receiver, method, keywords, positional in calls:
        assert method in real[receiver], f"{receiver}.{method} does not exist"
        real[receiver][method].bind(*[None] * positional, **dict.fromkeys(keywords))


@needs_picamera2
def test_names_inside_the_dictionaries_are_the_real_ones() -> None:
    """Formats, controls and stream keys are words the package's own source uses; sizes among the properties come as tuples."""
    formats, main, request, utils = (text_of(module) for module in ("formats", "picamera2", "request", "utils"))
    assert '"BGR888"' in formats.split("RGB_FORMATS", 1)[1].split("}", 1)[0]
    assert 'if fmt in ("BGR888", "RGB888")' in request
    assert "'SensorTimestamp'" in main or '"SensorTimestamp"' in main
    assert "self.camera_properties_[k.name] = utils.convert_from_libcamera_type(v)" in main
    assert "isinstance(value, Size):\n        value = value.to_tuple()" in utils
    assert '"FrameDurationLimits": (33333, 33333)' in main
    assert "camera_config['sensor'].get('output_size')" in main
    assert 'valid = ("format", "size", "stride", "preserve_ar")' in main


class FakeRequest:
    """A completed request; counts that it is given back."""

    def __init__(self, camera: FakePicamera, number: int) -> None:
        self.camera, self.number = camera, number

    def make_array(self, name: str) -> Any:
        assert name == "main"
        return np.full((480, 640, 3), self.number, dtype=np.uint8)

    def get_metadata(self) -> dict[str, Any]:
        return {"SensorTimestamp": 5_000_000_000 + self.number * 66_666_000, "ExposureTime": 9000}

    def release(self) -> None:
        self.camera.held -= 1


class FakePicamera:
    """Behaves as Picamera2 does, and refuses calls that the real signatures refuse."""

    def __init__(self, frames: int = 1000, properties: dict[str, Any] | None = None) -> None:
        self.camera_properties = {"PixelArraySize": (4608, 2592)} if properties is None else properties
        self.frames, self.held, self.log = frames, 0, list[str]()
        self.asked: dict[str, Any] = {}
        self.number = 0
        if source_of("picamera2") is not None:
            for name, signature in signatures("picamera2", "Picamera2").items():
                if hasattr(self, name) and not name.startswith("_"):
                    setattr(self, name, _bound(signature, getattr(self, name)))

    def create_video_configuration(self, **wishes: Any) -> dict[str, Any]:
        self.asked = wishes
        return {"video": True}

    def configure(self, camera_config: Any = None) -> None:
        assert camera_config == {"video": True}
        self.log.append("configure")

    def start(self) -> None:
        self.log.append("start")

    def capture_request(self, wait: Any = None) -> str:
        assert wait is False
        return "job"

    def wait(self, job: Any, timeout: float | None = None) -> FakeRequest:
        assert job == "job"
        assert timeout is not None
        if self.number >= self.frames:
            raise TimeoutError
        self.held += 1
        self.number += 1
        assert self.held < BUFFERS
        return FakeRequest(self, self.number)

    def cancel_all_and_flush(self) -> None:
        self.log.append("cancel")

    def close(self) -> None:
        self.log.append("close")


def _bound(signature: inspect.Signature, method: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        signature.bind(*args, **kwargs)
        return method(*args, **kwargs)

    return call


def test_frames_carry_the_sensors_own_time() -> None:
    """SensorTimestamp in nanoseconds becomes seconds of the same clock; pixels are the main stream's."""
    fake = FakePicamera()
    camera = PiCamera(0, 640, None, lambda _: fake)
    frame = camera.grab()
    assert frame is not None
    assert frame.t_s == pytest.approx(5.066666)
    assert frame.pixels.shape == (480, 640, 3)
    assert fake.held == 0


def test_one_small_stream_of_the_whole_view_is_asked_for_once() -> None:
    """RGB in the sensor's shape, a binned full-field mode without a raw stream, few buffers, short exposures, one configure."""
    fake = FakePicamera()
    camera = PiCamera(0, 640, 10.0, lambda _: fake)
    for _ in range(5):
        camera.grab()
    assert fake.log == ["configure", "start"]
    assert fake.asked["main"] == {"size": (640, 360), "format": "BGR888"}
    assert fake.asked["raw"] is None
    assert fake.asked["sensor"] == {"output_size": (2304, 1296)}
    assert fake.asked["buffer_count"] <= 4
    assert fake.asked["controls"]["FrameDurationLimits"] == (66666, 66666)


def test_more_frames_than_wanted_are_given_back_unread() -> None:
    """Of fifteen a second ten are delivered, and every buffer goes back to the camera."""
    fake = FakePicamera()
    camera = PiCamera(0, 640, 10.0, lambda _: fake)
    frames = [frame for frame in (camera.grab() for _ in range(150)) if frame]
    assert 95 <= len(frames) <= 101
    assert fake.held == 0


def test_a_camera_that_stops_is_an_error_in_the_end() -> None:
    """Captures that do not come in time are silence at first, then 'camera stopped' with what to look at."""
    fake = FakePicamera(frames=2)
    camera = PiCamera(0, 640, None, lambda _: fake)
    assert camera.grab() is not None
    assert camera.grab() is not None
    for _ in range(MISSED_MAX - 1):
        assert camera.grab() is None
    with pytest.raises(SourceError, match="camera stopped; the Pi camera 0 sent nothing for"):
        camera.grab()
    assert "cancel" in fake.log


def test_a_stopped_camera_is_not_closed() -> None:
    """picamera2's close would wait for the hung camera for ever; the process's end releases it."""
    fake = FakePicamera(frames=0)
    camera = PiCamera(0, 640, None, lambda _: fake)
    camera.grab()
    camera.close()
    assert "close" not in fake.log


def test_a_running_camera_is_closed() -> None:
    """Close reaches the camera."""
    fake = FakePicamera()
    camera = PiCamera(0, 640, None, lambda _: fake)
    camera.grab()
    camera.close()
    assert fake.log[-1] == "close"


def test_a_late_frame_ends_the_silence() -> None:
    """Two missed captures, then a frame: the count of misses begins anew."""
    fake = FakePicamera(frames=0)
    camera = PiCamera(0, 640, None, lambda _: fake)
    for _ in range(3):
        for _ in range(MISSED_MAX - 1):
            assert camera.grab() is None
        fake.frames += 1
        assert camera.grab() is not None


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ModuleNotFoundError("No module named 'picamera2'"), "picamera2 cannot be used: No module named 'picamera2'; sudo apt install"),
        (ImportError("libcamera.so.0.3: cannot open shared object file"), "libcamera.so.0.3.*system-site-packages"),
        (ValueError("numpy.dtype size changed, may indicate binary incompatibility"), "numpy.dtype size changed.*pip uninstall numpy"),
        (RuntimeError("No camera number 0 found"), "no Pi camera 0, or another program uses it"),
        (IndexError("list index out of range"), "no Pi camera 0"),
    ],
)
def test_what_keeps_picamera2_from_working_has_its_words(error: Exception, says: str) -> None:
    """A missing package, a broken libcamera, a second numpy, no camera: each with what to do."""

    def make(number: int) -> Any:
        raise error

    with pytest.raises(SourceError, match=says):
        PiCamera(0, 640, None, make)


def test_a_configuration_that_is_refused_releases_the_camera() -> None:
    """libcamera's own complaint is passed on, and the camera is closed."""
    fake = FakePicamera()

    def refuse(camera_config: Any = None) -> None:
        raise RuntimeError("Configuration failed")

    fake.configure = refuse  # type: ignore[method-assign]
    with pytest.raises(SourceError, match="cannot be set up: Configuration failed"):
        PiCamera(0, 640, None, lambda _: fake)
    assert fake.log == ["close"]


def test_a_camera_without_a_pixel_array_gets_a_plain_shape() -> None:
    """A USB camera behind libcamera names no pixel array: 4:3 is asked for."""
    fake = FakePicamera(properties={})
    PiCamera(0, 640, None, lambda _: fake)
    assert fake.asked["main"]["size"] == (640, 480)
