"""Shared links: a flood fills a day and never a campaign, and a new link ends the old one."""

from __future__ import annotations

from functools import partial

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import Channel, Invitation
from chalicelib.domain.links import NEW_LINKS_A_DAY, LinkDay
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import Link, Session, Sponsor, is_link_stopped
from chalicelib.services.errors import (
    ClosedError,
    GoneError,
    QuotaError,
    UnauthorisedError,
    UnknownError,
)
from chalicelib.services.invitations.invite import Referee, sign_up
from chalicelib.services.invitations.respond import confirm, view_offer
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from chalicelib.services.ports import Remove
from chalicelib.services.sponsors.renew_link import renew_link
from chalicelib.services.sponsors.space import view_sponsor_space
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.repository import ContestedRepository
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world, wrapped
from tests.services.test_restoring import bring_forward, restore, take

JEANNE, PAUL, ZOE = "jeanne@example.fr", "paul@example.fr", "zoe@example.fr"


def link_of(world: World, session: Session) -> str:
    return view_sponsor_space(world.ports, session).sponsor.link_code


def come(world: World, link: str, *addresses: str) -> None:
    """Somebody types these on the page of a link."""
    for address in addresses:
        sign_up(world.ports, CAMPAIGN, link, Referee(Address.parse(address)))
    world.run()


def strangers(number: int) -> list[str]:
    return [f"stranger{each}@example.fr" for each in range(number)]


# --- what a link takes in -------------------------------------------------------------------------


def test_law_12_a_flood_of_sign_ups_ends_with_the_day_and_takes_nothing_from_the_campaign() -> None:
    world = new_world(quotas={"sign_ups_per_day": 4, "sign_ups_per_link": 1})
    session = world.sponsor()
    link = link_of(world, session)
    for day in range(3):
        if day:
            world.clock.advance(days=1)
        come(world, link, *(f"day{day}.{address}" for address in strangers(4)))
        with pytest.raises(QuotaError, match="sign_ups_per_day"):
            come(world, link, JEANNE)
    assert len([mail for mail in world.mailer.sent if "stranger" in mail.recipient]) == 12
    world.clock.advance(days=1)
    come(world, link, JEANNE)
    assert world.confirm(JEANNE).sponsor_id == session.sponsor_id


def test_a_day_of_a_link_is_the_campaigns_local_day_and_its_count_ends() -> None:
    world = new_world(quotas={"sign_ups_per_day": 1})
    link = link_of(world, world.sponsor())
    world.clock.now = world.campaign.end_of_day(world.campaign.local_date(world.clock()))
    come(world, link, JEANNE)
    with pytest.raises(QuotaError):
        come(world, link, PAUL)
    world.clock.advance(seconds=1)
    come(world, link, PAUL)
    world.clock.advance(days=2)
    stored = {"link_code": link, "day": "2026-03-02"}
    assert world.repository.get(LinkDay, **stored) is None


def test_law_8_a_sign_up_fills_the_day_whatever_the_address_is() -> None:
    for address in (CUSTOMERS[0], VIPS[1], JEANNE, "no-reply@example.fr"):
        world = new_world(quotas={"sign_ups_per_day": 2})
        link = link_of(world, world.sponsor())
        come(world, link, address, address)
        with pytest.raises(QuotaError):
            come(world, link, PAUL)


def test_a_link_takes_nobody_in_once_as_many_as_may_have_confirmed() -> None:
    world = new_world(quotas={"sign_ups_per_link": 2})
    link = link_of(world, world.sponsor())
    come(world, link, JEANNE, PAUL, ZOE)
    for address in (JEANNE, PAUL):
        world.confirm(address)
    with pytest.raises(QuotaError, match="sign_ups_per_link"):
        come(world, link, "late@example.fr")
    token = world.token_of(ZOE)
    with pytest.raises(GoneError):
        view_offer(world.ports, token)
    with pytest.raises(GoneError):
        confirm(world.ports, token, "1", False)
    assert confirm(world.ports, world.token_of(PAUL), "1", False)[1] is False
    assert view_offer(world.ports, world.token_of(PAUL)).invitation.referral_id


def test_of_two_who_confirm_at_once_the_last_place_is_for_one() -> None:
    world = new_world(quotas={"sign_ups_per_link": 1})
    come(world, link_of(world, world.sponsor()), JEANNE, PAUL)
    first = partial(world.confirm, JEANNE)
    contested = wrapped(world, lambda table: ContestedRepository(table, first))
    with pytest.raises(GoneError):
        confirm(contested, world.token_of(PAUL), "1", False)
    assert len(world.facts(FactName.REFERRAL_CONFIRMED)) == 1


def test_invitations_by_address_and_sign_ups_do_not_count_for_each_other() -> None:
    world = new_world(quotas={"sign_ups_per_link": 1, "sign_ups_per_day": 1})
    session = world.sponsor()
    world.invite(session, JEANNE, PAUL)
    world.run()
    world.confirm(JEANNE)
    come(world, link_of(world, session), ZOE)
    world.confirm(ZOE)
    world.confirm(PAUL)


