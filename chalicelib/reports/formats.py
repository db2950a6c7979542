"""Numbers, days and months in the form of a language, by Babel."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Final

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

if TYPE_CHECKING:
    from chalicelib.domain.survival import Difference
    from chalicelib.reports.texts import Texts

_REGION: Final = {"en": "en_GB"}


def count_text(number: int, locale: str) -> str:
    """`12 345` or `12,345`."""
    return format_decimal(number, locale=_REGION.get(locale, locale))


def decimal_text(value: float, decimals: int, locale: str) -> str:
    """`0,012`: always with so many decimals."""
    pattern = f"#,##0.{'0' * decimals}"
    return format_decimal(value, format=pattern, locale=_REGION.get(locale, locale))


def percent_text(value: float, locale: str) -> str:
    """`42,5 %` or `42.5%`."""
    return format_percent(
        round(value, 3), locale=_REGION.get(locale, locale), decimal_quantization=False
    )


def short_day(day: date, locale: str) -> str:
    """`04/05/2026`, as the language writes it."""
    return format_date(day, "short", locale=_REGION.get(locale, locale))


def month_text(month: str, locale: str) -> str:
    """`mai 2026` of `2026-05`."""
    day = datetime.combine(date.fromisoformat(f"{month}-01"), time())
    return format_date(day, "LLLL yyyy", locale=_REGION.get(locale, locale))


def days_text(days: int, text: Texts) -> str:
    """`12 days`."""
    return text.counted("days", days)


def points_text(found: Difference, text: Texts, locale: str) -> str:
    """`+6.2 points (1.1 to 11.3)`."""
    here, low, high = (
        decimal_text(value, 1, locale) for value in (found.points, found.low, found.high)
    )
    return text("points", points=f"+{here}" if found.points > 0 else here, low=low, high=high)
