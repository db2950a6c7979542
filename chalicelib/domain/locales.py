"""The languages that pages and mails are written in, the first one for readers who ask for none.

A language is a folder of catalogues in `chalicelib/texts/` and its line here.
"""

from __future__ import annotations

from typing import Final

LOCALES: Final = (
    "fr",
    "en",
    "pl",
    "es",
    "it",
)
