"""The texts of the pages, for tests that compare them with what the code counts and refuses."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Final

from local.node import make_node

TEXTS: Final = Path(__file__).resolve().parents[2] / "web" / "texts"
LANGUAGES: Final = tuple(sorted(file.stem for file in TEXTS.glob("*.js")))


def page_texts(language: str) -> dict[str, str | dict[str, str]]:
    """Every text of the pages in that language, by its key; plural forms are a dict of their own.

    Keys that name something of the API are `count.{counter}`, `refusal.{reason}`, `list.{list}`,
    `field-error.{reason}` and `problem.{kind}`.
    """
    module = (TEXTS / f"{language}.js").as_uri()
    program = f'import {{ texts }} from "{module}"; console.log(JSON.stringify(texts));'
    done = subprocess.run(
        [make_node(), "--input-type=module", "--eval", program],
        capture_output=True,
        text=True,
        check=True,
    )
    texts: dict[str, str | dict[str, str]] = json.loads(done.stdout)
    return texts


def names_in(language: str, family: str) -> set[str]:
    """The names that have a text in that family of keys: `names_in("fr", "count")`."""
    prefix = f"{family}."
    return {key.removeprefix(prefix) for key in page_texts(language) if key.startswith(prefix)}
