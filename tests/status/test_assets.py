"""The page's own files: all of them are served, none is missing, and every word is there in every language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources

from firmware.analytics.geometry_check import check_config
from firmware.config import CameraConfig, Config, LineConfig, ZoneConfig
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
    families = tuple(
        {one or other for one, other in FAMILY.findall(text)} | {key for key in used() if key.endswith("_")} | {"notice_", "found_"}
    )
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


def drawn() -> Iterator[CameraConfig]:
    """Cameras with everything wrong that the checks know, in many places."""
    for y in (0.005, 0.02, 0.05, 0.1, 0.3, 0.5, 0.85, 0.9, 0.95, 0.99, 1.2):
        for slant in (0.0, 0.1, -0.2):
            one, two = LineConfig("a", (0.1, y), (0.9, y + slant)), LineConfig("b", (0.1, y + 0.01), (0.9, y + slant + 0.01))
            yield CameraConfig("c", "rtsp://me:secret@host/x", line=(one, two, LineConfig("s", (0.5, y), (0.53, y))))
            yield CameraConfig(
                "c", "v4l2:/dev/video0", line=(LineConfig("v", (y, 0.3), (y + slant, 0.9)), LineConfig("w", (0.5, y), (0.6, y)))
            )
        for size in (0.02, 0.06, 0.2):
            corners = ((0.4, y), (0.4 + size, y), (0.4 + size, y + size), (0.4, y + size))
            zones = [
                ZoneConfig("z", corners),
                ZoneConfig("y", corners, kind="queue"),
                ZoneConfig("x", (*corners[:2], corners[3], corners[2])),
            ]
            zones += [ZoneConfig(f"side {side}", corners, kind="queue", service_side=side) for side in range(4)]
            yield CameraConfig("c", "sim:", zone=tuple(zones), line=(LineConfig("z", (0.1, 0.5), (0.9, 0.5)),))
    for x0, y0, x1, y1 in (
        (0.01, 0.6, 0.5, 0.05),
        (0.01, 0.4, 0.4, 0.97),
        (0.6, 0.05, 0.99, 0.6),
        (0.01, 0.3, 0.25, 0.01),
        (0.01, 0.15, 0.1, 0.01),
        (0.02, 0.4, 0.4, 0.05),
    ):
        yield CameraConfig("c", "sim:", line=(LineConfig("slanting", (x0, y0), (x1, y1)),))
    lozenge = ((0.5, 0.8), (0.575, 0.9), (0.5, 1.0), (0.425, 0.9))
    yield CameraConfig("c", "sim:", zone=tuple(ZoneConfig(f"{side}", lozenge, kind="queue", service_side=side) for side in range(4)))
    yield CameraConfig("c", "sim:", line=(LineConfig("near", (0.1, 0.6), (0.9, 0.6)),), person_height_share=(1.8, 2.0))
    yield CameraConfig("c", "sim:")


def test_what_the_checks_say_can_be_said_in_every_language() -> None:
    """Each sentence about a geometry is one of the words file, with its parts in their places; each word is needed."""
    said = {key: text for key, text in words("en").items() if key.startswith("found_")}
    patterns = {key: re.compile(pattern_of(text)) for key, text in said.items()}
    met: set[str] = set()

    def meets(text: str, *, part: bool = False) -> bool:
        for key, pattern in patterns.items():
            if match := pattern.fullmatch(text):
                met.add(key)
                for value in match.groupdict().values():
                    meets(value, part=True)
                return True
        if part and ", " in text:
            for each in text.split(", "):
                meets(each, part=True)
        return False

    for camera in drawn():
        for finding in check_config(Config("s", camera=(camera,))):
            assert meets(finding.what), finding.what
            assert meets(finding.hint), finding.hint
    assert not set(said) - met, set(said) - met


def pattern_of(text: str) -> str:
    """As `patterns` of words.js."""
    pieces = re.split(r"\{(\w+)\}", text)
    names = [f"(?P<{name}>[\\d.%]+)" if len(name) == 1 and name > "f" else f"(?P<{name}>.+)" for name in pieces[1::2]]
    return "".join(f"{re.escape(piece)}{name}" for piece, name in zip(pieces[::2], [*names, ""], strict=True))
