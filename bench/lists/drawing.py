"""Bars as SVG, by hand: a few hundred bytes each, readable on light and on dark pages.

A picture is a stack of panels; a panel is a title over bars, each with its label before it and its
figure behind it. Colours follow the page's scheme; title and description are read out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 720
LABELS = 230  # pixels before the bars
ROOM = 170  # pixels behind the longest bar, for its figure
ROW = 26
HEAD = 34
FOOT = 10

_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.h{font-weight:600}"
    ".b{fill:#8c959f}.o{fill:#0969da}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.b{fill:#6e7681}.o{fill:#58a6ff}}"
)


@dataclass(frozen=True)
class Stroke:
    """One bar: `length` in the panel's own unit, `figure` the text behind it."""

    label: str
    length: float
    figure: str
    ours: bool = False


@dataclass(frozen=True)
class Panel:
    """Bars to one scale."""

    title: str
    strokes: Sequence[Stroke]

    @property
    def height(self) -> int:
        """Pixels."""
        return HEAD + ROW * len(self.strokes) + FOOT


def picture(title: str, panels: Sequence[Panel]) -> str:
    """The SVG document."""
    height = sum(panel.height for panel in panels)
    spoken = ". ".join(_spoken(panel) for panel in panels)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        ' aria-labelledby="t d">'
        f'<title id="t">{escape(title)}</title><desc id="d">{escape(spoken)}</desc>'
        f"<style>{_STYLE}</style>"
    )
    lines, top = [head], 0
    for panel in panels:
        lines += _drawn(panel, top)
        top += panel.height
    return "\n".join([*lines, "</svg>", ""])


def _drawn(panel: Panel, top: int) -> Iterator[str]:
    longest = max(stroke.length for stroke in panel.strokes)
    yield f'<text class="h" x="8" y="{top + 22}">{escape(panel.title)}</text>'
    for number, stroke in enumerate(panel.strokes):
        y = top + HEAD + ROW * number
        length = max(1.0, (WIDTH - LABELS - ROOM) * stroke.length / longest)
        kind = "o" if stroke.ours else "b"
        yield (
            f'<text x="{LABELS - 8}" y="{y + 14}" text-anchor="end">{escape(stroke.label)}</text>'
            f'<rect class="{kind}" x="{LABELS}" y="{y + 2}" width="{length:.1f}" height="16"/>'
            f'<text x="{LABELS + length + 8:.1f}" y="{y + 14}">{escape(stroke.figure)}</text>'
        )


def _spoken(panel: Panel) -> str:
    return f"{panel.title}: " + ", ".join(f"{one.label} {one.figure}" for one in panel.strokes)
