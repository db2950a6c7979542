"""The referee's response: view, confirm, decline, and repeats of each."""

from __future__ import annotations

import pytest

from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.people import Contact, Token, TokenPurpose
from chalicelib.domain.referrals import Referral
from chalicelib.domain.tokens import SEEN_FOR
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import GoneError, InvalidError, UnavailableError
from chalicelib.services.invitations.respond import confirm, decline, view_offer
from chalicelib.services.ports import Remove
from tests.fakes.campaign import CANARY, campaign
from tests.fakes.due import expire
from tests.fakes.repository import TornRepository
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world, wrapped

NEWCOMER = "jeanne@gmail.com"


@pytest.fixture
def token(world: World) -> str:
    """The token of an invitation that was sent."""
    world.invite(world.sponsor(first_name="Camille"), NEWCOMER)
    world.run()
    return world.token_of(NEWCOMER)


def unsubscribe_token(world: World, position: int = 0) -> str:
    header = world.mailer.to(NEWCOMER)[position].message["List-Unsubscribe"]
    return str(header).strip("<>").rsplit("/", 1)[1]


def state(world: World) -> InvitationState:
    [invitation] = world.memory.all(Invitation)
    return invitation.state


def addresses(world: World) -> list[str]:
    return [contact.address.typed for contact in world.memory.all(Contact)]


def test_looking_at_the_offer_changes_nothing(world: World, token: str) -> None:
    before = dict(world.memory._items)
    offer = view_offer(world.ports, token)
    assert offer.sponsor_name == "Camille"
    assert view_offer(world.ports, token) == offer
    assert world.memory._items == before


def test_confirming_again_answers_the_same_and_changes_nothing(world: World, token: str) -> None:
    first, made = confirm(world.ports, token, "1", True)
    world.run()
    again, made_again = confirm(world.ports, token, "1", False)
    assert (made, made_again) == (True, False)
    assert again.referral_id == first.referral_id
    assert again.marketing_consent
    world.run()
    assert len(world.facts(FactName.VOUCHER_ISSUED)) == 1
    assert view_offer(world.ports, token).invitation.referral_id == first.referral_id


def test_a_confirmation_keeps_the_versions_it_was_made_with(world: World, token: str) -> None:
    referral = confirm(world.ports, token, "1", False)[0]
    assert (referral.campaign_version, referral.customers_version) == (1, 1)
    assert (referral.terms_version, referral.marketing_consent) == ("1", False)


def test_other_terms_than_those_in_force_are_not_accepted(world: World, token: str) -> None:
    with pytest.raises(InvalidError, match="terms_version"):
        confirm(world.ports, token, "0", False)
    assert state(world) is InvitationState.SENT


def test_law_3_who_became_a_customer_meanwhile_cannot_confirm(world: World, token: str) -> None:
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, NEWCOMER], file="next")
    with pytest.raises(GoneError):
        confirm(world.ports, token, "1", False)
    assert world.memory.all(Referral) == []
    assert state(world) is InvitationState.EXPIRED
    [closed] = world.facts(FactName.INVITATION_EXPIRED)
    assert closed.details == {
        "verdict": "refused",
        "reason": "became_customer",
        "customers_version": 2,
        "found_on_later_list": "yes",
    }
    assert addresses(world) == [VIPS[0]]


def test_law_3_breaks_at_the_confirmation_without_the_look_up(world: World, token: str) -> None:
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, NEWCOMER], file="next")
    world.lists.knows_nobody = True
    assert confirm(world.ports, token, "1", False)[1]


@pytest.mark.parametrize("why", ["no_list", "too_old", "read_failed", "key_not_in_force"])
def test_law_3_without_a_trustworthy_list_nobody_confirms_and_nothing_changes(
    world: World, token: str, why: str
) -> None:
    world.lists.fails = why
    before = dict(world.memory._items)
    with pytest.raises(UnavailableError):
        confirm(world.ports, token, "1", False)
    assert world.memory._items == before
    world.lists.fails = None
    assert confirm(world.ports, token, "1", False)[1]


def test_declining_erases_the_address_and_may_be_repeated(world: World, token: str) -> None:
    decline(world.ports, token)
    decline(world.ports, token)
    assert state(world) is InvitationState.DECLINED
    assert addresses(world) == [VIPS[0]]
    assert len(world.facts(FactName.INVITATION_DECLINED)) == 1
    with pytest.raises(GoneError):
        confirm(world.ports, token, "1", False)
    with pytest.raises(GoneError):
        view_offer(world.ports, token)


