"""`passerby replay`: what is printed and written, twice the same, and every refusal in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.__main__ import main

CONFIG = """
site = "demo"
disclosure = "{disclosure}"
[[camera]]
name = "door"
source = "{source}"
[[camera.line]]
name = "entrance"
start = [0.0, 0.5]
end = [1.0, 0.5]
[[camera.zone]]
name = "display"
polygon = [[0.3, 0.3], [0.7, 0.3], [0.7, 0.7], [0.3, 0.7]]
[[camera]]
name = "till"
source = "rtsp://user:secret@10.0.0.9/stream"
"""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Three people, one after another, up through the view; two side by side once; 40 seconds at 10 frames a second."""
    lines = []
    for i in range(400):
        boxes = []
        for begin, x in ((2.0, 0.4), (14.0, 0.5), (14.5, 0.65), (26.0, 0.6)):
            foot = 1.05 - 0.1 * (i / 10 - begin)
            if 0.12 < foot < 1.05:
                jitter = 0.002 * ((i * 7) % 5 - 2)
                boxes.append([x - 0.05, max(foot - 0.3, 0.0), x + 0.05, min(foot + jitter, 1.0)])
        lines.append(json.dumps({"t": i / 10, "boxes": boxes, "scores": [0.9] * len(boxes)}))
    path = tmp_path / "walk.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def configured(folder: Path, source: str = "walk.jsonl", disclosure: str = "events") -> str:
    path = folder / "shop.toml"
    path.write_text(CONFIG.format(source=source, disclosure=disclosure), encoding="utf-8")
    return str(path)


def test_the_summary_as_json(recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One document with exactly the keys that scripts rely on, and the counts of the recording."""
    assert main(["replay", str(recording), "--config", configured(tmp_path), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert list(summary) == ["seconds", "frames", "dropped", "lines", "zones", "audit", "stage_ms"]
    assert summary["lines"]["entrance"] == {"in": 4, "out": 0, "provisional_in": 4, "provisional_out": 0, "ambiguous": 0}
    zone = summary["zones"]["display"]
    assert list(zone) == ["visits", "dwell_s", "occupancy_max", "served", "abandoned", "wait_s"]
    assert (zone["visits"], zone["occupancy_max"]) == (4, 2)
    assert zone["dwell_s"]["p50"] == pytest.approx(4.0, abs=0.1)
    assert set(summary["stage_ms"]) == {"read", "step"}


def test_the_summary_for_people(recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table names every line and zone, and the audit follows."""
    assert main(["replay", str(recording), "--config", configured(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "entrance" in out
    assert "display" in out
    assert "audit: 0 ambiguous crossings" in out


def test_two_runs_write_the_same_bytes_compiled_or_not(recording: Path, tmp_path: Path) -> None:
    """--events and --windows, three runs in processes of their own: twice compiled, once interpreted."""
    config, written = configured(tmp_path), []
    for run, jit in enumerate(("0", "0", "1")):
        events, windows = tmp_path / f"events{run}", tmp_path / f"windows{run}"
        command = [sys.executable, "-m", "firmware", "replay", str(recording), "--config", config, "--json"]
        command += ["--events", str(events), "--windows", str(windows)]
        subprocess.run(command, env={**os.environ, "NUMBA_DISABLE_JIT": jit}, check=True, capture_output=True)
        written.append((events.read_bytes(), windows.read_bytes()))
    assert written[0] == written[1] == written[2]
    assert written[0][0].count(b"line_crossed") == 8
    assert written[0][1].count(b"\n") == 3


def test_another_seed_gives_other_pseudonyms_and_the_same_numbers(recording: Path, tmp_path: Path) -> None:
    """Names are random and carry nothing: without them the events are equal."""
    config, told = configured(tmp_path), []
    for seed in ("1", "2"):
        path = tmp_path / f"events{seed}"
        assert main(["replay", str(recording), "--config", config, "--json", "--seed", seed, "--events", str(path)]) == 0
        told.append([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])
    names = [{event.pop("pseudonym") for event in run if "pseudonym" in event} for run in told]
    assert told[0] == told[1]
    assert not names[0] & names[1]


def test_at_windows_the_events_file_stays_empty(recording: Path, tmp_path: Path) -> None:
    """What may not leave a device is not written by a replay either."""
    events, windows = tmp_path / "e", tmp_path / "w"
    config = configured(tmp_path, disclosure="windows")
    assert main(["replay", str(recording), "--config", config, "--json", "--events", str(events), "--windows", str(windows)]) == 0
    assert events.read_bytes() == b""
    assert windows.read_bytes().count(b"\n") == 3


def test_the_source_of_the_configuration_is_the_default(recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No SOURCE: the first camera's own."""
    assert main(["replay", "--config", configured(tmp_path, str(recording)), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["frames"] == 400


def test_a_film_on_a_blank_floor(recording: Path, tmp_path: Path) -> None:
    """--annotate writes a film that FFmpeg can read."""
    film, lines = tmp_path / "film.mp4", recording.read_text(encoding="utf-8").splitlines()[:60]
    recording.write_text("\n".join(lines), encoding="utf-8")
    assert main(["replay", str(recording), "--config", configured(tmp_path), "--json", "--annotate", str(film)]) == 0
    assert film.stat().st_size > 3_000


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["walk.jsonl", "--config", "missing.toml"], 2, "missing.toml"),
        (["missing.jsonl", "--config", "shop.toml"], 3, "missing.jsonl"),
        (["broken.jsonl", "--config", "shop.toml"], 5, "broken.jsonl:1"),
        (["picamera2", "--config", "shop.toml"], 2, "passerby run is for cameras"),
        (["--config", "shop.toml", "--camera", "till", "--annotate", "f.mp4", "--show-pixels"], 2, "live camera"),
        (["--config", "shop.toml", "--camera", "attic"], 2, "door, till"),
        (["walk.jsonl", "--config", "shop.toml", "--show-pixels"], 2, "--annotate"),
        (["walk.jsonl", "--config", "shop.toml", "--show-pixels", "--annotate", "f.mp4"], 2, "no pixels"),
        (["walk.jsonl", "--config", "shop.toml", "--events", "no/such/place"], 6, "no/such/place"),
        (["walk.jsonl", "--config", "boxes.toml"], 2, "purpose"),
    ],
)
def test_every_refusal_is_one_line(
    recording: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    """What, where, what to do; and the exit code of who must act."""
    monkeypatch.chdir(recording.parent)
    configured(recording.parent)
    Path("boxes.toml").write_text(CONFIG.format(source="walk.jsonl", disclosure="boxes"), encoding="utf-8")
    Path("broken.jsonl").write_text('{"t": 0, "boxes": [[0, 0, 5, 5]], "scores": [0.5]}\n', encoding="utf-8")
    assert main(["replay", *arguments]) == code
    error = capsys.readouterr().err.strip()
    assert words in error
    assert "secret" not in error
    assert len(error.splitlines()) == 1
