"""The texts of the pages, for tests that compare them with what the code counts and refuses."""

from __future__ import annotations

from infra.page_texts import LANGUAGES, page_texts

__all__ = ["LANGUAGES", "names_in", "page_texts"]


def names_in(language: str, family: str) -> set[str]:
    """The names that have a text in that family of keys: `names_in("fr", "count")`.

    Keys that name something of the API are `count.{counter}`, `refusal.{reason}`, `list.{list}`,
    `field-error.{reason}` and `problem.{kind}`.
    """
    prefix = f"{family}."
    return {key.removeprefix(prefix) for key in page_texts(language) if key.startswith(prefix)}
