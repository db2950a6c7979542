"""What comes while somebody is forgotten is forgotten too, and from whatever is left of her all the
rest is found.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from chalicelib.adapters.dynamodb.codec import entity_item
from chalicelib.domain.addresses import Address
from chalicelib.domain.consents import Consent
from chalicelib.domain.consents_files import consents_path
from chalicelib.domain.entity import Entity
from chalicelib.domain.fact_bodies import PersonErased
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import (
    Contact,
    Opposition,
    OppositionScope,
    RefereeClaim,
    Session,
    Token,
)
from chalicelib.domain.referrals import Referral
from chalicelib.services.digests import digests_of, new_oppositions
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.mails import send as sending
from chalicelib.services.mails.draft import Draft
from chalicelib.services.persons.erase import erase_again, erase_person
from chalicelib.services.ports import Insert, Ports, Remove, Replace, Repository
from chalicelib.services.sponsors.sign_in import request_sign_in
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.repository import ContestedRepository
from tests.fakes.world import VIPS, World, new_world, wrapped
from tests.services.test_consents import NEWCOMER, consenting
from tests.services.test_erased_books import decide_alone, erase
from tests.services.test_erased_spellings import ASKS, invited
from tests.services.test_erasure import killed_before, needles, own_digests
from tests.services.test_unanswered_mails import confirms, ends_soon, is_released, is_revoked

SPONSOR, REFEREE = VIPS[0], "jeanne@example.fr"


def without(world: World, *kinds: type[Entity]) -> None:
    """The table was restored to a moment that has nothing of these."""
    for kind in kinds:
        world.repository.commit(*map(Remove, world.memory.all(kind)))


def naming(world: World, address: str) -> set[str]:
    """The kinds of items that say who she is, but for an objection under our own key."""
    own = own_digests(world, [address])
    wanted = needles(world, [address], "Zoé")
    found = set()
    for one in world.memory._items.values():
        if not (isinstance(one, Opposition) and one.digest in own):
            text = json.dumps(entity_item(one), ensure_ascii=False)
            if any(each in text for each in wanted):
                found.add(type(one).__name__)
    return found


# --- from whatever is left ------------------------------------------------------------------------


def test_the_id_of_an_invitation_leads_to_all_of_who_got_it(world: World) -> None:
    world.invite(world.sponsor(SPONSOR), REFEREE)
    world.run()
    [invitation] = world.memory.all(Invitation)
    without(world, RefereeClaim)
    assert naming(world, REFEREE) >= {"Contact", "Mail", "Token"}
    body = PersonErased(sponsor_id=invitation.sponsor_id, invitation_id=invitation.invitation_id)
    erase_again(world.ports, world.campaign, body)
    assert naming(world, REFEREE) == set()


def test_the_id_of_a_referral_leads_to_her_words_too(world: World) -> None:
    referral = consenting(world)
    without(world, RefereeClaim)
    body = PersonErased(
        sponsor_id=referral.sponsor_id,
        invitation_id=referral.invitation_id,
        referral_id=referral.referral_id,
    )
    erase_again(world.ports, world.campaign, body)
    assert world.memory.all(Consent) == []
    assert naming(world, NEWCOMER) == set()


def test_the_digest_of_a_referral_leads_to_it_when_nothing_else_does(world: World) -> None:
    world.referral(REFEREE)
    without(world, RefereeClaim, Contact)
    assert len(erase(world, REFEREE).random_ids) == 1
    assert naming(world, REFEREE) == set()
    [referral] = world.memory.all(Referral)
    assert referral.referee.is_erased


def test_forgetting_her_once_more_keeps_her_objection(world: World) -> None:
    """No mail had left, so her digests are known from the claims alone."""
    world.invite(world.sponsor(SPONSOR), REFEREE)
    decide_alone(world)
    digests = digests_of(world.ports, world.campaign, Address.parse(REFEREE))
    scope = OppositionScope.INVITATIONS
    own = digests.under_own_key
    world.repository.commit(*new_oppositions(world.ports, world.campaign, digests, scope))
    [invitation] = world.memory.all(Invitation)
    body = PersonErased(sponsor_id=invitation.sponsor_id, invitation_id=invitation.invitation_id)
    erase_again(world.ports, world.campaign, body)
    assert {one.digest for one in world.memory.all(Opposition)} == set(own)
    assert naming(world, REFEREE) == set()


def test_a_link_by_which_she_may_object_is_hers_by_her_digest(world: World) -> None:
    """Nothing leads to the invitation any more that it came with."""
    world.invite(world.sponsor(SPONSOR), REFEREE)
    world.run()
    without(world, RefereeClaim, Contact, Mail)
    assert naming(world, REFEREE) == {"Token"}
    erase(world, REFEREE)
    assert naming(world, REFEREE) == set()


def test_an_invitation_leads_to_the_claims_of_the_spelling_that_was_typed() -> None:
    """Its mail and its address have ended, and she asks with another spelling."""
    world = invited()
    without(world, Mail, Token, Contact)
    erase(world, ASKS)
    assert world.memory.all(RefereeClaim) == []


def test_a_run_after_one_that_was_killed_names_the_files_of_her_words() -> None:
    """Their rows have no digest of hers any more, the files that were made of them have."""
    known = new_world()
    consenting(known)
    whole = f"{consents_path(CAMPAIGN, 1)}.csv.gz"
    met = 0
    for number in range(1, 12):
        world = copy.deepcopy(known)
        assert killed_before(number, world, NEWCOMER)
        if whole in world.files.content and "ConsentsPart" not in naming(world, NEWCOMER):
            met += 1
            assert whole in {one.path for one in erase(world, NEWCOMER).files}, number
    assert met


# --- what comes between ---------------------------------------------------------------------------


def test_a_session_that_is_opened_meanwhile_ends_too(world: World) -> None:
    session = world.sponsor(SPONSOR)
    late = replace(session, session_hash="f" * 64, revision=0)
    opened = partial(world.memory.commit, Insert(late))
    contested = wrapped(world, lambda one: ContestedRepository(one, opened, 2))
    erase_person(contested, [world.campaign], Address.parse(SPONSOR))
    assert world.memory.all(Session) == []


@pytest.fixture
def typed(world: World) -> World:
    """Of who was forgotten a stranger types the address again: nothing else names her."""
    world.referral(REFEREE)
    erase(world, REFEREE)
    request_sign_in(world.ports, CAMPAIGN, Address.parse(REFEREE))
    assert naming(world, REFEREE) == {"Contact"}
    return world


def touching(world: World, times: int) -> Ports:
    """Somebody changes the address just before each of so many writes."""

    def touch() -> None:
        hers = [one for one in world.memory.all(Contact) if one.address.typed == REFEREE]
        world.memory.commit(*map(Replace, hers))

    def wrap(table: Repository) -> Repository:
        for number in range(1, times + 1):
            table = ContestedRepository(table, touch, number)
        return table

    return wrapped(world, wrap)


def test_what_alone_is_left_is_erased_though_it_changes_meanwhile(typed: World) -> None:
    receipt = erase_person(touching(typed, 2), [typed.campaign], Address.parse(REFEREE))
    assert receipt.removed == {"contact": 1}
    assert naming(typed, REFEREE) == set()


def test_what_is_typed_again_meanwhile_is_erased_too(typed: World) -> None:
    again = partial(request_sign_in, typed.ports, CAMPAIGN, Address.parse(REFEREE))
    contested = wrapped(typed, lambda one: ContestedRepository(one, again))
    receipt = erase_person(contested, [typed.campaign], Address.parse(REFEREE))
    assert receipt.removed == {"contact": 2}
    assert naming(typed, REFEREE) == set()


def test_an_erasure_that_others_never_let_through_is_tried_again_later(typed: World) -> None:
    with pytest.raises(RetryLaterError):
        erase_person(touching(typed, 25), [typed.campaign], Address.parse(REFEREE))
    assert erase(typed, REFEREE).removed == {"contact": 1}


# --- mails that are about to leave ----------------------------------------------------------------


@pytest.mark.parametrize("scene", [confirms, is_released, is_revoked, ends_soon])
def test_law_9_a_mail_that_is_made_while_she_is_forgotten_does_not_leave(
    scene: Callable[[], World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = scene()
    before = len(world.mailer.to(REFEREE))
    made: list[str] = []

    def forgets_first(ports: Ports, draft: Draft, **when: Any) -> Any:
        if not made and draft.contact.address.typed == REFEREE:
            made.append(draft.mail_id)
            erase(world, REFEREE)
        return lease(ports, draft, **when)

    lease = sending._lease
    monkeypatch.setattr(sending, "_lease", forgets_first)
    world.run()
    assert made
    assert len(world.mailer.to(REFEREE)) == before
    assert naming(world, REFEREE) == set()
