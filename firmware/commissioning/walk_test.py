"""The walk test: the installer walks N times in and N out, loiters on the line, peeks over it; pass or fail per line, with reasons.

Each line goes through three parts, whoever presses nothing included:

    walk     N in, N out, in any order, at any pace: exactly N of each must settle
    loiter   stand on the line for a while, then step back to where you came from: nothing may settle
    peek     step over the line and straight back, a few times: nothing may settle, and each step must have been noticed

A part closes by itself once it has what it waits for, on `press`, or when its time is up; then it listens for QUIET_S, so
that whatever is pending settles in the part to which it belongs. Proof that somebody was there is part of the verdict: a
test that nobody walked does not pass. Fed with what crosses the wall (live numbers, once a second), at any disclosure
level; pure, frozen, times in the device's monotonic seconds. Left to others: the page (`firmware.status`), the record
(`acceptance`).
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec.structs import replace

from firmware.errors import ConfigError
from firmware.health import LiveLine

PartName = Literal["walk", "loiter", "peek"]
Code = Literal["entries", "exits", "crossed", "unseen", "unnoticed", "interrupted"]
PARTS: Final[tuple[PartName, ...]] = ("walk", "loiter", "peek")
QUIET_S: Final = 10.0  # settle_s of 3, a lost track's 2 and a re-link's 4: after this nothing is pending any more
PASS_S_MAX: Final = 45.0  # a pass there and back with two waits; then the part closes with what it has
STILL_S_MAX: Final = 120.0  # loitering and peeking together with finding the place
GLIMPSE_S_MAX: Final = 2.0  # live numbers come once a second; a longer silence proves nothing about who was there


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is tried: these lines of one camera, one after the other."""

    camera: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    lines: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=16)]
    passes: Annotated[int, msgspec.Meta(ge=1, le=50)] = 5
    loiter_s: Annotated[float, msgspec.Meta(ge=5.0, le=120.0)] = 20.0
    peeks: Annotated[int, msgspec.Meta(ge=1, le=10)] = 2


