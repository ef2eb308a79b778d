"""What a configuration key is: annotations beside its type, and the words in which messages and documentation tell of it.

Every key of a struct states unit, meaning and limits with `key(...)` inside `Annotated`. From that alone come the hint of a fault
("a number from 0.02 to 0.5 (share of box height)") and the page of all keys.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

SHOWN_MAX: Final = 60  # characters of a wrong value repeated in its message: one line stays one line
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


def key(unit: str, meaning: str, **limits: Any) -> msgspec.Meta:
    """Annotation of a configuration key: unit ("" for none), meaning for the documentation, msgspec's limits (ge, le, min_length ...)."""
    return msgspec.Meta(description=meaning, extra={"unit": unit}, **limits)


def says(words: str) -> msgspec.Meta:
    """Annotation of a type whose values messages call by these words."""
    return msgspec.Meta(extra={"says": words})


def hints_of(struct: type) -> dict[str, Any]:
    """The annotations of all fields, with their limits."""
    return get_type_hints(struct, include_extras=True)


def split(hint: Any) -> tuple[Any, msgspec.Meta | None]:
    """A type and what `key` said of it."""
    if hasattr(hint, "__metadata__"):
        metas = [meta for meta in hint.__metadata__ if isinstance(meta, msgspec.Meta)]
        said_by_key = [meta for meta in metas if "unit" in (meta.extra or {})]
        return hint.__origin__, next(iter((*said_by_key, *metas)), None)
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


def unit_of(hint: Any) -> str:
    _, meta = split(hint)
    return str((meta.extra or {}).get("unit", "")) if meta is not None else ""


def words_of(hint: Any) -> str:
    """What `says` said of a type, or ""."""
    metas = [meta for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]
    return str(next((meta.extra["says"] for meta in metas if meta.extra and "says" in meta.extra), ""))


def expected(hint: Any) -> str:
    """What a key takes, in words: `a number from 0.02 to 0.5 (share of box height)`."""
    unit = unit_of(hint)
    return _kind(hint) + (f" ({unit})" if unit else "")


def limits_of(hint: Any) -> str:
    """The limits of a key, for the documentation: `0.02 to 0.5`, `1 to 64 characters`, the choices, or ""."""
    bare, meta = split(hint)
    args = get_args(bare)
    if get_origin(bare) is Literal:
        return ", ".join(f"`{choice}`" for choice in args)
    if get_origin(bare) is tuple and args[-1] is not Ellipsis:
        return words_of(hint).partition(" with ")[2] or limits_of(args[0])
    length = _limits(meta, "length").strip()
    if bare is str:
        return f"{length} characters" if length else ""
    return length or _limits(meta, "value").strip().removeprefix("from ")


def _kind(hint: Any) -> str:
    bare, meta = split(hint)
    words = words_of(hint)
    args = get_args(bare)
    origin = get_origin(bare)
    if words:
        return words
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
        return f"{low} to {high} " if of == "length" else f"from {low:.12g} to {high:.12g} "
    if low is not None:
        return f"at least {low:.12g} "
    return f"at most {high:.12g} " if high is not None else ""


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


def quoted_key(name: str) -> str:
    return name if _BARE.fullmatch(name) and len(name) <= SHOWN_MAX else shown(name)
