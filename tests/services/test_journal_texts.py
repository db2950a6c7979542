"""Whatever happens, nothing of a person, of the client's own ids, or secret is in a fact (law 9).

Every kind of fact is made to happen, and each line that the journal gets is searched for all that
the table, the mails and the lists have of people: so an erasure has nothing to change in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.consents import Consent
from chalicelib.domain.facts import FactName
from chalicelib.domain.journal import canonical
from chalicelib.domain.orders import Order
from chalicelib.domain.people import (
    Contact,
    Link,
    Opposition,
    RefereeClaim,
    Session,
    Sponsor,
    SponsorClaim,
    Token,
)
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import SpareCode, Voucher
from tests.fakes.campaign import digest
from tests.fakes.world import CUSTOMERS, VIPS, World
from tests.services.fact_cases import CASES, NEWCOMER, OTHER, STRANGER
from tests.services.test_check_facts import played

ADDRESSES = [*CUSTOMERS, *VIPS, NEWCOMER, OTHER, STRANGER]


def _of_people(world: World) -> Iterator[str]:
    for address in ADDRESSES:
        yield from (address, address.partition("@")[0], digest(address))
    for contact in world.memory.all(Contact):
        yield from filter(None, (contact.first_name,))
    for mail in world.mailer.sent:
        yield from (mail.recipient, *mail.tokens)
    yield from (one.digest for one in world.memory.all(SponsorClaim))
    yield from (one.digest for one in world.memory.all(RefereeClaim))
    yield from (one.digest for one in world.memory.all(Opposition))
    yield from (one.digest for one in world.memory.all(Consent))
    for sponsor in world.memory.all(Sponsor):
        yield from sponsor.digests.values
    for referral in world.memory.all(Referral):
        referee: AddressDigests = referral.referee
        yield from (*referee.values, referral.sponsor_digest)


def _secrets(world: World) -> Iterator[str]:
    yield from (token.token_hash for token in world.memory.all(Token))
    yield from (session.session_hash for session in world.memory.all(Session))
    yield from (link.link_code for link in world.memory.all(Link))
    for voucher in world.memory.all(Voucher):
        yield from (voucher.code, voucher.code_key)
    yield from (spare.code for spare in world.memory.all(SpareCode))


def _of_the_client(world: World) -> set[str]:
    return {
        *(order.order_id for order in world.memory.all(Order)),
        *(redemption.order_id for redemption in world.memory.all(Redemption)),
    }


def _leaves(value: object) -> Iterator[str]:
    match value:
        case dict():
            for each in value.values():
                yield from _leaves(each)
        case str():
            yield value
        case _:
            pass


@pytest.mark.parametrize("name", CASES)
def test_law_9_no_line_of_the_journal_says_who(name: FactName) -> None:
    world, _ = played(name, "nobody")
    # Where somebody is forgotten, a random id of ours stands for her digests.
    random_ids = {one.sponsor_id for one in world.memory.all(Sponsor)}
    random_ids |= {one.referral_id for one in world.memory.all(Referral)}
    sought = {*_of_people(world), *_secrets(world)} - random_ids
    ids = _of_the_client(world)
    lines = [canonical(fact) for fact in world.facts()]
    assert lines
    for line in lines:
        leaves = set(_leaves(json.loads(line)))
        assert not [one for one in sought if any(one in leaf for leaf in leaves)]
        assert not ids & leaves


def test_what_is_sought_is_there_to_be_found() -> None:
    world, _ = played(FactName.VOUCHER_REDEEMED, "nobody")
    assert {NEWCOMER, digest(NEWCOMER)} <= set(_of_people(world))
    assert len(set(_secrets(world))) > 5
    assert "T1" in _of_the_client(world)
