"""`passerby doctor`: a line a check, an exit code that says whether anything failed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from firmware.__main__ import main
from firmware.commands import doctor
from firmware.doctor import Check

GOOD, POOR, BAD = (
    Check("clock", "ok", "synchronised"),
    Check("disk", "warn", "0.3 GB", "make room"),
    Check("wall", "fail", "open", "report this"),
)


def seen(monkeypatch: pytest.MonkeyPatch, *checks: Check) -> None:
    def examine(machine: object, runtimes: object) -> Iterator[Check]:
        yield from checks

    monkeypatch.setattr(doctor, "examine", examine)


def test_warnings_are_no_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With warnings alone the exit code is 0, and each line says what to do."""
    seen(monkeypatch, GOOD, POOR)
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "warn disk" in said
    assert "-> make room" in said
    assert "2 checks: 0 failed, 1 warned" in said


def test_a_failure_is_exit_code_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One failure among others makes it 1, in words and in JSON."""
    seen(monkeypatch, GOOD, BAD)
    assert main(["doctor"]) == 1
    assert "fail wall" in capsys.readouterr().out
    assert main(["doctor", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["failed"], document["warned"]) == (False, 1, 0)
    assert document["checks"][1] == {"name": "wall", "level": "fail", "what": "open", "hint": "report this"}
