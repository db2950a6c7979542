"""The words of reports: `texts/{locale}/reports.po`."""

from __future__ import annotations

from typing import Final

from chalicelib.mails.catalogues import words_in
from chalicelib.mails.formats import typeset
from chalicelib.mails.render import COMPILED

DOMAIN: Final = "reports"


class Texts:
    """The words of one language. A key that is not there is a KeyError."""

    def __init__(self, locale: str) -> None:
        self._words = words_in(locale, COMPILED, DOMAIN)
        self._locale = locale

    def __call__(self, key: str, **values: object) -> str:
        return typeset(self._words(key, values), self._locale)

    def counted(self, key: str, number: int) -> str:
        """The form that the number asks for."""
        return typeset(self._words.counted(key, number), self._locale)

    def known(self, key: str, otherwise: str) -> str:
        """The text of a key that a later version may not have here: `otherwise` then."""
        try:
            return self(key)
        except KeyError:
            return otherwise
