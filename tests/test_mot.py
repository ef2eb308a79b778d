"""MOTChallenge text: what comes in comes out, and what does not fit is named with file and line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DataError
from firmware.mot import FRAME_MAX, frames_of, line, parse, pixels, scale_px, score_rule, unit_scores

DET = "2,-1,100.5,50,40,120,0.9,-1,-1,-1\n1,-1,10,20,30,90,0.8,-1,-1,-1\n2,-1,300,60,41,118,0.7,-1,-1,-1\n"


def test_rows_are_ordered_by_frame() -> None:
    """And within a frame as the file has them."""
    rows = parse(DET, "det.txt")
    assert rows.frames.tolist() == [1, 2, 2]
    assert rows.boxes[1].tolist() == [100.5, 50, 40, 120]
    assert rows.scores.tolist() == [0.8, 0.9, 0.7]
    assert (len(rows), rows.frame_last) == (3, 2)


@pytest.mark.parametrize(
    "text",
    ["1 -1 10 20 30 90 0.8", "\ufeff1,-1,10,20,30,90,0.8\r\n\r\n", "1.0e0,-1.0,1e1,20,30,90,0.8,x,y,z", "1, -1, 10, 20, 30, 90, 0.8"],
)
def test_the_dialects_of_the_format_are_read(text: str) -> None:
    """Blanks, a byte order mark, the line ends of Windows, numbers as numpy writes them, columns nobody needs."""
    rows = parse(text, "det.txt")
    assert (rows.frames.tolist(), rows.ids.tolist(), rows.boxes.tolist(), rows.scores.tolist()) == ([1], [-1], [[10, 20, 30, 90]], [0.8])


def test_a_file_without_scores_trusts_every_box() -> None:
    """Six columns are enough."""
    assert parse("1,-1,10,20,30,90", "det.txt").scores.tolist() == [1.0]


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("1,-1,10,20,30", "5 columns"),
        ("frame,id,left,top,width,height", "'frame' is not a number"),
        ("1,-1,10,20,nan,90,1", "not a number"),
        ("1,-1,10,20,inf,90,1", "infinite"),
        ("0,-1,10,20,30,90,1", "frame 0"),
        ("-3,-1,10,20,30,90,1", "frame -3"),
        ("1.5,-1,10,20,30,90,1", "frame 1.5"),
        (f"{FRAME_MAX + 1},-1,10,20,30,90,1", "frame 10000001"),
        ("1,0.5,10,20,30,90,1", "id 0.5"),
        ("1,-1,10,20,0,90,1", "enclose nothing"),
        ("1,-1,10,20,30,-90,1", "enclose nothing"),
        ("{" + '"json": 1}', "columns"),
    ],
)
def test_a_line_that_does_not_fit_is_named(bad: str, says: str) -> None:
    """File and line, what is wrong, what is expected; the lines before it do not matter."""
    with pytest.raises(DataError, match=r"det\.txt:4: ") as raised:
        parse(DET + bad, "det.txt")
    assert says in raised.value.what
    assert raised.value.hint


@given(st.integers(1, 999), st.integers(1, 999), st.tuples(*[st.floats(0.01, 5000).map(lambda v: round(v, 2))] * 4))
def test_what_is_written_is_read_again(frame: int, track: int, box: tuple[float, float, float, float]) -> None:
    """To the hundredth of a pixel."""
    rows = parse(line(frame, track, box), "tracks.txt")
    assert (rows.frames.tolist(), rows.ids.tolist()) == ([frame], [track])
    np.testing.assert_allclose(rows.boxes[0], box, atol=0.006)


def test_every_frame_is_delivered_the_empty_ones_too() -> None:
    """From 1 to the last, with its time in seconds; boxes shrink by one factor that `pixels` undoes."""
    rows = parse(DET + "5,-1,0,0,10,30,0.9", "det.txt")
    frames = list(frames_of(rows, fps=10))
    assert [len(frame.boxes) for frame in frames] == [1, 2, 0, 0, 1]
    assert [frame.t_s for frame in frames] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert frames[1].boxes.max() <= 1
    assert pixels(frames[1].boxes[0], scale_px(rows)) == pytest.approx((100.5, 50, 40, 120))


def test_scores_that_are_all_the_same_are_trusted() -> None:
    """All 1, all -1, all 0.3: the file says nothing about them."""
    for same in (1.0, -1.0, 0.3):
        assert score_rule(np.full(5, same)) == "alike"
        assert unit_scores(np.full(5, same)).tolist() == [1.0] * 5


def test_scores_of_0_to_1_stay_as_they_are() -> None:
    """A network's own scores, however many faint boxes are among them."""
    scores = np.concatenate((np.full(80, 0.2), np.linspace(0.5, 1.0, 20)))
    assert score_rule(scores) == "unit"
    np.testing.assert_array_equal(unit_scores(scores), scores)


@pytest.mark.parametrize("spread", [(40, -5), (100, 0), (0.4, 0), (1, -2)])
def test_scores_of_another_range_are_read_by_rank(spread: tuple[float, float]) -> None:
    """Margins, percent, a timid network: the order stays, the lowest quarter is doubted, the rest trusted."""
    scores = spread[0] * np.random.default_rng(1).random(400) ** 2 + spread[1]
    assert score_rule(scores) == "rank"
    unit = unit_scores(scores)
    assert np.array_equal(np.argsort(unit, kind="stable"), np.argsort(scores, kind="stable"))
    assert np.mean(unit < 0.5) == pytest.approx(0.25, abs=0.01)
    assert unit.min() >= 0
    assert unit.max() <= 1


def test_an_empty_file_has_no_frames() -> None:
    """It is the command that refuses it."""
    rows = parse("\n \n", "det.txt")
    assert (len(rows), rows.frame_last, list(frames_of(rows, 10))) == (0, 0, [])
