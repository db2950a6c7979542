"""Charts as lines, boxes and words in a plane, which SVG and PDF then draw alike.

Pure. A plane has its origin at the upper left; lengths are points of a page, whatever its scale.
Series differ by their dashes or stripes as well as by colour, and each is named beside its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Literal

WIDTH = 720.0
_ROW, _LABEL, _VALUE = 22.0, 200.0, 90.0
_HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 230.0, 48.0, 130.0, 12.0, 24.0
INK, GRID, MUTED = "#1d2321", "#d9dedb", "#5b6460"
# Colours that colour-blind readers can distinguish (Okabe and Ito), each with its own dashes.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a5c00", "#56606b")
DASHES: tuple[tuple[float, ...], ...] = ((), (6, 3), (2, 3), (9, 3, 2, 3), (1, 2), (12, 4))
_SIZE = 10.0
_LABEL_GAP = 12.0

Point = tuple[float, float]


@dataclass(frozen=True)
class Bar:
    """A row of a bar chart; a negative value has no bar."""

    label: str
    value: float
    text: str


@dataclass(frozen=True)
class Bars:
    """Horizontal bars, each with its label and its value in words."""

    bars: Sequence[Bar]


@dataclass(frozen=True)
class Curve:
    """A named series; with `is_stepped` it holds its value until the next point, up to `until`."""

    name: str
    points: Sequence[Point]
    is_stepped: bool = False
    until: float | None = None
    band: Sequence[tuple[float, float, float]] = ()


@dataclass(frozen=True)
class Curves:
    """Series over one axis, which has `marks` with words; `top` where the axis ends, if not where
    the values do.
    """

    curves: Sequence[Curve]
    marks: Sequence[tuple[float, str]]
    top: float | None = None


@dataclass(frozen=True)
class Stack:
    """A named part of each bar; the parts of a bar stand on each other."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True)
class Stacks:
    """Bars side by side, each with its word below it, and in some places what happened there."""

    stacks: Sequence[Stack]
    words: Sequence[str]
    notes: Sequence[tuple[int, str]] = ()


Chart = Bars | Curves | Stacks


@dataclass(frozen=True)
class Box:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    opacity: float = 1.0


@dataclass(frozen=True)
class Path:
    """A line through points, or the filled area within them."""

    points: Sequence[Point]
    colour: str
    width: float = 1.0
    dash: tuple[float, ...] = ()
    filled: bool = False
    opacity: float = 1.0


@dataclass(frozen=True)
class Word:
    """A text on a base line; `x` is where it begins, or ends, or its middle."""

    x: float
    y: float
    text: str
    anchor: Literal["start", "middle", "end"] = "start"
    colour: str = INK
    size: float = _SIZE


Mark = Box | Path | Word


@dataclass(frozen=True)
class Drawing:
    """What a chart looks like: marks in the order in which they are drawn."""

    width: float
    height: float
    marks: Sequence[Mark]


def drawing_of(chart: Chart, colour: str) -> Drawing:
    """The drawing of a chart; bars have the campaign's `colour`."""
    if isinstance(chart, Bars):
        return Drawing(WIDTH, _ROW * len(chart.bars), list(_bars(chart, colour)))
    if isinstance(chart, Stacks):
        return Drawing(WIDTH, _HEIGHT, list(_stacks(chart)))
    return Drawing(WIDTH, _HEIGHT, list(_curves(chart)))


