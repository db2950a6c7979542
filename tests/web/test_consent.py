"""The text that people agree to has a version: another text is another version."""

from __future__ import annotations

from pathlib import Path

import pytest

from chalicelib.domain.consents import WORDING
from tests.web.texts import LANGUAGES, page_texts

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/client-guide.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guide_has_the_text_of_the_version_that_is_recorded(language: str) -> None:
    """After a change of the text: a new `WORDING`, and a row of its own in the guide. Of which kind
    the spaces are is no part of the wording.
    """
    text = " ".join(str(page_texts(language)["offer.consent"]).split())
    assert f"| `{WORDING}` | {language} | {text} |" in GUIDE
