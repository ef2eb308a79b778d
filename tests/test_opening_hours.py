"""Opening hours as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.opening_hours import DAY_MINUTES, DAYS, OpeningHoursError, read_opening_hours


def minute(day: str, time: str) -> int:
    hours, minutes = time.split(":")
    return DAYS.index(day) * DAY_MINUTES + int(hours) * 60 + int(minutes)


@pytest.mark.parametrize(
    ("text", "day", "time", "is_open"),
    [
        ("Mo-Fr 09:00-20:00; Sa 10:00-18:00", "Mo", "09:00", True),
        ("Mo-Fr 09:00-20:00; Sa 10:00-18:00", "Mo", "08:59", False),
        ("Mo-Fr 09:00-20:00; Sa 10:00-18:00", "Fr", "20:00", False),
        ("Mo-Fr 09:00-20:00; Sa 10:00-18:00", "Sa", "17:59", True),
        ("Mo-Fr 09:00-20:00; Sa 10:00-18:00", "Su", "12:00", False),
        ("Mo,We 09:00-12:30,14:00-18:00", "We", "13:00", False),
        ("Mo,We 09:00-12:30,14:00-18:00", "We", "14:00", True),
        ("09:00-18:00; Su off", "Sa", "10:00", True),
        ("09:00-18:00; Su off", "Su", "10:00", False),
        ("Fr-Mo 10:00-11:00", "Su", "10:30", True),
        ("Fr-Mo 10:00-11:00", "Tu", "10:30", False),
        ("Su 18:00-02:00", "Su", "23:00", True),
        ("Su 18:00-02:00", "Mo", "01:59", True),
        ("Su 18:00-02:00", "Mo", "02:00", False),
        ("24/7", "We", "03:00", True),
        ("Mo 00:00-24:00", "Mo", "23:59", True),
        ("Mo 00:00-24:00", "Tu", "00:00", False),
    ],
)
def test_a_minute_is_open_or_closed(text: str, day: str, time: str, is_open: bool) -> None:
    """Days, several times a day, times over midnight and later rules mean what they mean on OpenStreetMap."""
    assert read_opening_hours(text).open_at(minute(day, time)) is is_open


def test_no_hours_are_not_known_and_not_closed() -> None:
    """An empty text says nothing of any minute."""
    assert read_opening_hours("  ").open_at(0) is None


@pytest.mark.parametrize(
    "text",
    [
        "Mon 09:00-18:00",
        "Mo 9-18",
        "Mo",
        "Mo-Fr-Sa 09:00-18:00",
        "Mo 09:00-25:00",
        "Mo 09:61-10:00",
        "Mo 24:00-25:00",
        "Mo 10:00-10:00",
        "off",
        "Mo off",
        "open",
        "Mo 09:00 - 18:00",
    ],
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    """Nothing is guessed: hours that are not understood are an error that quotes them."""
    with pytest.raises(OpeningHoursError, match="opening hours"):
        read_opening_hours(text)


@given(
    st.lists(st.sampled_from(["Mo", "Su", "-", ",", ";", " ", "09:00-18:00", "18:00-02:00", "25:00", "off", "24/7"]), max_size=9).map(
        "".join
    )
)
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text brings another error, and what is read is within a week and a day."""
    try:
        hours = read_opening_hours(text)
    except OpeningHoursError:
        return
    assert all(0 <= first < last <= 8 * DAY_MINUTES for first, last in hours.spans)