def _bars(chart: Bars, colour: str) -> Iterator[Mark]:
    most = max((bar.value for bar in chart.bars), default=0) or 1
    room = WIDTH - _LABEL - _VALUE
    for row, bar in enumerate(chart.bars):
        y = row * _ROW
        length = max(0.0, bar.value) / most * room
        yield Word(_LABEL - 8, y + 15, _cut(bar.label, 34), "end")
        yield Box(_LABEL, y + 4, max(length, 1.0), _ROW - 8, colour)
        yield Word(_LABEL + length + 6, y + 15, bar.text)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _curves(chart: Curves) -> Iterator[Mark]:
    right, bottom = WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    first = min((x for x, _ in chart.marks), default=0.0)
    last = max([x for x, _ in chart.marks] + [_end(one) for one in chart.curves], default=1.0)
    ticks = ticks_to(
        chart.top or max((y for one in chart.curves for _, y in one.points), default=0)
    )

    def at(x: float, y: float) -> Point:
        across = (x - first) / (last - first or 1)
        return _LEFT + across * (right - _LEFT), bottom - y / ticks[-1] * (bottom - _TOP)

    for tick in ticks:
        _, y = at(first, tick)
        yield Path([(_LEFT, y), (right, y)], GRID)
        yield Word(_LEFT - 6, y + 3, f"{tick:g}", "end", MUTED)
    every = ceil(len(chart.marks) / 8) or 1
    for x, text in list(chart.marks)[::every]:
        yield Word(at(x, 0)[0], bottom + 16, text, "middle", MUTED)
    names: list[tuple[float, str, str]] = []
    for number, curve in enumerate(chart.curves):
        colour, dash = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
        if curve.band:
            low = [at(x, y) for x, y in _stepped([(x, y) for x, y, _ in curve.band], curve.until)]
            high = [at(x, y) for x, y in _stepped([(x, y) for x, _, y in curve.band], curve.until)]
            yield Path([*high, *reversed(low)], colour, filled=True, opacity=0.15)
        points = _stepped(curve.points, curve.until) if curve.is_stepped else list(curve.points)
        if points:
            line = [at(x, y) for x, y in points]
            yield Path(line, colour, 2.0, dash)
            names.append((line[-1][1], curve.name, colour))
    yield from _names(sorted(names), right)


def _stacks(chart: Stacks) -> Iterator[Mark]:
    right, bottom = WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    sums = [sum(values) for values in zip(*(one.values for one in chart.stacks), strict=True)]
    ticks = ticks_to(max(sums, default=0))
    room = (right - _LEFT) / max(len(chart.words), 1)

    def down(value: float) -> float:
        return bottom - value / ticks[-1] * (bottom - _TOP)

    for tick in ticks:
        yield Path([(_LEFT, down(tick)), (right, down(tick))], GRID)
        yield Word(_LEFT - 6, down(tick) + 3, f"{tick:g}", "end", MUTED)
    every = ceil(len(chart.words) / 8) or 1
    for place, text in list(enumerate(chart.words))[::every]:
        yield Word(_LEFT + (place + 0.5) * room, bottom + 16, text, "middle", MUTED)
    below = [0.0] * len(chart.words)
    for number, stack in enumerate(chart.stacks):
        for place, value in enumerate(stack.values):
            top, foot = down(below[place] + value), down(below[place])
            x = _LEFT + (place + 0.1) * room
            yield from _striped(Box(x, top, 0.8 * room, foot - top, _colour(number)), number)
            below[place] += value
        # The last one is at the top, as in the bars.
        y = _TOP + _LABEL_GAP * (len(chart.stacks) - number)
        yield from _striped(Box(right + 6, y - 8, 9, 9, _colour(number)), number)
        yield Word(right + 19, y, _cut(stack.name, 20))
    for place, text in chart.notes:
        x = _LEFT + (place + 0.5) * room
        yield Path([(x, _TOP), (x, bottom)], MUTED, dash=(3, 3))
        yield Word(x, _TOP - 3, text, "middle", MUTED)


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _striped(box: Box, number: int) -> Iterator[Mark]:
    """The box of a part, with stripes that are wider apart from one part to the next."""
    yield box
    if number:
        step = 2.0 + 2.0 * number
        for stripe in range(1, ceil(box.height / step)):
            yield Box(box.x, box.y + stripe * step, box.width, 1.0, "#ffffff", 0.7)


def _end(curve: Curve) -> float:
    return max([x for x, _ in curve.points] + ([curve.until] if curve.until else []), default=0.0)


def _stepped(points: Sequence[Point], until: float | None) -> list[Point]:
    stepped: list[Point] = []
    for x, y in points:
        if stepped:
            stepped.append((x, stepped[-1][1]))
        stepped.append((x, y))
    if stepped and until is not None and until > stepped[-1][0]:
        stepped.append((until, stepped[-1][1]))
    return stepped


def _names(names: Sequence[tuple[float, str, str]], right: float) -> Iterator[Mark]:
    """Each beside the end of its line, below the one before where they would overlap."""
    lowest = -_LABEL_GAP
    for y, name, colour in names:
        lowest = max(y + 3, lowest + _LABEL_GAP)
        yield Word(right + 6, lowest, _cut(name, 22), "start", colour)


def ticks_to(most: float) -> list[float]:
    """Round numbers from 0 to the first that is not below `most`."""
    if most <= 0:
        return [0.0, 1.0]
    step = 10.0 ** floor(log10(most / 4)) if most >= 4 else 1.0
    step *= next((each for each in (1, 2, 5, 10) if most / (step * each) <= 5), 10)
    return [step * number for number in range(ceil(most / step) + 1)]
