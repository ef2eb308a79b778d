"""`passerby-provision` as its user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provisioning.__main__ import main


def test_site_and_device_in_two_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The two commands of the help make a site and a device, and speak JSON when asked."""
    site, device = str(tmp_path / "site"), str(tmp_path / "device")
    assert main(["site", "init", "--site", site, "--name", "Shop", "--host", "localhost", "--no-passphrase", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["site"] == "Shop"
    assert main(["device", "new", "--site", site, "--name", "door", "--out", device, "--no-passphrase", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["device"]) == 32


def test_a_passphrase_comes_from_a_file(tmp_path: Path) -> None:
    """The same file opens the site again; another does not."""
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text("correct horse battery\n")
    bad.write_text("something else here\n")
    site = str(tmp_path / "site")
    assert main(["site", "init", "--site", site, "--name", "Shop", "--host", "localhost", "--passphrase-file", str(good)]) == 0
    new = ["device", "new", "--site", site, "--name", "door", "--out"]
    assert main([*new, str(tmp_path / "one"), "--passphrase-file", str(bad)]) == 5
    assert main([*new, str(tmp_path / "two"), "--passphrase-file", str(good)]) == 0


def test_a_short_passphrase_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Eleven characters are not enough for keys that open a chain's counts."""
    monkeypatch.setenv("PASSERBY_PASSPHRASE", "x" * 11)
    assert main(["site", "init", "--site", str(tmp_path / "site"), "--name", "Shop", "--host", "localhost"]) == 2
    assert "at least 12" in capsys.readouterr().err


def test_without_a_passphrase_and_a_keyboard_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No prompt into the void."""
    monkeypatch.delenv("PASSERBY_PASSPHRASE", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert main(["site", "init", "--site", str(tmp_path / "site"), "--name", "Shop", "--host", "localhost"]) == 2
    assert "--passphrase-file" in capsys.readouterr().err
