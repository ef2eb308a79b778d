"""Puts the notice and the facts sheet on A4 paper. The pictogram is drawn by lines: a camera, a person, a line, a number.

Letters beyond Latin-1 need a font that has them: DejaVu of the system, or one that is named. What each page says is decided
in `firmware.notice`; nothing here knows a configuration.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fontTools.ttLib import TTLibError
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.errors import FPDFException

from firmware.errors import ConfigError
from firmware.notice import FactSheet, Notice, Section

PAGE_MM: Final = (210.0, 297.0)
MARGIN_MM: Final = 20.0
GREY: Final = 90
FONT_BEGINNINGS: Final = (b"\x00\x01\x00\x00", b"true", b"OTTO")  # TrueType, Apple's, OpenType
SCALES: Final = (1.0, 0.85, 0.7, 0.6, 0.5)  # of the first page: as large as what it must say lets it be
SYSTEM_FONTS: Final = (
    Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),  # Debian's fonts-dejavu-core, on Raspberry Pi OS by default
    Path("/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf"),
    Path("/usr/share/fonts/TTF/DejaVuSans.ttf"),
)


class Paper:
    """A PDF in one font, with the few layouts both documents need."""

    def __init__(self, title: str, texts: str, font: Path | None) -> None:
        """`texts` is everything that will be written: it decides whether the built-in font has the letters.

        Raises:
            ConfigError: no font has them, or the one named cannot be used.
        """
        self.pdf = FPDF(format="A4")
        self.pdf.set_creation_date(datetime(2000, 1, 1, tzinfo=UTC))  # the same words are the same bytes; the date is printed
        self.pdf.set_margins(MARGIN_MM, MARGIN_MM)
        self.pdf.set_auto_page_break(auto=True, margin=MARGIN_MM)
        self.pdf.set_title(title)
        self._family = self._choose(texts, font)

    def page(self) -> None:
        """A new one."""
        self.pdf.add_page()

    def text(self, text: str, size_pt: float, *, bold: bool = False, grey: bool = False, after_mm: float = 2.0) -> None:
        """A paragraph over the whole width."""
        self.pdf.set_font(self._family, "B" if bold else "", size_pt)
        self.pdf.set_text_color(GREY if grey else 0)
        self.pdf.multi_cell(0, size_pt * 0.47, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.pdf.ln(after_mm)

    def labelled(self, label: str, text: str, size_pt: float, label_mm: float) -> None:
        """A label, and what belongs to it beside it; a page is begun where the label would stand alone."""
        if self.pdf.will_page_break(size_pt * 0.47 * 2):
            self.page()
        top = self.pdf.get_y()
        self.pdf.set_font(self._family, "B", size_pt)
        self.pdf.set_text_color(GREY)
        self.pdf.multi_cell(label_mm - 3, size_pt * 0.47, label, align="L", new_x=XPos.RIGHT, new_y=YPos.NEXT)
        below, page = self.pdf.get_y(), self.pdf.page_no()
        self.pdf.set_xy(MARGIN_MM + label_mm, top)
        self.pdf.set_font(self._family, "", size_pt)
        self.pdf.set_text_color(0)
        self.pdf.multi_cell(0, size_pt * 0.47, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        end = max(self.pdf.get_y(), below) if self.pdf.page_no() == page else self.pdf.get_y()
        self.pdf.set_y(end + size_pt * 0.2)

    def section(self, section: Section, size_pt: float) -> None:
        """A heading and its items, each with a dash; the heading stays with the first."""
        if self.pdf.will_page_break(size_pt * 0.47 * 4):
            self.page()
        self.pdf.set_line_width(0.3)
        self.text(section.heading, size_pt + 1.5, bold=True, after_mm=0.8)
        for item in section.items:
            self.pdf.set_font(self._family, "", size_pt)
            top = self.pdf.get_y() + size_pt * 0.235
            if not self.pdf.will_page_break(size_pt * 0.47):
                self.pdf.line(MARGIN_MM, top, MARGIN_MM + 2, top)
            self.pdf.set_x(MARGIN_MM + 5)
            self.pdf.multi_cell(0, size_pt * 0.47, item, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            self.pdf.ln(0.8)
        self.pdf.ln(2.2)

    def bytes(self) -> bytes:
        """The document."""
        out = io.BytesIO()
        self.pdf.output(out)
        return out.getvalue()

    def _choose(self, texts: str, font: Path | None) -> str:
        if font is None:
            try:
                texts.encode("cp1252")
            except UnicodeEncodeError as error:
                font = next((path for path in SYSTEM_FONTS if path.exists()), None)
                if font is None:
                    letter = error.object[error.start]
                    raise ConfigError(
                        f"no font here has the letter {letter!r}", "apt-get install fonts-dejavu-core, or --font FILE.ttf"
                    ) from error
            else:
                self.pdf.core_fonts_encoding = "cp1252"
                return "helvetica"
        bold = font.with_name(f"{font.stem}-Bold{font.suffix}")
        try:
            if font.read_bytes()[:4] not in FONT_BEGINNINGS:  # the library would find out too, and leave the file open
                raise ValueError("not TrueType")  # noqa: TRY301  # one place tells of every font that is none
            self.pdf.add_font("notice", "", font)
            self.pdf.add_font("notice", "B", bold if bold.exists() else font)
        except (OSError, FPDFException, TTLibError, ValueError, KeyError) as error:
            raise ConfigError(f"{font}: not a font that can be used", "a TrueType file, .ttf") from error
        known = self.pdf.fonts["notice"].cmap
        if lacking := sorted({letter for letter in texts if letter.isprintable() and ord(letter) not in known}):
            raise ConfigError(f"{font.name} lacks the letters {''.join(lacking[:10])}", "--font FILE.ttf names one that has them")
        return "notice"


def draw_notice(notice: Notice, font: Path | None = None) -> bytes:
    """The notice as PDF: the first page for the door, the others for who wants to know. Raises ConfigError for a lack of letters."""
    for scale in SCALES:
        paper = Paper(notice.title, str(notice), font)
        _door(paper, notice, scale)
        if paper.pdf.page_no() == 1:
            break
    paper.page()
    paper.text(notice.second_title, 20, bold=True, after_mm=4)
    for section in notice.sections:
        paper.section(section, 10.5)
    for label, text in notice.labelled[1:]:
        paper.labelled(label, text, 10.5, 42)
    paper.text(notice.made, 8, grey=True)
    return paper.bytes()


def _door(paper: Paper, notice: Notice, scale: float) -> None:
    paper.page()
    width = 150 * scale
    _pictogram(paper.pdf, (PAGE_MM[0] - width) / 2, 16, width)
    paper.pdf.set_y(16 + 0.68 * width)
    paper.text(notice.title, 36 * scale, bold=True, after_mm=6 * scale)
    for line in notice.first:
        paper.text(line, 20 * scale, after_mm=4 * scale)
    paper.pdf.ln(6 * scale)
    for label, text in notice.labelled:
        paper.labelled(label, text, 16 * scale, 48)
    paper.text(notice.more, 14 * scale, grey=True, after_mm=0)


def draw_fact_sheet(sheet: FactSheet, font: Path | None = None) -> bytes:
    """The facts sheet as PDF. Raises ConfigError for a lack of letters."""
    paper = Paper(sheet.title, str(sheet), font)
    paper.page()
    paper.text(sheet.title, 18, bold=True, after_mm=4)
    for section in sheet.sections:
        paper.pdf.set_draw_color(200)
        if not paper.pdf.will_page_break(10):
            paper.pdf.line(MARGIN_MM, paper.pdf.get_y(), PAGE_MM[0] - MARGIN_MM, paper.pdf.get_y())
        paper.pdf.ln(1.5)
        paper.labelled(section.heading, "\n".join(section.items), 9.5, 46)
    paper.pdf.ln(2)
    paper.text(sheet.made, 8, grey=True)
    return paper.bytes()


def _pictogram(pdf: FPDF, left: float, top: float, width: float) -> None:
    """A camera above, its view to a person who crosses a line, and the number that is all that is left. Height: 0.66 width."""
    unit = width / 120

    def at(x: float, y: float) -> tuple[float, float]:
        return left + x * unit, top + y * unit

    pdf.set_draw_color(0)
    pdf.set_fill_color(255)
    pdf.set_line_width(1.4 * unit)
    with pdf.local_context():
        pdf.set_dash_pattern(dash=2.5 * unit, gap=2 * unit)
        pdf.set_line_width(0.6 * unit)
        pdf.line(*at(29, 17), *at(36, 72))
        pdf.line(*at(31, 14), *at(79, 72))
    _camera(pdf, at(22, 10), unit)
    _person(pdf, at(43, 36), unit)
    pdf.line(*at(26, 74), *at(84, 74))
    pdf.set_line_width(1.0 * unit)
    for x, y in ((72, 50), (90, 47), (90, 53)):
        pdf.line(*at(x, y), *at(94, 50))
    _plus_one(pdf, at(100, 40), unit)


def _camera(pdf: FPDF, corner: tuple[float, float], unit: float) -> None:
    x, y = corner
    pdf.line(x - 12 * unit, y - 6 * unit, x - 12 * unit, y + 12 * unit)
    pdf.line(x - 12 * unit, y + 3 * unit, x - 8 * unit, y + 3 * unit)
    with pdf.rotation(-35, x, y + 3 * unit):
        pdf.rect(x - 9 * unit, y - 2 * unit, 16 * unit, 10 * unit, style="DF")
        pdf.rect(x + 7 * unit, y, 3.5 * unit, 6 * unit, style="DF")


def _person(pdf: FPDF, head: tuple[float, float], unit: float) -> None:
    x, y = head
    pdf.ellipse(x - 4 * unit, y - 4 * unit, 8 * unit, 8 * unit, style="D")
    for x0, y0, x1, y1 in ((0, 5, 0, 20), (0, 9, -7, 17), (0, 9, 7, 17), (0, 20, -6, 36), (0, 20, 6, 36)):
        pdf.line(x + x0 * unit, y + y0 * unit, x + x1 * unit, y + y1 * unit)


def _plus_one(pdf: FPDF, corner: tuple[float, float], unit: float) -> None:
    x, y = corner
    pdf.set_line_width(1.8 * unit)
    pdf.line(x, y + 10 * unit, x + 8 * unit, y + 10 * unit)
    pdf.line(x + 4 * unit, y + 6 * unit, x + 4 * unit, y + 14 * unit)
    pdf.line(x + 12 * unit, y + 6 * unit, x + 16 * unit, y + 2 * unit)
    pdf.line(x + 16 * unit, y + 2 * unit, x + 16 * unit, y + 18 * unit)
