"""Amounts of money as text. Amounts are whole numbers of hundredths of a currency (ISO 4217)."""

from __future__ import annotations

_NO_BREAK = "\u00a0"
_NARROW_NO_BREAK = "\u202f"

_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}
_SEPARATORS = {"fr": (_NARROW_NO_BREAK, ","), "en": (",", ".")}


def money_text(minor: int, currency: str, locale: str) -> str:
    """`10,00 €` or `€10.00`: `minor` hundredths of `currency` (ISO 4217). With no-break spaces."""
    if minor < 0:
        raise ValueError("an amount is never negative")
    thousands, decimal = _SEPARATORS[locale]
    units, hundredths = divmod(minor, 100)
    figures = f"{units:,}".replace(",", thousands) + f"{decimal}{hundredths:02}"
    if locale == "fr":
        return f"{figures}{_NO_BREAK}{_SYMBOLS.get(currency, currency)}"
    return f"{_SYMBOLS.get(currency, currency + _NO_BREAK)}{figures}"


def decimal_text(minor: int) -> str:
    """Minor units, never negative, as a decimal string: 1050 → `10.50`."""
    return f"{minor // 100}.{minor % 100:02d}"
