"""The walk test, walked by an installer of numbers, and by simulated people through the real pipeline."""

from __future__ import annotations

import msgspec
import pytest

from firmware.commissioning.walk_test import (
    PASS_S_MAX,
    QUIET_S,
    STILL_S_MAX,
    Glimpse,
    LineResult,
    Plan,
    Walk,
    begin,
    left_s,
    look,
    press,
    said,
)
from firmware.errors import ConfigError
from firmware.health import LiveLine

PLAN = Plan("shop", ("door",), passes=2, loiter_s=5.0, peeks=1)


class Installer:
    """Makes glimpses once a second of whatever is done."""

    def __init__(self, plan: Plan = PLAN) -> None:
        self.t_s, self.falls = 100.0, 0
        self.counts = {name: [0, 0, 0, 0] for name in plan.lines}
        self.walk = begin(plan, self.glimpse(0))

    def glimpse(self, people: int) -> Glimpse:
        return Glimpse(self.t_s, tuple(LiveLine(name, *counts) for name, counts in self.counts.items()), people, self.falls)

    def wait(self, seconds: float, people: int = 1) -> None:
        for _ in range(int(seconds)):
            self.t_s += 1.0
            self.walk = look(self.walk, self.glimpse(people))

    def cross(self, line: str = "door", *, entering: bool, settles: bool = True) -> None:
        self.counts[line][2 if entering else 3] += 1
        if settles:
            self.counts[line][0 if entering else 1] += 1
        self.wait(3)

    def walks(self, times: int, line: str = "door") -> None:
        for _ in range(times):
            self.cross(line, entering=True)
            self.cross(line, entering=False)
        self.wait(QUIET_S)

    def loiters(self, seconds: float = 5.0) -> None:
        self.wait(seconds + QUIET_S)

    def peeks(self, line: str = "door", times: int = 1) -> None:
        for _ in range(times):
            self.cross(line, entering=True, settles=False)
            self.cross(line, entering=False, settles=False)
        self.wait(QUIET_S)


def reasons(walk: Walk) -> list[tuple[str, str, int, int]]:
    return [(part.part, reason.code, reason.counted, reason.wanted) for line in walk.done for part in line.parts for reason in part.reasons]


def test_a_line_that_counts_right_passes() -> None:
    """Two in, two out, loiter, peek: over, passed, no reason."""
    installer = Installer()
    installer.walks(2)
    assert installer.walk.part == "loiter"
    installer.loiters()
    assert installer.walk.part == "peek"
    assert not installer.walk.over
    installer.peeks()
    assert (installer.walk.over, installer.walk.passed, reasons(installer.walk)) == (True, True, [])
    assert left_s(installer.walk, installer.t_s) == 0.0


def test_several_lines_are_walked_one_after_the_other() -> None:
    """Each has its own result; what happens at one is not counted at the other."""
    plan = Plan("shop", ("door", "back"), passes=1, loiter_s=5.0, peeks=1)
    installer = Installer(plan)
    for line in plan.lines:
        installer.walks(1, line)
        installer.loiters()
        installer.peeks(line)
    assert installer.walk.passed
    assert [result.line for result in installer.walk.done] == ["door", "back"]


def test_a_missed_pass_fails_with_its_number() -> None:
    """One of two walks in was not counted: the installer says he is done, and is told."""
    installer = Installer()
    installer.walks(1)
    installer.cross(entering=False)
    installer.walk = press(installer.walk, installer.t_s)
    installer.wait(QUIET_S)
    assert reasons(installer.walk) == [("walk", "entries", 1, 2)]
    assert "1 in were counted, 2 walked" in said(installer.walk.done[0].parts[0].reasons[0])


def test_too_many_fail_too() -> None:
    """A line that counts double must not pass by counting enough."""
    installer = Installer()
    installer.counts["door"] = [4, 2, 4, 2]
    installer.wait(1 + QUIET_S)
    assert reasons(installer.walk) == [("walk", "entries", 4, 2)]


def test_what_settles_late_belongs_to_its_part() -> None:
    """A crossing that settles while a part closes is counted there, and the part listens on."""
    installer = Installer()
    installer.counts["door"] = [2, 2, 2, 2]
    installer.wait(QUIET_S - 1)
    installer.counts["door"][0] = 3
    installer.wait(QUIET_S)
    assert installer.walk.part == "walk"
    installer.wait(1)
    assert reasons(installer.walk) == [("walk", "entries", 3, 2)]


def test_a_loiterer_who_is_counted_fails_the_line() -> None:
    """The very thing the test is for."""
    installer = Installer()
    installer.walks(2)
    installer.counts["door"][0] += 1
    installer.loiters()
    installer.peeks()
    assert reasons(installer.walk) == [("loiter", "crossed", 1, 0)]
    assert installer.walk.over
    assert not installer.walk.passed


def test_a_test_that_nobody_walks_does_not_pass() -> None:
    """Time runs out in every part, and each says that nobody was there."""
    installer = Installer()
    installer.wait(4 * PASS_S_MAX + 2 * STILL_S_MAX + 5 + 3 * QUIET_S + 3, people=0)
    assert installer.walk.over
    assert [reason[:2] for reason in reasons(installer.walk)] == [
        ("walk", "entries"),
        ("walk", "exits"),
        ("loiter", "unseen"),
        ("peek", "unnoticed"),
    ]


def test_a_silence_of_the_camera_is_no_loitering() -> None:
    """One glimpse after a long silence proves two seconds at most."""
    installer = Installer()
    installer.walks(2)
    before_s = installer.walk.seen_s
    installer.t_s += 60.0
    installer.wait(1)
    assert installer.walk.seen_s - before_s <= 2.0


def test_vision_that_falls_ends_the_part() -> None:
    """Its counts begin anew, so the part cannot be judged; the next parts go on from the new counts."""
    installer = Installer()
    installer.walks(2)
    installer.falls, installer.counts["door"] = 1, [0, 0, 0, 0]
    installer.wait(1)
    assert reasons(installer.walk) == [("loiter", "interrupted", 0, 0)]
    installer.peeks()
    assert installer.walk.over
    assert not installer.walk.passed


@pytest.mark.parametrize("lines", [("window",), ("door", "door")])
def test_a_line_that_is_not_there_is_refused(lines: tuple[str, ...]) -> None:
    """The names that exist are told."""
    with pytest.raises(ConfigError, match="door"):
        begin(Plan("shop", lines), Glimpse(0.0, (LiveLine("door"),), 0))


def test_results_are_closed_values() -> None:
    """They go into a signed record: they survive JSON, and nothing unknown does."""
    installer = Installer()
    installer.walks(2)
    encoded = msgspec.json.encode(installer.walk.done)
    assert msgspec.json.decode(encoded, type=tuple[LineResult, ...]) == installer.walk.done
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(encoded.replace(b'"line"', b'"face"'), type=tuple[LineResult, ...])
