"""`passerby acceptance` on files."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from firmware.commands import acceptance
from firmware.commissioning.walk_test import Reason
from firmware.errors import ConfigError, DataError
from firmware.uplink.envelope import device_id
from tests.commissioning.test_acceptance import ABOUT as RECORD
from tests.commissioning.test_acceptance import FILE, KEY, accept, walk


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    acceptance.add_arguments(parser)
    return acceptance.run(parser.parse_args(list(words)))


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "record.json"
    path.write_bytes(FILE)
    return str(path)


def test_a_record_that_holds_is_shown(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Device, shop, every part, and the verdict; exit 0."""
    assert run(file, "--device", device_id(KEY.public_key()).hex()) == 0
    said = capsys.readouterr().out
    for word in (device_id(KEY.public_key()).hex(), "Café 12", "walk", "loiter", "peek", "Accepted."):
        assert word in said


def test_json_for_machines(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One document, the whole record."""
    assert run(file, "--json") == 0
    assert json.loads(capsys.readouterr().out)["about"]["site"] == "Café 12"


def test_a_failed_line_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The record is genuine and says no."""
    path = tmp_path / "r.json"
    path.write_bytes(accept(walk(Reason("entries", 4, 5)), RECORD, KEY))
    assert run(str(path)) == 1
    assert "NOT accepted." in capsys.readouterr().out


def test_what_is_no_record_is_refused(tmp_path: Path) -> None:
    """Missing, changed, or a device id that is none: one line."""
    with pytest.raises(DataError, match="No such file"):
        run(str(tmp_path / "none"))
    path = tmp_path / "r.json"
    path.write_bytes(FILE.replace(b"Caf", b"Cof"))
    with pytest.raises(DataError, match="changed"):
        run(str(path))
    with pytest.raises(ConfigError, match="32 hex digits"):
        run(str(path), "--device", "12")
