"""Signing in: who gets a mail, and what the token allows, once."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.facts import FactName
from chalicelib.domain.people import Contact, Session, Sponsor, Token
from chalicelib.domain.tokens import SESSION_KEPT_FOR, SESSION_LASTS, hashed, session_end
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import ClosedError, UnauthorisedError, UnknownError
from chalicelib.services.list_ports import ListUnavailableError
from chalicelib.services.ports import Remove
from chalicelib.services.sponsors.sessions import end_session, open_session, signed_in
from chalicelib.services.sponsors.sign_in import decide_sign_in, request_sign_in
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.repository import ContestedRepository
from tests.fakes.world import VIPS, World, new_world, wrapped

VIP = VIPS[0]


def ask(world: World, address: str = VIP) -> None:
    request_sign_in(world.ports, CAMPAIGN, Address.parse(address))
    world.run()


def reasons(world: World) -> list[object]:
    return [fact.details["reason"] for fact in world.facts(FactName.SIGN_IN_REFUSED)]


def test_a_vip_gets_one_mail_whose_token_opens_a_session(world: World) -> None:
    ask(world)
    [mail] = world.mailer.to(VIP)
    bearer, session = open_session(world.ports, CAMPAIGN, mail.tokens[0], "Zoé")
    assert signed_in(world.ports, bearer) == session_stored(session)
    [sponsor] = world.memory.all(Sponsor)
    assert sponsor.vip_list_version == 1


def session_stored(session: Session) -> Session:
    return Session(**{**vars(session), "revision": 1})


def test_who_asks_for_it_stays_signed_in_for_a_month_and_others_do_not(world: World) -> None:
    for is_kept, lasts in ((False, SESSION_LASTS), (True, SESSION_KEPT_FOR)):
        ask(world)
        text = world.mailer.to(VIP)[-1].tokens[0]
        bearer, session = open_session(world.ports, CAMPAIGN, text, None, is_kept=is_kept)
        assert session.ends_at == world.clock() + lasts
        world.clock.now = session.ends_at - timedelta(seconds=1)
        assert signed_in(world.ports, bearer).session_hash == session.session_hash
        world.clock.advance(seconds=1)
        with pytest.raises(UnauthorisedError):
            signed_in(world.ports, bearer)


def test_a_kept_session_ends_with_the_campaigns_addresses_and_not_before_any_other() -> None:
    own = campaign()
    last = own.contact_ends_at()
    assert session_end(own, last - timedelta(days=9), is_kept=True) == last
    late = last - timedelta(hours=1)
    assert session_end(own, late, is_kept=True) == late + SESSION_LASTS


def test_a_kept_session_ends_when_its_sponsor_signs_out_or_is_no_vip_any_more(
    world: World,
) -> None:
    ask(world)
    text = world.mailer.to(VIP)[-1].tokens[0]
    bearer, _ = open_session(world.ports, CAMPAIGN, text, None, is_kept=True)
    end_session(world.ports, bearer)
    with pytest.raises(UnauthorisedError):
        signed_in(world.ports, bearer)
    ask(world)
    text = world.mailer.to(VIP)[-1].tokens[0]
    bearer, _ = open_session(world.ports, CAMPAIGN, text, None, is_kept=True)
    world.drop_list("vips", VIPS[1:], file="next")
    world.clock.advance(minutes=15)
    with pytest.raises(UnauthorisedError):
        signed_in(world.ports, bearer)


def test_tokens_and_sessions_are_kept_as_hashes_only(world: World) -> None:
    ask(world)
    token = world.mailer.to(VIP)[0].tokens[0]
    bearer, _ = open_session(world.ports, CAMPAIGN, token, None)
    kept = repr(world.memory.all(Token)) + repr(world.memory.all(Session))
    assert token not in kept
    assert bearer not in kept
    assert hashed(token) in kept


def test_anybody_else_gets_nothing_and_their_address_is_not_kept(world: World) -> None:
    ask(world, "stranger@example.fr")
    assert world.mailer.sent == []
    assert world.memory.all(Contact) == []
    assert reasons(world) == ["not_on_vip_list"]


def test_without_a_trustworthy_vip_list_nobody_gets_a_mail(world: World) -> None:
    world.clock.advance(days=91)
    ask(world)
    assert world.mailer.sent == []
    assert reasons(world) == ["list_unavailable"]


def test_a_failed_read_of_the_list_is_tried_again(world: World) -> None:
    world.lists.fails = "read_failed"
    ask(world)
    assert world.mailer.sent == []
    [requested] = world.facts(FactName.SIGN_IN_REQUESTED)
    with pytest.raises(ListUnavailableError):
        decide_sign_in(world.ports, requested)
    world.lists.fails = None
    world.run()
    assert len(world.mailer.to(VIP)) == 1


def test_a_request_decided_twice_makes_one_sponsor_and_one_mail(world: World) -> None:
    ask(world)
    [requested] = world.facts(FactName.SIGN_IN_REQUESTED)
    assert decide_sign_in(world.ports, requested) == "decided_already"
    world.run()
    assert len(world.mailer.to(VIP)) == 1
    assert len(world.memory.all(Sponsor)) == 1


def test_a_request_decided_again_never_erases_its_sponsor() -> None:
    world = new_world(quotas={"sign_in_mails_per_day": 1})
    ask(world)
    [requested] = world.facts(FactName.SIGN_IN_REQUESTED)
    decide_sign_in(world.ports, requested)
    assert [contact.address.typed for contact in world.memory.all(Contact)] == [VIP]


def test_a_request_granted_hours_later_and_repeated_later_still_is_granted_once(
    world: World,
) -> None:
    world.lists.fails = "read_failed"
    ask(world)
    world.lists.fails = None
    world.clock.advance(hours=3)
    world.run()
    [requested] = world.facts(FactName.SIGN_IN_REQUESTED)
    world.clock.advance(hours=3)
    assert decide_sign_in(world.ports, requested) == "decided_already"


def test_an_alias_of_a_vip_is_the_same_sponsor(world: World) -> None:
    world.drop_list("vips", [*VIPS, "jeanne@gmail.com"], file="aliases")
    world.sponsor("jeanne@gmail.com")
    ask(world, "j.eanne+x@gmail.com")
    assert len(world.memory.all(Sponsor)) == 1
    assert len(world.mailer.to("j.eanne+x@gmail.com")) == 1


def test_a_token_opens_one_session(world: World) -> None:
    ask(world)
    token = world.mailer.to(VIP)[0].tokens[0]
    open_session(world.ports, CAMPAIGN, token, None)
    with pytest.raises(UnauthorisedError):
        open_session(world.ports, CAMPAIGN, token, None)


def test_a_token_is_worth_nothing_later_elsewhere_or_for_another_purpose(world: World) -> None:
    world.invite(world.sponsor(), "jeanne@example.fr")
    world.run()
    ask(world)
    token = world.mailer.to(VIP)[-1].tokens[0]
    for elsewhere, text in (
        ("other", token),
        (CAMPAIGN, "unknown"),
        (CAMPAIGN, world.token_of("jeanne@example.fr")),
    ):
        with pytest.raises(UnauthorisedError):
            open_session(world.ports, elsewhere, text, None)
    world.clock.advance(minutes=30)  # as long as the first link lasts
    with pytest.raises(UnauthorisedError):
        open_session(world.ports, CAMPAIGN, token, None)


def test_a_session_ends(world: World) -> None:
    ask(world)
    bearer, _ = open_session(world.ports, CAMPAIGN, world.mailer.to(VIP)[0].tokens[0], None)
    world.clock.advance(hours=12)
    with pytest.raises(UnauthorisedError):
        signed_in(world.ports, bearer)
    with pytest.raises(UnauthorisedError):
        signed_in(world.ports, "unknown")


def test_signing_out_ends_the_session_and_no_other(world: World) -> None:
    bearers = []
    for _ in range(2):
        ask(world)
        bearers.append(open_session(world.ports, CAMPAIGN, tokens_to(VIP, world)[-1], None)[0])
    for _ in range(2):
        end_session(world.ports, bearers[0])
    with pytest.raises(UnauthorisedError):
        signed_in(world.ports, bearers[0])
    assert signed_in(world.ports, bearers[1]).campaign == CAMPAIGN


def test_two_calls_may_sign_out_at_once(world: World) -> None:
    ask(world)
    bearer, _ = open_session(world.ports, CAMPAIGN, tokens_to(VIP, world)[-1], None)
    first = partial(end_session, world.ports, bearer)
    end_session(wrapped(world, lambda table: ContestedRepository(table, first)), bearer)
    assert world.memory.all(Session) == []


def tokens_to(address: str, world: World) -> list[str]:
    """The token of each sign-in link that was mailed, oldest first."""
    return [mail.tokens[0] for mail in world.mailer.to(address)]


def test_nobody_signs_in_to_a_campaign_that_is_closed_or_unknown(world: World) -> None:
    with pytest.raises(UnknownError):
        request_sign_in(world.ports, "other", Address.parse(VIP))
    world.clock.advance(days=365)
    with pytest.raises(ClosedError):
        request_sign_in(world.ports, CAMPAIGN, Address.parse(VIP))


def test_a_sponsors_address_is_kept_as_long_as_a_campaign_that_was_prolonged(world: World) -> None:
    world.sponsor()
    [before] = world.memory.all(Contact)
    assert before.ends_at == world.campaign.contact_ends_at()
    put_campaign(world.ports, campaign(ends_on="2027-12-31"))
    world.clock.advance(minutes=1)
    world.sponsor()
    assert max(one.ends_at for one in kept(world, before.contact_id)) > before.ends_at


def test_a_sponsor_whose_address_is_gone_is_reached_by_the_one_typed_again(world: World) -> None:
    world.sponsor()
    [gone] = world.memory.all(Contact)
    world.repository.commit(Remove(gone))
    world.sponsor(first_name="Zoé")
    [sponsor] = world.memory.all(Sponsor)
    [adopted] = kept(world, sponsor.contact_id)
    assert adopted.contact_id != gone.contact_id
    assert (adopted.ends_at, adopted.first_name) == (world.campaign.contact_ends_at(), "Zoé")


def test_law_9_a_vips_address_is_kept_once_she_opens_a_session_and_not_before(
    world: World,
) -> None:
    ask(world)
    [typed] = world.memory.all(Contact)
    assert typed.ends_at == world.clock() + timedelta(days=1)
    world.clock.now = typed.ends_at
    assert world.repository.get(Contact, contact_id=typed.contact_id) is None
    ask(world)
    open_session(world.ports, CAMPAIGN, tokens_to(VIP, world)[-1], "Zoé")
    [sponsor] = world.memory.all(Sponsor)
    [contact] = kept(world, sponsor.contact_id)
    assert (contact.ends_at, contact.first_name) == (world.campaign.contact_ends_at(), "Zoé")


def test_of_two_spellings_of_one_mailbox_the_one_that_is_known_is_kept(world: World) -> None:
    world.drop_list("vips", [*VIPS, "jeanne@gmail.com"], file="aliases")
    world.sponsor("jeanne@gmail.com")
    world.sponsor("j.eanne@gmail.com", "Jeanne")
    end = world.campaign.contact_ends_at()
    lasting = [one for one in world.memory.all(Contact) if one.ends_at == end]
    assert [(one.address.typed, one.first_name) for one in lasting] == [
        ("jeanne@gmail.com", "Jeanne")
    ]


def kept(world: World, contact_id: str) -> list[Contact]:
    return [one for one in world.memory.all(Contact) if one.contact_id == contact_id]
