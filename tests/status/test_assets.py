"""The page's own files: all of them are served, none is missing, and every word is there in every language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources

from firmware.status.assets import FILES, FOLDER, asset_routes
from tests.status.stage import Browser, Stage

ROOT = resources.files("firmware.status").joinpath(FOLDER)
WORD = re.compile(r"""\bt\(\s*["']([a-z_]+)["']|data-w(?:-label)?="([a-z_]+)\"""")
FAMILY = re.compile(r"""\bt\(\s*(?:["']([a-z]+_)["']\s*\+|`([a-z]+_)\$\{)""")


def files() -> dict[str, str]:
    found = {}
    for entry in ROOT.iterdir():
        for each in [entry] if entry.is_file() else entry.iterdir():
            found[each.name if entry.is_file() else f"{entry.name}/{each.name}"] = each.read_text(encoding="utf-8")
    return found


def words(language: str) -> dict[str, str]:
    content: dict[str, str] = json.loads(files()[f"words/{language}.json"])
    return content


def used() -> Iterator[str]:
    for name, text in files().items():
        if name.endswith((".js", ".html")):
            yield from (one or other for one, other in WORD.findall(text))


def test_what_lies_there_is_what_is_served() -> None:
    """No file without a route, no route without a file."""
    assert sorted(name for _, name, *_ in FILES) == sorted(files())
    assert len(list(asset_routes())) == len(FILES)


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    """No style or handler in the markup, no address of another machine: the strict policy has nothing to refuse."""
    html = files()["index.html"]
    assert "style=" not in html
    assert not re.search(r"\son[a-z]+=", html)
    for name, text in files().items():
        others = set(re.findall(r"https?://[^\s\"'`)]+", text)) - {"http://www.w3.org/2000/svg"}
        assert not others, (name, others)
        assert "innerHTML" not in text
        assert "eval(" not in text


def test_languages_have_the_same_words_with_the_same_places() -> None:
    """A word that is missing, or whose {place} is, would show as a key or a hole."""
    english, german = words("en"), words("de")
    assert set(english) == set(german)
    for key, text in english.items():
        assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", german[key])), key
        assert text.strip()


def test_every_word_that_is_used_exists_and_none_is_left_over() -> None:
    """Keys in script and markup are in the files; keys in the files are used, alone or as part of a family."""
    english = set(words("en"))
    whole = {key for key in used() if not key.endswith("_")}
    assert whole <= english, whole - english
    text = "".join(content for name, content in files().items() if name.endswith((".js", ".html")))
    families = tuple({one or other for one, other in FAMILY.findall(text)} | {key for key in used() if key.endswith("_")} | {"notice_"})
    assert all(any(key.startswith(family) for key in english) for family in families)
    quoted = set(re.findall(r"""["'`]([a-z_]+)["'`]""", text))
    left = {key for key in english if key not in whole | quoted and not key.startswith(families)}
    assert not left, left


def test_scripts_import_only_what_is_served() -> None:
    """Every module that is named is a file of ours."""
    paths = {path for path, *_ in FILES}
    for name, text in files().items():
        for imported in re.findall(r"""from "([^"]+)\"""", text):
            assert imported in paths, (name, imported)


async def test_a_file_is_sent_once_until_it_changes(up: Stage, stranger: Browser) -> None:
    """The browser asks each time, and is told that it has it."""
    status, _, headers = await stranger.ask("GET", "/app.css")
    assert status == 200
    status, content, _ = await stranger.ask("GET", "/app.css", headers={"If-None-Match": headers["ETag"]})
    assert (status, content) == (304, "")
