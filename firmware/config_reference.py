"""Every key of the configuration, as Markdown, made from the structs themselves: `reference() -> str`.

`passerby check --keys` prints it, and docs/configuration.md holds it between two marks; a test compares them, so that the page
cannot go stale. `python -m firmware.config_reference docs/configuration.md` writes it into the page anew.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin

import msgspec

from firmware.config import Config
from firmware.config_keys import element_struct, hints_of, limits_of, shown, split, unit_of, words_of

BEGIN: Final = "<!-- keys: made by `python -m firmware.config_reference docs/configuration.md` -->"
END: Final = "<!-- end of keys -->"
_PLAIN: Final = {float: "number", int: "whole number", bool: "true or false", str: "text"}


def reference() -> str:
    """One table for each part of the file, outermost first."""
    return "\n".join(_tables(Config, (), "")) + "\n"


def updated(page: str) -> str:
    """A page with the keys between its two marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no marks for the keys")
    return f"{before}{BEGIN}\n\n{reference()}\n{END}{after}"


def _tables(struct: type[msgspec.Struct], path: tuple[str, ...], header: str) -> Iterator[str]:
    yield f"### {header or 'At the top of the file'}"
    yield ""
    yield (struct.__doc__ or "").strip().splitlines()[0]
    yield ""
    yield "| key | type | default | limits | unit | meaning |"
    yield "|---|---|---|---|---|---|"
    inner: list[tuple[type[msgspec.Struct], tuple[str, ...], str]] = []
    hints = hints_of(struct)
    for field in msgspec.structs.fields(struct):
        hint = hints[field.name]
        bare, meta = split(hint)
        many = element_struct(bare)
        one = many or (bare if isinstance(bare, type) and issubclass(bare, msgspec.Struct) else None)
        here = (*path, field.encode_name)
        if one is not None:
            name = ".".join(here)
            inner.append((one, here, f"`[[{name}]]`, up to {meta.max_length} times" if many and meta else f"`[{name}]`"))
        else:
            cells = (f"`{field.encode_name}`", _type(hint), _default(field), limits_of(hint), unit_of(hint), _meaning(hint))
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""
    for one, here, name in inner:
        yield from _tables(one, here, name)


def _type(hint: Any) -> str:
    bare, _ = split(hint)
    origin, args = get_origin(bare), get_args(bare)
    if words_of(hint):
        return str(words_of(hint)).partition(" with ")[0]
    if origin is Literal:
        return "one of"
    if origin in {Union, types.UnionType}:
        return _type(next(arg for arg in args if arg is not type(None)))
    if origin is tuple:
        return f"list of {_type(args[0])}" if args[-1] is Ellipsis else f"[{', '.join(_type(arg) for arg in args)}]"
    return _PLAIN[bare]


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "**required**"
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    return "none" if default is None else f"`{shown(default)}`"


def _meaning(hint: Any) -> str:
    _, meta = split(hint)
    return (meta.description or "") if meta is not None else ""


def main(argv: list[str]) -> int:
    """Write the keys into the page given."""
    path = Path(argv[0])
    path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
