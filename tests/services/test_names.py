"""The names in mails: whose invitations they sign, and whom they greet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.first_names import FirstNameError
from chalicelib.domain.people import Contact, Session, Sponsor
from chalicelib.services.errors import ClosedError, InvalidError, UnauthorisedError
from chalicelib.services.invitations.invite import Referee, invite, sign_up
from chalicelib.services.ports import Remove, Replace
from chalicelib.services.sponsors.sessions import give_name
from chalicelib.services.sponsors.sign_in import request_sign_in
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.world import VIPS, World, new_world

BRAND, NEWCOMER = "Maison Demo", "jeanne@example.fr"


@pytest.fixture
def world() -> World:
    return new_world()


def own_contact(world: World) -> Contact:
    [sponsor] = world.memory.all(Sponsor)
    contact = world.repository.get(Contact, contact_id=sponsor.contact_id)
    assert contact
    return contact


def link_code(world: World) -> str:
    return world.memory.all(Sponsor)[0].link_code


def problems(world: World, session: Session, *referees: Referee) -> list[tuple[str, str]]:
    with pytest.raises(InvalidError) as raised:
        invite(world.ports, session, referees, None)
    return [(problem.field, problem.reason) for problem in raised.value.problems]


def test_a_sponsor_invites_nobody_before_giving_a_name(world: World) -> None:
    session = world.sponsor(first_name=None)
    referee = Referee(Address.parse(NEWCOMER))
    assert problems(world, session, referee) == [("first_name", "missing")]
    with pytest.raises(ClosedError):
        sign_up(world.ports, CAMPAIGN, link_code(world), referee)
    give_name(world.ports, session, "Camille")
    sign_up(world.ports, CAMPAIGN, link_code(world), referee)
    world.run()
    assert "Camille" in world.mailer.to(NEWCOMER)[0].text


def test_the_name_of_an_earlier_visit_is_kept(world: World) -> None:
    world.sponsor(first_name="Camille")
    world.sponsor(first_name=None)
    assert own_contact(world).first_name == "Camille"


def test_nobody_signs_or_is_greeted_as_the_brand(world: World) -> None:
    request_sign_in(world.ports, CAMPAIGN, Address.parse(VIPS[0]))
    world.run()
    with pytest.raises(FirstNameError):
        world.sponsor(first_name=BRAND)
    session = world.sponsor()
    with pytest.raises(FirstNameError):
        give_name(world.ports, session, BRAND)
    assert own_contact(world).first_name == "Anne"
    referees = [
        Referee(Address.parse("a@example.fr"), "Paul"),
        Referee(Address.parse("b@example.fr"), BRAND),
    ]
    assert problems(world, session, *referees) == [("referees[1].first_name", "not_a_person")]


def test_an_erased_sponsor_has_no_name_to_give(world: World) -> None:
    session = world.sponsor()
    world.repository.commit(Remove(own_contact(world)))
    with pytest.raises(UnauthorisedError):
        give_name(world.ports, session, "Camille")
    assert problems(world, session, Referee(Address.parse(NEWCOMER)))[0] == (
        "first_name",
        "missing",
    )


def test_a_repeated_call_is_answered_even_without_a_name(world: World) -> None:
    session = world.sponsor()
    referees = [Referee(Address.parse(NEWCOMER))]
    ids = invite(world.ports, session, referees, "key")
    world.repository.commit(Replace(replace(own_contact(world), first_name=None)))
    assert invite(world.ports, session, referees, "key") == ids


def test_a_name_that_an_earlier_version_kept_of_a_sign_up_greets_nobody(world: World) -> None:
    world.sponsor(first_name="Camille")
    sign_up(world.ports, CAMPAIGN, link_code(world), Referee(Address.parse(NEWCOMER)))
    [typed] = [one for one in world.memory.all(Contact) if one.address.typed == NEWCOMER]
    world.repository.commit(Replace(replace(typed, first_name="Vilain")))
    world.run()
    [mail] = world.mailer.to(NEWCOMER)
    assert "Vilain" not in mail.text
    assert "Camille" in mail.text
