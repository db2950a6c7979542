"""Every language has a text for everything the dashboard may count."""

from __future__ import annotations

import pytest

from chalicelib.domain.effects import FUNNEL

from .texts import LANGUAGES, names_in


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_counter_has_a_text_in_every_language(language: str) -> None:
    assert names_in(language, "count") == set(FUNNEL)
