"""Two erasures of one person at once: what she confirmed herself, and the command of an operator.
Each may be killed anywhere; whichever goes on forgets all of her.
"""

from __future__ import annotations

import copy
from functools import partial

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.facts import FactName
from chalicelib.domain.people import Contact, Opposition, Token
from chalicelib.domain.privacy import PURPOSES, Wish
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.invitations.respond import view_offer
from chalicelib.services.persons.erase import erase_person
from chalicelib.services.ports import Ports, Replace, Repository
from chalicelib.services.privacy.carry_out import erase_confirmed
from chalicelib.services.privacy.confirm import confirm_erasure
from chalicelib.services.sponsors.sign_in import request_sign_in
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.fuse import KilledError
from tests.fakes.repository import ContestedRepository
from tests.fakes.world import VIPS, World, new_world, wrapped
from tests.services.test_consents import consenting
from tests.services.test_erased_meanwhile import naming
from tests.services.test_erased_others import document
from tests.services.test_erasure import erase, killed_before
from tests.services.test_privacy_requests import asked_for

REFEREE, SPONSOR, OTHER = "jeanne@example.fr", VIPS[0], "paul@example.fr"
WHO = pytest.mark.parametrize("who", [REFEREE, SPONSOR])


def confirmed(who: str, requests: int = 1) -> World:
    """She has pressed the button; nothing is done yet. Somebody else has all that she has."""
    world = new_world()
    consenting(world, REFEREE)
    world.referral(OTHER, VIPS[1])
    for one in (REFEREE, OTHER):
        world.drop_orders(world.order(one[:4], "kept", of=one), file=one[:4])
        world.run()
    world.export()
    for _ in range(requests):
        world.clock.advance(hours=1)
        token = asked_for(world, who, Wish.ERASE)
        world.loses = lambda _, fact: fact.name == FactName.ERASURE_CONFIRMED
        confirm_erasure(world.ports, token)
        world.run()
        world.loses = lambda *_: False
    return world


def carry_out(world: World, ports: Ports | None = None, which: int = 0) -> str:
    """What the queue delivers, as often as it likes."""
    fact = world.facts(FactName.ERASURE_CONFIRMED)[which]
    return erase_confirmed(ports or world.ports, fact)


def kill() -> None:
    raise KilledError


def kills(world: World, number: int) -> Ports:
    """A process that dies before its n-th write."""
    return wrapped(world, lambda one: ContestedRepository(one, kill, number))


def of(contact: Contact, who: str) -> bool:
    return contact.address.typed == who


def forgotten(world: World, who: str) -> None:
    """Nothing names her, and the books say once that she was forgotten."""
    assert naming(world, who) == set()
    assert not any(of(one, who) for one in world.memory.all(Contact))
    assert world.memory.all(Opposition)
    subjects = [fact.subject for fact in world.facts(FactName.PERSON_ERASED)]
    assert len(subjects) == len(set(subjects)) == 1
    assert document(world, OTHER)["campaigns"]


@pytest.mark.slow
@WHO
def test_a_command_that_dies_leaves_what_she_confirmed_to_be_carried_out(who: str) -> None:
    known = confirmed(who)
    theirs = document(known, OTHER)
    number = 1
    while killed_before(number, world := copy.deepcopy(known), who):
        carry_out(world)
        forgotten(world, who)
        assert document(world, OTHER) == theirs
        number += 1
    assert number > 5


@pytest.mark.slow
@WHO
def test_what_she_confirmed_dies_anywhere_and_a_command_ends_it(who: str) -> None:
    known = confirmed(who)
    number = 1
    while True:
        world = copy.deepcopy(known)
        try:
            carry_out(world, kills(world, number))
        except KilledError:
            erase(world, who)
            forgotten(world, who)
            assert carry_out(world) == "erased_already"
            if who == SPONSOR:  # her referee's link is his
                assert view_offer(world.ports, world.token_of(REFEREE)).sponsor_name is None
            number += 1
        else:
            break
    assert number > 5


@pytest.mark.slow
@WHO
def test_two_requests_are_each_enough(who: str) -> None:
    known = confirmed(who, requests=2)
    number = 1
    while True:
        world = copy.deepcopy(known)
        try:
            carry_out(world, kills(world, number), which=0)
        except KilledError:
            carry_out(world, which=1)
            assert naming(world, who) <= {"Contact", "Token"}  # of the first request alone
            assert len({one.contact_id for one in world.memory.all(Contact) if of(one, who)}) < 2
            carry_out(world, which=0)
            forgotten(world, who)
            number += 1
        else:
            break
    assert number > 5


@pytest.mark.slow
@WHO
def test_one_comes_between_any_two_steps_of_the_other(who: str) -> None:
    known = confirmed(who)
    receipts = 0
    for number in range(1, 40):
        world = copy.deepcopy(known)
        done: list[str] = []
        between = partial(carry_out_once, world, done)
        contested = wrapped(world, partial(ContestedRepository, competitor=between, at=number))
        receipt = erase_person(contested, [world.campaign], Address.parse(who))
        carry_out(world)
        forgotten(world, who)
        receipts += receipt.opposed
        if not done:
            break
    assert number > 5
    assert receipts


@pytest.mark.slow
def test_a_command_that_meets_others_and_dies_leaves_it_too() -> None:
    """Then it looks again, and its links must say still that she has confirmed it."""
    known, died = confirmed(REFEREE), 0
    for touched in range(12, 16):
        for number in range(touched + 4, touched + 8):
            world = copy.deepcopy(known)

            def touch(world: World = world) -> None:
                world.memory.commit(*map(Replace, world.memory.all(Voucher)))

            def both(table: Repository, number: int = number, at: int = touched) -> Repository:
                return ContestedRepository(ContestedRepository(table, kill, number), touch, at)

            ports = wrapped(world, both)
            try:
                erase_person(ports, [world.campaign], Address.parse(REFEREE))
            except KilledError:
                died += 1
            carry_out(world)
            forgotten(world, REFEREE)
    assert died > 5


def test_a_sign_in_link_goes_with_what_leads_to_it() -> None:
    """It has no digest of hers: after her claims nothing would find it any more."""
    known, number = new_world(), 1
    known.sponsor(SPONSOR)
    known.clock.advance(hours=1)
    request_sign_in(known.ports, CAMPAIGN, Address.parse(SPONSOR))
    known.run()
    while killed_before(number, world := copy.deepcopy(known), SPONSOR):
        erase(world, SPONSOR)
        assert world.memory.all(Token) == [], number
        number += 1
    assert number > 3


def carry_out_once(world: World, done: list[str]) -> None:
    if not done:
        done.append(carry_out(world))


def test_a_request_that_nobody_has_confirmed_goes_with_the_rest() -> None:
    world = new_world()
    world.referral(REFEREE)
    asked_for(world, REFEREE, Wish.ERASE)
    erase(world, REFEREE)
    assert naming(world, REFEREE) == set()
    assert [one for one in world.memory.all(Token) if is_for_her_data(one)] == []


def is_for_her_data(token: Token) -> bool:
    return token.purpose in PURPOSES.values()
