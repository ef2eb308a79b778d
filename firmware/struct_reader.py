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
import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from firmware.toml_lines import Path

T = TypeVar("T", bound=msgspec.Struct)

SHOWN_MAX: Final = 60  # characters of a wrong value repeated in its message: one line stays one line
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
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

    `kept` tells, for each list of tables, which of its elements could be read.
    """

    value: Any
    faults: tuple[Fault, ...]
    kept: Mapping[Path, tuple[int, ...]]


class Written(NamedTuple):
    """How the text was written: the parsed tree, the line of each path, the elements of each list that could be read."""

    tree: Mapping[str, Any]
    lines: Mapping[Path, int]
    kept: Mapping[Path, tuple[int, ...]]

    def line(self, path: Path) -> int:
        return line_of(self.lines, path)

    def where(self, path: Path) -> str:
        return where(self.tree, path)


def says(words: str) -> msgspec.Meta:
    """Annotation of a type whose values messages call by these words."""
    return msgspec.Meta(extra={"says": words})


def key(unit: str, meaning: str, **limits: Any) -> msgspec.Meta:
    """Annotation of a configuration key: unit ("" for none), meaning for the documentation, msgspec's limits (ge, le, min_length ...)."""
    return msgspec.Meta(description=meaning, extra={"unit": unit}, **limits)


def read(struct: type[T], tree: Mapping[str, Any], lines: Mapping[Path, int]) -> Reading:
    """The struct that `tree` holds. `lines` says where each path stands; a path without a line stands where its parent does."""
    reader = _Reader(struct, tree, lines)
    return Reading(*reader.struct(struct, tree, ()), reader.kept)


class _Reader:
    def __init__(self, struct: type[msgspec.Struct], root: Mapping[str, Any], lines: Mapping[Path, int]) -> None:
        self.homes = dict(homes(struct))
        self.root = root
        self.lines = lines
        self.kept: dict[Path, tuple[int, ...]] = {}

    def struct(self, struct: type[msgspec.Struct], tree: object, path: Path) -> tuple[Any, tuple[Fault, ...]]:
        if not isinstance(tree, Mapping):
            return None, (self.fault(path, f"{label(path)} = {shown(tree)} is not a table", f"write it as {_header(path)}"),)
        keys = {field.encode_name: field for field in msgspec.structs.fields(struct)}
        faults = [self.unknown(name, tuple(keys), (*path, name)) for name in tree if name not in keys]
        values: dict[str, Any] = {}
        usable = True
        for name, field in keys.items():
            if name in tree:
                value, wrong = self.field(hint_of(struct, field.name), tree[name], (*path, name), field)
                faults += wrong
                if not wrong or value is not None:
                    values[field.name] = value
                    continue
            elif field.required:
                faults.append(self.fault(path, f"{name} is missing{self.where(path)}", f"add {name} = {_example(field, struct)}"))
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
        if name in self.homes:
            hint = f"it belongs {self.homes[name]}"
        else:
            hint = f"did you mean {near[0]}?" if near else "known here: " + ", ".join(known)
        return self.fault(path, f"unknown key {quoted_key(name)}{self.where(path[:-1]) or ' at the top of the file'}", hint)

    def fault(self, path: Path, what: str, hint: str = "") -> Fault:
        return Fault(line_of(self.lines, path), what, hint)

    def where(self, path: Path) -> str:
        return where(self.root, path)


def homes(struct: type[msgspec.Struct], path: Path = ()) -> Iterator[tuple[str, str]]:
    """Each key of a struct and of those in it, with the place where it belongs, outermost last."""
    for field in msgspec.structs.fields(struct):
        bare, _ = split(hint_of(struct, field.name))
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


def quoted_key(name: str) -> str:
    return name if _BARE.fullmatch(name) and len(name) <= SHOWN_MAX else shown(name)


def shown(value: object) -> str:
    """A value as TOML would write it, on one line, cut to SHOWN_MAX characters, control characters escaped."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in value[: SHOWN_MAX + 1]) + '"'
    elif isinstance(value, list):
        text = "[" + ", ".join(shown(element) for element in value[:12]) + (", ...]" if len(value) > 12 else "]")
    elif isinstance(value, Mapping):
        text = "{ ... }" if value else "{}"
    elif isinstance(value, int) and abs(value) >= 10**18:
        text = "a huge number"
    else:
        text = str(value)
    return text if len(text) <= SHOWN_MAX else text[:SHOWN_MAX] + " ..."


@cache
def _hints(struct: type) -> dict[str, Any]:
    return get_type_hints(struct, include_extras=True)


def hint_of(struct: type, name: str) -> Any:
    """The annotation of a field, with its limits."""
    return _hints(struct)[name]


def split(hint: Any) -> tuple[Any, msgspec.Meta | None]:
    """A type and what `key` said of it."""
    if hasattr(hint, "__metadata__"):
        meta = next((m for m in hint.__metadata__ if isinstance(m, msgspec.Meta)), None)
        return hint.__origin__, meta
    return hint, None


def element_struct(bare: Any) -> type[msgspec.Struct] | None:
    """The struct of a `tuple[Struct, ...]`, else None."""
    args = get_args(bare)
    if (
        get_origin(bare) is tuple
        and len(args) == 2
        and args[1] is Ellipsis
        and isinstance(args[0], type)
        and issubclass(args[0], msgspec.Struct)
    ):
        return args[0]
    return None


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


def expected(hint: Any) -> str:
    """What a key takes, in words: `a number from 0.02 to 0.5 (share of box height)`."""
    unit = unit_of(hint)
    return _kind(hint) + (f" ({unit})" if unit else "")


def unit_of(hint: Any) -> str:
    _, meta = split(hint)
    return str((meta.extra or {}).get("unit", "")) if meta is not None else ""


def _kind(hint: Any) -> str:
    bare, meta = split(hint)
    words = next(
        (m.extra["says"] for m in getattr(hint, "__metadata__", ()) if isinstance(m, msgspec.Meta) and m.extra and "says" in m.extra), None
    )
    args = get_args(bare)
    origin = get_origin(bare)
    if words is not None:
        return str(words)
    if origin is Literal:
        return "one of " + ", ".join(shown(choice) for choice in args)
    if origin in {Union, types.UnionType}:
        return " or ".join(_kind(arg) for arg in args if arg is not type(None))
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        return f"a list of {_limits(meta, 'length')}{_kind(args[0])}"
    if origin is tuple:
        return f"[{', '.join(_kind(arg) for arg in args)}]"
    if bare is str:
        return f"text of {_limits(meta, 'length')}characters, in quotes".replace("of characters, ", "")
    plain = {float: "a number", int: "a whole number", bool: "true or false"}[bare]
    return f"{plain} {_limits(meta, 'value')}".rstrip()


def _limits(meta: msgspec.Meta | None, of: Literal["length", "value"]) -> str:
    """`from 0.02 to 0.5 ` or `1 to 64 `, with a blank behind, or ""."""
    if meta is None:
        return ""
    low, high = (meta.min_length, meta.max_length) if of == "length" else (meta.ge, meta.le)
    if low is not None and high is not None:
        return f"{low} to {high} " if of == "length" else f"from {low} to {high} "
    if low is not None:
        return f"at least {low} "
    return f"at most {high} " if high is not None else ""


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is msgspec.NODEFAULT or field.default in {"", None} or field.default == ():
        return ""
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    return f", or leave it out for {shown(default)}"


def _example(field: msgspec.structs.FieldInfo, struct: type) -> str:
    bare, _ = split(hint_of(struct, field.name))
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
