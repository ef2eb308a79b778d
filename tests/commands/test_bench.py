"""`passerby bench`: the stages of this machine, and models side by side."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from firmware.__main__ import main
from tests import tiny_model


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    content = tiny_model.spot_detector()
    (tmp_path / "spot.tflite").write_bytes(content)
    (tmp_path / "manifest.toml").write_text(tiny_model.manifest(content))
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[16:24, 40:48] = 255
    (tmp_path / "stills").mkdir()
    Image.fromarray(pixels).save(tmp_path / "stills" / "a.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 0.6875 0.3125 0.125 0.125")
    return tmp_path


def test_stages_of_a_model(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table for people; for machines every stage with its spread, and what ran."""
    ask = ["bench", "--model", str(shelf / "spot.tflite"), "--frames", "5", "--people", "2", "--size", "64x48"]
    assert main(ask) == 0
    said = capsys.readouterr().out
    assert all(stage in said for stage in ("resize", "invoke", "decode", "track", "analytics", "frames a second"))
    assert main([*ask, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["model"], document["width"], document["height"]) == ("spot", 64, 48)
    assert set(document["stage"]["invoke"]) == {"undisturbed_ms", "median_ms", "p95_ms"}


def test_models_side_by_side_with_precision(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each model has its row, its ratio to the first, and its precision on the user's own pictures."""
    model = str(shelf / "spot.tflite")
    ask = ["bench", "--models", model, model, "--pictures", str(shelf / "stills"), "--truth", str(shelf / "labels")]
    assert main([*ask, "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["models"]
    assert (first["ratio"], first["ap50"], second["ap50"]) == (1.0, 1.0, 1.0)
    assert main(ask) == 0
    assert capsys.readouterr().out.count("spot ") == 2


def test_models_without_pictures_are_timed_alone(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without pictures a synthetic frame serves, and nothing is said of precision."""
    assert main(["bench", "--models", str(shelf / "spot.tflite"), "--frames", "3", "--size", "64x48", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["rounds"], document["models"][0]["ap50"]) == (3, None)


def test_mistakes_are_one_line(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Truth without pictures is 5, a wrong model 4, a size that is none is usage."""
    assert main(["bench", "--models", str(shelf / "spot.tflite"), "--truth", str(shelf / "labels")]) == 5
    assert main(["bench", "--model", str(shelf / "none.tflite")]) == 4
    assert len(capsys.readouterr().err.splitlines()) == 2
    with pytest.raises(SystemExit) as left:
        main(["bench", "--size", "wide"])
    assert left.value.code == 2
