"""The bench: its crowd is seen as it is, its stages add up, its comparison is fair."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from firmware.average_precision import overlap
from firmware.bench import STAGES, WARM_UP, CrowdSeen, compare, crowd, time_stages
from firmware.vision.detector import OpenedDetector, detector_of, open_detector, runtimes_named
from firmware.vision.frame import Frame
from firmware.vision.manifest import ModelFile
from tests import tiny_model


def spot(folder: Path, score_min: float = 0.6) -> tuple[Path, OpenedDetector]:
    path = folder / "spot.tflite"
    path.write_bytes(tiny_model.spot_detector())
    file = ModelFile("spot", path, path.read_bytes(), "0", None)
    return path, detector_of(file, runtimes_named("litert"), threads=1, score_min=score_min)


def test_crowd_stays_in_the_picture_and_repeats() -> None:
    """Everybody is whole and inside at any time, and the same time gives the same crowd."""
    for t_s in np.linspace(0, 1000, 300):
        boxes = crowd(50, float(t_s))
        assert boxes.min() >= 0.0
        assert boxes.max() <= 1.0
        assert np.all(boxes[:, 2:] > boxes[:, :2])
    assert np.array_equal(crowd(20, 3.0), crowd(20, 3.0))


@pytest.mark.parametrize("model", ["person-320", "person-448"])
def test_heads_see_the_crowd_as_it_is(model: str) -> None:
    """Through the packaged model's own decoder comes the crowd that was shown: each once, box for box."""
    detector = open_detector(model, threads=1, runtime="litert", score_min=0.2)
    seen = detector.show_to(CrowdSeen)
    # Apart from each other, as a decoder can be asked to tell them.
    shown = np.array([[0.1, 0.1, 0.15, 0.3], [0.5, 0.4, 0.58, 0.7], [0.8, 0.2, 0.85, 0.4], [0.3, 0.6, 0.4, 0.95]])
    seen.show(shown)
    found = detector.detect(Frame(0.0, np.zeros((48, 64, 3), np.uint8)))
    assert len(found.boxes) == 4
    assert np.all(overlap(found.boxes, shown).max(axis=1) > 0.75)
    detector.close()


def test_every_stage_is_timed_and_tracks_follow_the_crowd() -> None:
    """All stages take time, the shares fit the stages, ticks come for every frame, and the crowd is tracked."""
    detector, ticks = open_detector("person-320", threads=1, runtime="litert"), []
    timing = time_stages(detector, (48, 64), people=8, frames=12, tick=lambda: ticks.append(1))
    assert list(timing.stage) == list(STAGES)
    assert all(0 <= s.undisturbed_ms <= s.median_ms <= s.p95_ms for s in timing.stage.values())
    assert timing.stage["invoke"].undisturbed_ms > timing.stage["decode"].undisturbed_ms > 0
    assert 0 < timing.around_share < 5
    assert timing.people >= 6
    assert timing.memory_mb > 20
    assert len(ticks) == 12 + WARM_UP
    detector.close()


def test_models_take_turns_and_are_judged(tmp_path: Path) -> None:
    """Two models on the same pictures: ratios to the first, precision where the truth is known, none where it is not."""
    bright = np.zeros((64, 64, 3), np.uint8)
    bright[16:24, 40:48] = 255
    truth = np.array([[0.625, 0.25, 0.75, 0.375]])
    pair = [spot(tmp_path), spot(tmp_path)]
    first, second = compare(pair, [lambda: bright, lambda: bright], [truth, None], rounds=3)
    assert (first.ratio, first.ap50, second.ap50) == (1.0, 1.0, 1.0)
    assert second.ratio == pytest.approx(second.invoke_ms / first.invoke_ms)
    assert first.total_ms > first.invoke_ms
    assert first.file_mb == pytest.approx(0.0021, abs=0.0005)
    assert compare(pair[:1], [lambda: bright], [None], rounds=1)[0].ap50 is None
