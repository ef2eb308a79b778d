"""Whole detectors: the files that must work, and the files that must be refused in one clear line."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from firmware.errors import ModelError
from firmware.vision import fallback
from firmware.vision.coral import missing_library
from firmware.vision.detector import PersonDetector, accelerate, detector_of, even_out, open_detector, runtimes, runtimes_named
from firmware.vision.frame import Frame
from firmware.vision.manifest import Level, ModelFile, find_model
from firmware.vision.recognise import Reading, reading
from firmware.vision.runtime import Runtime
from tests import tiny_model
from tests.data_folder import DATA, needs_data
from tests.fakes import SPOT, FakeInterpreter
from tests.vision.test_coral import plug

MODELS = DATA / "models"
COCO = str(MODELS / "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite")


def file_of(content: bytes) -> ModelFile:
    return ModelFile("tiny", Path("tiny.tflite"), content, hashlib.sha256(content).hexdigest(), None)


def spots(*cells: tuple[int, int], side: int = 64) -> np.ndarray:
    """A dark picture with bright cells of 8x8 at (row, column)."""
    pixels = np.zeros((side, side, 3), np.uint8)
    for row, column in cells:
        pixels[row * 8 : row * 8 + 8, column * 8 : column * 8 + 8] = 255
    return pixels


@pytest.mark.parametrize("numbers", [tiny_model.INT8, tiny_model.UINT8, tiny_model.FLOAT], ids=lambda n: n.name)
@pytest.mark.parametrize("runtime", ["litert", "tflite", "litert-builtin"])
def test_spots_are_found_by_every_runtime_in_every_type(numbers: tiny_model.Numbers, runtime: str) -> None:
    """Built and invoked for real: int8, uint8 and float files find the bright spots where they are."""
    try:
        detector = detector_of(file_of(tiny_model.spot_detector(numbers)), runtimes_named(runtime), threads=1, score_min=0.6)
    except ModelError as error:
        if runtime == "tflite" and ("not installed" in str(error) or "broken here" in str(error)):
            pytest.skip(str(error))  # Python 3.12 and numpy 2 have no tflite-runtime
        raise
    found = detector.detect(Frame(2.5, spots((2, 5), (6, 1)), dropped=3))
    detector.close()
    assert sorted(box.tolist() for box in found.boxes) == [
        pytest.approx([1 / 8, 6 / 8, 2 / 8, 7 / 8], abs=0.01),
        pytest.approx([5 / 8, 2 / 8, 6 / 8, 3 / 8], abs=0.01),
    ]
    assert found.scores.min() > 0.99
    assert (found.t_s, found.dropped, found.aspect) == (2.5, 3, 1.0)


def test_two_detectors_agree_on_frames_of_changing_size() -> None:
    """A frame twice as large shows the same spot; sizes may change from frame to frame and back."""
    detector = detector_of(file_of(tiny_model.spot_detector()), runtimes_named("litert"), threads=1, score_min=0.6)
    small = spots((2, 5))
    large = small.repeat(2, axis=0).repeat(2, axis=1)
    found = [detector.detect(Frame(0.0, pixels)).boxes.tolist() for pixels in (small, large, small)]
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 1


def test_results_outlive_the_next_frame() -> None:
    """Detections are the caller's: the next frame does not change them."""
    detector = detector_of(file_of(tiny_model.spot_detector()), runtimes_named("litert"), threads=1, score_min=0.6)
    first = detector.detect(Frame(0.0, spots((2, 5))))
    before = first.boxes.copy()
    detector.detect(Frame(0.1, spots((6, 1))))
    assert np.array_equal(first.boxes, before)


def test_tiles_find_what_the_whole_frame_is_too_coarse_for() -> None:
    """A spot that fills a third of a cell of the whole frame is found with 2x2 tiles, once, where it is."""
    pixels = np.zeros((384, 384, 3), np.uint8)
    pixels[58:86, 58:86] = 255
    content = tiny_model.spot_detector()
    by_tiling = {
        tiling: detector_of(file_of(content), runtimes_named("litert"), threads=1, tiling=tiling, score_min=0.6)
        .detect(Frame(0.0, pixels))
        .boxes
        for tiling in ("1x1", "2x2")
    }
    assert len(by_tiling["1x1"]) == 0
    (box,) = by_tiling["2x2"]
    assert box[0] < 72 / 384 < box[2]
    assert box[1] < 72 / 384 < box[3]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (tiny_model.classifier, "looks like a classifier of 10 classes"),
        (tiny_model.segmenter, "looks like segmentation"),
        (lambda: tiny_model.spot_detector()[:1500], "the file is damaged"),
        (lambda: tiny_model.spot_detector() + b"edgetpu-custom-op", "compiled for the Edge TPU"),
    ],
)
def test_wrong_content_is_one_line(content: object, says: str, tmp_path: Path) -> None:
    """A classifier, segmentation, half a file and an Edge TPU file are refused by what they are."""
    path = tmp_path / "wrong.tflite"
    path.write_bytes(content())  # type: ignore[operator]
    with pytest.raises(ModelError, match=says) as refused:
        open_detector(str(path), threads=1, runtime="litert")
    assert "wrong.tflite" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.hint


