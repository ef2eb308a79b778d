"""passerby notice, as people and machines run it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from firmware.__main__ import main

DOOR = Path(__file__).parent.parent.parent / "examples" / "door.toml"


def test_two_papers_are_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a folder that need not be there; their names are printed, what is left to write is said."""
    out = tmp_path / "paper" / "door"
    assert main(["notice", "--config", str(DOOR), "--out", str(out)]) == 0
    printed, remarks = capsys.readouterr()
    assert printed.split() == [str(out / "notice-en.pdf"), str(out / "dpia-facts-en.pdf")]
    assert all(path.read_bytes().startswith(b"%PDF-") for path in out.iterdir())
    assert "--controller" in remarks


def test_machines_get_the_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object with both papers, in the language asked for, tied to the file it was made from."""
    who = ["--controller", "Shop Ltd", "--contact", "a@shop.example"]
    assert main(["notice", "--config", str(DOOR), "--out", str(tmp_path), "--language", "de", "--json", *who]) == 0
    printed, remarks = capsys.readouterr()
    made = json.loads(printed)
    assert made["notice"]["title"] == "Hier werden Personen gezählt"
    assert hashlib.sha256(DOOR.read_bytes()).hexdigest()[:12] in made["facts"]["made"]
    assert remarks == ""


def test_a_missing_purpose_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the file and the camera, exit 2, and no paper."""
    shop = tmp_path / "shop.toml"
    shop.write_text('site = "x"\n[[camera]]\nname = "door"\nsource = "sim:"\n', encoding="utf-8")
    assert main(["notice", "--config", str(shop), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.startswith(f'passerby notice: {shop}: camera "door" has no purpose; write purpose = ')
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--language", "xx"], "there are: en, de"),
        (["--event-days", "0"], "--event-days 0 is not within 1 to 3650"),
        (["--contact", "x" * 201], "--contact is longer than 200 characters"),
        (["--controller", "\x1b[2J"], "not plain text"),
    ],
)
def test_what_cannot_be_is_refused(options: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, exit 2."""
    assert main(["notice", "--config", str(DOOR), "--out", str(tmp_path), *options]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 6, with the path."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main(["notice", "--config", str(DOOR), "--out", str(tmp_path / "file" / "out")]) == 6
    assert "cannot be written" in capsys.readouterr().err
