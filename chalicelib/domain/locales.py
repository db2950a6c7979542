"""The languages that pages and mails are written in, the first one for readers who ask for none.

A language is a folder of catalogues in `chalicelib/texts/` and its line here.
"""

from __future__ import annotations

import re
from typing import Final

LOCALES: Final = (
    "fr",
    "en",
    "pl",
    "es",
    "it",
)

_WISH: Final = re.compile(
    r"\s*([A-Za-z]{2})(?:-[A-Za-z0-9-]*)?\s*(?:;\s*[qQ]\s*=\s*([01](?:\.[0-9]*)?|\.[0-9]+)\s*|;.*)?",
)


def wished_languages(accept_language: str) -> list[str]:
    """The languages of an `Accept-Language` header, two letters each, the most wanted one first; of
    equal weight as they come. What it refuses (`q=0`) is left out, and what is no language; a
    weight that cannot be read is as none.

    The function `WebPreloads` of infra/resources.yaml does the same at CloudFront.
    """
    read = [_WISH.fullmatch(one) for one in accept_language.split(",")]
    weighed = [(float(found[2] or 1), found[1].lower()) for found in read if found]
    wanted = sorted((one for one in weighed if one[0]), key=lambda one: -one[0])
    return [language for _, language in wanted]