def test_unknown_runtime_and_score_are_refused() -> None:
    """A runtime that nobody knows and a least score of 1 are mistakes, not choices."""
    with pytest.raises(ModelError, match="no runtime is called 'gpu'"):
        runtimes_named("gpu")
    with pytest.raises(ModelError, match="a least score of 1 makes no sense"):
        detector_of(file_of(tiny_model.spot_detector()), runtimes_named("litert"), threads=1, score_min=1.0)


def test_builtin_kernels_are_the_last_resort() -> None:
    """XNNPACK comes first, then the other package, then LiteRT without it."""
    assert [(r.name, r.last_resort) for r in runtimes()] == [("litert", False), ("tflite", False), ("litert-builtin", True)]


def test_description_says_what_runs() -> None:
    """Model, hash, runtime, threads, tiling and the trials are there for health and doctor."""
    file = file_of(tiny_model.spot_detector())
    described = detector_of(file, [Runtime("fast", lambda content, threads: fake())], threads=2, tiling="2x1").description
    assert (described.model, described.sha256, described.runtime, described.threads) == ("tiny", file.sha256, "fast", 2)
    assert (described.tiling, described.fallback, len(described.trials)) == ("2x1", False, 1)


def with_twin(folder: Path) -> ModelFile:
    """A spot detector with a compiled twin beside it, in a machine with a Coral at USB 3."""
    (folder / "spot.tflite").write_bytes(tiny_model.spot_detector())
    (folder / "spot_edgetpu.tflite").write_bytes(tiny_model.spot_detector())
    plug(folder, "2-1", "18d1", "9302", "5000")
    return find_model(str(folder / "spot.tflite"))


def test_coral_does_the_work_until_it_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a Coral and a compiled twin, a child finds the spot; killed, the CPU finds it in the next frame, flagged."""
    monkeypatch.setattr(
        fallback.WithFallback, "_invoke_ms", lambda self: 0.0
    )  # a child on a busy machine may be slower than this tiny model
    file = with_twin(tmp_path)
    detector = detector_of(file, runtimes_named("litert"), threads=1, score_min=0.6)
    command = [sys.executable, "-c", CHILD_WITHOUT_LIBRARY]
    accelerate(detector, file, asked=True, root=tmp_path, command=command)
    assert (detector.description.runtime, detector.description.fallback) == ("edgetpu", False)
    frame = Frame(0.0, spots((2, 5)))
    found = detector.detect(frame)
    detector._interpreter._accelerator._child.kill()
    again = detector.detect(frame)
    assert found.boxes.tolist() == again.boxes.tolist() == [pytest.approx([5 / 8, 2 / 8, 6 / 8, 3 / 8], abs=0.01)]
    assert detector.description.fallback
    detector.close()


CHILD_WITHOUT_LIBRARY = """
import mmap, os, sys
from firmware.vision import edgetpu
from firmware.vision.interpreter import LITERT, build
arguments = edgetpu.parse(sys.argv[1:])
content = os.pread(arguments.model_fd, 1 << 20, 0)
with os.fdopen(arguments.answer_fd, "wb") as answers:
    edgetpu.serve(build(LITERT, content, 1), mmap.mmap(arguments.memory_fd, edgetpu.SHARED_BYTES), sys.stdin.buffer, answers)
