"""The walk test in the simulated shop, through the real pipeline: a right line passes, wrong ones fail with the right reason."""

from __future__ import annotations

import pytest

from firmware.analytics.pipeline import Pipeline
from firmware.analytics.pseudonym import Pseudonyms
from firmware.commissioning.walk_test import Glimpse, Plan, Walk, begin, look
from firmware.config import parse
from firmware.health import LiveNumbers
from firmware.vision.simulated_shop import SimulatedShop
from firmware.vision.simulated_source import SimulatedBoxes
from firmware.vision.simulated_source import parse as wish_of

PASSES = 5
PLAN = Plan("shop", ("entrance",), passes=PASSES)


def walked(text: str, source: str = f"sim-boxes:?walks={PASSES}") -> Walk:
    """One run of the installer; the test begins when the camera has seen for ten seconds."""
    pipeline = Pipeline(parse(text, "shop.toml").camera[0], Pseudonyms(bytes, (300, 900)), "windows")
    boxes = SimulatedBoxes(wish_of(source))
    walk, live, looked_s = None, LiveNumbers(), 0.0
    while (seen := boxes.read()) is not None:
        live = pipeline.step(seen).live
        if seen.t_s - looked_s >= 1.0:  # heartbeats come once a second
            looked_s = seen.t_s
            glimpse = Glimpse(seen.t_s, live.lines, len(seen.scores))
            if walk is not None:
                walk = look(walk, glimpse)
            elif seen.t_s > 10.0:
                walk = begin(PLAN, glimpse)
    assert walk is not None
    for second in range(1, 1000):  # the installer has gone: what is still open runs out of time
        walk = look(walk, Glimpse(looked_s + second, live.lines, 0))
    assert walk.over
    return walk


@pytest.fixture(scope="module")
def config() -> str:
    return SimulatedShop().config_toml()


def test_a_right_line_passes(config: str) -> None:
    """Five in, five out, nothing for loitering and peeking; at the disclosure level that says least."""
    walk = walked(config)
    assert walk.passed, walk.done
    (result,) = walk.done
    assert [(part.part, part.entries, part.exits) for part in result.parts] == [("walk", 5, 5), ("loiter", 0, 0), ("peek", 0, 0)]


def test_a_detector_with_faults_passes_too(config: str) -> None:
    """A tenth of the boxes missed, edges that tremble, false ones."""
    assert walked(config, f"sim-boxes:?walks={PASSES}&miss=0.1&jitter=0.04&false=0.05&seed=3").passed


def test_a_line_beside_the_door_fails(config: str) -> None:
    """Nobody crosses it, and the test does not pass."""
    wrong = config.replace(config[config.index("start =") : config.index("in =")], "start = [0.02, 0.95]\nend = [0.2, 0.95]\n")
    walk = walked(wrong)
    assert not walk.passed
    assert {reason.code for part in walk.done[0].parts for reason in part.reasons} >= {"entries", "exits"}


def test_a_blind_detector_fails(config: str) -> None:
    """It finds one person in fifty looks: some passes are missed, and the part says how many."""
    assert not walked(config, f"sim-boxes:?walks={PASSES}&miss=0.98&seed=3").passed
