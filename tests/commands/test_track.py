"""`passerby track`: a file of detections in, a file of tracks out, and one clear line when that cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from firmware import mot
from firmware.__main__ import main
from tests.data_folder import DATA, needs_data

FPS = 10


@pytest.fixture
def det(tmp_path: Path) -> Path:
    """Two people cross for four seconds; frames 15 to 17 miss the first; a flash in frame 5."""
    lines = []
    for frame in range(1, 41):
        if not 15 <= frame <= 17:
            lines.append(f"{frame},-1,{50 + 10 * frame},100,60,180,0.9,-1,-1,-1\n")
        lines.append(f"{frame},-1,{600 - 10 * frame},120,60,180,0.8,-1,-1,-1\n")
    lines.append("5,-1,900,100,60,180,0.9,-1,-1,-1\n")
    path = tmp_path / "det.txt"
    path.write_text("".join(lines))
    return path


def tracked(det: Path, out: Path, *more: str) -> mot.MotRows:
    assert main(["track", str(det), "--fps", str(FPS), "--out", str(out), *more]) == 0
    return mot.parse(out.read_text(), str(out))


def test_two_people_are_two_tracks_from_their_first_frame(det: Path, tmp_path: Path) -> None:
    """Trials are hindsight: the first frame is in the file; the flash is not, nor are the frames nobody saw."""
    rows = tracked(det, tmp_path / "out.txt")
    assert sorted(set(rows.ids.tolist())) == [1, 2]
    assert rows.frames[rows.ids == rows.ids[0]].min() == 1
    assert len(rows) == 40 + 37
    assert rows.boxes[:, 0].max() < 800


def test_boxes_come_back_in_pixels(det: Path, tmp_path: Path) -> None:
    """Near the detections, whatever the size of the picture was."""
    rows = tracked(det, tmp_path / "out.txt")
    last = rows.boxes[(rows.frames == 40) & (rows.boxes[:, 0] > 300)][0]
    np.testing.assert_allclose(last, [450, 100, 60, 180], atol=3)


def test_gaps_are_filled_on_request(det: Path, tmp_path: Path) -> None:
    """Three frames at 10 a second are 0.3 s."""
    assert len(tracked(det, tmp_path / "out.txt", "--interpolate", "0.3")) == 80
    assert len(tracked(det, tmp_path / "out.txt", "--interpolate", "0.2")) == 77


def test_the_summary_for_machines(det: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Frames, boxes, tracks, and the time of the tracker a frame."""
    tracked(det, tmp_path / "out.txt", "--json")
    summary = json.loads(capsys.readouterr().out)
    assert {key: summary[key] for key in ("frames", "boxes", "tracks", "rows", "refused", "scores")} == {
        "frames": 40,
        "boxes": 78,
        "tracks": 2,
        "rows": 77,
        "refused": 0,
        "scores": "unit",
    }
    assert 0 < summary["ms_per_frame"] < 100


def test_tracks_on_standard_output_are_nothing_else(det: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The summary goes to standard error."""
    assert main(["track", str(det), "--fps", str(FPS), "--out", "-", "--json"]) == 0
    out, err = capsys.readouterr()
    assert len(mot.parse(out, "stdout")) == 77
    assert json.loads(err)["tracks"] == 2


def test_two_runs_write_the_same_bytes(det: Path, tmp_path: Path) -> None:
    """A replay is exact."""
    tracked(det, tmp_path / "a.txt")
    tracked(det, tmp_path / "b.txt")
    assert (tmp_path / "a.txt").read_bytes() == (tmp_path / "b.txt").read_bytes()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"1,-1,10,20,30\n", ":1: 5 columns"),
        (b"1,-1,10,20,30,90,1\n2,-1,a,20,30,90,1\n", ":2: 'a' is not a number"),
        (b"", ": no boxes"),
        (b"\xff\xfe\x00", ": not a text file"),
    ],
)
def test_bad_input_is_one_clear_line(content: bytes, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 5, the file, the line, what to do; and nothing is written."""
    det, out = tmp_path / "bad.txt", tmp_path / "out.txt"
    det.write_bytes(content)
    assert main(["track", str(det), "--fps", "10", "--out", str(out)]) == 5
    error = capsys.readouterr().err
    assert f"bad.txt{says}" in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_a_missing_file_and_a_place_that_cannot_be_written(det: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """5 for what goes in, 6 for what goes out."""
    assert main(["track", str(tmp_path / "none.txt"), "--fps", "10", "--out", "x"]) == 5
    assert main(["track", str(det), "--fps", "10", "--out", str(tmp_path / "no" / "x.txt")]) == 6
    assert capsys.readouterr().err.count("\n") == 2


@pytest.mark.parametrize("fps", ["0", "-5", "nan", "2000", "fast"])
def test_a_frame_rate_that_is_none_is_refused(fps: str, det: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the parser, with exit code 2."""
    with pytest.raises(SystemExit) as raised:
        main(["track", str(det), "--fps", fps, "--out", "-"])
    assert raised.value.code == 2
    assert "--fps" in capsys.readouterr().err


@pytest.mark.data
@needs_data
def test_a_real_street_is_not_torn_to_pieces(tmp_path: Path) -> None:
    """TUD-Stadtmitte, ten people: most of the 951 boxes are on tracks, and tracks last 30 frames on average."""
    det, out = DATA / "mot" / "MOT15" / "TUD-Stadtmitte" / "det" / "det.txt", tmp_path / "out.txt"
    assert main(["track", str(det), "--fps", "25", "--out", str(out)]) == 0
    rows = mot.parse(out.read_text(), str(out))
    assert len(rows) > 0.9 * 951
    assert len(rows) / len(set(rows.ids.tolist())) > 30
