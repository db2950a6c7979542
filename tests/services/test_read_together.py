"""Reading together: one call for what is looked up one by one, and nothing kept beyond it."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.adapters.dynamodb import schema
from chalicelib.domain.orders import Order
from chalicelib.domain.people import RefereeClaim
from chalicelib.domain.referrals import Referral
from chalicelib.services.ports import ContentionError, Key, Ports, Replace
from chalicelib.services.read_together import read_together, with_what_follows
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.repository import RecordingRepository, UnreadableError
from tests.fakes.world import World, wrapped
from tests.services.test_orders import NEWCOMER

NOTHING = Key.of(Order, campaign=CAMPAIGN, order_id="none")


@pytest.fixture
def referral(world: World) -> Referral:
    """The one referral of the world, as it is stored."""
    world.referral(NEWCOMER)
    [stored] = world.memory.all(Referral)
    return stored


def key_of(referral: Referral) -> Key[Referral]:
    return Key.of(Referral, referral_id=referral.referral_id)


def recorded(world: World) -> tuple[Ports, RecordingRepository]:
    recording = RecordingRepository(world.repository)
    return wrapped(world, lambda _: recording), recording


def test_what_was_read_together_costs_no_further_call(world: World, referral: Referral) -> None:
    ports, recording = recorded(world)
    together = read_together(ports, [key_of(referral), NOTHING]).repository
    assert together.get(Referral, referral_id=referral.referral_id) == referral
    assert together.get(Order, campaign=CAMPAIGN, order_id="none") is None
    assert together.read(NOTHING).entities == {}
    assert together.read(key_of(referral)).entities == {key_of(referral): referral}
    assert [call.partition(" ")[0] for call in recording.calls] == ["read"]


def test_whatever_else_is_asked_is_read_as_it_is(world: World, referral: Referral) -> None:
    ports, recording = recorded(world)
    together = read_together(ports, [NOTHING]).repository
    assert together.get(Referral, referral_id=referral.referral_id) == referral
    # Partly known: all of it is read, together.
    assert together.read(NOTHING, key_of(referral)).get(key_of(referral)) == referral
    assert together.get_many(Referral, [{"referral_id": referral.referral_id}]) == [referral]
    assert len(recording.calls) == 4


def test_what_cannot_be_read_concerns_only_who_looks_it_up(
    world: World, referral: Referral
) -> None:
    partition, sort, *_ = schema.key_of(referral).values()
    world.memory.unreadable.add((partition, sort))
    together = read_together(world.ports, [NOTHING, key_of(referral)]).repository
    assert together.get(Order, campaign=CAMPAIGN, order_id="none") is None
    with pytest.raises(UnreadableError):
        together.get(Referral, referral_id=referral.referral_id)


def test_contention_is_no_fault_of_what_is_read(world: World) -> None:
    def contended(*_: object) -> None:
        raise ContentionError("throttled")

    world.memory.read = contended  # type: ignore[method-assign,assignment]
    with pytest.raises(ContentionError):
        read_together(world.ports, [NOTHING])


def test_ports_that_were_not_read_with_have_what_is_stored(
    world: World, referral: Referral
) -> None:
    together = read_together(world.ports, [key_of(referral)])
    world.repository.commit(Replace(referral))
    [stored] = world.memory.all(Referral)
    assert stored.revision > referral.revision
    assert world.ports.repository.get(Referral, referral_id=referral.referral_id) == stored
    assert together.repository.get(Referral, referral_id=referral.referral_id) == referral


def test_keys_lead_to_further_ones_each_once() -> None:
    first, second, third = (
        Key.of(RefereeClaim, campaign=CAMPAIGN, digest=digest) for digest in ("a", "b", "c")
    )
    leads: dict[Key[Any], Key[Any]] = {first: third, second: third, third: NOTHING}
    assert with_what_follows([first, second], leads) == [first, second, third, NOTHING]
    assert with_what_follows([NOTHING], leads) == [NOTHING]
