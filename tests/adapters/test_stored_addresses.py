"""An address in the item of a contact: one string, as typed, readable whatever it is."""

from __future__ import annotations

import pytest

from chalicelib.adapters.dynamodb.codec import entity_item, entity_of
from chalicelib.domain.addresses import Address
from chalicelib.domain.people import Contact
from tests.fakes.ports import MORNING


def contact(text: str) -> Contact:
    return Contact(
        contact_id="c",
        campaign="demo",
        address=Address.parse(text),
        locale="fr",
        ends_at=MORNING,
    )


def test_it_is_stored_as_typed() -> None:
    stored = entity_item(contact(" Paul.B@Bücher.example."))
    assert stored["address"] == {"S": "Paul.B@Bücher.example."}
    assert entity_of(Contact, stored).address == Address.parse("Paul.B@Bücher.example.")


@pytest.mark.parametrize("text", ["jeanne..dupont@exa_mple.fr", "jeanne", "@", "", "a@b@c"])
def test_one_that_no_rule_of_today_would_accept_is_read(text: str) -> None:
    stored = entity_item(contact("jeanne@example.fr")) | {"address": {"S": text}}
    read = entity_of(Contact, stored)
    assert read.address.typed == text
    assert entity_item(read)["address"] == {"S": text}
