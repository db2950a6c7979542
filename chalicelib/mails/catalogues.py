"""The words of mails in each language, from the catalogues in `chalicelib/texts/{locale}/`.

A catalogue is a gettext file (`.po`), which translators' tools know: a key for each text, with
{places}, and plural forms by the rules of the language. Packaging compiles the catalogues to `.mo`,
which the standard library reads; in a working tree the `.po` is read itself, by Babel.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from gettext import GNUTranslations
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

TEXTS: Final = Path(__file__).parents[1] / "texts"
DOMAIN: Final = "mails"
_MADE: Final = datetime(1980, 1, 1, tzinfo=UTC)
COMPILED_DOMAINS: Final = (DOMAIN, "reports")  # those that functions read


class Words:
    """The words of one language. A key that is not there is a KeyError: no reader sees a key."""

    def __init__(self, translations: GNUTranslations) -> None:
        self._translations = translations

    def __call__(self, key: str, values: Mapping[str, object] | None = None) -> str:
        """The text of a key, with its places filled in."""
        text = self._translations.gettext(key)
        if text == key:
            raise KeyError(key)
        return text.format_map(values or {})

    def counted(self, key: str, count: int) -> str:
        """The text of a key in the form that the number asks for: `{count}` is the number."""
        text = self._translations.ngettext(key, key, count)
        if text == key:
            raise KeyError(key)
        return text.format(count=count)


def words_in(locale: str, compiled: Path, domain: str = DOMAIN) -> Words:
    """The words of a language: as compiled where that was done, else from their source."""
    return _words(locale, compiled if compiled.is_dir() else None, domain)


@cache
def _words(locale: str, compiled: Path | None, domain: str) -> Words:
    content = (
        compiled_file(compiled, locale, domain).read_bytes()
        if compiled
        else compile_catalogue(locale, domain)
    )
    return Words(GNUTranslations(io.BytesIO(content)))


def compiled_file(compiled: Path, locale: str, domain: str = DOMAIN) -> Path:
    """Where the compiled catalogue of a language is."""
    return compiled / f"{domain}.{locale}.mo"


def read_catalogue(locale: str, domain: str = DOMAIN, texts: Path = TEXTS) -> Catalog:
    """A catalogue as it is written. Babel's parser is no part of the package on AWS."""
    from babel.messages.pofile import read_po

    with (texts / locale / f"{domain}.po").open("rb") as file:
        return read_po(file, locale=locale, abort_invalid=True)


def compile_catalogue(locale: str, domain: str = DOMAIN) -> bytes:
    """A catalogue as `gettext` reads it."""
    from babel.messages.mofile import write_mo

    catalogue = read_catalogue(locale, domain)
    # Babel writes the time of today otherwise: each packaging would be another release.
    catalogue.creation_date = _MADE
    written = io.BytesIO()
    write_mo(written, catalogue)
    return written.getvalue()
