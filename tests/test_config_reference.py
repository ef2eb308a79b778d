"""The page of all keys, made from the structs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from firmware.config import Config
from firmware.config_keys import element_struct, hints_of, limits_of, split
from firmware.config_reference import main, reference, updated

PAGE = Path(__file__).parent.parent / "docs" / "configuration.md"


def keys(struct: type[msgspec.Struct], path: str = "") -> Iterator[tuple[str, object]]:
    hints = hints_of(struct)
    for field in msgspec.structs.fields(struct):
        bare, _ = split(hints[field.name])
        inner = element_struct(bare) or (bare if isinstance(bare, type) and issubclass(bare, msgspec.Struct) else None)
        yield f"{path}{field.encode_name}", hints[field.name]
        if inner is not None:
            yield from keys(inner, f"{path}{field.encode_name}.")


@pytest.mark.parametrize(("path", "hint"), list(keys(Config)), ids=[path for path, _ in keys(Config)])
def test_every_key_says_its_meaning_and_its_limits(path: str, hint: object) -> None:
    """No key without a sentence of documentation; no number and no text without limits."""
    bare, meta = split(hint)
    assert meta is not None, f"{path}: annotate it with key(unit, meaning, limits)"
    assert (meta.description or "").endswith((".", "..."))
    assert "unit" in (meta.extra or {})
    if bare in {int, float, str}:
        assert limits_of(hint), f"{path}: a limit on everything, with the reason beside it"


def test_the_page_in_the_documentation_is_up_to_date() -> None:
    """docs/configuration.md tells of the keys as they are now; `python -m firmware.config_reference docs/configuration.md` renews it."""
    page = PAGE.read_text(encoding="utf-8")
    assert updated(page) == page


def test_every_key_stands_in_the_page_with_default_and_unit() -> None:
    """A row holds type, default, limits, unit and meaning."""
    assert "| `dead_band_share` | number | `0.12` | 0.02 to 0.5 | share of box height |" in reference()
    assert "| `site` | text | **required** | 1 to 64 characters |  |" in reference()
    assert '| `in` | one of | `"left"` | `left`, `right` |' in reference()


def test_the_page_is_written_anew_between_its_marks(tmp_path: Path) -> None:
    """What stands around the keys stays; what stood between the marks goes."""
    page = tmp_path / "page.md"
    page.write_text("before\n" + PAGE.read_text(encoding="utf-8").replace("`settle_s`", "`old_key`") + "after\n", encoding="utf-8")
    assert main([str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "`settle_s`" in text
    assert "`old_key`" not in text


def test_a_page_without_marks_is_refused() -> None:
    """Nothing is written over a page that does not ask for it."""
    with pytest.raises(ValueError, match="no marks"):
        updated("# A page\n")
