"""Who was invited by one spelling of her address may ask with another: it is her mailbox."""

from __future__ import annotations

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.erasure import ErasureReceipt
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import Contact, Opposition, RefereeClaim, Token
from chalicelib.services.consents.write import write_consents
from chalicelib.services.objections.unsubscribe import unsubscribe
from chalicelib.services.ports import Remove
from tests.fakes.world import World, new_world
from tests.services.test_consents import stop_token
from tests.services.test_erasure import (
    HER_NAME,
    SPELLINGS,
    copies,
    erase,
    killed_before,
    left,
    needles,
    not_allowed,
    own_digests,
    through_everything,
)

TYPED, ASKS = "Zephyrine.Canary+a@gmail.com", "zephyrinecanary@gmail.com"


def invited() -> World:
    """An invitation is open, to the spelling that the sponsor typed."""
    world = new_world()
    world.invite(world.sponsor(), TYPED)
    world.run()
    return world


def objected(*, is_written: bool) -> World:
    """She has objected by that mail; the client may have the word already."""
    world = invited()
    unsubscribe(world.ports, stop_token(world, Address.parse(TYPED).sendable))
    world.run()
    if is_written:
        write_consents(world.ports, world.campaign)
    return world


def left_of_her(world: World, receipt: ErasureReceipt) -> set[str]:
    """Where she still is after an erasure that she asked for, and may not be."""
    spellings = (TYPED, ASKS)
    wanted, own = needles(world, spellings, HER_NAME), own_digests(world, spellings)
    return not_allowed(world, receipt, wanted, own)


def test_law_9_an_open_invitation_to_another_spelling_leaves_no_claim() -> None:
    world = invited()
    assert len(world.memory.all(RefereeClaim)) > 2
    assert left_of_her(world, erase(world, ASKS)) == set()
    assert world.memory.all(RefereeClaim) == []


def test_law_9_its_claims_are_found_when_mail_and_address_have_ended() -> None:
    world = invited()
    world.clock.now = world.campaign.contact_ends_at()
    erase(world, ASKS)
    assert world.memory.all(RefereeClaim) == []


@pytest.mark.parametrize("is_written", [False, True])
def test_law_9_an_objection_from_another_spelling_stays_under_our_key_alone(
    is_written: bool,
) -> None:
    world = objected(is_written=is_written)
    assert left_of_her(world, erase(world, ASKS)) == set()


def test_law_9_an_objection_names_nobody_when_all_else_of_her_has_ended() -> None:
    """It lasts longer than claims, mails and links, which lead to it from another spelling."""
    world = objected(is_written=True)
    for kind in (RefereeClaim, Mail, Token, Contact, Invitation):
        world.repository.commit(*map(Remove, world.memory.all(kind)))
    erase(world, ASKS)
    own = own_digests(world, [TYPED, ASKS])
    assert world.memory.all(Opposition)
    assert {one.digest for one in world.memory.all(Opposition)} - own == set()


@pytest.mark.slow
@pytest.mark.parametrize("spelling", SPELLINGS[1:])
def test_law_9_nothing_is_left_whichever_spelling_she_asks_with(spelling: str) -> None:
    world = through_everything()
    receipt = erase(world, spelling)
    world.lists.fails = None
    world.run()
    assert left(world, "referee", [receipt]) == set()


@pytest.mark.slow
@pytest.mark.parametrize("is_written", [False, True])
def test_an_erasure_by_another_spelling_may_be_killed_anywhere(is_written: bool) -> None:
    begin = copies(objected(is_written=is_written))
    whole = erase(begin(), ASKS)
    number = 1
    while killed_before(number, world := begin(), ASKS):
        erase(world, ASKS)
        assert left_of_her(world, whole) == set(), number
        number += 1
    assert number > 5
