"""`passerby detect`: a line a picture, honest about what it could not read, with precision when the truth is known."""

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
    """A tiny detector of bright spots and two pictures: one with a spot of one cell, one dark."""
    content = tiny_model.spot_detector()
    (tmp_path / "spot.tflite").write_bytes(content)
    (tmp_path / "manifest.toml").write_text(tiny_model.manifest(content))
    pixels = np.zeros((64, 64, 3), np.uint8)
    (tmp_path / "stills").mkdir()
    Image.fromarray(pixels).save(tmp_path / "stills" / "dark.png")
    pixels[16:24, 40:48] = 255
    Image.fromarray(pixels).save(tmp_path / "stills" / "spot.png")
    return tmp_path


def detect(shelf: Path, *more: str) -> int:
    return main(["detect", str(shelf / "stills"), "--model", str(shelf / "spot.tflite"), "--threads", "1", "--runtime", "litert", *more])


def test_each_picture_is_a_line(shelf: Path) -> None:
    """Every picture of the folder gives file, size, boxes in 0..1 and scores, also when nobody is in it."""
    assert detect(shelf, "--jsonl", str(shelf / "out.jsonl")) == 0
    dark, spot = (json.loads(line) for line in (shelf / "out.jsonl").read_text().splitlines())
    assert (dark["boxes"], dark["scores"], dark["width"], dark["height"]) == ([], [], 64, 64)
    assert spot["file"] == str(shelf / "stills" / "spot.png")
    assert spot["boxes"] == [pytest.approx([0.625, 0.25, 0.75, 0.375], abs=0.01)]
    assert spot["scores"][0] > 0.99


def test_unreadable_picture_is_named_and_skipped(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken picture is named on standard error, the others are done, and the exit code is 5."""
    (shelf / "stills" / "broken.jpg").write_text("no picture")
    assert detect(shelf, "--jsonl", str(shelf / "out.jsonl"), "--json") == 5
    said = capsys.readouterr()
    assert "broken.jpg: not a picture" in said.err
    assert json.loads(said.out)["unreadable"] == [str(shelf / "stills" / "broken.jpg")]
    assert len((shelf / "out.jsonl").read_text().splitlines()) == 2


def test_truth_gives_average_precision(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the spot labelled, AP50 is 1; with the label elsewhere, 0; pictures without a label are not judged."""
    (shelf / "labels").mkdir()
    for label, ap in (("0 0.6875 0.3125 0.125 0.125", 1.0), ("0 0.2 0.2 0.1 0.1", 0.0)):
        (shelf / "labels" / "spot.txt").write_text(label)
        assert detect(shelf, "--truth", str(shelf / "labels"), "--json") == 0
        summary = json.loads(capsys.readouterr().out)
        assert (summary["ap50"], summary["judged"], summary["pictures"]) == (ap, 1, 2)


def test_lines_to_standard_output(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--jsonl -` prints nothing but the lines on standard output."""
    assert detect(shelf, "--jsonl", "-") == 0
    assert len([json.loads(line) for line in capsys.readouterr().out.splitlines()]) == 2


def test_errors_have_their_exit_codes(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No picture 5, a wrong model 4, an OUT that cannot be written 6: one line each."""
    stills, model = str(shelf / "stills"), str(shelf / "spot.tflite")
    (shelf / "wrong.tflite").write_bytes(tiny_model.classifier())
    assert main(["detect", str(shelf / "none"), "--model", model]) == 5
    assert main(["detect", stills, "--model", str(shelf / "wrong.tflite")]) == 4
    assert detect(shelf, "--jsonl", str(shelf / "no" / "folder" / "out.jsonl")) == 6
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("passerby detect: ") for line in lines)


def test_cut_short_model_is_one_line(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half a model does not take the process down."""
    (shelf / "half.tflite").write_bytes(tiny_model.spot_detector()[:1200])
    assert main(["detect", str(shelf / "stills"), "--model", str(shelf / "half.tflite")]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert "half.tflite" in line
