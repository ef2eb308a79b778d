"""The words in which messages and documentation tell of a key."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest

from firmware.config_keys import SHOWN_MAX, expected, key, limits_of, quoted_key, says, shown

POINT = Annotated[tuple[float, float], says("[x, y] with both from 0 to 1")]


@pytest.mark.parametrize(
    ("hint", "words", "limits"),
    [
        (Annotated[float, key("s", "A time.", ge=0.5, le=60.0)], "a number from 0.5 to 60 (s)", "0.5 to 60"),
        (Annotated[int, key("", "A count.", ge=0)], "a whole number at least 0", "at least 0"),
        (Annotated[bool, key("", "Yes or no.")], "true or false", ""),
        (Annotated[str, key("", "A text.", min_length=1, max_length=9)], "text of 1 to 9 characters, in quotes", "1 to 9 characters"),
        (Annotated[str, key("", "A text.")], "text in quotes", ""),
        (Annotated[Literal["a", "b"], key("", "A choice.")], 'one of "a", "b"', "`a`, `b`"),
        (Annotated[int | None, key("", "Perhaps.")], "a whole number", ""),
        (Annotated[POINT, key("share of view", "A point.")], "[x, y] with both from 0 to 1 (share of view)", "both from 0 to 1"),
        (
            Annotated[tuple[POINT, ...], key("", "Points.", min_length=3, max_length=64)],
            "a list of 3 to 64 [x, y] with both from 0 to 1",
            "3 to 64",
        ),
        (
            Annotated[tuple[Annotated[int, msgspec.Meta(ge=3)], Annotated[int, msgspec.Meta(ge=3)]], key("s", "Two.")],
            "[a whole number at least 3, a whole number at least 3] (s)",
            "at least 3",
        ),
    ],
)
def test_a_type_with_limits_is_told_in_words(hint: Any, words: str, limits: str) -> None:
    """What a key takes, as the hint of a fault says it and as the page of all keys does."""
    assert expected(hint) == words
    assert limits_of(hint) == limits


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        ("a\nb\x1b[31m", '"a\\u000ab\\u001b[31m"'),
        ([0.1, "x", [True]], '[0.1, "x", [true]]'),
        ({"a": 1}, "{ ... }"),
        (10**30, "a huge number"),
        (list(range(20)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...]"),
    ],
)
def test_a_value_is_shown_on_one_line_as_toml_writes_it(value: object, text: str) -> None:
    """Control characters are escaped: a message cannot be forged from within a file."""
    assert shown(value) == text


def test_a_long_value_is_cut() -> None:
    """One line stays one line."""
    assert len(shown("x" * 10_000)) <= SHOWN_MAX + 4
    assert len(quoted_key("x" * 10_000)) <= SHOWN_MAX + 4
