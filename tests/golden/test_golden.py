"""Golden scenarios: small recordings whose events were worked out by hand, from the ways in `make.py`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from firmware.__main__ import main
from tests.golden import make

HERE = Path(__file__).resolve().parent
SCENARIOS = sorted(path.parent.name for path in HERE.glob("*/expected.jsonl"))
T_MS, DWELL_MS = 250, 250  # one frame of the slowest recording


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def replayed(scenario: str, out: Path) -> list[dict[str, Any]]:
    """The events of a scenario without occupancy, and without what has no meaning by hand."""
    folder = HERE / scenario
    source, config = str(folder / "detections.jsonl"), str(folder / "shop.toml")
    assert main(["replay", source, "--config", config, "--json", "--events", str(out)]) == 0
    events = [event for event in read(out) if event["type"] != "occupancy_changed"]
    return [{key: value for key, value in event.items() if key not in {"pseudonym", "confidence_permille", "box"}} for event in events]


def same(expected: dict[str, Any], event: dict[str, Any]) -> bool:
    """Equal in kind, place, side and outcome, near in time."""
    whole = {"staff": False, **({"partial": False, "outcome": ""} if expected["type"] == "zone_left" else {}), **expected}
    if set(whole) != set(event) or abs(whole.pop("t_ms") - event["t_ms"]) > T_MS:
        return False
    dwell_ms = whole.pop("dwell_ms", None)
    if (dwell_ms is None) != (event.get("dwell_ms") is None) or abs((dwell_ms or 0) - (event.get("dwell_ms") or 0)) > DWELL_MS:
        return False
    return all(event[key] == value for key, value in whole.items())


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_event_is_the_one_worked_out_by_hand(scenario: str, tmp_path: Path) -> None:
    """Each expected event happened once, near its time, and nothing else did."""
    events = replayed(scenario, tmp_path / "events")
    for expected in read(HERE / scenario / "expected.jsonl"):
        found = next((event for event in events if same(expected, event)), None)
        assert found is not None, f"missing: {expected}; left: {events}"
        events.remove(found)
    assert events == []


def test_interpreted_and_compiled_say_the_same_bytes(tmp_path: Path) -> None:
    """All scenarios in one process without JIT: events and windows to the last bit."""
    script = (
        "import sys; from firmware.__main__ import main\n"
        "for name in sys.argv[2:]:\n"
        "    main(['replay', f'{name}/detections.jsonl', '--config', f'{name}/shop.toml', '--json',"
        " '--events', f'{sys.argv[1]}/{name}.e', '--windows', f'{sys.argv[1]}/{name}.w'])\n"
    )
    written = []
    for disabled in ("0", "1"):
        out = tmp_path / disabled
        out.mkdir()
        environment = {**os.environ, "NUMBA_DISABLE_JIT": disabled, "PYTHONPATH": str(HERE.parents[1])}
        command = [sys.executable, "-c", script, str(out), *SCENARIOS]
        subprocess.run(command, cwd=HERE, env=environment, check=True, capture_output=True)
        written.append({path.name: path.read_bytes() for path in sorted(out.iterdir())})
    assert len(written[0]) == 2 * len(SCENARIOS) == 10
    assert written[0] == written[1]


def test_the_recordings_are_those_of_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who changes the ways must write the recordings anew, and work the events out again."""
    for scenario in SCENARIOS:
        (tmp_path / scenario).mkdir()
    monkeypatch.setattr(make, "HERE", tmp_path)
    make.main()
    for scenario in SCENARIOS:
        assert (tmp_path / scenario / "detections.jsonl").read_bytes() == (HERE / scenario / "detections.jsonl").read_bytes()
