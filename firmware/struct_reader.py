"""Reads a parsed TOML tree into a frozen struct and tells everything that is wrong at once, each fault with its line.

Rules: every key states its unit, its meaning and its limits with `key(...)`, next to its type; the unknown is refused,
with the nearest known key as a hint; what is wrong in one place does not hide what is wrong in another. msgspec judges
single values (it stops at the first fault of a value, which is enough for one line of text).
Left to others: what several keys mean together (`firmware.config_rules`), reading the text (`firmware.config`).
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeVar, get_args

import msgspec

from firmware.config_keys import element_struct, expected, hints_of, quoted_key, shown, split, unit_of
from firmware.toml_lines import Path

T = TypeVar("T", bound=msgspec.Struct)

_INDEX: Final = re.compile(r"\[(\d+)\]")


class Fault(NamedTuple):
    """One thing that is wrong: `line` counts from 1; `hint` says what to do."""

    line: int
    what: str
    hint: str = ""

    def text(self, filename: str) -> str:
        return f"{filename}:{self.line}: {self.what}" + (f"; {self.hint}" if self.hint else "")


class Reading(NamedTuple):
    """What could be made of the text: `value` has defaults where a key was wrong, None where that cannot be.

    `kept` tells, for each list of tables, which of its elements could be read; `wrong` are the keys that hold a default instead.
    """

    value: Any
    faults: tuple[Fault, ...]
    kept: Mapping[Path, tuple[int, ...]]
    wrong: frozenset[Path]


class Written(NamedTuple):
    """How the text was written: the parsed tree, the line of each path, and what of it could be read."""

    tree: Mapping[str, Any]
    lines: Mapping[Path, int]
    kept: Mapping[Path, tuple[int, ...]]
    wrong: frozenset[Path]

    def line(self, path: Path) -> int:
        return line_of(self.lines, path)

    def where(self, path: Path) -> str:
        return where(self.tree, path)


def read(struct: type[T], tree: Mapping[str, Any], lines: Mapping[Path, int]) -> Reading:
    """The struct that `tree` holds. `lines` says where each path stands; a path without a line stands where its parent does."""
    reader = _Reader(struct, tree, lines)
    return Reading(*reader.struct(struct, tree, ()), reader.kept, frozenset(reader.wrong))


class _Reader:
    def __init__(self, struct: type[msgspec.Struct], root: Mapping[str, Any], lines: Mapping[Path, int]) -> None:
        self.outermost = struct
        self.root = root
        self.lines = lines
        self.kept: dict[Path, tuple[int, ...]] = {}
        self.wrong: set[Path] = set()

    def struct(self, struct: type[msgspec.Struct], tree: object, path: Path) -> tuple[Any, tuple[Fault, ...]]:
        if not isinstance(tree, Mapping):
            return None, (self.fault(path, f"{label(path)} = {shown(tree)} is not a table", f"write it as {_header(path)}"),)
        keys = {field.encode_name: field for field in msgspec.structs.fields(struct)}
        hints = hints_of(struct)
        faults = [self.unknown(name, tuple(keys), (*path, name)) for name in tree if name not in keys]
        values: dict[str, Any] = {}
        usable = True
        for name, field in keys.items():
            if name in tree:
                value, wrong = self.field(hints[field.name], tree[name], (*path, name), field)
                faults += wrong
                if wrong:
                    self.wrong.add((*path, name))
                if not wrong or value is not None:
                    values[field.name] = value
                    continue
            elif field.required:
                faults.append(self.fault(path, f"{name} is missing{self.where(path)}", f"add {name} = {_example(hints[field.name])}"))
            usable = usable and not field.required
        return (struct(**values) if usable else None), tuple(faults)

    def field(self, hint: Any, value: object, path: Path, field: msgspec.structs.FieldInfo) -> tuple[Any, tuple[Fault, ...]]:
        bare, meta = split(hint)
        if isinstance(bare, type) and issubclass(bare, msgspec.Struct):
            return self.struct(bare, value, path)
        element = element_struct(bare)
        if element is not None:
            return self.structs(element, meta, value, path)
        at = _misfit(hint, value)
        if at is None:
            return msgspec.convert(value, hint), ()
        what = f"{label(path)} = {shown(value)} does not fit{self.where(path)}"
        return None, (self.fault((*path, *at), what, f"give {expected(hint)}{_default(field)}{_nudge(hint, value)}"),)

    def structs(self, struct: type[msgspec.Struct], meta: msgspec.Meta | None, value: object, path: Path) -> tuple[Any, tuple[Fault, ...]]:
        if not isinstance(value, list):
            return (), (
                self.fault(path, f"{label(path)} is not a list of tables{self.where(path)}", f"write each as {_header((*path, 0))}"),
            )
        faults: list[Fault] = []
        most = meta.max_length if meta is not None else None
        if most is not None and len(value) > most:
            faults.append(
                self.fault((*path, most), f"{len(value)} times {_header((*path, 0))}{self.where(path)}", f"at most {most} are allowed")
            )
        kept = {}
        for index, element in enumerate(value[:most]):
            one, wrong = self.struct(struct, element, (*path, index))
            faults += wrong
            if one is not None:
                kept[index] = one
        self.kept[path] = tuple(kept)
        return tuple(kept.values()), tuple(faults)

    def unknown(self, name: str, known: tuple[str, ...], path: Path) -> Fault:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.65)
        home = dict(homes(self.outermost)).get(name)
        meant = f"did you mean {near[0]}?" if near else "known here: " + ", ".join(known)
        hint = f"it belongs {home}" if home is not None else meant
        return self.fault(path, f"unknown key {quoted_key(name)}{self.where(path[:-1]) or ' at the top of the file'}", hint)

    def fault(self, path: Path, what: str, hint: str = "") -> Fault:
        return Fault(line_of(self.lines, path), what, hint)

    def where(self, path: Path) -> str:
        return where(self.root, path)


def homes(struct: type[msgspec.Struct], path: Path = ()) -> Iterator[tuple[str, str]]:
    """Each key of a struct and of those in it, with the place where it belongs, outermost last."""
    hints = hints_of(struct)
    for field in msgspec.structs.fields(struct):
        bare, _ = split(hints[field.name])
        many = element_struct(bare)
        inner = many or (bare if isinstance(bare, type) and issubclass(bare, msgspec.Struct) else None)
        here = (*path, field.encode_name)
        if inner is not None:
            here = (*here, 0) if many else here
            yield from homes(inner, here)
            yield field.encode_name, f"in the file as {_header(here)}"
        else:
            yield field.encode_name, f"in {_header(path)}" if path else "at the top of the file, above the first [table]"


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """The line of a path, or of the nearest parent that has one."""
    while path not in lines and path:
        path = path[:-1]
    return lines.get(path, 1)


def where(root: object, path: Path) -> str:
    """` in line "entrance" of camera "door"`: the tables a path leads through, by name, or "" at the root."""
    parts: list[str] = []
    node: Any = root
    for index, step in enumerate(path):
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(node, Mapping) and index < len(path):
            kind = next((str(part) for part in reversed(path[: index + 1]) if isinstance(part, str)), "")
            name = node.get("name")
            number = f" {step + 1}" if isinstance(step, int) else ""
            parts.append(f"{kind} {shown(name)}" if isinstance(name, str) and name else f"{kind}{number}")
    return " in " + " of ".join(reversed(parts)) if parts else ""


def label(path: Path) -> str:
    return next((str(part) for part in reversed(path) if isinstance(part, str)), "the file")


def _misfit(hint: Any, value: object) -> Path | None:
    """None where the value fits its type and limits; else the path below it that does not."""
    bad = _not_finite(value, ())
    if bad is not None:
        return bad
    try:
        msgspec.convert(value, hint)
    except (msgspec.ValidationError, OverflowError, RecursionError) as error:
        at = str(error).rpartition(" - at `$")[2] if " - at `$" in str(error) else ""
        return tuple(int(index) for index in _INDEX.findall(at))
    return None


def _not_finite(value: object, path: Path) -> Path | None:
    if isinstance(value, float) and not math.isfinite(value):
        return path
    if isinstance(value, list):
        return next((bad for i, part in enumerate(value) if (bad := _not_finite(part, (*path, i))) is not None), None)
    return None


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is msgspec.NODEFAULT or field.default in {"", None} or field.default == ():
        return ""
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    return f", or leave it out for {shown(default)}"


def _example(hint: Any) -> str:
    bare, _ = split(hint)
    if bare is str:
        return '"..."'
    return "[[x, y], [x, y], [x, y]]" if "..." in str(bare) or Ellipsis in get_args(bare) else "[x, y]"


def _nudge(hint: Any, value: object) -> str:
    """A remark on the commonest slips."""
    bare, _ = split(hint)
    if isinstance(value, str) and bare in {int, float, bool}:
        return ", without quotes"
    if (
        isinstance(value, list)
        and unit_of(hint) == "share of view"
        and any(isinstance(n, int | float) and abs(n) > 1.5 for n in _numbers(value))
    ):
        return "; pixels? divide x by the picture's width and y by its height"
    return ""


def _numbers(value: object) -> list[object]:
    return [n for part in value for n in _numbers(part)] if isinstance(value, list) else [value]


def _header(path: Path) -> str:
    name = ".".join(str(part) for part in path if isinstance(part, str))
    return f"[[{name}]]" if path and isinstance(path[-1], int) else f"[{name}]"
