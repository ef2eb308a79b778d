"""The reading commands as their users meet them: tables, JSON, CSV, Parquet, and one clear line for what is wrong."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import duckdb
import pytest

from collector.__main__ import main
from collector.database import open_database
from collector.export import to_csv
from collector.receive import commit, prepare
from firmware.uplink.exchange import write_request
from tests.collector.devices import OPENINGS, Device, crossing, window

SINCE = ["--from", "2027-01-01", "--to", "2028-01-01"]


@pytest.fixture
def site(url: str, tmp_path: Path) -> list[str]:
    """A database with two hours of one door in it, on each engine; the options that name it."""
    database, device = open_database(url), Device("door")
    device.enrol(database)
    sealed = [device.batch(window(index, 1, dwell_people=6), events=(crossing(index * 15_000),)) for index in range(480)]
    posts = [prepare(device.device, write_request(sealed[at : at + 60]), device.key.public_key(), OPENINGS) for at in range(0, 480, 60)]
    commit(database, posts, 1_800_000_100_000)
    database.close()
    return ["--database", url]


def said(capsys: pytest.CaptureFixture[str], *command: str) -> tuple[int, str, str]:
    code = main(list(command))
    out = capsys.readouterr()
    return code, out.out, out.err


def test_windows_as_table_and_json_say_the_same(site: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """480 entries, by the hour and in one row."""
    code, table, _ = said(capsys, "windows", *site, *SINCE, "--total")
    assert code == 0
    assert any(line.split()[3:6] == ["line", "entrance", "480"] for line in table.splitlines())
    _, lines, _ = said(capsys, "windows", *site, *SINCE, "--interval", "1h", "--json")
    rows = [json.loads(line) for line in lines.splitlines()]
    assert sum(row["entries"] for row in rows if row.get("kind") == "line") == 480
    assert {row["what"] for row in rows if "what" in row} == {"dwell"}


def test_events_and_status(site: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Every event once; the device complete, the first hour final."""
    _, lines, _ = said(capsys, "events", *site, *SINCE, "--json")
    assert len(lines.splitlines()) == 480
    code, table, _ = said(capsys, "status", *site, *SINCE)
    assert code == 0
    assert "door" in table
    assert "final" in table


def test_both_exports_hold_the_same_counts(site: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Parquet by month and site, read by DuckDB; CSV, read as CSV."""
    for kind in ("parquet", "csv"):
        code, out, _ = said(capsys, "export", *site, *SINCE, "--format", kind, "--out", str(tmp_path / kind), "--json")
        assert code == 0
        assert len(json.loads(out)["files"]) == 2
    assert (tmp_path / "parquet" / "month=2027-01" / "site=shop" / "windows.parquet").exists()
    parquet = duckdb.sql(f"SELECT sum(entries) FROM '{tmp_path}/parquet/**/windows.parquet' WHERE kind = 'line'").fetchall()
    with (tmp_path / "csv" / "windows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert parquet == [(480,)]
    assert sum(int(row["entries"]) for row in rows if row["kind"] == "line") == 480
    assert {row["name"] for row in rows if row["kind"] == "camera"} == {""}


def test_text_that_a_spreadsheet_would_run_is_quoted() -> None:
    """And nothing else is touched."""
    said_rows = [{"name": name} for name in ("=1+1", "@x", "", "door", "-5")]
    assert list(csv.DictReader(to_csv(said_rows).splitlines())) == [{"name": name} for name in ("'=1+1", "'@x", "", "door", "'-5")]


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["windows", "--follow"], 2, "add --json"),
        (["windows", "--from", "yesterday"], 2, "is no time"),
        (["windows", "--from", "2026-11-20", "--to", "2026-11-19"], 2, "not before"),
        (["export", "--format", "csv", "--out", "/proc/no/such"], 6, "cannot write"),
        (["export", "--out", "/proc/no/such"], 6, "cannot write"),
    ],
)
def test_what_is_wrong_is_one_line(
    url: str, capsys: pytest.CaptureFixture[str], site: list[str], command: list[str], code: int, words: str
) -> None:
    """Never a traceback, never exit code 0."""
    more = SINCE if "export" in command else []
    got, _, error = said(capsys, *command, *site, *more)
    assert (got, words in error, len(error.splitlines())) == (code, True, 1)


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    """Each command shows what to type."""
    for command in ("serve", "windows", "events", "status", "export"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        assert f"    passerby-collector {command} --" in capsys.readouterr().out
