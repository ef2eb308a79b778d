"""passerby find, as people and machines run it."""

from __future__ import annotations

import json

import pytest

from firmware.__main__ import main
from firmware.commands import find as command
from firmware.status.find import Found

DOOR = Found("passerby-0a0b", ("192.168.1.20",), 8443, "running", "1", "0a0b")


def answering(*devices: Found, monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, tuple[str, ...]]]:
    asked: list[tuple[float, tuple[str, ...]]] = []

    async def find(seconds: float, interfaces: tuple[str, ...]) -> tuple[Found, ...]:
        asked.append((seconds, interfaces))
        return devices

    monkeypatch.setattr(command, "find", find)
    return asked


def test_each_device_is_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Name, state, where it is."""
    asked = answering(DOOR, monkeypatch=monkeypatch)
    assert main(["find", "--seconds", "5", "--interface", "192.168.1.2"]) == 0
    assert capsys.readouterr().out.split() == ["passerby-0a0b", "running", "192.168.1.20:8443"]
    assert asked == [(5.0, ("192.168.1.2",))]


def test_machines_get_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line, with every field."""
    answering(DOOR, monkeypatch=monkeypatch)
    assert main(["find", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"name": "passerby-0a0b", "addresses": ["192.168.1.20"], "port": 8443, "state": "running", "version": "1", "id": "0a0b"}


def test_nobody_there_is_said_and_exits_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A script can tell found from not found; a person reads why it may be so."""
    answering(monkeypatch=monkeypatch)
    assert main(["find"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "no device answered within 3 s" in err


def test_a_machine_without_a_network_exits_7(capsys: pytest.CaptureFixture[str]) -> None:
    """The real thing, asked to use an address that this machine has not."""
    assert main(["find", "--seconds", "0.1", "--interface", "203.0.113.9"]) == 7
    assert "passerby find: cannot ask the local network" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", ["0", "-1", "301", "nan", "soon"])
def test_seconds_that_are_none_are_refused(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With what would be right."""
    with pytest.raises(SystemExit) as exit_:
        main(["find", f"--seconds={seconds}"])
    assert exit_.value.code == 2
    assert "seconds" in capsys.readouterr().err
