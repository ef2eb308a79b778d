"""`passerby prove`: the table, the JSON, the exit codes."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

import pytest

from firmware.commands import prove
from firmware.prove import Finding, Verdict


def run(monkeypatch: pytest.MonkeyPatch, verdicts: list[Verdict], *words: str) -> int:
    def findings(_: object) -> Iterator[Finding]:
        for verdict in verdicts:
            yield Finding("V1", "a claim [x]", verdict, "by trying [it]")

    monkeypatch.setattr(prove, "_findings", findings)
    parser = argparse.ArgumentParser()
    prove.add_arguments(parser)
    return prove.run(parser.parse_args(list(words)))


@pytest.mark.parametrize(
    ("verdicts", "words", "code"),
    [
        (["holds", "holds"], [], 0),
        (["holds", "open"], [], 0),
        (["holds", "open"], ["--strict"], 1),
        (["holds", "broken"], [], 1),
    ],
)
def test_exit_codes(monkeypatch: pytest.MonkeyPatch, verdicts: list[Verdict], words: list[str], code: int) -> None:
    """Broken is 1; open is 1 only when asked for strictly."""
    assert run(monkeypatch, verdicts, *words) == code


def test_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One document with every finding."""
    run(monkeypatch, ["holds", "broken"], "--json")
    said = json.loads(capsys.readouterr().out)
    assert (said["ok"], said["broken"], len(said["findings"])) == (False, 1, 2)


def test_the_table_shows_brackets_as_they_are(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing that was found is taken for markup."""
    run(monkeypatch, ["holds"])
    assert "[it]" in capsys.readouterr().out
