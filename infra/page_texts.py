"""The texts of the pages, from the catalogues in `chalicelib/texts/{locale}/` to what a page loads.

`pages.po` has the texts of the pages, `dashboard.po` those of the dashboard. Each becomes JSON: a
key and its text, or its plural forms by the categories of `Intl.PluralRules`, by which a browser
chooses. A page is given the texts that it names and no others.

`python -m infra.page_texts` writes the type of the keys for the type check, into `build/`.
Neighbours: pages.py builds the pages, mails/catalogues.py reads the same kind of file for mails.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from gettext import c2py
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages.catalog import Catalog, Message

from chalicelib.domain.locales import LOCALES
from chalicelib.mails.catalogues import TEXTS, read_catalogue

ROOT: Final = Path(__file__).resolve().parent.parent
DOMAINS: Final = ("pages", "dashboard")
TYPES: Final = ROOT / "build/types/texts.d.ts"
SOURCE: Final = "en"  # whose keys the others have too
LANGUAGES: Final = LOCALES

Text = str | Mapping[str, str]
"""A text, or its forms by the categories of its language's plural rules."""

# Numbers that between them are of every category that whole numbers have in our languages.
_NUMBERS: Final = (*range(201), 1_000_000)
# `problem.${kind}` in a script: any key that begins like that.
_COMPOSED: Final = re.compile(r"[\"'`]?([a-z][a-z-]*(?:\.[a-z-]+)*)\.\$\{")


@cache
def page_texts(locale: str) -> Mapping[str, Text]:
    """Every text of a language, by its key."""
    return {
        key: text
        for domain in DOMAINS
        if (TEXTS / locale / f"{domain}.po").is_file()
        for key, text in sorted(_texts(read_catalogue(locale, domain), locale))
    }


def _texts(catalogue: Catalog, locale: str) -> Iterable[tuple[str, Text]]:
    for message in catalogue:
        if not message.id:
            continue
        if message.pluralizable:
            yield str(message.id[0]), _forms(catalogue, locale, message_forms(message))
        else:
            yield str(message.id), str(message.string)


def message_forms(message: Message) -> tuple[str, ...]:
    """The forms of a text as they stand in its catalogue."""
    text = message.string
    return tuple(text) if isinstance(text, tuple | list) else (str(text),)


def _forms(catalogue: Catalog, locale: str, texts: tuple[str, ...]) -> Mapping[str, str]:
    """The forms by category; `other` also stands for numbers that are not whole."""
    index, category = c2py(catalogue.plural_expr), Locale.parse(locale).plural_form
    forms = {category(number): texts[index(number)] for number in reversed(_NUMBERS)}
    return dict(sorted(({"other": texts[-1]} | forms).items()))


def texts_of(page: str, locale: str) -> Mapping[str, Text]:
    """The texts whose keys stand in `page`: its HTML and its script."""
    families = tuple(f"{family}." for family in set(_COMPOSED.findall(page)))
    return {
        key: text
        for key, text in page_texts(locale).items()
        if f'"{key}"' in page or key.startswith(families)
    }


def languages_of(page: str) -> tuple[str, ...]:
    """The languages that have every text of `page`: it is offered in these."""
    needed = set(texts_of(page, SOURCE))
    return tuple(name for name in LANGUAGES if needed <= set(page_texts(name)))


def key_types() -> str:
    """The type of the keys, for the type check of the scripts."""
    keys = "\n".join(f'  | "{key}"' for key in page_texts(SOURCE))
    return f"/** Made from the catalogues by infra/page_texts.py. */\ntype PageTextKey =\n{keys};\n"


if __name__ == "__main__":
    TYPES.parent.mkdir(parents=True, exist_ok=True)
    TYPES.write_text(key_types(), encoding="utf-8")
