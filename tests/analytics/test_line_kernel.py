"""The kernel at one line: its tables, and the same answers without the compiler."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np

from firmware.analytics import line_kernel as kernel
from firmware.analytics import line_memory as memory
from firmware.analytics.line_crossing import LineCounter
from firmware.config import LineConfig
from tests.walkers import people_at

LINE = LineConfig("door", (0.1, 0.5), (0.9, 0.5))


def test_slots_are_used_again() -> None:
    """Three hundred people one after the other through a table of four: everybody is counted."""
    counter, settled = LineCounter(LINE, people_max=4), 0
    for person in range(1, 301):
        for i in range(12):
            settled += len(counter.step(people_at(2.0 * person + 0.1 * i, {person: (0.5, 0.9 - 0.07 * i)})).settled)
        settled += len(counter.step(people_at(2.0 * person + 1.5, {}, gone=[person])).settled)
    assert settled == 300


def test_who_finds_no_room_is_left_out() -> None:
    """Five people at a table of four: four are counted, nothing breaks, and the fifth is found no slot."""
    counter, settled = LineCounter(LINE, people_max=4), 0
    for i in range(12):
        feet = {person: (0.1 + 0.15 * person, 0.9 - 0.07 * i) for person in range(1, 6)}
        settled += len(counter.step(people_at(0.1 * i, feet)).settled)
    assert settled + len(counter.finish(1.2).settled) == 4


def test_somebody_found_in_any_order_keeps_their_visit() -> None:
    """People who come back after others came: the slot is theirs, wherever it lies."""
    counter = LineCounter(LINE)
    for i in range(6):
        counter.step(people_at(0.1 * i, {9: (0.3, 0.9 - 0.05 * i)}))
    for i in range(3):
        counter.step(people_at(0.6 + 0.1 * i, {2: (0.7, 0.9), 4: (0.8, 0.9)}))
    for i in range(10):
        counter.step(people_at(0.9 + 0.1 * i, {2: (0.7, 0.9), 4: (0.8, 0.9), 9: (0.3, 0.5 - 0.03 * i)}))
    assert [crossing.person for crossing in counter.finish(2.0).settled] == [9]


def test_a_line_without_length_is_never_crossed() -> None:
    """Both ends at one point: nobody is on either side, nothing is said but that it is unclear."""
    counter = LineCounter(LineConfig("dot", (0.5, 0.5), (0.5, 0.5)))
    steps = [counter.step(people_at(0.1 * i, {1: (0.5, 0.9 - 0.05 * i)})) for i in range(16)]
    assert not any(step.provisional or step.settled for step in [*steps, counter.finish(2.0)])


def test_the_tables_are_as_wide_as_their_columns() -> None:
    """The last column of each kind lies within the table."""
    state = memory.new_passages(2)
    assert state.persons.shape[1] > memory.P_PASSED + 1
    assert state.marks.shape[1] == memory.PENDING + memory.PENDING_MAX
    assert np.zeros(kernel.LINE_PLACES)[kernel.SETTLE_S] == 0.0


def test_without_compiling_the_answer_is_the_same() -> None:
    """Bit for bit the same crossings with NUMBA_DISABLE_JIT=1."""
    program = (
        "from benchmarks.doorway import Place, Sensor, scene\n"
        "from firmware.analytics.line_crossing import LineCounter\n"
        "from firmware.analytics.relink import Relinker\n"
        "made = scene({'peeks': 5, 'walkers': 10, 'loiterers': 2}, Place(), Sensor(8, 4, 0.3, 0.05, 0.02), 5)\n"
        "relinker, counter = Relinker(), LineCounter(made.line)\n"
        "print([counter.step(relinker.step(tracks)) for tracks in made.tracks], counter.finish(made.tracks[-1].t_s))\n"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "NUMBA_DISABLE_JIT": off}, capture_output=True, check=True, text=True
        ).stdout
        for off in ("0", "1")
    }
    assert len(answers) == 1
    assert "settled=(Crossing(" in answers.pop()
