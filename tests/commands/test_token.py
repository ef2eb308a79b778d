"""passerby token: a new one each time, a hash on the card, a QR code for the label."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from firmware.__main__ import main
from firmware.status.access import token_matches
from firmware.status.certificate import page_keys


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    path = tmp_path / "shop.toml"
    path.write_text(f'site = "a"\n[uplink]\nspool = "{tmp_path / "spool"}"\n[status]\ninterfaces = ["127.0.0.1"]\n')
    return path


def said(config: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, str]:
    assert main(["token", "--config", str(config), "--json", *more]) == 0
    found: dict[str, str] = json.loads(capsys.readouterr().out)
    return found


def test_the_device_takes_the_token_that_was_shown(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the one before is worth nothing; the pin stays, for browsers that trust it."""
    first, second = said(config, capsys), said(config, capsys)
    keys = page_keys(config.parent / "page")
    assert token_matches(keys.token_hash, second["token"])
    assert not token_matches(keys.token_hash, first["token"])
    assert first["pin"] == second["pin"] == keys.pin


def test_the_address_holds_token_and_pin_where_no_server_sees_them(
    config: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Behind the hash; the picture of it can be printed."""
    told = said(config, capsys, "--png", str(tmp_path / "t.png"))
    assert told["url"] == f"https://127.0.0.1:8443/#token={told['token']}&pin={told['pin']}"
    with Image.open(tmp_path / "t.png") as picture:
        assert picture.width > 100


def test_words_for_people(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Token, pin, page, and what to do next."""
    assert main(["token", "--config", str(config)]) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("token ", "pin ", "https://127.0.0.1:8443/", "Restart"))


def test_without_a_place_for_keys_there_is_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, exit 2."""
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    path = tmp_path / "a.toml"
    path.write_text('site = "a"\n')
    assert main(["token", "--config", str(path)]) == 2
    assert "--folder" in capsys.readouterr().err
