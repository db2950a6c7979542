"""Whoever is forgotten, everybody else keeps what is theirs; a run that dies loses nothing."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from chalicelib.adapters.dynamodb.codec import entity_item
from chalicelib.domain.addresses import Address
from chalicelib.domain.exports import Export
from chalicelib.domain.invitations import Invitation, is_open
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.consents.write import write_consents
from chalicelib.services.invitations.respond import confirm
from chalicelib.services.operations.report import report
from chalicelib.services.persons.access import export_person
from chalicelib.services.persons.erase import erase_person
from chalicelib.services.persons.find import Person, find_person
from chalicelib.services.ports import Replace
from tests.fakes.campaign import digest
from tests.fakes.fuse import KilledError
from tests.fakes.repository import ContestedRepository
from tests.fakes.world import VIPS, World, new_world, wrapped
from tests.services.test_erasure import FORGET, SPONSOR, hits, through_everything

LISE, OTHER_SPONSOR = "lise.martin@example.fr", VIPS[2]
Place = tuple[str, str]


def full() -> World:
    """The story, and two people beside it who have everything too."""
    world = through_everything()
    world.lists.fails = None
    world.run()
    session = world.sponsor(OTHER_SPONSOR, "Berthe")
    world.invite(session, LISE, "emma@example.fr")
    world.memory._items = {
        place: one
        for place, one in world.memory._items.items()
        if type(one).__name__ not in {"InvitationStop", "HeldInvitation"}
    }
    world.run()
    confirm(world.ports, world.mailer.to(LISE)[0].tokens[0], "1", True)
    world.run()
    world.drop_orders(world.order("L1", "kept", of=LISE), file="L1")
    world.run()
    number = world.export()
    assert number
    world.acknowledge(number.number)
    world.run()
    write_consents(world.ports, world.campaign)
    report(world.ports, world.campaign)
    return world


def texts(world: World) -> dict[Place, str]:
    return {
        place: json.dumps(entity_item(one), ensure_ascii=False)
        for place, one in world.memory._items.items()
    }


def ids_of(world: World, address: str) -> frozenset[str]:
    """What a person is known by: her digests, and the ids of what is hers."""
    return find_person(world.ports, [world.campaign], Address.parse(address)).names.texts


@pytest.mark.slow
@pytest.mark.parametrize("who", ["referee", "sponsor"])
def test_what_does_not_name_her_stays_as_it_was(who: str) -> None:
    world = full()
    [address] = FORGET[who]
    hers, before = ids_of(world, address), texts(world)
    invited = {
        ("CONTACT#" + one.contact_id, "CONTACT")
        for one in world.memory.all(Invitation)
        if one.sponsor_id in hers and is_open(one)
    }
    erase_person(world.ports, [world.campaign], Address.parse(address))
    after = texts(world)
    changed = {place for place in before if before[place] != after.get(place)}
    strange = {place for place in changed if not any(one in before[place] for one in hers)}
    assert strange <= invited  # the addresses of a sponsor's open invitations


@pytest.mark.parametrize("who", FORGET)
def test_the_others_are_known_by_all_they_were(who: str) -> None:
    world = full()
    before = {one: document(world, one) for one in (LISE, OTHER_SPONSOR)}
    for address in FORGET[who]:
        erase_person(world.ports, [world.campaign], Address.parse(address))
    assert {one: document(world, one) for one in (LISE, OTHER_SPONSOR)} == before


def document(world: World, address: str) -> dict[str, Any]:
    """What is stored of a person, and how many items name her."""
    person = find_person(world.ports, [world.campaign], Address.parse(address))
    file = export_person(world.ports, [world.campaign], Address.parse(address)).as_json()
    kinds = sorted(type(one).__name__ for one in person.found)
    return file | {"made_at": None, "kinds": kinds}


def test_what_a_forgotten_sponsors_referees_have_is_theirs() -> None:
    """Tokens, mails, claims and addresses of those who got her mails stay as they are."""
    world = new_world()
    world.invite(world.sponsor(SPONSOR), LISE)
    world.run()
    confirm(world.ports, world.mailer.to(LISE)[0].tokens[0], "1", False)
    world.run()
    hers = ids_of(world, LISE)
    before = {place: one for place, one in texts(world).items() if any(x in one for x in hers)}
    erase_person(world.ports, [world.campaign], Address.parse(SPONSOR))
    after = texts(world)
    changed = {place for place in before if after.get(place) != before[place]}
    assert {type(world.memory._items[place]) for place in changed} == {Referral}  # her digest in it


def test_a_file_without_her_is_not_named() -> None:
    world = full()
    for who in ("referee", "sponsor"):
        [address] = FORGET[who]
        receipt = erase_person(world.ports, [world.campaign], Address.parse(address))
        last = world.memory.all(Export)[-1]
        theirs = f"out/{last.campaign}/vouchers/{last.number:08}.csv.gz"
        held = [one for one in world.memory.all(Voucher) if one.export == last.number]
        has = any(one.holder_id in receipt.random_ids for one in held)
        assert (theirs in {one.path for one in receipt.files}) is has


@pytest.mark.parametrize("address", [LISE, SPONSOR])
def test_claims_stay_while_something_is_left(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another write comes between, and the run dies before it looks again."""
    known = new_world()
    known.referral(LISE)
    known.drop_orders(known.order("A1", "kept", of=LISE))
    known.run()
    known.export()
    look = Person.look
    for number in range(1, 12):
        world = copy.deepcopy(known)
        looks: list[Person] = []

        def dies(person: Person, looks: list[Person] = looks) -> None:
            looks.append(person)
            if len(looks) == 2:
                raise KilledError
            look(person)

        def touch(world: World = world) -> None:
            world.memory.commit(*map(Replace, world.memory.all(Voucher)))

        contested = wrapped(world, partial(ContestedRepository, competitor=touch, at=number))
        with monkeypatch.context() as patched, suppress(KilledError):
            patched.setattr(Person, "look", dies)
            erase_person(contested, [world.campaign], Address.parse(address))
        erase_person(world.ports, [world.campaign], Address.parse(address))
        assert not [place for place in hits(world, {digest(address)}) if "/" not in place], number


def test_who_invited_her_keeps_all_that_is_hers() -> None:
    """Her voucher, its mail and its token name the referral that earned it."""
    world = new_world()
    world.referral(LISE, SPONSOR)
    world.drop_orders(world.order("A1", "kept", of=LISE))
    world.run()
    world.export()
    world.acknowledge(1)
    world.run()
    sponsor = ids_of(world, SPONSOR) - ids_of(world, LISE)
    own = {
        place: text
        for place, text in texts(world).items()
        if any(one in text for one in sponsor)
        and not any(one in text for one in find_person_digests(world, LISE))
    }
    assert {"VOUCHER", "MAIL", "TOKEN", "CONTACT", "SPONSOR"} <= {
        json.loads(text)["kind"]["S"] for text in own.values()
    }
    erase_person(world.ports, [world.campaign], Address.parse(LISE))
    after = texts(world)
    changed = {
        json.loads(own[place])["kind"]["S"] for place in own if after.get(place) != own[place]
    }
    assert changed <= {"INVITATION", "TOKEN"}  # that of the invitation's own mail


def find_person_digests(world: World, address: str) -> set[str]:
    return find_person(world.ports, [world.campaign], Address.parse(address)).names.digests
