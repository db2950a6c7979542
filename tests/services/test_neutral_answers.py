"""Law 8: no public answer tells whether an address is a customer, a VIP, or already invited.

The bytes of an answer are tested with the API; here, that the work done before the answer is the
same for everybody: the same reads, the same writes, no list look-up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import seen_by_sponsor
from chalicelib.domain.privacy import Wish
from chalicelib.services.invitations.decide import decide_invitation
from chalicelib.services.invitations.invite import Referee, invite, sign_up
from chalicelib.services.invitations.respond import decline
from chalicelib.services.mail_ports import MailNotSentError
from chalicelib.services.ports import Ports
from chalicelib.services.privacy.request import decide_privacy_request, request_privacy
from chalicelib.services.sponsors.sign_in import decide_sign_in, request_sign_in
from chalicelib.services.sponsors.space import view_sponsor_space
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.repository import RecordingRepository
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world

INVITED = "invited@example.fr"
EVERYBODY = [VIPS[1], CUSTOMERS[0], INVITED, "stranger@example.fr", "no-reply@example.fr"]
UseCase = Callable[[World, Ports, str], object]


def sign_in(_world: World, ports: Ports, address: str) -> object:
    request_sign_in(ports, CAMPAIGN, Address.parse(address))
    return None


def privacy(_world: World, ports: Ports, address: str) -> object:
    request_privacy(ports, CAMPAIGN, Address.parse(address), Wish.ERASE)
    return None


def by_mail(world: World, ports: Ports, address: str) -> object:
    return len(invite(ports, world.sponsor(), [Referee(Address.parse(address))], None))


def by_link(world: World, ports: Ports, address: str) -> object:
    link = view_sponsor_space(world.ports, world.sponsor()).sponsor.link_code
    return sign_up(ports, CAMPAIGN, link, Referee(Address.parse(address)))


def eager_sign_in(world: World, ports: Ports, address: str) -> object:
    """What law 8 forbids: deciding before the answer."""
    request_sign_in(ports, CAMPAIGN, Address.parse(address))
    return decide_sign_in(ports, world.facts(FactName.SIGN_IN_REQUESTED)[-1])


def eager_privacy(world: World, ports: Ports, address: str) -> object:
    """What law 8 forbids: deciding before the answer."""
    request_privacy(ports, CAMPAIGN, Address.parse(address), Wish.EXPORT)
    return decide_privacy_request(ports, world.facts(FactName.PRIVACY_REQUESTED)[-1])


def eager_invitation(world: World, ports: Ports, address: str) -> object:
    """What law 8 forbids: deciding before the answer."""
    invite(ports, world.sponsor(), [Referee(Address.parse(address))], None)
    return decide_invitation(ports, world.facts(FactName.INVITATION_RECEIVED)[-1])


def traces(use_case: UseCase, **changes: Any) -> set[tuple[object, ...]]:
    """The answer and every call made before it, for each of everybody."""
    seen = set()
    for address in EVERYBODY:
        world = new_world(**changes)
        world.invite(world.sponsor(), INVITED)
        world.run()
        recorder = RecordingRepository(world.repository)
        ports = replace(world.ports, repository=recorder)
        seen.add((use_case(world, ports, address), *recorder.calls))
    return seen


@pytest.mark.parametrize("use_case", [sign_in, privacy, by_mail, by_link])
def test_law_8_the_work_before_the_answer_is_the_same_for_everybody(use_case: UseCase) -> None:
    assert len(traces(use_case)) == 1


def from_a_network(world: World, ports: Ports, address: str) -> object:
    referees = [Referee(Address.parse(address))]
    return len(invite(ports, world.sponsor(), referees, None, "203.0.113.0/24"))


@pytest.mark.parametrize("use_case", [sign_in, by_mail, by_link, from_a_network])
def test_law_8_a_review_asks_nothing_about_anybody_before_the_answer(use_case: UseCase) -> None:
    review = {"per_private_domain_per_day": 1, "per_sponsor_per_hour": 1}
    assert len(traces(use_case, review=review)) == 1


@pytest.mark.parametrize("use_case", [eager_sign_in, eager_privacy, eager_invitation])
def test_law_8_breaks_when_the_decision_is_made_before_the_answer(use_case: UseCase) -> None:
    assert len(traces(use_case)) > 1


@pytest.mark.parametrize("use_case", [sign_in, privacy, by_mail, by_link])
def test_law_8_no_list_is_asked_before_the_answer(world: World, use_case: UseCase) -> None:
    session = world.sponsor()
    world.lists.find = None  # type: ignore[method-assign, assignment]
    link = view_sponsor_space(world.ports, session).sponsor.link_code
    if use_case is sign_in:
        request_sign_in(world.ports, CAMPAIGN, Address.parse(VIPS[0]))
    elif use_case is privacy:
        request_privacy(world.ports, CAMPAIGN, Address.parse(VIPS[0]), Wish.EXPORT)
    elif use_case is by_mail:
        invite(world.ports, session, [Referee(Address.parse(INVITED))], None)
    else:
        sign_up(world.ports, CAMPAIGN, link, Referee(Address.parse(INVITED)))


def test_law_8_the_sponsors_page_shows_refused_unanswered_declined_and_bounced_alike() -> None:
    world = new_world()
    session = world.sponsor()
    world.invite(session, CUSTOMERS[0], "unanswered@example.fr", "declines@example.fr")
    world.run()
    decline(world.ports, world.token_of("declines@example.fr"))
    world.mailer.answers = [MailNotSentError("MessageRejected", final=True)]
    world.invite(session, "paul@example.fr")
    world.run()

    def seen() -> list[tuple[str, object]]:
        invitations = view_sponsor_space(world.ports, session).invitations
        return [(seen_by_sponsor(one, world.clock()), one.closes_at) for one in invitations]

    assert len({one.state for one in view_sponsor_space(world.ports, session).invitations}) == 4
    assert {state for state, _ in seen()} == {"pending"}
    assert len(set(seen())) == 1
    world.clock.now = view_sponsor_space(world.ports, session).invitations[0].closes_at
    assert {state for state, _ in seen()} == {"pending"}
    world.clock.advance(seconds=1)
    assert {state for state, _ in seen()} == {"closed"}