def test_the_sponsor_sees_who_came_by_the_link_once_confirmed_from_the_mail(world: World) -> None:
    session = world.sponsor()
    world.invite(session, "invited@example.fr")
    come(world, link_of(world, session), JEANNE, PAUL)
    world.confirm(PAUL)
    shown = view_sponsor_space(world.ports, session).invitations
    assert {(one.channel, one.masked[0]) for one in shown} == {
        (Channel.EMAIL, "i"),
        (Channel.LINK, "p"),
    }


# --- a new link -----------------------------------------------------------------------------------


def test_a_new_link_ends_the_old_one_and_whoever_came_by_that_goes_on(world: World) -> None:
    session = world.sponsor()
    old = link_of(world, session)
    come(world, old, JEANNE)
    _, sponsor = renew_link(world.ports, session)
    assert sponsor.link_code == link_of(world, session) != old
    with pytest.raises(UnknownError):
        come(world, old, PAUL)
    come(world, sponsor.link_code, PAUL)
    assert {world.confirm(JEANNE).sponsor_id, world.confirm(PAUL).sponsor_id} == {
        session.sponsor_id
    }
    assert [one.link_code for one in world.memory.all(Link)] == [sponsor.link_code]
    assert len(world.facts(FactName.LINK_RENEWED)) == 1


def test_a_new_link_has_a_day_of_its_own_and_so_many_are_made_in_a_day() -> None:
    world = new_world(quotas={"sign_ups_per_day": 1})
    session = world.sponsor()
    for number in range(NEW_LINKS_A_DAY):
        come(world, link_of(world, session), f"stranger{number}@example.fr")
        with pytest.raises(QuotaError):
            come(world, link_of(world, session), JEANNE)
        renew_link(world.ports, session)
    with pytest.raises(QuotaError, match="new_links_a_day"):
        renew_link(world.ports, session)
    world.clock.advance(days=1)
    renew_link(world.ports, session)


def test_a_stopped_links_successor_has_no_problems_and_gets_none_of_the_old_ones() -> None:
    world = new_world(quotas={"problems_per_link": 1})
    session = world.sponsor()
    come(world, link_of(world, session), JEANNE, PAUL)
    report(world, JEANNE)
    assert is_link_stopped(sponsor(world), world.campaign)
    world.clock.advance(minutes=1)
    renew_link(world.ports, session)
    report(world, PAUL)
    assert not is_link_stopped(sponsor(world), world.campaign)
    come(world, link_of(world, session), ZOE)
    report(world, ZOE)
    assert is_link_stopped(sponsor(world), world.campaign)


def sponsor(world: World) -> Sponsor:
    [one] = world.memory.all(Sponsor)
    return one


def report(world: World, address: str) -> None:
    """A complaint about the mail that somebody got."""
    [sent] = world.mailer.to(address)
    mail = world.repository.get(Mail, mail_id=sent.mail_id)
    assert mail
    assert mail.provider_id
    settle_mail(world.ports, MailEvent("complained", mail.mail_id, mail.provider_id))


def test_two_calls_for_a_new_link_leave_one_link(world: World) -> None:
    session = world.sponsor()
    first = partial(renew_link, world.ports, session)
    renew_link(wrapped(world, lambda table: ContestedRepository(table, first)), session)
    assert [one.link_code for one in world.memory.all(Link)] == [sponsor(world).link_code]
    assert sponsor(world).links_made == 2


def test_who_has_no_link_gets_no_new_one() -> None:
    world = new_world(channels=["email"])
    session = world.sponsor()
    with pytest.raises(ClosedError):
        renew_link(world.ports, session)
    world = new_world()
    session = world.sponsor()
    world.repository.commit(Remove(sponsor(world)))
    with pytest.raises(UnauthorisedError):
        renew_link(world.ports, session)


def test_in_a_restored_table_a_link_that_was_replaced_since_ends_again(world: World) -> None:
    session = world.sponsor()
    world.run()
    old = link_of(world, session)
    taken = take(world)
    world.clock.advance(minutes=10)
    renew_link(world.ports, session)
    world.run()
    world.clock.advance(minutes=10)
    restore(world, taken)
    bring_forward(world, taken)
    new = link_of(world, session)
    assert [one.link_code for one in world.memory.all(Link)] == [new] != [old]
    bring_forward(world, taken)
    assert link_of(world, session) == new


def test_a_link_is_renewed_where_the_old_one_is_lost(world: World) -> None:
    session = world.sponsor()
    [link] = world.memory.all(Link)
    world.repository.commit(Remove(link))
    renew_link(world.ports, session)
    come(world, link_of(world, session), JEANNE)
    assert [one.channel for one in world.memory.all(Invitation)] == [Channel.LINK]
