"""passerby check, as people and machines run it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.__main__ import main
from firmware.config import parse
from firmware.vision.simulated_shop import SimulatedShop

EXAMPLES = sorted((Path(__file__).parent.parent.parent / "examples").glob("*.toml"))
DOOR = """site = "demo"
opening_hours = "24/7"
[[camera]]
name = "door"
source = "sim:"
[[camera.line]]
name = "entrance"
start = [0.1, {y}]
end = [0.9, {y}]
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return tmp_path / "shop.toml"


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_pass_without_a_warning(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What we hand out as an example is good in every respect."""
    assert main(["check", str(path), "--strict"]) == 0
    assert capsys.readouterr().out.rstrip().endswith(": good")


def test_a_good_file_says_which_way_is_in(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without being asked: it is what people get wrong."""
    assert main(["check", write(shop, DOOR.format(y=0.7))]) == 0
    out, err = capsys.readouterr()
    assert 'line "entrance": who goes up in the picture, away from the camera, counts as in' in out
    assert err == ""


def test_explain_draws_the_view(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With an arrow on the side that is in."""
    assert main(["check", write(shop, DOOR.format(y=0.7)), "--explain"]) == 0
    out = capsys.readouterr().out
    assert "camera door\n┌──" in out
    assert "↑ in: entrance" in out


def test_geometry_that_cannot_count_is_an_error_on_its_line(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, one line, with the file, the line of the [[camera.line]], and by how much to move it."""
    path = write(shop, DOOR.format(y=0.98))
    assert main(["check", path]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f'{path}:6: error: line "entrance" can never be cleared')
    assert "; move it 0." in line


def test_warnings_fail_only_when_asked_to(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, and 1 with --strict."""
    path = write(shop, DOOR.format(y=0.9))
    assert main(["check", path]) == 0
    assert f"{path}:6: warning: " in capsys.readouterr().out
    assert main(["check", path, "--strict"]) == 1


def test_faults_and_geometry_are_told_together(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong key does not hide a line that cannot be cleared."""
    path = write(shop, DOOR.format(y=0.98) + "settel_s = 3\n")
    assert main(["check", path]) == 2
    err = capsys.readouterr().err
    assert f"{path}:10: error: unknown key settel_s" in err
    assert f"{path}:6: error: line" in err


def test_lines_are_right_behind_a_table_that_could_not_be_read(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second line's finding stands at the second line, though the first has no end."""
    path = write(
        shop, DOOR.format(y=0.7).replace("end = [0.9, 0.7]\n", "") + '[[camera.line]]\nname = "b"\nstart = [0.1, 0.98]\nend = [0.9, 0.98]\n'
    )
    assert main(["check", path]) == 2
    assert f'{path}:9: error: line "b" can never be cleared' in capsys.readouterr().err


def test_json_tells_machines_the_same(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One document: findings with level, rule, line; the direction of each line; counts."""
    path = write(shop, DOOR.format(y=0.98) + "x = 1\n")
    assert main(["check", path, "--json"]) == 2
    out, err = capsys.readouterr()
    assert err == ""
    report = json.loads(out)
    assert (report["good"], report["errors"], report["warnings"]) == (False, 2, 0)
    assert [(one["level"], one["rule"], one["line"]) for one in report["findings"]] == [
        ("error", "faulty", 10),
        ("error", "line_near_edge", 6),
    ]
    assert report["cameras"][0]["lines"] == [{"name": "entrance", "in": "left", "in_is": "up"}]
    assert main(["check", write(shop, "site = "), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["findings"][0]["line"] == 1


def test_the_embedded_default_passes(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The simulated shop's own configuration, for more than one room, has neither error nor warning."""
    for seed in (1, 2, 3):
        assert main(["check", write(shop, SimulatedShop(seed=seed).config_toml()), "--strict"]) == 0
    capsys.readouterr()


def test_the_shape_of_the_picture_matters(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line at the side has half the room in a picture half as wide; without being told, the source says what shape is usual."""
    text = DOOR.format(y=0.7).replace("[0.1, 0.7]", "[0.09, 0.2]").replace("[0.9, 0.7]", "[0.09, 0.9]")
    assert main(["check", write(shop, text), "--aspect", "16:9", "--strict"]) == 0
    assert main(["check", write(shop, text), "--strict"]) == 1
    assert main(["check", write(shop, text.replace("sim:", "shop.mp4")), "--strict"]) == 0
    assert main(["check", write(shop, text), "--aspect", "9:16"]) == 2
    capsys.readouterr()


@pytest.mark.parametrize(("name", "words"), [("none.toml", "no such file"), ("", "cannot be read")])
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, name: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With its path and what to do."""
    assert main(["check", str(tmp_path / name)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("passerby check: ")
    assert words in line


def test_no_file_is_told_what_to_try(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, one line."""
    assert main(["check"]) == 2
    assert "try: passerby check" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--aspect", "wide"], ["--aspect", "0:1"], ["--aspect", "16:0"], ["--width-px", "1"], ["--threshold-means", "x"]]
)
def test_options_have_limits(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong option is a usage error."""
    with pytest.raises(SystemExit) as caught:
        main(["check", "x.toml", *arguments])
    assert caught.value.code == 2
    assert "error: argument" in capsys.readouterr().err


def test_all_keys_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """The page of the documentation, on the device."""
    assert main(["check", "--keys"]) == 0
    assert "| `dead_band_share` |" in capsys.readouterr().out


def test_checking_costs_no_compiler() -> None:
    """A phone waits for it, and so does whoever edits a file: neither Numba nor an interpreter is loaded."""
    code = f"import sys; from firmware.__main__ import main; rc = main(['check', {str(EXAMPLES[0])!r}]); print(rc, 'numba' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=EXAMPLES[0].parent.parent)
    assert ran.stdout.splitlines()[-1] == "0 False"


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    """What it does, how it is called, its exit codes."""
    with pytest.raises(SystemExit) as caught:
        main(["check", "--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    for words in ("--from-spatial-analysis", "Exit codes: 0 good", "passerby check shop.toml --explain"):
        assert words in out


OLD = {
    "zones": [{"name": "till", "polygon": [[0.1, 0.3], [0.5, 0.3], [0.5, 0.8], [0.1, 0.8], [0.1, 0.3]], "threshold": 16.0}],
    "lines": [
        {
            "name": "door",
            "line": {"start": {"x": 0.1, "y": 0.98}, "end": {"x": 0.9, "y": 0.98}},
            "events": [{"type": "linecrossing", "config": {"threshold": 16}}],
        }
    ],
}


def test_an_old_configuration_is_printed_as_ours_and_checked(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output is a configuration; what would not count goes to standard error."""
    assert main(["check", "--from-spatial-analysis", write(shop, json.dumps(OLD)), "--width-px", "512"]) == 0
    out, err = capsys.readouterr()
    camera = parse(out, "new.toml").camera[0]
    assert [zone.name for zone in camera.zone] == ["till"]
    assert "taken for pixels = 0.0312 of the width" in out
    assert 'error: line "door" can never be cleared' in err
    rows = out.split("\n")
    assert rows[int(err.split(":")[1]) - 1] == "[[camera.line]]"


def test_an_old_configuration_can_be_had_as_json_and_strictly(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For machines; exit code 1 with --strict when it would not count."""
    path = write(shop, json.dumps(OLD))
    assert main(["check", "--from-spatial-analysis", path, "--json", "--strict"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert parse(report["toml"], "f").site == "shop"
    assert report["findings"][0]["rule"] == "line_near_edge"
    assert main(["check", "--from-spatial-analysis", path, "--threshold-means", "ratio"]) == 0
    assert "taken for a share" in capsys.readouterr().out


def test_an_old_configuration_that_cannot_be_read_is_one_line(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the file and the line."""
    path = write(shop, '{"zones": [\n}')
    assert main(["check", "--from-spatial-analysis", path]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"passerby check: {path}:2: not JSON")
