"""Which language somebody wants, by what her browser says."""

from __future__ import annotations

import pytest

from chalicelib.domain.locales import wished_languages


@pytest.mark.parametrize(
    ("accepted", "wished"),
    [
        ("en;q=0.3, fr;q=0.9", ["fr", "en"]),
        ("fr-FR,fr;q=0.9,en-US;q=0.8,en;q=0.7", ["fr", "fr", "en", "en"]),
        ("pl ; Q=0.5, it", ["it", "pl"]),
        ("PL;q = .75,en;q=.8", ["en", "pl"]),
        ("en;q=0, fr;q=0.001", ["fr"]),
        ("en;q=0.0", []),
        ("es,it,pl", ["es", "it", "pl"]),
        ("es;q=0.5,it;q=0.50,pl;q=0.500", ["es", "it", "pl"]),
        ("fr-Latn-CA-x-private", ["fr"]),
        ("*, fra, f, 12, en_GB, ,;q=1,é,de", ["de"]),
        ("fr;q=two, en;q=0.9", ["fr", "en"]),
        ("fr;q=0.1, en;q=-1, it;q=, pl;level=1;q=0", ["en", "it", "pl", "fr"]),
        ("fr;q=1.5, en;q=1.000", ["fr", "en"]),
        ("", []),
        (";" * 4000 + "," * 4000, []),
    ],
)
def test_the_most_wanted_language_is_first_whatever_the_header(
    accepted: str, wished: list[str]
) -> None:
    assert wished_languages(accepted) == wished