"""
"""The real child, but for the delegate that no test machine has."""


@pytest.mark.parametrize(
    ("speed", "compiled", "says"),
    [("480", True, "USB 2 speed"), ("5000", False, "no twin compiled"), ("", True, "no Coral is connected"), ("5000", True, "libedgetpu")],
)
def test_without_a_useful_coral_the_cpu_works_and_the_reason_is_kept(speed: str, compiled: bool, says: str, tmp_path: Path) -> None:
    """A slow link, a missing twin, no device, no library: asked for the Edge TPU, the CPU counts as fallback, with the reason."""
    if speed == "5000" and compiled and not missing_library():
        pytest.skip("libedgetpu is installed here")
    file = with_twin(tmp_path)
    if not compiled:
        (tmp_path / "spot_edgetpu.tflite").unlink()
    device = tmp_path / "sys/bus/usb/devices/2-1"
    (device / "speed").write_text(speed)
    if not speed:
        (device / "idVendor").unlink()
    detector = detector_of(file, runtimes_named("litert"), threads=1)
    accelerate(detector, file, asked=True, root=tmp_path)
    assert says in detector.description.trials[-1].reason
    assert detector.description.fallback
    assert detector.description.runtime == "litert"
    detector.close()


def fake() -> FakeInterpreter:
    return FakeInterpreter(SPOT)


def test_stage_times_add_up_over_tiles() -> None:
    """The stages of a frame cover all its tiles, and each takes time."""
    interpreter = FakeInterpreter()
    detector = PersonDetector(interpreter, reading("fake", SPOT, None), "2x2+1")
    detector.detect(Frame(0.0, np.zeros((30, 40, 3), np.uint8)))
    assert interpreter.invokes == 5
    assert min(detector.stage.resize_s, detector.stage.invoke_s, detector.stage.decode_s) > 0


def test_a_picture_reaches_the_input_quantised() -> None:
    """What the model sees is the frame, resized, in the input's own numbers."""
    interpreter = FakeInterpreter()
    plan = Reading("centre-point", (8, 8), (np.arange(256) // 2).astype(np.uint8), 0.5, 0.5, levels=(Level(0, 1, 4),))
    PersonDetector(interpreter, plan, "1x1").detect(Frame(0.0, np.full((24, 32, 3), 200, np.uint8)))
    assert np.all(interpreter.input() == 100)


def test_closing_twice_is_fine() -> None:
    """A detector may be closed twice, and its interpreter is released."""
    detector = detector_of(file_of(tiny_model.spot_detector()), runtimes_named("litert"), threads=1)
    detector.close()
    detector.close()


def test_packaged_models_open_and_are_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    """Every model of the packaged manifest builds, sees nobody in a grey frame, and nothing is written to the terminal."""
    for name in ("person-320", "person-448"):
        detector = open_detector(name, threads=1, runtime="litert", score_min=0.5)
        assert len(detector.detect(Frame(0.0, np.full((480, 640, 3), 128, np.uint8))).scores) == 0
        assert detector.description.sha256 == find_model(name).sha256
        detector.close()
    assert capfd.readouterr() == ("", "")


def test_opened_detector_compiles_nothing_more(tmp_path: Path) -> None:
    """After opening, frames of any size and layout can be looked at without the right to write a file: no kernel is left to compile."""
    script = (
        "import resource, signal, sys, numpy as np\n"
        "from firmware.vision.detector import open_detector\n"
        "from firmware.vision.frame import Frame\n"
        "detector = open_detector('person-320', threads=1, tiling=sys.argv[1], runtime='litert')\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "wide = np.zeros((480, 700, 3), np.uint8)\n"
        "for pixels in (wide, wide[:, 30:670], wide[:432, :576], np.zeros((320, 320, 3), np.uint8)):\n"
        "    detector.detect(Frame(0.0, pixels))\n"
    )
    for tiling in ("1x1", "2x2+1"):
        ended = subprocess.run(
            [sys.executable, "-c", script, tiling],
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr


@needs_data
def test_bare_ssd_file_finds_the_walker() -> None:
    """A detector of which nothing is known but its file finds the person in a frame of the one-by-one clip."""
    av = pytest.importorskip("av")
    clip = DATA / "videos" / "intel_sample_videos" / "one-by-one-person-detection.mp4"
    detector = open_detector(COCO, threads=1, runtime="litert")
    with av.open(str(clip)) as container:
        pixels = next(frame for i, frame in enumerate(container.decode(video=0)) if i == 240).to_ndarray(format="rgb24")
    found = detector.detect(Frame(24.0, pixels))
    detector.close()
    assert found.scores[0] > 0.5
    assert found.boxes[0] == pytest.approx([0.46, 0.06, 0.68, 0.93], abs=0.05)
    assert np.all(np.diff(found.scores) <= 0)


@needs_data
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mobilenet_v1_0.5_160_quant", "looks like a classifier of 1001 classes"),
        ("mobilenet_v2_1.0_224_quant", "looks like a classifier of 1001 classes"),
        ("deeplabv3_mnv2_pascal_quant", "looks like segmentation"),
        ("mobilenet_v2_1.0_224_quant_edgetpu", "compiled for the Edge TPU"),
        ("person_detect", "the runtime refuses the file"),
        ("nobody", "no such model file"),
    ],
)
def test_wrong_file_is_one_line(name: str, says: str) -> None:
    """Each wrong kind of file is refused with a line that names it, says what it is and what to do."""
    with pytest.raises(ModelError) as refused:
        open_detector(str(MODELS / f"{name}.tflite"), threads=1)
    assert says in str(refused.value)
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.hint


@needs_data
def test_tiles_on_a_damaged_file_leave_us_alive(tmp_path: Path) -> None:
    """A real detector cut in half, of which tflite-runtime dies, is refused by every runtime."""
    half = tmp_path / "half.tflite"
    half.write_bytes(Path(COCO).read_bytes()[:9000])
    for runtime in ("auto", "tflite"):
        with pytest.raises(ModelError, match=r"half\.tflite"):
            open_detector(str(half), threads=1, runtime=runtime)


def test_scores_are_evened_out_by_their_odds() -> None:
    """The manifest's `score_even` becomes 0.5, order and ends stay, and 0.5 changes nothing."""
    scores = np.array([1.0, 0.9, 0.58, 0.3, 0.0])
    evened = even_out(scores, 0.58)
    assert evened[2] == pytest.approx(0.5)
    assert (evened[0], evened[-1]) == (1.0, 0.0)
    assert (np.diff(evened) < 0).all()
    assert (even_out(scores, 0.5) == scores).all()