def test_declining_twice_at_once_has_the_same_result(world: World, token: str) -> None:
    other = wrapped(
        world, lambda inner: TornRepository(inner, lambda: decline(world.ports, token), Contact)
    )
    assert decline(other, token) == world.facts(FactName.INVITATION_DECLINED)[0].correlation
    assert len(world.facts(FactName.INVITATION_DECLINED)) == 1


def test_an_invitation_whose_address_is_past_its_end_cannot_be_declined(
    world: World, token: str
) -> None:
    [contact] = [one for one in world.memory.all(Contact) if one.address.typed == NEWCOMER]
    world.repository.commit(Remove(contact))
    with pytest.raises(GoneError):
        decline(world.ports, token)


def test_a_confirmed_invitation_cannot_be_declined(world: World, token: str) -> None:
    confirm(world.ports, token, "1", False)
    with pytest.raises(GoneError):
        decline(world.ports, token)


@pytest.mark.usefixtures("token")
def test_an_unknown_token_or_one_for_another_purpose_is_refused(world: World) -> None:
    for text in ("unknown", unsubscribe_token(world), world.mailer.to(VIPS[0])[0].tokens[0]):
        for use_case in (view_offer, decline):
            with pytest.raises(GoneError):
                use_case(world.ports, text)
        with pytest.raises(GoneError):
            confirm(world.ports, text, "1", False)


def test_an_invitation_has_ended_after_its_closing_day(world: World, token: str) -> None:
    world.clock.now = world.memory.all(Invitation)[0].closes_at
    assert view_offer(world.ports, token).sponsor_name == "Camille"
    world.clock.advance(seconds=1)
    for use_case in (view_offer, decline):
        with pytest.raises(GoneError):
            use_case(world.ports, token)
    expire(world.ports)
    with pytest.raises(GoneError):
        confirm(world.ports, token, "1", False)
    assert addresses(world) == [VIPS[0]]


def test_an_answer_is_possible_before_the_sending_was_noted(world: World, token: str) -> None:
    [invitation] = world.memory.all(Invitation)
    assert invitation.decision
    key = ("SPONSOR#" + invitation.sponsor_id, "INVITATION#" + invitation.invitation_id)
    world.memory._items[key] = Invitation(
        **{**vars(invitation), "state": InvitationState.RECEIVED, "sent_at": None}
    )
    assert confirm(world.ports, token, "1", False)[1]


def test_an_invitations_token_ends_some_time_after_its_closing_day(
    world: World, token: str
) -> None:
    confirm(world.ports, token, "1", False)
    world.clock.now = world.memory.all(Invitation)[0].closes_at + SEEN_FOR
    with pytest.raises(GoneError):
        view_offer(world.ports, token)
    world.clock.advance(seconds=-1)
    assert view_offer(world.ports, token).sponsor_name == "Camille"


def test_an_invitations_token_never_outlives_the_address() -> None:
    world = new_world(ends_on="2026-03-02", retention_days=1)
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    ends = {one.purpose: one.ends_at for one in world.memory.all(Token) if one.invitation_id}
    assert ends[TokenPurpose.INVITATION] == world.campaign.contact_ends_at()
    # Who objects to a mail is heard for longer than she can be written to.
    assert ends[TokenPurpose.UNSUBSCRIBE] > ends[TokenPurpose.INVITATION]


def test_an_erased_sponsor_makes_no_more_offers(world: World, token: str) -> None:
    [contact] = [one for one in world.memory.all(Contact) if one.address.typed == VIPS[0]]
    world.repository.commit(Remove(contact))
    with pytest.raises(GoneError):
        view_offer(world.ports, token)


def test_new_terms_are_asked_for_as_soon_as_they_are_in_force(world: World, token: str) -> None:
    terms = {"version": "2", "url": "https://demo.test/terms"}
    put_campaign(world.ports, campaign(terms=terms))
    world.clock.advance(seconds=20)
    with pytest.raises(InvalidError):
        confirm(world.ports, token, "1", False)
    assert confirm(world.ports, token, "2", False)[0].campaign_version == 2
