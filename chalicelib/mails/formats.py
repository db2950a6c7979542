"""Days, amounts and punctuation in the form of a language, and text made safe for one line.

Days and amounts are Babel's, by the CLDR; of its data the package on AWS has our languages alone
(`infra/package.py`). It is imported by the first mail, not at every start of a function.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final

from chalicelib.domain.benefits import Benefit, FreeDelivery, MoneyOff, PercentOff

if TYPE_CHECKING:
    from babel import Locale

    from chalicelib.mails.catalogues import Words

NO_BREAK: Final = "\u00a0"
NARROW_NO_BREAK: Final = "\u202f"

# Where a language is written in several ways, the one that mails are written in.
_REGION: Final = {"en": "en_GB"}

# Line ends, other control characters, and lone surrogates, which cannot be encoded.
_NOT_ON_A_LINE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# Embeddings, overrides and isolates: a name must not reverse the text around it.
_DIRECTIONS = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_BEFORE_MARK = re.compile(r"[ \u00a0](?=[:;!?»])")
_BEFORE_SIGN = re.compile(r" (?=[€%])")
_CODE_AT_NUMBER = re.compile(r"(?<=[A-Z]{3})(?=[0-9])")
_AFTER_QUOTE = re.compile(r"«[ \u00a0]")


@cache
def _locale(language: str) -> Locale:
    from babel import Locale

    return Locale.parse(_REGION.get(language, language))


def money_text(minor: int, currency: str, locale: str) -> str:
    """`10 €`, `7,50 €` or `£10.50`: `minor` hundredths of `currency` (ISO 4217), with no-break
    spaces. A whole amount has no decimals: it is how prices are spoken of.
    """
    from babel.numbers import format_currency

    if minor < 0:
        raise ValueError("an amount is never negative")
    pattern = _locale(locale).currency_formats["standard"].pattern
    if minor % 100 == 0:
        pattern = pattern.replace(".00", "")
    text = format_currency(
        Decimal(minor) / 100, currency, pattern, _locale(locale), currency_digits=False
    )
    return _CODE_AT_NUMBER.sub(NO_BREAK, text)  # a code is set apart from the figures


def long_day(day: date, locale: str) -> str:
    """`31 décembre 2026` or `31 December 2026`, with no-break spaces.

    A datetime is refused: which day it is depends on a time zone, and only the caller knows the
    campaign's.
    """
    from babel.dates import format_date

    if isinstance(day, datetime):
        raise TypeError("long_day takes a local day, not a moment")
    text = format_date(day, "long", _locale(locale))
    if locale == "fr" and day.day == 1:
        text = text.replace("1 ", "1er ", 1)  # which the CLDR leaves to the writer
    return text.replace(" ", NO_BREAK)


def benefit_text(benefit: Benefit, locale: str, words: Words) -> str:
    """What a voucher is worth: `10 €`, `15 %`, `free delivery`."""
    from babel.numbers import format_percent

    match benefit:
        case MoneyOff(value_minor, currency):
            return money_text(value_minor, currency, locale)
        case PercentOff(percent, currency, at_most_minor):
            share = format_percent(Decimal(percent) / 100, locale=_locale(locale))
            if at_most_minor is None:
                return share
            most = money_text(at_most_minor, currency, locale)
            return words("percent.at_most", {"share": share, "most": most})
        case FreeDelivery():
            return words("free_delivery")


def one_line(text: str) -> str:
    """`text` on one line, without control or direction characters."""
    return _NOT_ON_A_LINE.sub(" ", _DIRECTIONS.sub("", text)).strip(" ")


def typeset(text: str, locale: str) -> str:
    """`text` with the spaces of French that no line breaks at: narrow ones before `: ; ! ? »` and
    after `«`, others before `€ %`.
    """
    if locale != "fr":
        return text
    narrow = _BEFORE_MARK.sub(NARROW_NO_BREAK, text)
    return _BEFORE_SIGN.sub(NO_BREAK, _AFTER_QUOTE.sub("«" + NARROW_NO_BREAK, narrow))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (#rrggbb), as WCAG has it: 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def ink_on(colour: str) -> str:
    """Black or white, whichever contrasts more with `colour`: at least 4.5 to 1."""
    return max(("#ffffff", "#000000"), key=lambda ink: contrast(ink, colour))


def readable(colour: str, ground: str, least: float = 4.5) -> str:
    """`colour`, mixed with as much of the ink that goes with `ground` as it takes to be read on it:
    darker on a light ground, lighter on a dark one.
    """
    ink = ink_on(ground)
    mixes = (_mixed(colour, ink, part) for part in range(0, 101, 5))
    return next(mixed for mixed in mixes if contrast(mixed, ground) >= least)


def _mixed(colour: str, other: str, part: int) -> str:
    """`colour` with so many hundredths of `other`."""
    pairs = ((int(colour[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(one + (two - one) * part / 100):02x}" for one, two in pairs)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
