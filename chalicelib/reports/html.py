"""A report as one HTML file: inline SVG, no script, nothing from elsewhere. It prints on A4."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from chalicelib.reports.charts import Box, Drawing, Mark, Path, drawing_of
from chalicelib.reports.content import Report, Section, Table

_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; padding: 24px; max-width: 1040px; color: #1d2321; background: #fff;
  font: 16px/1.45 system-ui, "Segoe UI", Roboto, sans-serif; }
h1 { margin: 0; font-size: 28px; } h2 { margin: 0 0 8px; font-size: 20px; }
.muted { color: #5b6460; }
dl { display: grid; grid-template-columns: repeat(3, 1fr); gap: 12px; margin: 24px 0; }
dl div { border: 1px solid #d9dedb; border-radius: 14px; padding: 12px 16px; }
dt { font-size: 16px; } dd { margin: 0; } dd.value { font-size: 28px; font-weight: 600; }
section { margin: 0 0 32px; break-inside: avoid; }
svg { width: 100%; height: auto; font: 10px system-ui, "Segoe UI", Roboto, sans-serif; }
.scroller { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 16px; }
th, td { padding: 4px 8px; text-align: right; border-bottom: 1px solid #d9dedb; }
th:first-child { text-align: left; font-weight: normal; } thead th { color: #5b6460; }
@media (max-width: 700px) { dl { grid-template-columns: 1fr 1fr; } }
@page { size: A4 landscape; margin: 12mm; }
@media print { body { padding: 0; max-width: none; font-size: 12px; } table { font-size: 11px; } }
"""


def html_of(report: Report) -> str:
    """The file."""
    return "".join(_parts(report))


def _parts(report: Report) -> Iterator[str]:
    yield (
        f'<!doctype html>\n<html lang="{escape(report.locale)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="robots" content="noindex">\n'
        f"<title>{escape(report.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<header>\n<h1>{escape(report.title)}</h1>\n"
        f'<p class="muted">{escape(report.subtitle)}</p>\n</header>\n<main>\n<dl>\n'
    )
    for figure in report.figures:
        yield (
            f'<div><dt>{escape(figure.name)}</dt><dd class="value">{escape(figure.value)}</dd>'
            f'<dd class="muted">{escape(figure.note)}</dd></div>\n'
        )
    yield "</dl>\n"
    for number, section in enumerate(report.sections):
        yield from _section(section, number, report.colour)
    yield f'</main>\n<footer class="muted">{escape(report.footer)}</footer>\n</body>\n</html>\n'


def _section(section: Section, number: int, colour: str) -> Iterator[str]:
    title = escape(section.title)
    title = escape(section.title)
    yield f'<section aria-labelledby="s{number}">\n<h2 id="s{number}">{title}</h2>\n'
    if section.chart:
        yield svg_of(drawing_of(section.chart, colour), section.title) + "\n"
    if section.note:
        yield f'<p class="muted">{escape(section.note)}</p>\n'
    yield from _table(section.table, number)
    yield "</section>\n"


def _table(table: Table, number: int) -> Iterator[str]:
    headings = "".join(f'<th scope="col">{escape(each)}</th>' for each in table.headings)
    yield (
        f'<div class="scroller" role="region" tabindex="0" aria-labelledby="s{number}">'
        f"<table><thead><tr>{headings}</tr></thead>\n<tbody>\n"
    )
    for first, *cells in table.rows:
        rest = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        yield f'<tr><th scope="row">{escape(first)}</th>{rest}</tr>\n'
    yield "</tbody></table></div>\n"


def svg_of(drawing: Drawing, name: str) -> str:
    """A drawing as SVG; the table beside it says the same."""
    marks = "".join(map(_mark, drawing.marks))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawing.width:g} '
        f'{drawing.height:g}" role="img" aria-label="{escape(name)}">{marks}</svg>'
    )


def _mark(mark: Mark) -> str:
    match mark:
        case Box():
            return (
                f'<rect x="{mark.x:.1f}" y="{mark.y:.1f}" width="{mark.width:.1f}" '
                f'height="{mark.height:.1f}" rx="2" fill="{escape(mark.colour)}"/>'
            )
        case Path():
            return _path(mark)
        case _:
            return (
                f'<text x="{mark.x:.1f}" y="{mark.y:.1f}" text-anchor="{mark.anchor}" '
                f'font-size="{mark.size:g}" fill="{mark.colour}">{escape(mark.text)}</text>'
            )


def _path(path: Path) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in path.points)
    if path.filled:
        return f'<polygon points="{points}" fill="{path.colour}" fill-opacity="{path.opacity:g}"/>'
    dashes = " ".join(f"{length:g}" for length in path.dash)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<polyline points="{points}" fill="none" stroke="{path.colour}" '
        f'stroke-width="{path.width:g}"{dashed}/>'
    )
