"""Before the camera opens every kernel has run as it will run: with people."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import pytest

from firmware.vision.rehearsal import FRAMES, PEOPLE, crowd

AFTERWARDS = """
import gc, sys
from firmware.analytics.pipeline import Pipeline
from firmware.analytics.pseudonym import Pseudonyms
from firmware.config import parse
from firmware.vision.rehearsal import rehearse
from firmware.vision.simulated_shop import SimulatedShop
from firmware.vision.simulated_source import SimulatedBoxes, parse as wish_of
from firmware.vision.sources import open_source, settings_of
from numba.core.dispatcher import Dispatcher

def compiled():
    kernels = (each for each in gc.get_objects() if isinstance(each, Dispatcher) and each.py_func.__module__.startswith("firmware."))
    return {(each.py_func.__module__, each.py_func.__qualname__, str(one)) for each in kernels for one in each.signatures}

config = parse(SimulatedShop().config_toml(), "shop")
boxes = SimulatedBoxes(wish_of("sim-boxes:?people=60&minutes=1&fps=5&miss=0.1&false=0.05"))
crowd = [boxes.read() for _ in range(250)]
frames = open_source("sim:?people=20&minutes=1&size=320x240", settings_of(config.camera[0], live=True))
if sys.argv[1] == "rehearsed":
    rehearse(config, config.camera[0])
before = compiled()
pipeline = Pipeline(config.camera[0], Pseudonyms(bytes, config.epoch_s), config.disclosure, config.window_s)
for seen in crowd:
    pipeline.step(seen)
frames.read()
pipeline.blind(70.0, 80.0)
pipeline.finish(90.0)
print(*sorted({".".join(kernel[:2]) for kernel in compiled() - before}))
"""


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="nothing is compiled")
@pytest.mark.parametrize(("how", "more"), [("rehearsed", False), ("unprepared", True)])
def test_a_rehearsed_pipeline_compiles_nothing_more(how: str, more: bool) -> None:
    """A crowd after the rehearsal meets kernels that are all there; without it, it would not."""
    done = subprocess.run([sys.executable, "-c", AFTERWARDS, how], capture_output=True, text=True, check=True, timeout=600)
    assert bool(done.stdout.split()) == more, done.stdout


def test_the_crowd_comes_and_goes() -> None:
    """Sound boxes in time's order; some are hidden for a while, so that somebody is lost and found again."""
    seen = list(crowd())
    assert len(seen) == FRAMES
    assert all(a.t_s < b.t_s for a, b in itertools.pairwise(seen))
    assert {len(one.scores) for one in seen} == {PEOPLE, PEOPLE // 2}
    for one in seen:
        assert (one.boxes[:, :2] < one.boxes[:, 2:]).all()
