"""Opening hours as text: `read_opening_hours("Mo-Fr 09:00-20:00; Sa 10:00-18:00")`.

A small part of OpenStreetMap's opening_hours grammar: rules parted by `;`, each some days (`Mo-Fr`, `Sa,Su`; none: every
day), then times (`09:00-12:30,14:00-18:00`, over midnight `18:00-02:00`), `off`, or `24/7`. A later rule replaces the
earlier for its days. Left to others: what time it is.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

DAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
DAY_MINUTES: Final = 24 * 60
_DAYS: Final = re.compile(r"(?:Mo|Tu|We|Th|Fr|Sa|Su)(?:[-,](?:Mo|Tu|We|Th|Fr|Sa|Su))*")
_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")


class OpeningHoursError(ValueError):
    """A text that is not opening hours; says what and where."""


class OpeningHours(msgspec.Struct, frozen=True):
    """Spans of (first, last) minutes since Monday 00:00, last not included; empty: not known."""

    spans: tuple[tuple[int, int], ...] = ()

    def open_at(self, minute_of_week: int) -> bool | None:
        """Whether the shop is open in that minute; None where the hours are not known."""
        if not self.spans:
            return None
        week = 7 * DAY_MINUTES
        minute = minute_of_week % week
        return any(first <= minute < last or first <= minute + week < last for first, last in self.spans)


def read_opening_hours(text: str) -> OpeningHours:
    """The spans of a text; "" is not known. Raises OpeningHoursError."""
    if not text.strip():
        return OpeningHours()
    days: list[list[tuple[int, int]]] = [[] for _ in DAYS]
    for rule in text.split(";"):
        if rule.strip():
            chosen, times = _rule(rule.strip())
            for day in chosen:
                days[day] = times
    spans = sorted((day * DAY_MINUTES + first, day * DAY_MINUTES + last) for day, times in enumerate(days) for first, last in times)
    if not spans:
        raise OpeningHoursError("opening hours are never open")
    return OpeningHours(tuple(spans))


def _rule(rule: str) -> tuple[list[int], list[tuple[int, int]]]:
    if rule == "24/7":
        return list(range(7)), [(0, DAY_MINUTES)]
    head, _, tail = rule.partition(" ")
    if head[:1].isdigit() or rule == "off":
        return list(range(7)), _times(rule)
    if not _DAYS.fullmatch(head):
        raise OpeningHoursError(f"opening hours have unknown days {head!r}")
    if not tail.strip():
        raise OpeningHoursError(f"opening hours have no times for {head}")
    return _days(head), _times(tail.strip())


def _days(text: str) -> list[int]:
    chosen: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        if last.count("-"):
            raise OpeningHoursError(f"opening hours have unknown days {part!r}")
        low, high = DAYS.index(first), DAYS.index(last or first)
        chosen += [day % 7 for day in range(low, high + 1 if high >= low else high + 8)]
    return chosen


def _times(text: str) -> list[tuple[int, int]]:
    if text == "off":
        return []
    return sorted(_span(part.strip()) for part in text.split(","))


def _span(text: str) -> tuple[int, int]:
    match = _TIME.fullmatch(text)
    if not match:
        raise OpeningHoursError(f"opening hours have no time of the form 09:00-20:00 in {text!r}")
    h0, m0, h1, m1 = (int(group) for group in match.groups())
    first, last = h0 * 60 + m0, h1 * 60 + m1
    if m0 > 59 or m1 > 59 or first >= DAY_MINUTES or last > DAY_MINUTES:
        raise OpeningHoursError(f"opening hours have no such time as {text}")
    if first == last:
        raise OpeningHoursError(f"opening hours open and close at once in {text}; the whole day is 00:00-24:00")
    return first, last if last > first else last + DAY_MINUTES
