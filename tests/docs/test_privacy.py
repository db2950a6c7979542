"""The page "personal data" says of every kind of item and every folder what it has of people."""

from __future__ import annotations

import re
import typing
from collections import Counter
from pathlib import Path

import pytest

from chalicelib.adapters.dynamodb import schema
from chalicelib.domain.addresses import Address, AddressDigests
from chalicelib.domain.entity import Entity
from tests.docs.test_ends import FOLDERS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/privacy.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## What is stored where\n")[2].partition("\n## ")[0]
ROWS: dict[str, list[str]] = {
    what: re.findall(r"`(\w+)`", kinds)
    for what, kinds in re.findall(r"^\| ([^|`]+) \| ((?:`\w+` ?)+) \|$", SECTION, re.MULTILINE)
}
KINDS = {rule.kind: kind for kind, rule in schema.ITEM_KINDS.items()}


def what_of(kind: str) -> str:
    """What the page says that an item of a kind has."""
    return next(what for what, kinds in ROWS.items() if kind in kinds)


def test_every_kind_of_item_is_on_the_page_once() -> None:
    named = Counter(kind for kinds in ROWS.values() for kind in kinds)
    assert named == Counter([*KINDS, schema.FACT_KIND, "counts"])


@pytest.mark.parametrize(("name", "kind"), KINDS.items(), ids=KINDS)
def test_what_has_an_address_or_digests_of_a_person_is_named_as_such(
    name: str, kind: type[Entity]
) -> None:
    has = set(typing.get_type_hints(kind).values())
    if Address in has:
        assert what_of(name).startswith("plain address")
    elif AddressDigests in has or AddressDigests | None in has:
        assert what_of(name).startswith("digests")
    else:
        assert not what_of(name).startswith("plain address")


def test_every_folder_is_on_the_page_and_no_other() -> None:
    named = re.findall(r"^\| `([^`]+/)` \|", SECTION, re.MULTILINE)
    assert Counter(named) == Counter(list(FOLDERS))


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`(tests/[\w/.]+)`", PAGE))))
def test_every_test_that_it_names_is_there(path: str) -> None:
    assert (ROOT / path).exists()
