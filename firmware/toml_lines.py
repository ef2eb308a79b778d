"""Where each key of a TOML text stands: `key_lines(text)` maps paths to line numbers.

The standard parser gives values without positions, and libraries that keep the layout keep no line numbers either. The
text handed in has been accepted by `tomllib`, so this scanner walks it without judging it: headers, dotted keys, inline
tables, arrays and the four kinds of string. A path is what leads to the value in the parsed tree, keys and list
indices: `("camera", 0, "line", 1, "start", 0)`. Grammar: https://toml.io/en/v1.0.0.
Left to others: values (`tomllib`), meaning (`firmware.struct_reader`).
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from typing import Final

Path = tuple[str | int, ...]

DEPTH_MAX: Final = 32  # brackets within brackets; a configuration needs five, and the scanner's stack is finite
_STRING: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'  # a closing """ may be preceded by one or two quotes of the content
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_SPACE: Final = re.compile(r"[ \t]*")
_GAP: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BARE_VALUE: Final = re.compile(r"[^,\]}#\r\n]*")


class TooDeepError(ValueError):
    """Brackets nested deeper than DEPTH_MAX; carries the line."""

    def __init__(self, line: int) -> None:
        super().__init__(f"nested deeper than {DEPTH_MAX} brackets")
        self.line = line


def key_lines(text: str) -> dict[Path, int]:
    """Line number (from 1) of every key, table and list element of a text that `tomllib` accepts.

    A table stands where it is first opened; a list of tables and each of its elements at their `[[header]]`. The root
    is `()`, on line 1. Raises TooDeepError for values nested beyond DEPTH_MAX.
    """
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.lines: dict[Path, int] = {(): 1}
        self.lengths: dict[Path, int] = {}  # of each list of tables so far

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        while self.skip(_GAP) < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table, 0)
        return self.lines

    def skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at + 1
        return self.at

    def line(self) -> int:
        return bisect_right(self.line_starts, self.at)

    def note(self, path: Path) -> None:
        self.lines.setdefault(path, self.line())

    def key(self) -> tuple[str, ...]:
        """A dotted key; the scanner stands behind it and the blanks that follow."""
        parts: list[str] = []
        while True:
            self.skip(_SPACE)
            start = self.at
            quoted = self.text[start] in "\"'"
            self.skip(_STRING if quoted else _BARE_KEY)
            token = self.text[start : self.at]
            parts.append(tomllib.loads(f"key = {token}")["key"] if quoted else token)
            self.skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return tuple(parts)
            self.at += 1

    def header(self) -> Path:
        is_list = self.text.startswith("[[", self.at)
        self.at += 2 if is_list else 1
        path: Path = ()
        parts = self.key()
        for depth, part in enumerate(parts):
            path = (*path, part)
            self.note(path)
            last = depth == len(parts) - 1
            if is_list and last:
                self.lengths[path] = self.lengths.get(path, 0) + 1
            if path in self.lengths:
                path = (*path, self.lengths[path] - 1)
                self.note(path)
        self.at += 2 if is_list else 1
        return path

    def pair(self, table: Path, depth: int) -> None:
        path = table
        for part in self.key():
            path = (*path, part)
            self.note(path)
        self.at += 1  # the equals sign
        self.skip(_SPACE)
        self.value(path, depth)

    def value(self, path: Path, depth: int) -> None:
        first = self.text[self.at]
        if first in "\"'":
            self.skip(_STRING)
        elif first in "[{":
            if depth == DEPTH_MAX:
                raise TooDeepError(self.line())
            self.bracket(path, depth + 1, "]" if first == "[" else "}")
        else:
            self.skip(_BARE_VALUE)

    def bracket(self, path: Path, depth: int, closing: str) -> None:
        self.at += 1
        index = 0
        while self.skip(_GAP) < len(self.text) and self.text[self.at] != closing:
            if closing == "}":
                self.pair(path, depth)
            else:
                self.note((*path, index))
                self.value((*path, index), depth)
            index += 1
            self.skip(_GAP)
            if self.text.startswith(",", self.at):
                self.at += 1
        self.at += 1
