"""Which addresses are one mailbox under our own key (docs/vectors/mailboxes.json)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.domain.addresses import OWN_KEY_ID, Address, AddressDigests, DigestKey
from chalicelib.domain.eligibility import is_same_person

VECTORS = json.loads(
    (Path(__file__).parents[2] / "docs/vectors/mailboxes.json").read_text(encoding="utf-8")
)
KEYS = [DigestKey("k1", secret=b"the client's"), DigestKey(OWN_KEY_ID, secret=b"our own")]


def digests(address: str) -> AddressDigests:
    return AddressDigests.of(Address.parse(address), KEYS)


@pytest.mark.parametrize("addresses", VECTORS["same"], ids=lambda row: row[0])
def test_all_spellings_of_a_mailbox_are_one_person(addresses: list[str]) -> None:
    assert len({Address.parse(address).mailbox for address in addresses}) == 1
    first, *others = map(digests, addresses)
    assert all(is_same_person(first, other) for other in others)


@pytest.mark.parametrize("addresses", VECTORS["different"], ids=lambda row: row[0])
def test_no_two_people_become_one(addresses: list[str]) -> None:
    assert len({Address.parse(address).mailbox for address in addresses}) == len(addresses)
    first, *others = map(digests, addresses)
    assert not any(is_same_person(first, other) for other in others)


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("+tag@gmail.com", "+tag@gmail.com"),
        ("moi+x@yahoo.co.uk", "moi@yahoo.co.uk"),
        ("moi-x@yahoo.com.br", "moi@yahoo.com.br"),
        ("moi+x@live.com.pt", "moi@live.com.pt"),
        ("moi+x@live.example", "moi+x@live.example"),
        ("moi+x@myhotmail.fr", "moi+x@myhotmail.fr"),
        ("moi.ici+x@ya.ru", "moi-ici@yandex.ru"),
        ("x@paul.ici.fastmail.com", "x@paul.ici.fastmail.com"),
        ("x+y@paul.fastmail.fm", "paul@fastmail.fm"),
        ("jean+x@posteo.de", "jean@posteo.de"),
    ],
)
def test_what_is_known_of_providers(address: str, mailbox: str) -> None:
    parsed = Address.parse(address)
    assert parsed.mailbox == mailbox
    assert Address.parse(mailbox).mailbox == mailbox


def test_the_client_is_asked_by_the_published_recipe_alone() -> None:
    pair = digests("vip+achats@me.com").under("k1")
    assert pair.canonical == digests("vip@me.com").under("k1").exact
    known = digests("vip+achats@me.com").known_to_client
    assert digests("vip@icloud.com").under("k1").exact not in known


def test_what_earlier_versions_stored_under_our_own_key_is_still_found() -> None:
    assert digests("vip@me.com").under(OWN_KEY_ID).exact in digests("vip+x@me.com").values
    # Most addresses need no further pair for it.
    assert digests("jean.ne+x@gmail.com").key_ids == digests("a@orange.fr").key_ids
