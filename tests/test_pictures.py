"""Pictures and truth from files: upright, bounded, and wrong ones named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from firmware import pictures
from firmware.errors import DataError
from firmware.pictures import find_pictures, parse_lines, parse_yolo, read_picture, read_truth


def test_folders_are_searched_and_files_taken_as_they_are(tmp_path: Path) -> None:
    """A folder gives its pictures and those below, sorted, each once; a file named is taken whatever its ending."""
    (tmp_path / "deep").mkdir()
    for name in ("b.jpg", "a.PNG", "deep/c.bmp", "notes.txt", "odd.dat"):
        (tmp_path / name).write_bytes(b"")
    found = find_pictures([str(tmp_path), str(tmp_path / "odd.dat"), str(tmp_path / "b.jpg")])
    assert [p.name for p in found] == ["a.PNG", "b.jpg", "c.bmp", "odd.dat"]


def test_no_picture_is_an_error(tmp_path: Path) -> None:
    """A path that is not there and a folder without pictures are told apart."""
    with pytest.raises(DataError, match="no such file or folder"):
        find_pictures([str(tmp_path / "none")])
    with pytest.raises(DataError, match="no picture was found"):
        find_pictures([str(tmp_path)])


def test_picture_is_turned_as_its_exif_says(tmp_path: Path) -> None:
    """A phone's portrait, stored lying, comes out upright."""
    lying = Image.new("RGB", (40, 20))
    lying.putpixel((0, 0), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    lying.save(tmp_path / "a.png", exif=exif)
    upright = read_picture(tmp_path / "a.png")
    assert upright.shape == (40, 20, 3)
    assert upright[0, -1].tolist() == [255, 0, 0]


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "I;16", "1"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    """Grey, palette, transparent, printing, deep and bilevel pictures all become H x W x 3 bytes."""
    Image.new(mode, (6, 4)).save(tmp_path / "a.tif")
    pixels = read_picture(tmp_path / "a.tif")
    assert (pixels.shape, pixels.dtype) == ((4, 6, 3), np.uint8)


def test_unreadable_pictures_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text, half a file and too many pixels are each a DataError that names the file."""
    (tmp_path / "text.jpg").write_text("hello")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(tmp_path / "whole.jpg")
    (tmp_path / "half.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:1500])
    for name, says in (("text.jpg", "not a picture"), ("half.jpg", "truncated")):
        with pytest.raises(DataError, match=says) as refused:
            read_picture(tmp_path / name)
        assert name in str(refused.value)
    monkeypatch.setattr(pictures, "PIXELS_MAX", 100)
    with pytest.raises(DataError, match="too many"):
        read_picture(tmp_path / "whole.jpg")


def test_yolo_text_becomes_corners_of_people() -> None:
    """Centre and size become corners, other classes are left out, boxes are cut at the border."""
    assert parse_yolo("0 0.5 0.5 0.2 0.4\n2 0.1 0.1 0.1 0.1\n\n0 0.95 0.5 0.2 0.2\n", "a.txt") == pytest.approx(
        np.array([[0.4, 0.3, 0.6, 0.7], [0.85, 0.4, 1.0, 0.6]])
    )
    assert parse_yolo("", "a.txt").shape == (0, 4)


@pytest.mark.parametrize("line", ["0 a b c d", "0 0.5 0.5 0.1", "0 nan 0.5 0.1 0.1", "0 50 60 10 10"])
def test_wrong_yolo_line_is_named(line: str) -> None:
    """Words, too few numbers, no numbers and pixels are refused with file and line."""
    with pytest.raises(DataError, match=r"a\.txt:2: "):
        parse_yolo(f"0 0.5 0.5 0.1 0.1\n{line}\n", "a.txt")


@pytest.mark.parametrize("line", ["{", "[]", '{"file": "a.jpg"}', '{"file": 3, "boxes": []}', '{"file": "a", "boxes": [[1]]}'])
def test_wrong_json_line_is_named(line: str) -> None:
    """Broken JSON, another shape and a missing key are refused with file and line."""
    with pytest.raises(DataError, match=r"t\.jsonl:1: "):
        parse_lines(line, "t.jsonl")


def test_truth_is_matched_by_name(tmp_path: Path) -> None:
    """A picture finds its text or its line by its name; an empty text is an empty room, nothing at all is unknown."""
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.2 0.2")
    (tmp_path / "b.txt").write_text("")
    (tmp_path / "more.jsonl").write_text(json.dumps({"file": "elsewhere/c.jpg", "boxes": [[0, 0, 1, 1]]}) + "\n")
    truth = read_truth(tmp_path)
    shapes = [None if (known := truth.of(Path(f"stills/{name}.jpg"))) is None else known.shape for name in "abcd"]
    assert shapes == [(1, 4), (0, 4), (1, 4), None]


def test_two_truths_for_one_picture_are_refused(tmp_path: Path) -> None:
    """Two texts of the same name in two folders cannot both be right."""
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text("0 0.5 0.5 0.2 0.2")
    with pytest.raises(DataError, match="a second truth for 'a'"):
        read_truth(tmp_path)


def test_no_truth_is_an_error(tmp_path: Path) -> None:
    """A folder without any truth and a file that is not there are errors, not a perfect score."""
    with pytest.raises(DataError, match="holds no truth"):
        read_truth(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        read_truth(tmp_path / "none.jsonl")
