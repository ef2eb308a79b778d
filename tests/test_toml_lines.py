"""Where each key of a TOML text stands."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.toml_lines import DEPTH_MAX, Path, TooDeepError, key_lines

KEYS = st.sampled_from(["a", "b", "site", "start", "x-1", "b c", 'q"t', "1", "über", ""])
FRAGMENTS = st.sampled_from(
    [
        '"a#]"',
        "'''",
        '"""',
        "\n",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "a",
        "b",
        ".",
        "=",
        ",",
        "1",
        " ",
        "# c\n",
        "\\",
        "true",
        "1979-05-27 07:32:00",
        '""""',
    ]
)


def leaves(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    yield path, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from leaves(value, (*path, index))


def test_nested_lists_of_tables_are_told_apart() -> None:
    """The second line of the second camera stands at its own lines, whatever came before."""
    lines = key_lines(
        '[[camera]]\nname = "a"\n[[camera.line]]\nx = 1\n[[camera]]\n[[camera.line]]\n[[camera.line]]\n\nx = 2\n[camera.tracker]\ny = 3\n'
    )
    assert lines["camera", 0, "line", 0, "x"] == 4
    assert lines["camera", 1] == 5
    assert lines["camera", 1, "line", 0] == 6
    assert lines["camera", 1, "line", 1] == 7
    assert lines["camera", 1, "line", 1, "x"] == 9
    assert lines["camera", 1, "tracker", "y"] == 11


def test_elements_of_a_list_over_several_lines_have_their_own_lines() -> None:
    """A wrong corner of a polygon is found on its line, comments and blank lines between."""
    lines = key_lines("polygon = [\n  [0.1, 0.2], # near ] the door\n\n  [0.3,\n   0.4],\n]\nafter = 1\n")
    assert lines["polygon", 0] == 2
    assert lines["polygon", 1] == 4
    assert lines["polygon", 1, 1] == 5
    assert lines["after",] == 7


def test_inline_tables_and_dotted_keys_lead_to_the_same_paths_as_headers() -> None:
    """However a table is written, its keys are found."""
    lines = key_lines('zone = [ {name = "q", "in" = 1},\n {name = \'r\'} ]\nuplink . "url" = 2\nstatus.a.b = 3\n')
    assert lines["zone", 0, "in"] == 1
    assert lines["zone", 1, "name"] == 2
    assert lines["uplink", "url"] == 3
    assert lines["status", "a", "b"] == 4


@pytest.mark.parametrize(
    "text",
    [
        '"""a\n]"" # not a comment\n"""',
        '"""a\\"""b"""',
        "'''\n[[x]]\n''''",
        '"a\\"b # ]"',
        "'a\\'",
        '"""quote at the end\n"""""',
        "1979-05-27 07:32:00 # day and time",
    ],
)
def test_what_stands_in_a_string_is_not_taken_for_a_key(text: str) -> None:
    """Quotes, brackets and line breaks within a string do not shift what follows."""
    whole = f"first = {text}\nlast = 2\n"
    assert tomllib.loads(whole)["last"] == 2
    assert key_lines(whole)["last",] == 1 + whole[: whole.index("last = 2")].count("\n")


def test_too_many_brackets_are_refused_with_their_line() -> None:
    """Nesting has a limit, so that no text exhausts the stack."""
    with pytest.raises(TooDeepError) as caught:
        key_lines("a = 1\nb = " + "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1))
    assert caught.value.line == 2


class Emitter:
    """Writes a tree as TOML in a style that `draw` chooses, every number in it being unique."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.numbers = itertools.count(1000)

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def key(self) -> str:
        name = self.draw(KEYS)
        bare = name.isascii() and name.replace("-", "").isalnum()
        return name if bare and self.pick(True, False) else '"' + name.replace('"', '\\"') + '"'

    def value(self, depth: int) -> str:
        gap = self.pick("", " ", "\n", " # ] } comment\n")
        kind = self.pick("number", "number", "string", "list", "inline") if depth else "number"
        if kind == "list":
            return "[" + gap + ("," + gap).join(self.value(depth - 1) for _ in range(self.pick(0, 1, 3))) + gap + "]"
        if kind == "inline":
            keys = {self.key(): self.value(depth - 1) for _ in range(self.pick(0, 1, 2))}
            return "{" + ", ".join(f"{k} = {v}" for k, v in keys.items()) + "}"
        return str(next(self.numbers)) if kind == "number" else self.pick('"#["', "'\"'", '"""\n]\n"""', "'''\n'''")

    def text(self) -> str:
        out = []
        for _ in range(self.pick(1, 2, 4)):
            header = ".".join(self.key() for _ in range(self.pick(1, 2)))
            out.append(self.pick("", f"[[{header}]]\n", f"[ {header} ]\n", "# nothing\n"))
            out += [
                f"{self.key()}{self.pick('', '.' + self.key())} = {self.value(3)}{self.pick('', ' # c')}\n"
                for _ in range(self.pick(0, 1, 3))
            ]
        return "".join(out)


@settings(deadline=None)
@given(st.data())
def test_every_number_stands_on_the_line_the_map_says(data: st.DataObject) -> None:
    """In any accepted text with unique numbers, the line of a number's path is the line on which the number is written."""
    text = Emitter(data.draw).text()
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = key_lines(text)
    for path, value in leaves(tree):
        assert path in lines
        if isinstance(value, int):
            assert lines[path] == 1 + text[: text.index(str(value))].count("\n")


@settings(deadline=None)
@given(st.lists(FRAGMENTS, max_size=24).map("".join))
def test_any_accepted_text_has_a_line_for_each_of_its_keys(text: str) -> None:
    """The scanner never loses its way in a text that the parser accepts, and names no line beyond the end."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = key_lines(text)
    assert {path for path, _ in leaves(tree)} <= set(lines)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())
