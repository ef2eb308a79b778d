"""Reading a configuration file for a command."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from firmware.commands.config_file import load, read_text
from firmware.errors import ConfigError

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "door.toml"


def test_a_file_becomes_a_configuration() -> None:
    """By its path."""
    assert load(str(EXAMPLE)).camera[0].name == "door"


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """For pipes."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(EXAMPLE.read_bytes())))
    assert load("-").site == "demo"


def test_faults_name_the_file_as_it_was_given(tmp_path: Path) -> None:
    """So that an editor can jump to them."""
    path = tmp_path / "shop.toml"
    path.write_text("site = 3\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(str(path))
    assert caught.value.faults[0].startswith(f"{path}:1: site = 3")


def test_what_cannot_be_read_is_one_line_with_the_path(tmp_path: Path) -> None:
    """A missing file, a folder, a name that cannot be one, a picture."""
    picture = tmp_path / "shop.png"
    picture.write_bytes(b"\x89PNG\n\x1a\n\xff\xfe")
    for path, words in ((tmp_path / "none.toml", "no such file"), (tmp_path, "cannot be read"), (picture, "not UTF-8")):
        with pytest.raises(ConfigError, match=words) as caught:
            load(str(path))
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        load("a\x00b")


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    """The reading ends where no configuration goes on."""
    path = tmp_path / "huge.toml"
    path.write_bytes(b"#" * 1_000_000)
    assert len(read_text(str(path), 1000)) == 1000
    with pytest.raises(ConfigError) as caught:
        load(str(path))
    assert "larger than 64 KiB" in caught.value.faults[0]
