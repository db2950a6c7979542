"""Who has left the VIP list: the session ends, invitations and the link lead to no mail, and no
public answer tells.
"""

from __future__ import annotations

from functools import partial

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.people import Session, Sponsor
from chalicelib.domain.tokens import CHECKED_EVERY
from chalicelib.services.errors import UnauthorisedError
from chalicelib.services.invitations.invite import Referee, sign_up
from chalicelib.services.list_ports import ListUnavailableError
from chalicelib.services.ports import Remove
from chalicelib.services.sponsors.sessions import end_session, open_session, signed_in
from chalicelib.services.sponsors.sign_in import request_sign_in
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.repository import ContestedRepository
from tests.fakes.world import VIPS, World, wrapped

VIP = VIPS[0]
JEANNE, PAUL = "jeanne@example.fr", "paul@example.fr"


def leave(world: World) -> None:
    """The next VIP list does not have her."""
    world.drop_list("vips", VIPS[1:], file="next")


def come_back(world: World) -> None:
    world.drop_list("vips", [*VIPS, "another@demo.test"], file="again")


def ask(world: World) -> str:
    """The token of a sign-in mail."""
    request_sign_in(world.ports, CAMPAIGN, Address.parse(VIP))
    world.run()
    return world.mailer.to(VIP)[-1].tokens[0]


def session_of(world: World) -> str:
    return open_session(world.ports, CAMPAIGN, ask(world), "Anne")[0]


def test_a_session_ends_soon_after_its_sponsor_left_the_list(world: World) -> None:
    bearer = session_of(world)
    leave(world)
    assert signed_in(world.ports, bearer).campaign == CAMPAIGN
    world.clock.now += CHECKED_EVERY
    for _ in range(2):
        with pytest.raises(UnauthorisedError):
            signed_in(world.ports, bearer)
    assert world.memory.all(Session) == []


def test_the_session_of_a_vip_goes_on_and_the_list_is_asked_now_and_then(world: World) -> None:
    bearer = session_of(world)
    for _ in range(3):
        world.clock.now += CHECKED_EVERY
        assert signed_in(world.ports, bearer).vip_checked_at == world.clock()
    world.lists.find = None  # type: ignore[method-assign, assignment]
    world.clock.advance(seconds=1)
    session = signed_in(world.ports, bearer)
    assert [session] == world.memory.all(Session)


@pytest.mark.parametrize("why", ["read_failed", "too_old", "no_list"])
def test_a_list_that_says_nothing_ends_no_session_and_is_asked_again(
    world: World, why: str
) -> None:
    token = ask(world)
    world.lists.fails = why
    bearer, opened = open_session(world.ports, CAMPAIGN, token, None)
    assert opened.vip_checked_at is None
    world.clock.now += CHECKED_EVERY
    assert signed_in(world.ports, bearer).campaign == CAMPAIGN
    world.lists.fails = None
    leave(world)
    with pytest.raises(UnauthorisedError):
        signed_in(world.ports, bearer)


def test_a_link_that_was_mailed_before_opens_nothing_for_who_has_left(world: World) -> None:
    token = ask(world)
    leave(world)
    with pytest.raises(UnauthorisedError):
        open_session(world.ports, CAMPAIGN, token, None)
    assert world.memory.all(Session) == []
    come_back(world)
    open_session(world.ports, CAMPAIGN, token, None)


def test_the_session_of_an_erased_sponsor_ends(world: World) -> None:
    bearer = session_of(world)
    world.repository.commit(*map(Remove, world.memory.all(Sponsor)))
    world.clock.now += CHECKED_EVERY
    with pytest.raises(UnauthorisedError):
        signed_in(world.ports, bearer)


def test_a_session_that_is_ended_while_it_is_checked_stays_ended(world: World) -> None:
    bearer = session_of(world)
    world.clock.now += CHECKED_EVERY
    first = partial(end_session, world.ports, bearer)
    with pytest.raises(UnauthorisedError):
        signed_in(wrapped(world, lambda table: ContestedRepository(table, first)), bearer)


def test_law_8_the_link_of_a_former_vip_answers_as_before_and_leads_to_no_mail(
    world: World,
) -> None:
    session_of(world)
    [sponsor] = world.memory.all(Sponsor)
    leave(world)
    sign_up(world.ports, CAMPAIGN, sponsor.link_code, Referee(Address.parse(JEANNE)))
    world.run()
    assert world.mailer.to(JEANNE) == []
    [fact] = world.facts(FactName.INVITATION_REFUSED)
    assert (fact.details["reason"], fact.details["vips_version"]) == ("sponsor_left", 2)
    come_back(world)
    sign_up(world.ports, CAMPAIGN, sponsor.link_code, Referee(Address.parse(JEANNE)))
    world.run()
    assert len(world.mailer.to(JEANNE)) == 1


def test_an_invitation_that_waits_is_refused_and_one_that_was_sent_goes_on(world: World) -> None:
    session = world.sponsor()
    world.invite(session, JEANNE)
    world.run()
    world.invite(session, PAUL)
    leave(world)
    world.run()
    assert world.mailer.to(PAUL) == []
    assert world.confirm(JEANNE).sponsor_id == session.sponsor_id


@pytest.mark.parametrize("why", ["too_old", "no_list"])
def test_without_a_vip_list_that_can_be_trusted_nothing_is_sent(world: World, why: str) -> None:
    session = world.sponsor()
    find = world.lists.find

    def no_vips(name: str, *others: object) -> object:
        if name == "vips":
            raise ListUnavailableError(why)
        return find(name, *others)  # type: ignore[arg-type]

    world.lists.find = no_vips  # type: ignore[method-assign, assignment]
    world.invite(session, JEANNE)
    world.run()
    assert world.mailer.to(JEANNE) == []
    assert [one.decision for one in world.memory.all(Invitation)] == [None]
    world.lists.find = find  # type: ignore[method-assign]
    world.drop_list("vips", [*VIPS, "another@demo.test"], file="later")
    world.run()
    assert len(world.mailer.to(JEANNE)) == 1
