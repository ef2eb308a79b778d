"""The collector's configuration file."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.__main__ import main
from collector.settings import CollectorConfig, read_settings
from firmware.errors import ConfigError


def test_without_a_file_there_are_defaults() -> None:
    """Nothing needs to be configured."""
    assert read_settings(None) == CollectorConfig()


def test_a_file_is_read(tmp_path: Path) -> None:
    """Keys of the file take the place of the defaults."""
    path = tmp_path / "collector.toml"
    path.write_text('site = "/etc/passerby/site"\nrole = "ingest"\nport = 9000\n')
    assert read_settings(path) == CollectorConfig(site="/etc/passerby/site", role="ingest", port=9000)


def test_every_fault_is_said_with_its_line(tmp_path: Path) -> None:
    """A misspelt key, a wrong type and a wrong word: three lines, each with file and line."""
    path = tmp_path / "collector.toml"
    path.write_text('sight = "x"\nport = "high"\n\nrole = "both"\n')
    with pytest.raises(ConfigError) as caught:
        read_settings(path)
    assert [fault.split(":")[1] for fault in caught.value.faults] == ["1", "2", "4"]
    assert "site" in caught.value.faults[0]


def test_the_command_says_it_and_ends_with_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bad configuration, missing site, missing database: a clear line and exit code 2."""
    path = tmp_path / "collector.toml"
    path.write_text("port = 99999\n")
    assert main(["serve", "--config", str(path)]) == 2
    assert f"{path}:1: " in capsys.readouterr().err
    assert main(["serve"]) == 2
    assert "site init" in capsys.readouterr().err
    assert main(["windows", "--site", str(tmp_path)]) == 2
    assert "does not exist" in capsys.readouterr().err


@pytest.mark.parametrize("site", ["nowhere", "empty"])
def test_a_folder_that_is_no_site_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], site: str) -> None:
    """No keys, no service: one line that names the file, and a non-zero exit."""
    (tmp_path / "empty").mkdir()
    assert main(["serve", "--site", str(tmp_path / site)]) != 0
    assert "site init" in capsys.readouterr().err
