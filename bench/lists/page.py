"""The figures on disk, and the tables and pictures of docs/performance.md made from them.

The page is written by hand but for what stands between `<!-- figures -->` and `<!-- end -->`: that
is the tables of all sizes measured, so that no figure is copied by hand.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter

from bench.lists.figures import Figures
from bench.lists.pictures import pictures
from bench.lists.places import FIGURES
from bench.lists.processes import ROOT
from bench.lists.table import BILL, markdown, sheets

PAGE = ROOT / "docs" / "performance.md"
PICTURES = ROOT / "docs" / "performance"
DRAWN = 10_000_000  # the size whose pictures, and whose bill, are on the page
START, END = "<!-- figures -->\n", "<!-- end -->\n"


def rows_of(size: str) -> int:
    """`10M` → 10,000,000. Raises ValueError."""
    return int(size[:-1]) * 1_000_000 if size.endswith("M") else int(size)


def write(figures: Figures) -> Path:
    """Keep the figures of one size; where."""
    file = FIGURES / f"lists-{figures.rows}.json"
    file.write_text(json.dumps(asdict(figures), indent=1, ensure_ascii=False) + "\n")
    return file.relative_to(ROOT)


def publish() -> None:
    """Write the pictures, and the tables into the page."""
    read = TypeAdapter(Figures).validate_json
    found = [read(file.read_bytes()) for file in FIGURES.glob("lists-*.json")]
    found.sort(key=lambda figures: figures.rows)
    PICTURES.mkdir(exist_ok=True)
    for name, svg in pictures(next(one for one in found if one.rows == DRAWN)).items():
        (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    after = rest.partition(END)[2]
    tables = "".join(map(_section, found))
    PAGE.write_text(f"{before}{START}\n{tables}{END}{after}", encoding="utf-8")


def _section(figures: Figures) -> str:
    machine = figures.machine
    versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    head = (
        f"## {figures.rows:,} rows, {figures.distinct:,} distinct\n\n"
        f"{machine.day}; {machine.cores} cores, {machine.memory_bytes / 1e9:.0f} GB,"
        f" {machine.system}; {versions}. {_rounds(figures)}\n\n"
    )
    kept = [sheet for sheet in sheets(figures) if sheet.title != BILL or figures.rows == DRAWN]
    tables = (f"**{sheet.title}**\n\n{markdown(sheet)}\n" for sheet in kept)
    return head + "".join(tables)


def _rounds(figures: Figures) -> str:
    if figures.rounds == 1:
        return "One round, so no spread is known: compare the processor seconds."
    return (
        f"{figures.rounds} rounds; the metronome's slowest run took {figures.noise:.2f} times its"
        " fastest."
    )