class Glimpse(msgspec.Struct, frozen=True):
    """What the daemon knows of a camera at one moment.

    Attributes:
        t_s: monotonic seconds.
        lines: counts since vision started.
        people: boxes in the newest frame.
        falls: how often vision fell; its counts then begin anew.
    """

    t_s: float
    lines: tuple[LiveLine, ...]
    people: int
    falls: int = 0


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a part did not pass, for people in any language: a code and two numbers. `said` gives it in English."""

    code: Code
    counted: Annotated[int, msgspec.Meta(ge=0)] = 0
    wanted: Annotated[int, msgspec.Meta(ge=0)] = 0


class PartResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One part of one line. Counts are those of this part alone; `seen_s` is how long somebody was in view."""

    part: PartName
    entries: int
    exits: int
    provisional_entries: int
    provisional_exits: int
    seen_s: int
    reasons: tuple[Reason, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


class LineResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line."""

    line: str
    parts: tuple[PartResult, ...]

    @property
    def passed(self) -> bool:
        """Every part was walked and passed."""
        return len(self.parts) == len(PARTS) and all(part.passed for part in self.parts)


class Walk(msgspec.Struct, frozen=True):
    """A walk test under way or done: a value; `look` and `press` give the next one.

    Attributes:
        plan: what is tried.
        first: the glimpse with which the current part began.
        last: the newest.
        line: index of the current line in the plan; past the end when all is done.
        part: the current part.
        seen_s: how long somebody was in view in this part.
        closing_s: when this part will be judged; None while it still waits.
        done: results so far.
    """

    plan: Plan
    first: Glimpse
    last: Glimpse
    line: int = 0
    part: PartName = "walk"
    seen_s: float = 0.0
    closing_s: float | None = None
    done: tuple[LineResult, ...] = ()

    @property
    def over(self) -> bool:
        """Whether every line has its result."""
        return self.line >= len(self.plan.lines)

    @property
    def passed(self) -> bool:
        """Whether it is over and every line passed."""
        return self.over and all(result.passed for result in self.done)

    @property
    def so_far(self) -> PartResult:
        """The counts of the current part, not yet judged."""
        return _counts(self)


def begin(plan: Plan, glimpse: Glimpse) -> Walk:
    """The installer pressed start.

    Raises:
        ConfigError: a line of the plan that the camera does not have, or one that is there twice.
    """
    known = {line.name for line in glimpse.lines}
    for name in plan.lines:
        if name not in known or plan.lines.count(name) > 1:
            raise ConfigError(f"no walk test of line {name!r}", f"one or more of: {', '.join(sorted(known)) or 'this camera has no line'}")
    return Walk(plan, glimpse, glimpse)


def look(walk: Walk, glimpse: Glimpse) -> Walk:
    """What the device sees now: once a second or more often."""
    if walk.over:
        return walk
    if glimpse.falls != walk.first.falls:
        return _judged(replace(walk, last=replace(walk.last, t_s=glimpse.t_s)), glimpse, (Reason("interrupted"),))
    before, seen = _counts(walk), walk.seen_s
    if glimpse.people > 0:
        seen += min(max(glimpse.t_s - walk.last.t_s, 0.0), GLIMPSE_S_MAX)
    walk = replace(walk, last=glimpse, seen_s=seen)
    now = _counts(walk)
    if walk.closing_s is None:
        if _has_enough(walk, now) or glimpse.t_s - walk.first.t_s >= _limit_s(walk.plan, walk.part):
            walk = replace(walk, closing_s=glimpse.t_s + QUIET_S)
    elif (now.entries, now.exits) != (before.entries, before.exits):
        walk = replace(walk, closing_s=glimpse.t_s + QUIET_S)  # something was still pending: listen on
    if walk.closing_s is not None and glimpse.t_s >= walk.closing_s:
        return _judged(walk, glimpse, _reasons(walk.plan, now))
    return walk


def press(walk: Walk, t_s: float) -> Walk:
    """The installer says that this part is done: it closes after QUIET_S, with what it has by then."""
    return walk if walk.over or walk.closing_s is not None else replace(walk, closing_s=t_s + QUIET_S)


def left_s(walk: Walk, t_s: float) -> float:
    """How long the current part goes on at most, for the page's clock; 0 when the test is over."""
    if walk.over:
        return 0.0
    end_s = walk.closing_s if walk.closing_s is not None else walk.first.t_s + _limit_s(walk.plan, walk.part)
    return max(0.0, end_s - t_s)


def said(reason: Reason) -> str:
    """A reason in English, with what to do."""
    counted, wanted = reason.counted, reason.wanted
    lost = "wait four seconds on each side before you turn, and check that your feet stay in view"
    extra = "did somebody else walk too?"
    return {
        "entries": f"{counted} in were counted, {wanted} walked: {extra if counted > wanted else lost}",
        "exits": f"{counted} out were counted, {wanted} walked: {extra if counted > wanted else lost}",
        "crossed": f"{counted} were counted where nobody crossed: step back to the side you came from; else draw the line elsewhere",
        "unseen": f"somebody was in view for {counted} s, {wanted} s are needed: stand where the camera sees your feet",
        "unnoticed": f"{counted} steps over the line and back were noticed, {wanted} are needed: step a full pace over the line",
        "interrupted": "the camera was restarted in the middle: begin the test again",
    }[reason.code]


def _has_enough(walk: Walk, now: PartResult) -> bool:
    if walk.part == "walk":
        return now.entries >= walk.plan.passes and now.exits >= walk.plan.passes
    if walk.part == "loiter":
        return walk.seen_s >= walk.plan.loiter_s
    return min(now.provisional_entries, now.provisional_exits) >= walk.plan.peeks


def _limit_s(plan: Plan, part: PartName) -> float:
    return 2 * plan.passes * PASS_S_MAX if part == "walk" else STILL_S_MAX + (plan.loiter_s if part == "loiter" else 0.0)


def _reasons(plan: Plan, part: PartResult) -> tuple[Reason, ...]:
    if part.part == "walk":
        entries = (Reason("entries", part.entries, plan.passes),) if part.entries != plan.passes else ()
        exits = (Reason("exits", part.exits, plan.passes),) if part.exits != plan.passes else ()
        return entries + exits
    reasons = []
    if part.entries + part.exits:
        reasons.append(Reason("crossed", part.entries + part.exits))
    if part.part == "loiter" and part.seen_s < int(plan.loiter_s):
        reasons.append(Reason("unseen", part.seen_s, int(plan.loiter_s)))
    noticed = min(part.provisional_entries, part.provisional_exits)
    if part.part == "peek" and noticed < plan.peeks:
        reasons.append(Reason("unnoticed", noticed, plan.peeks))
    return tuple(reasons)


def _counts(walk: Walk) -> PartResult:
    name = walk.plan.lines[min(walk.line, len(walk.plan.lines) - 1)]
    first, last = _line(walk.first, name), _line(walk.last, name)
    return PartResult(
        walk.part,
        last.entries - first.entries,
        last.exits - first.exits,
        last.provisional_entries - first.provisional_entries,
        last.provisional_exits - first.provisional_exits,
        int(walk.seen_s),
    )


def _line(glimpse: Glimpse, name: str) -> LiveLine:
    return next((line for line in glimpse.lines if line.name == name), LiveLine(name))


def _judged(walk: Walk, glimpse: Glimpse, reasons: tuple[Reason, ...]) -> Walk:
    """This part has its result; the next one begins with this glimpse."""
    result, name = replace(_counts(walk), reasons=reasons), walk.plan.lines[walk.line]
    begun = walk.done[-1] if len(walk.done) > walk.line else LineResult(name, ())
    done = (*walk.done[: walk.line], replace(begun, parts=(*begun.parts, result)))
    at = PARTS.index(walk.part) + 1
    line, part = (walk.line, PARTS[at]) if at < len(PARTS) else (walk.line + 1, PARTS[0])
    return Walk(walk.plan, glimpse, glimpse, line, part, done=done)
