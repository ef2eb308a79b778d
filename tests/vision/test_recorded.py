"""Recorded detections: the format, and every way to get it wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DataError, SourceError
from firmware.vision.detection import Detections
from firmware.vision.recorded import BOXES_MAX, LINE_BYTES_MAX, RecordedDetections, read_detections

GOOD = b'{"t": 0.5, "boxes": [[0.1, 0.2, 0.3, 0.4]], "scores": [0.9]}'


def read_all(*lines: bytes) -> list[Detections]:
    return list(read_detections(lines, "shop.jsonl"))


def test_a_line_becomes_detections() -> None:
    """Time, boxes and scores arrive as they were written; the shape of the picture is 16:9 unless said."""
    (found,) = read_all(GOOD)
    assert found.t_s == 0.5
    np.testing.assert_array_equal(found.boxes, [[0.1, 0.2, 0.3, 0.4]])
    np.testing.assert_array_equal(found.scores, [0.9])
    assert found.aspect == pytest.approx(16 / 9)


def test_nobody_is_a_line_too() -> None:
    """Empty boxes give arrays of no rows, not nothing."""
    (found,) = read_all(b'{"t": 1, "boxes": [], "scores": []}')
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == (0,)


def test_the_pictures_shape_holds_until_another_is_said() -> None:
    """`width` and `height` on a line give the aspect of it and of those after."""
    lines = (b'{"t": 1, "boxes": [], "scores": [], "width": 640, "height": 480}', b'{"t": 2, "boxes": [], "scores": [], "dropped": 3}')
    first, second = read_all(*lines)
    assert first.aspect == second.aspect == pytest.approx(4 / 3)
    assert (first.dropped, second.dropped) == (0, 3)


def test_rounding_outside_the_picture_is_brought_back() -> None:
    """A box a thousandth outside is clipped, not refused."""
    (found,) = read_all(b'{"t": 1, "boxes": [[-0.0005, 0, 1.0005, 1]], "scores": [1]}')
    np.testing.assert_array_equal(found.boxes, [[0, 0, 1, 1]])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"hello", "JSON is malformed"),
        (b'{"t": NaN, "boxes": [], "scores": []}', "JSON is malformed"),
        (b'{"t": 1e999, "boxes": [], "scores": []}', "out of range|not a time|malformed"),
        (b'{"boxes": [], "scores": []}', "missing required field `t`"),
        (b'{"t": "one", "boxes": [], "scores": []}', "`t`"),
        (b'{"t": 1, "boxes": [[0.1, 0.2, 0.3]], "scores": [1]}', "length 4"),
        (b'{"t": 1, "boxes": [[0.1, 0.2, 0.3, 0.4]], "scores": []}', "1 boxes but 0 scores"),
        (b'{"t": 1, "boxes": [[10, 20, 110, 220]], "scores": [1]}', "outside the picture: .10, 20, 110, 220.; divide"),
        (b'{"t": 1, "boxes": [[0.1, 0.2, 1.01, 0.9]], "scores": [1]}', "box 0 is outside the picture"),
        (b'{"t": 1, "boxes": [[0.5, 0.5, 0.2, 0.2]], "scores": [1]}', "has no area"),
        (b'{"t": 1, "boxes": [[0.1, 0.1, 0.2, 0.2]], "scores": [1.5]}', "score 0 is 1.5"),
        (b'{"t": 1, "boxes": [[0.1, 0.1, 0.2, 0.2]], "scores": [-1]}', "score 0 is -1"),
        (b'{"t": 1, "boxes": [], "scores": [], "width": 0, "height": 5}', "width"),
        (b'{"t": 1, "boxes": [], "scores": [], "label": "x"}', "label"),
        (b'{"t": 1, "boxes": [], "scores": [], "dropped": -1}', "dropped"),
        (b"\xff\xfe\x00", "shop.jsonl:2: "),
        (b"[1, 2]", "shop.jsonl:2: "),
    ],
)
def test_a_bad_line_says_where_and_what(line: bytes, says: str) -> None:
    """A DataError of one line with file, line and hint; the lines before it were delivered."""
    reading = read_detections([GOOD, line], "shop.jsonl")
    next(reading)
    with pytest.raises(DataError, match=says) as caught:
        next(reading)
    assert str(caught.value).startswith("shop.jsonl:2: ")
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_time_may_stand_still_but_not_go_back() -> None:
    """Equal times pass; an earlier one is refused with both times."""
    assert len(read_all(GOOD, GOOD)) == 2
    with pytest.raises(DataError, match=r"shop.jsonl:2: time goes back from 0.5 to 0.4 s"):
        read_all(GOOD, GOOD.replace(b"0.5", b"0.4", 1))


def test_too_many_boxes_are_refused() -> None:
    """A line of more boxes than any crowd is a broken file."""
    box = [0.1, 0.1, 0.2, 0.2]
    line = json.dumps({"t": 1, "boxes": [box] * (BOXES_MAX + 1), "scores": [1] * (BOXES_MAX + 1)}).encode()
    with pytest.raises(DataError, match=f"{BOXES_MAX + 1} boxes"):
        read_all(line)


def test_a_file_without_line_ends_is_not_read_whole(tmp_path: Path) -> None:
    """A binary file ends in one clear line, before it is in memory."""
    path = tmp_path / "film.jsonl"
    path.write_bytes(b"x" * (LINE_BYTES_MAX + 10))
    with pytest.raises(DataError, match=f"film.jsonl:1: is longer than {LINE_BYTES_MAX} bytes"):
        RecordedDetections(path).read()


@pytest.mark.parametrize("content", [b"", b"\n\n  \n"])
def test_an_empty_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    """Nothing at all, or only blank lines, is not a recording of nobody."""
    path = tmp_path / "empty.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"empty.jsonl: holds no detections"):
        RecordedDetections(path).read()


def test_a_missing_file_and_a_folder_are_source_errors(tmp_path: Path) -> None:
    """What cannot be opened is the source's fault, not the data's."""
    with pytest.raises(SourceError, match="No such file"):
        RecordedDetections(tmp_path / "nope.jsonl")
    with pytest.raises(SourceError, match="Is a directory"):
        RecordedDetections(tmp_path)


def test_a_file_is_read_to_its_end_and_closed_twice(tmp_path: Path) -> None:
    """Every line is delivered, then None; blank lines between do not count."""
    path = tmp_path / "shop.jsonl"
    path.write_bytes(GOOD + b"\n\n" + GOOD + b"\n")
    source = RecordedDetections(path)
    assert [source.read() is not None for _ in range(3)] == [True, True, False]
    source.close()
    source.close()
    assert not source.live


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(line: bytes) -> None:
    """Whatever stands on a line, the reader gives detections that hold their promises, or a DataError."""
    try:
        for found in read_detections([line], "any"):
            assert found.boxes.shape == (len(found.scores), 4)
            assert np.isfinite(found.boxes).all()
            assert ((found.boxes[:, 0] < found.boxes[:, 2]) & (found.boxes[:, 1] < found.boxes[:, 3])).all()
    except DataError as error:
        assert str(error).startswith("any")  # noqa: PT017  (either outcome is right)
