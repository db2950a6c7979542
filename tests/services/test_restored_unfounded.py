"""A fact that does not follow from the table as it is brings nothing back: it is put off, and named
if nothing later explains it.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.addresses import Address, AddressDigests
from chalicelib.domain.consents import own_digest
from chalicelib.domain.fact_bodies import PrivacyMailsResumed
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.privacy import PrivacyLink, stop_of_privacy_mails
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.vouchers import Voucher, revoked
from chalicelib.services.facts import new_fact
from chalicelib.services.ports import Change, Remove, Replace
from chalicelib.services.restoring.adopt import changes_of
from chalicelib.services.restoring.outside import Outside
from chalicelib.services.restoring.work import UnfoundedError, Work
from chalicelib.services.vouchers.redeem import redeem, roll_back
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.world import World, new_world
from tests.services.test_privacy_requests import ask
from tests.services.test_redeem import purchase
from tests.services.test_replacement import exported, refuse

JEANNE, PAUL = "jeanne@example.fr", "paul@example.fr"


def brought_back(world: World, fact: Fact, *order_ids: str) -> list[Change]:
    """What a fact changes, where the client's files name these orders."""
    outside = Outside(CAMPAIGN, ordered_at=dict.fromkeys(order_ids, world.clock()))
    return changes_of(Work(world.ports, outside, world.clock()), fact)


def last(world: World, name: FactName) -> Fact:
    return world.facts(name)[-1]


def about(fact: Fact, voucher: Voucher) -> Fact:
    """The fact, of another voucher."""
    ids = {**fact.ids, "voucher": voucher.voucher_id, "holder": voucher.holder_id}
    return replace(fact, fact_id="other", ids=ids, subject=voucher.voucher_id)


def test_a_voucher_in_no_export_was_not_acknowledged() -> None:
    world = exported(new_world())
    world.acknowledge(1)
    fact = last(world, FactName.VOUCHER_ACKNOWLEDGED)
    referral = world.referral(PAUL)
    [voucher] = world.repository.held_by(referral.referral_id)
    with pytest.raises(UnfoundedError):
        brought_back(world, about(fact, voucher))
    world.export()
    [voucher] = world.repository.held_by(referral.referral_id)
    assert len(brought_back(world, about(fact, voucher))) == 1


def used() -> tuple[World, Voucher]:
    """A world, and a voucher of it that was used and given back."""
    world = new_world()
    referral = world.referral(JEANNE)
    [voucher] = world.repository.held_by(referral.referral_id)
    redeem(world.ports, voucher.code, purchase(world))
    roll_back(world.ports, voucher.code, "A1")
    return world, voucher


@pytest.mark.parametrize("order_ids", [[], ["A1"]])
def test_a_use_that_was_given_back_is_not_given_back_again(order_ids: list[str]) -> None:
    world, _ = used()
    with pytest.raises(UnfoundedError):
        brought_back(world, last(world, FactName.VOUCHER_ROLLED_BACK), *order_ids)


@pytest.mark.parametrize("is_live", [True, False])
def test_a_voucher_that_is_not_live_was_not_used_meanwhile(is_live: bool) -> None:
    world, _ = used()
    world.repository.commit(*map(Remove, world.memory.all(Redemption)))
    if is_live:
        assert brought_back(world, last(world, FactName.VOUCHER_REDEEMED))
        return
    [voucher] = world.memory.all(Voucher)
    world.repository.commit(Replace(revoked(voucher, world.clock())))
    with pytest.raises(UnfoundedError):
        brought_back(world, last(world, FactName.VOUCHER_REDEEMED))


def test_a_voucher_that_was_replaced_is_not_replaced_again() -> None:
    world = exported(new_world())
    refuse(world, 1)
    fact = last(world, FactName.VOUCHER_ISSUED)
    assert fact.ids["replaces"]
    with pytest.raises(UnfoundedError):
        brought_back(world, replace(fact, ids={**fact.ids, "voucher": "other"}))


@pytest.mark.parametrize("is_stopped", [True, False])
def test_a_link_that_is_no_stop_outlives_the_resumption_of_the_mails(is_stopped: bool) -> None:
    world = new_world()
    world.referral(JEANNE)
    ask(world, JEANNE)
    [link] = world.memory.all(PrivacyLink)
    if is_stopped:
        digest = AddressDigests.of(Address.parse(JEANNE), [world.ports.keys.own()])
        link = stop_of_privacy_mails(CAMPAIGN, "demo", own_digest(digest), link, world.clock())
        world.repository.commit(Replace(link))
    [contact] = {one.ids["contact"] for one in world.facts(FactName.PRIVACY_LINK_GRANTED)}
    fact = new_fact(
        world.ports, PrivacyMailsResumed(contact_id=contact), campaign=CAMPAIGN, subject=contact,
        correlation="c",
    )  # fmt: skip
    assert bool(brought_back(world, fact)) is is_stopped
