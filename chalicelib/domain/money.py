"""Amounts of money as files and the API write them: whole numbers of hundredths of a currency
(ISO 4217) as decimal strings. How people read them is for pages and mails.
"""

from __future__ import annotations


def decimal_text(minor: int) -> str:
    """Minor units, never negative, as a decimal string: 1050 → `10.50`."""
    return f"{minor // 100}.{minor % 100:02d}"
