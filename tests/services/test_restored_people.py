"""People of a table that was taken back: who has a sponsor, and who objected."""

from __future__ import annotations

from dataclasses import fields

import pytest

from chalicelib.domain.consents import Consent
from chalicelib.domain.entity import Entity
from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.people import Contact, Opposition, RefereeClaim, Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.invitations.respond import confirm, decline
from chalicelib.services.mail_ports import MailUncertainError
from chalicelib.services.objections.unsubscribe import unsubscribe
from chalicelib.services.operations.report import report
from chalicelib.services.restoring.adopt import adopt
from tests.fakes.world import VIPS, World, new_world
from tests.services.test_restored_out_of_order import on_other_clocks
from tests.services.test_restoring import (
    JEANNE,
    MARIE,
    bring_forward,
    by_call,
    restore,
    take,
    taken_undecided,
)


def link_to_unsubscribe(world: World, address: str) -> str:
    """The token in the header of somebody's invitation."""
    link: str = world.mailer.to(address)[0].message["List-Unsubscribe"]
    return link.split("/")[-1][:-1]


def known(world: World, kind: type[Entity], *but: str) -> list[dict[str, object]]:
    """What is stored of a kind, but for how often it was, and for other fields."""
    names = {each.name for each in fields(kind)} - {"revision", *but}
    stored = [{name: getattr(one, name) for name in names} for one in world.memory.all(kind)]
    return sorted(stored, key=str)


@pytest.mark.parametrize("mailed", ["before", "since"])
def test_law_9_who_declined_and_objected_later_stays_an_objector(mailed: str) -> None:
    world = new_world()
    session = world.sponsor()
    if mailed == "since":
        taken = taken_undecided(world, session)
    else:
        world.invite(session, JEANNE)
        world.run()
        taken = take(world)
    decline(world.ports, world.token_of(JEANNE))
    world.clock.advance(minutes=10)
    unsubscribe(world.ports, link_to_unsubscribe(world, JEANNE))
    world.run()
    opposed = known(world, Opposition)
    assert opposed
    restore(world, taken)
    [done] = bring_forward(world, taken)
    assert done.without_state == []
    assert known(world, Opposition) == opposed
    assert world.memory.all(Contact) != []


@pytest.mark.parametrize("invited", ["before", "since"])
def test_law_9_who_objected_after_the_confirmation_is_heard(invited: str) -> None:
    world = new_world()
    session = world.sponsor()
    taken = take(world)
    world.invite(session, JEANNE)
    world.run()
    if invited == "before":
        taken = take(world)
    world.confirm(JEANNE)
    world.run()
    world.export()
    unsubscribe(world.ports, link_to_unsubscribe(world, JEANNE))
    world.run()
    opposed = {one.digest for one in world.memory.all(Opposition)}
    [file] = world.exported(1)
    restore(world, taken)
    [done] = bring_forward(world, taken)
    assert FactName.OPPOSITION_RECORDED not in {fact.name for fact in done.without_state}
    now = {one.digest for one in world.memory.all(Opposition)}
    assert now == (opposed if invited == "before" else {file["holder_digest"]})


def test_who_declined_a_mail_of_which_nothing_was_heard_is_erased() -> None:
    world = new_world()
    session = world.sponsor()
    world.mailer.answers, world.mailer.leaves_first = [MailUncertainError("timeout")], True
    taken = taken_undecided(world, session)
    decline(world.ports, world.token_of(JEANNE))
    world.run()
    contacts = known(world, Contact)
    restore(world, taken)
    [done] = adopt(world.ports, taken.at)
    assert done.without_state == []
    assert known(world, Contact) == contacts
    assert [one.state for one in world.memory.all(Invitation)] == ["declined"]


def test_law_1_who_was_invited_by_another_since_the_restore_keeps_that_sponsor() -> None:
    world = new_world()
    session, other = world.sponsor(), world.sponsor(VIPS[1])
    taken = taken_undecided(world, session)
    restore(world, taken)
    world.queues.waiting.clear()
    world.invite(other, JEANNE)
    world.run()
    [claim, *_] = world.memory.all(RefereeClaim)
    assert claim.sponsor_id == other.sponsor_id
    [done] = adopt(world.ports, taken.at)
    assert FactName.INVITATION_ACCEPTED in {fact.name for fact in done.without_state}
    assert {one.sponsor_id for one in world.memory.all(RefereeClaim)} == {other.sponsor_id}
    sent = [one.sponsor_id for one in world.memory.all(Invitation) if one.state == "sent"]
    assert sent == [other.sponsor_id]


def test_law_2_claims_that_were_kept_are_those_of_the_invitation_again() -> None:
    world = new_world()
    session = world.sponsor()
    taken = taken_undecided(world, session)
    claims = known(world, RefereeClaim)
    kept = {
        place: one for place, one in world.memory._items.items() if isinstance(one, RefereeClaim)
    }
    restore(world, taken)
    world.memory._items |= dict(list(kept.items())[:1])
    [done] = bring_forward(world, taken)
    assert done.without_state == []
    assert known(world, RefereeClaim) == claims
    assert len(claims) > 1


def test_who_came_since_has_the_same_sponsor_whatever_the_clocks_said() -> None:
    world = on_other_clocks()
    taken = take(world)
    world.referral(MARIE, VIPS[1])
    report(world.ports, world.campaign)
    world.export()
    world.run()
    [was] = world.memory.all(Referral)
    restore(world, taken)
    bring_forward(world, taken)
    [now] = world.memory.all(Referral)
    [sponsor] = world.memory.all(Sponsor)
    assert (now.sponsor_id, now.sponsor_digest) == (sponsor.sponsor_id, was.sponsor_digest)


def test_what_a_backup_has_without_its_facts_stays_as_it_is() -> None:
    """One transaction may be in a backup in part."""
    world = new_world()
    taken = take(world)
    world.referral(JEANNE)
    items = dict(world.memory._items)
    restore(world, taken)
    world.memory._items = dict(items)
    adopt(world.ports, taken.at)
    for kind in (Sponsor, Invitation, Referral, RefereeClaim, Contact):
        assert world.memory.all(kind) == [one for one in items.values() if type(one) is kind]


def test_whoever_holds_a_code_that_the_client_has_can_use_it_though_its_referral_is_lost() -> None:
    thanks = {"id": "thanks", "when": "referral_confirmed", "issue": "thank-you", "to": "sponsor"}
    world = new_world(rules=[thanks])
    session = world.sponsor()
    taken = take(world)
    world.invite(session, MARIE)
    world.run()
    world.confirm(MARIE)
    world.run()
    world.export()
    world.run()
    restore(world, taken)
    [done] = bring_forward(world, taken)
    assert FactName.REFERRAL_CONFIRMED in {fact.name for fact in done.without_state}
    assert world.memory.all(Referral) == []
    code = by_call(world, "thank-you", "T1")
    assert [row["code"] for row in world.exported(1)] == [code]
    assert [one.redeemed_by for one in world.memory.all(Voucher)] == ["T1"]


def test_a_consent_of_somebody_whom_nobody_knows_any_more_is_named() -> None:
    world = new_world()
    session = world.sponsor()
    taken = take(world)
    world.invite(session, MARIE)
    world.run()
    confirm(world.ports, world.token_of(MARIE), "1", True)
    world.run()
    restore(world, taken)
    [done] = bring_forward(world, taken)
    assert world.memory.all(Consent) == []
    named = {fact.name for fact in done.without_state}
    assert {FactName.REFERRAL_CONFIRMED, FactName.CONSENT_GIVEN} <= named
