"""The papers, read back by poppler: the first layer is one page, and every word arrives."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from firmware.config import parse
from firmware.errors import ConfigError
from firmware.notice import FactSheet, Notice, Origin, Section, Who, fact_sheet, languages, notice, words_of
from firmware.notice_pdf import SYSTEM_FONTS, draw_fact_sheet, draw_notice

QUEUE = Path(__file__).parent.parent / "examples" / "queue.toml"
ORIGIN = Origin("0123456789ab", "2026-11-20")

needs_pdftotext = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext: apt-get install poppler-utils")
needs_dejavu = pytest.mark.skipif(not any(path.exists() for path in SYSTEM_FONTS), reason="no DejaVu: apt-get install fonts-dejavu-core")


def made(language: str = "en", who: Who | None = None) -> tuple[Notice, FactSheet]:
    config, words = parse(QUEUE.read_text(encoding="utf-8"), QUEUE.name), words_of(language)
    return notice(config, words, who or Who(), ORIGIN), fact_sheet(config, words, who or Who(), ORIGIN)


def pages(paper: bytes) -> list[str]:
    done = subprocess.run(["pdftotext", "-enc", "UTF-8", "-", "-"], input=paper, capture_output=True, check=True, timeout=60)
    return [re.sub(r"\s+", " ", page) for page in done.stdout.decode().split("\f")[:-1]]


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@needs_pdftotext
@pytest.mark.parametrize("language", languages())
def test_every_word_of_the_notice_is_on_its_page(language: str) -> None:
    """The first layer on the first page, the second on the second, with umlauts and quotation marks."""
    layers, _ = made(language, Who("Bäckerei Muster, Straße 1", "datenschutz@shop.example"))
    first, second = pages(draw_notice(layers))
    assert [line for line in (layers.title, *layers.first, layers.labelled[1][1]) if flat(line) not in first] == []
    assert [item for section in layers.sections for item in section.items if flat(item) not in second] == []
    assert layers.made in second


@needs_pdftotext
@pytest.mark.parametrize("language", languages())
def test_every_fact_is_on_the_sheet(language: str) -> None:
    """Headings and items."""
    _, sheet = made(language)
    text = " ".join(pages(draw_fact_sheet(sheet)))
    assert [item for section in sheet.sections for item in section.items if flat(item) not in text] == []


@needs_pdftotext
def test_the_first_layer_is_one_page_whatever_it_must_say() -> None:
    """Three purposes of the greatest length, and the longest names: smaller letters, not a second page."""
    layers, _ = made()
    labelled = (("Why", "\n".join(["long words " * 45] * 3)), ("Responsible", "M" * 100 + " " + "M" * 99), ("Contact", "m" * 200))
    first, second, *_ = pages(draw_notice(msgspec.structs.replace(layers, labelled=labelled)))
    assert layers.more in first
    assert second.startswith(layers.second_title)


@needs_pdftotext
def test_a_long_second_layer_goes_on() -> None:
    """Eight cameras full of lines and zones fill pages; nothing falls off the paper."""
    layers, sheet = made()
    items = tuple(f"Line “number {n}”: how many people go in and out" for n in range(300))
    text = pages(draw_notice(msgspec.structs.replace(layers, sections=(Section("What is counted", items),))))
    assert len(text) > 4
    assert [item for item in items if item not in " ".join(text)] == []
    assert "number 299" in " ".join(pages(draw_fact_sheet(msgspec.structs.replace(sheet, sections=(Section("What is counted", items),)))))


def test_the_same_words_are_the_same_bytes() -> None:
    """No clock and no chance in the file: what changed between two notices is their words."""
    layers, sheet = made()
    assert draw_notice(layers) == draw_notice(layers)
    assert draw_fact_sheet(sheet) == draw_fact_sheet(sheet)


@needs_dejavu
@needs_pdftotext
def test_names_beyond_latin_are_printed() -> None:
    """A shop in Łódź, a till in Αθήνα: by the system's DejaVu."""
    layers, _ = made()
    title = "Łódź Αθήνα Київ"
    assert title in pages(draw_notice(msgspec.structs.replace(layers, title=title)))[0]


@needs_dejavu
def test_letters_that_no_font_has_are_told() -> None:
    """Rather than printed as empty boxes."""
    layers, _ = made()
    with pytest.raises(ConfigError, match=r"lacks the letters 店; --font"):
        draw_notice(msgspec.structs.replace(layers, title="店"))


def test_a_font_that_is_none_is_told(tmp_path: Path) -> None:
    """Whether it is missing or something else."""
    layers, _ = made()
    other = tmp_path / "font.ttf"
    other.write_bytes(b"not a font at all")
    for path in (other, tmp_path / "missing.ttf"):
        with pytest.raises(ConfigError, match="not a font that can be used"):
            draw_notice(layers, path)
