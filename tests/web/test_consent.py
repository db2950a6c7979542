"""The text that people agree to has a version: another text is another version."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chalicelib.domain.consents import WORDING
from tests.web.texts import LANGUAGES

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/client-guide.md").read_text(encoding="utf-8")


def text_in(language: str) -> str:
    """The text beside the box, in one piece."""
    source = (ROOT / f"web/texts/{language}.js").read_text(encoding="utf-8")
    [found] = re.findall(r'"offer\.consent":\s*((?:"[^"]*"\s*\+?\s*)+),', source)
    return "".join(re.findall(r'"([^"]*)"', found))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guide_has_the_text_of_the_version_that_is_recorded(language: str) -> None:
    """After a change of the text: a new `WORDING`, and a row of its own in the guide."""
    assert f"| `{WORDING}` | {language} | {text_in(language)} |" in GUIDE
