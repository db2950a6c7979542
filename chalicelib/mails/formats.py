"""Days and punctuation in the form of a locale, and text made safe for one line.

Pure functions on plain values; money is in `domain.money`. Only the locales of `render.LOCALES` are
known; any other is a KeyError, because `render` has already chosen.
"""

from __future__ import annotations

import re
from datetime import date, datetime

_NO_BREAK = "\u00a0"

_MONTHS = {
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "en": "January February March April May June July August September October November December",
}

# Line ends, other control characters, and lone surrogates, which cannot be encoded.
_NOT_ON_A_LINE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# Embeddings, overrides and isolates: a name must not reverse the text around it.
_DIRECTIONS = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SPACE_BEFORE_MARK = re.compile(r" (?=[:;!?»€%])")


def long_day(day: date, locale: str) -> str:
    """`31 décembre 2026` or `31 December 2026`, with no-break spaces.

    A datetime is refused: which day it is depends on a time zone, and only the caller knows the
    campaign's.
    """
    if isinstance(day, datetime):
        raise TypeError("long_day takes a local day, not a moment")
    number = "1er" if locale == "fr" and day.day == 1 else str(day.day)
    return _NO_BREAK.join((number, _MONTHS[locale].split()[day.month - 1], str(day.year)))


def one_line(text: str) -> str:
    """`text` on one line, without control or direction characters."""
    return _NOT_ON_A_LINE.sub(" ", _DIRECTIONS.sub("", text)).strip(" ")


def typeset(text: str, locale: str) -> str:
    """`text` with the no-break spaces of French: before `: ; ! ? » € %`, after `«`."""
    if locale != "fr":
        return text
    return _SPACE_BEFORE_MARK.sub(_NO_BREAK, text).replace("« ", "«" + _NO_BREAK)


def ink_on(colour: str) -> str:
    """Black or white, whichever contrasts more with `colour` (#rrggbb): at least 4.5 to 1."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    # At this luminance the WCAG contrasts with black and with white are equal (4.58).
    return "#000000" if luminance > 0.179 else "#ffffff"


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
