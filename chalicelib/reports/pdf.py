"""A report as PDF, A4 landscape, by fpdf2: fonts are embedded, charts are lines and not pictures.

fpdf2 warns where Pillow is missing, which the functions do not have: no report has a picture.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path as FontFolder
from typing import TYPE_CHECKING, Any, Final

import font_source_sans_pro

from chalicelib.reports.charts import Box, Drawing, Path, Word, drawing_of
from chalicelib.reports.content import Figure, Report, Section, Table

if TYPE_CHECKING:
    from fpdf import FPDF

_MARGIN: Final = 12.0  # millimetres
_WIDTH: Final = 297.0 - 2 * _MARGIN
_BOTTOM: Final = 210.0 - _MARGIN
_LINE: Final = 5.0
_FONT: Final = "report"
_MUTED: Final = "#5b6460"
_INK: Final = "#1d2321"
_CHART_WIDTH: Final = 190.0
_POINT: Final = 72 / 25.4


def pdf_of(report: Report, made_at: datetime) -> bytes:
    """The file; the same report made at the same time is the same bytes."""
    page = _Page(report, made_at)
    page.head()
    page.figures(report.figures)
    for section in report.sections:
        page.section(section)
    return page.content()


def _new_pdf(**options: Any) -> FPDF:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Pillow could not be imported")
        from fpdf import FPDF

    return FPDF(**options)


class _Page:
    """The pages, written from the top."""

    def __init__(self, report: Report, made_at: datetime) -> None:
        self._report = report
        self._pdf = _new_pdf(orientation="landscape", unit="mm", format="A4")
        self._pdf.set_auto_page_break(False)
        self._pdf.set_margin(_MARGIN)
        folder = FontFolder(font_source_sans_pro.font_directory)
        self._pdf.add_font(_FONT, "", folder / "SourceSansPro-Regular.ttf")
        self._pdf.add_font(_FONT, "B", folder / "SourceSansPro-Semibold.ttf")
        self._pdf.set_title(report.title)
        self._pdf.set_lang(report.locale)
        self._pdf.set_creation_date(made_at)
        self._begin_page()

    def content(self) -> bytes:
        return bytes(self._pdf.output())

    def _begin_page(self) -> None:
        self._pdf.add_page()
        self._say(self._report.footer, _MARGIN, 210 - 5, 8, colour=_MUTED)
        self._say(str(self._pdf.page_no()), 297 - _MARGIN, 210 - 5, 8, colour=_MUTED, anchor="end")
        self._y = _MARGIN

    def _room_for(self, height: float) -> None:
        if self._y + height > _BOTTOM and self._y > _MARGIN:
            self._begin_page()

    def _say(
        self,
        text: str,
        x: float,
        y: float,
        size: float,
        *,
        style: str = "",
        colour: str = _INK,
        anchor: str = "start",
    ) -> None:
        self._pdf.set_font(_FONT, style, size)
        self._pdf.set_text_color(colour)
        shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
        self._pdf.text(x - shift * self._pdf.get_string_width(text), y, text)

    def head(self) -> None:
        self._say(self._report.title, _MARGIN, self._y + 7, 20, style="B")
        self._say(self._report.subtitle, _MARGIN, self._y + 14, 10, colour=_MUTED)
        self._y += 20

    def figures(self, figures: Sequence[Figure]) -> None:
        width, height = _WIDTH / 3, 22.0
        for at, figure in enumerate(figures):
            x, y = _MARGIN + at % 3 * width, self._y + at // 3 * height
            self._pdf.set_draw_color("#d9dedb")
            self._pdf.rect(
                x, y, width - 4, height - 3, round_corners=True, corner_radius=3, style="D"
            )
            self._say(figure.name, x + 3, y + 5, 9)
            self._say(figure.value, x + 3, y + 12, 16, style="B")
            self._say(figure.note, x + 3, y + 17, 8, colour=_MUTED)
        self._y += -(-len(figures) // 3) * height + 4

    def section(self, section: Section) -> None:
        drawing = drawing_of(section.chart, self._report.colour) if section.chart else None
        scale = _CHART_WIDTH / drawing.width if drawing else 0.0
        height = drawing.height * scale if drawing else 0.0
        self._room_for(12 + height + 3 * _LINE)
        self._say(section.title, _MARGIN, self._y + 5, 14, style="B")
        self._y += 9
        if drawing:
            self._draw(drawing, scale)
            self._y += height + 3
        if section.note:
            self._say(section.note, _MARGIN, self._y + 3, 8, colour=_MUTED)
            self._y += _LINE
        self._table(section.table)
        self._y += 6

    def _table(self, table: Table) -> None:
        first = min(90.0, _WIDTH / 3)
        rest = (_WIDTH - first) / max(1, len(table.headings) - 1)
        self._row(table.headings, first, rest, colour=_MUTED)
        for row in table.rows:
            if self._y + _LINE > _BOTTOM:
                self._begin_page()
                self._row(table.headings, first, rest, colour=_MUTED)
            self._row(row, first, rest)

    def _row(self, cells: Sequence[str], first: float, rest: float, *, colour: str = _INK) -> None:
        y = self._y + 3.5
        self._say(cells[0], _MARGIN, y, 9, colour=colour)
        for at, cell in enumerate(cells[1:], 1):
            self._say(cell, _MARGIN + first + at * rest, y, 9, colour=colour, anchor="end")
        self._pdf.set_draw_color("#d9dedb")
        self._pdf.set_line_width(0.1)
        self._pdf.line(_MARGIN, y + 1.2, _MARGIN + _WIDTH, y + 1.2)
        self._y += _LINE

    def _draw(self, drawing: Drawing, scale: float) -> None:
        for mark in drawing.marks:
            match mark:
                case Box():
                    self._pdf.set_fill_color(mark.colour)
                    self._pdf.rect(
                        _MARGIN + mark.x * scale, self._y + mark.y * scale,
                        mark.width * scale, mark.height * scale, style="F",
                    )  # fmt: skip
                case Path():
                    self._path(mark, scale)
                case Word():
                    self._say(
                        mark.text, _MARGIN + mark.x * scale, self._y + mark.y * scale,
                        mark.size * scale * _POINT, colour=mark.colour, anchor=mark.anchor,
                    )  # fmt: skip

    def _path(self, path: Path, scale: float) -> None:
        points = [(_MARGIN + x * scale, self._y + y * scale) for x, y in path.points]
        if path.filled:
            self._pdf.set_fill_color(path.colour)
            with self._pdf.local_context(fill_opacity=path.opacity):
                self._pdf.polygon(points, style="F")
            return
        self._pdf.set_draw_color(path.colour)
        self._pdf.set_line_width(path.width * scale)
        dash = [length * scale for length in path.dash]
        self._pdf.set_dash_pattern(*(dash[:2] if dash else (0, 0)))
        self._pdf.polyline(points)
        self._pdf.set_dash_pattern()
