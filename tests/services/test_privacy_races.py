"""A file that is asked for twice at once, an erasure whose request changes at the last moment, and
what others have by the same links.
"""

from __future__ import annotations

from functools import partial

import pytest

from chalicelib.domain.facts import FactName
from chalicelib.domain.people import Contact, RefereeClaim, Token
from chalicelib.domain.privacy import PrivacyLink, Wish
from chalicelib.services.errors import GoneError
from chalicelib.services.invitations.respond import view_offer
from chalicelib.services.ports import Replace, Repository
from chalicelib.services.privacy import carry_out
from chalicelib.services.privacy.confirm import confirm_erasure, take_file
from tests.fakes.repository import ContestedRepository
from tests.fakes.world import VIPS, World, wrapped
from tests.services.test_privacy_requests import REFEREE, ask, asked_for

SPONSOR = VIPS[0]


@pytest.fixture
def known(world: World) -> World:
    """A sponsor and a referee; an hour later."""
    world.referral(REFEREE, SPONSOR)
    world.clock.advance(hours=1)
    return world


def test_a_file_that_is_asked_for_twice_at_once_is_made_once(known: World) -> None:
    token = asked_for(known)
    first = partial(take_file, known.ports, token)
    contested = wrapped(known, lambda table: ContestedRepository(table, first))
    assert take_file(contested, token) is None
    assert len(known.facts(FactName.PRIVACY_FILE_ASKED)) == 1


def test_another_request_gives_no_file_by_the_link_that_is_being_carried_out(
    known: World,
) -> None:
    token = asked_for(known, wish=Wish.ERASE)
    confirm_erasure(known.ports, token)
    known.loses = lambda _, fact: fact.name == FactName.ERASURE_CONFIRMED
    known.clock.advance(minutes=10)
    ask(known)
    [link] = known.memory.all(PrivacyLink)
    assert link.contact_id
    with pytest.raises(GoneError):
        take_file(known.ports, token)


def test_a_request_that_changes_at_the_last_moment_ends_with_its_erasure(known: World) -> None:
    confirm_erasure(known.ports, asked_for(known, wish=Wish.ERASE))
    [confirmed] = known.facts(FactName.ERASURE_CONFIRMED)
    touched: list[Contact] = []

    def touch() -> None:
        """When nothing else is left, once."""
        hers = [one for one in known.memory.all(Contact) if one.address.typed == REFEREE]
        if not touched and not known.memory.all(RefereeClaim):
            touched.extend(hers)
            known.memory.commit(*map(Replace, hers))

    def wrap(table: Repository) -> Repository:
        for number in range(1, 40):
            table = ContestedRepository(table, touch, number)
        return table

    assert carry_out.erase_confirmed(wrapped(known, wrap), confirmed) == "erased"
    assert touched
    assert [one for one in known.memory.all(Contact) if one.address.typed == REFEREE] == []


def test_the_referees_of_who_asks_keep_their_links(known: World) -> None:
    """Her request has links of its own, which end with it; theirs name her, and stay."""
    token = known.token_of(REFEREE)
    confirm_erasure(known.ports, asked_for(known, SPONSOR, Wish.ERASE))
    known.run()
    assert view_offer(known.ports, token).sponsor_name is None
    assert known.memory.all(Token)
    assert all(one.invitation_id for one in known.memory.all(Token))
