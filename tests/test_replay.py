"""The summary of a replay: made of windows and finished visits, and of nothing else."""

from __future__ import annotations

import json
import random

import pytest

from firmware.analytics.pipeline import Finished, Pipeline, Step
from firmware.analytics.pseudonym import Pseudonyms
from firmware.config import CameraConfig, LineConfig, ZoneConfig
from firmware.events import Audit, LineSums, OccupancyChanged, Window, ZoneSums
from firmware.health import LiveNumbers
from firmware.replay import Tally, json_lines, spread_s
from tests.walkers import detections_at

CAMERA = CameraConfig(
    "shop",
    "x.jsonl",
    line=(LineConfig("door", (0.0, 0.5), (1.0, 0.5)),),
    zone=(ZoneConfig("till", ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)), kind="queue", service_side=0),),
)


def window(start_ms: int, entries: int, most: int) -> Window:
    return Window(
        start_ms,
        15_000,
        (LineSums("door", entries=entries, exits=1, provisional_entries=entries + 1, ambiguous=2, staff_entries=1),),
        (ZoneSums("till", "queue", served=entries, abandoned=1, occupancy_max=most, wait_max_ms=1000 * most),),
        Audit(observed_ms=14_000, blind_ms=1_000, frames=10, ambiguous=2, births=3),
    )


def test_lines_and_zones_are_the_sums_of_the_windows() -> None:
    """Counts add up, maxima are maxima, waits are those of the visits whose end was seen."""
    tally = Tally(CAMERA)
    tally.take(Step((), (window(0, 3, 2), window(15_000, 4, 5)), LiveNumbers(), (Finished(0, 4_000, "served"), Finished(0, 2_000, ""))))
    summary = tally.summary()
    assert summary["lines"] == {"door": {"in": 7, "out": 2, "provisional_in": 9, "provisional_out": 0, "ambiguous": 4}}
    assert summary["zones"] == {
        "till": {
            "visits": 2,
            "dwell_s": {"mean": 3.0, "p50": 3.0, "p90": 3.8},
            "occupancy_max": 5,
            "served": 7,
            "abandoned": 2,
            "wait_s": {"mean": 4.0, "p50": 4.0, "p90": 4.0, "max": 5.0},
        }
    }
    assert (summary["audit"]["births"], summary["audit"]["staff_in"]) == (6, 2)


def test_blind_time_is_that_of_the_recording_not_of_its_windows() -> None:
    """A recording of 20 s ends within a window: the rest of that window was not blind, it was not recorded."""
    pipeline, tally = Pipeline(CAMERA, Pseudonyms(random.Random(0).randbytes)), Tally(CAMERA)
    for i in range(201):
        frame = detections_at(3.0 + i / 10, [])
        tally.take(pipeline.step(frame))
        tally.seen(frame)
    tally.take(pipeline.finish(23.0))
    summary = tally.summary()
    assert (summary["seconds"], summary["frames"]) == (20.0, 201)
    assert (summary["audit"]["observed_s"], summary["audit"]["blind_s"]) == (20.0, 0.0)


def test_stages_are_means_over_frames() -> None:
    """Two frames, 4 ms in all: 2 ms a frame."""
    tally = Tally(CAMERA)
    for _ in range(2):
        tally.seen(detections_at(0.0, []))
        tally.took("step", 0.002)
    assert tally.summary()["stage_ms"] == {"step": 2.0}


def test_an_empty_recording_has_a_summary_too() -> None:
    """No frames: zeros and nulls, valid JSON."""
    summary = json.loads(json.dumps(Tally(CAMERA).summary()))
    assert summary["zones"]["till"]["dwell_s"] == {"mean": None, "p50": None, "p90": None}
    assert summary["frames"] == 0


@pytest.mark.parametrize(("values", "p50", "p90"), [([1000], 1.0, 1.0), ([1000, 3000], 2.0, 2.8), ([5000, 1000, 3000], 3.0, 4.6)])
def test_percentiles_are_linear_between_ranks(values: list[int], p50: float, p90: float) -> None:
    """As numpy and every spreadsheet has them, in any order."""
    assert (spread_s(values)["p50"], spread_s(values)["p90"]) == (p50, p90)


def test_a_line_of_json_for_each_item() -> None:
    """Newline-delimited, tagged, in order."""
    lines = json_lines([OccupancyChanged("till", 1, 2), OccupancyChanged("till", 3, 0)]).splitlines()
    assert [json.loads(line)["t_ms"] for line in lines] == [1, 3]
    assert json.loads(lines[0])["type"] == "occupancy_changed"
