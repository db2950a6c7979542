"""A redemption and a rollback that meet: what one read saw of the other is not one instant."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.domain.entity import Entity
from chalicelib.domain.facts import FactName
from chalicelib.domain.redemptions import (
    OrderUses,
    Purchase,
    Redemption,
)
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.errors import RefusedError
from chalicelib.services.ports import ContentionError, Ports, Replace
from chalicelib.services.vouchers.redeem import redeem, roll_back
from tests.fakes.campaign import templates
from tests.fakes.repository import TornRepository
from tests.fakes.world import World, new_world, wrapped

KINDS = (Voucher, Redemption, OrderUses)
NEWCOMER = "jeanne@example.fr"


@pytest.fixture
def world() -> World:
    """A world whose welcome vouchers exclude each other: not itself, whatever a read saw of it."""
    return new_world(templates=templates(welcome={"not_with": ["welcome"]}))


@pytest.fixture
def code(world: World) -> str:
    """The code of a voucher."""
    world.referral(NEWCOMER)
    return voucher(world).code


def voucher(world: World) -> Voucher:
    [found] = world.memory.all(Voucher)
    return found


def purchase(world: World) -> Purchase:
    return Purchase(order_id="A1", ordered_at=world.clock(), amount_minor=4000, currency="EUR")


def refusal(call: Callable[[], object]) -> str | None:
    """Why a call is refused, None when it is not."""
    try:
        call()
    except RefusedError as error:
        return error.reason
    return None


def torn(world: World, competitor: Callable[[], object], late: type[Entity]) -> Ports:
    return wrapped(world, lambda inner: TornRepository(inner, competitor, late))


@pytest.mark.parametrize("late", KINDS)
def test_a_rollback_that_meets_its_redemption_is_refused_or_done(
    world: World, code: str, late: type[Entity]
) -> None:
    ports = torn(world, lambda: redeem(world.ports, code, purchase(world)), late)
    refused = refusal(lambda: roll_back(ports, code, "A1"))
    assert (refused, voucher(world).state) in [
        ("not_redeemed", VoucherState.REDEEMED), (None, VoucherState.ISSUED),
    ]  # fmt: skip


@pytest.mark.parametrize("late", KINDS)
def test_two_rollbacks_that_meet_are_one(world: World, code: str, late: type[Entity]) -> None:
    redeem(world.ports, code, purchase(world))
    roll_back(torn(world, lambda: roll_back(world.ports, code, "A1"), late), code, "A1")
    assert len(world.facts(FactName.VOUCHER_ROLLED_BACK)) == 1
    assert voucher(world).state is VoucherState.ISSUED


@pytest.mark.parametrize("late", KINDS)
def test_a_redemption_that_meets_its_repeat_answers_as_the_repeat(
    world: World, code: str, late: type[Entity]
) -> None:
    ports = torn(world, lambda: redeem(world.ports, code, purchase(world)), late)
    found, redemption, is_new = redeem(ports, code, purchase(world))
    assert (found.state, redemption.order_id, is_new) == (VoucherState.REDEEMED, "A1", False)


@pytest.mark.parametrize("late", KINDS)
def test_a_repeat_that_meets_the_rollback_of_its_redemption_is_refused(
    world: World, code: str, late: type[Entity]
) -> None:
    redeem(world.ports, code, purchase(world))
    ports = torn(world, lambda: roll_back(world.ports, code, "A1"), late)
    # Before the rollback, or after it.
    assert refusal(lambda: redeem(ports, code, purchase(world))) in (None, "rolled_back")
    assert voucher(world).state is VoucherState.ISSUED


def test_a_contradiction_that_stays_is_no_answer(world: World, code: str) -> None:
    redeem(world.ports, code, purchase(world))
    [used] = world.memory.all(Redemption)
    world.repository.commit(Replace(Redemption(**vars(used) | {"rolled_back_at": world.clock()})))
    for call in (
        lambda: redeem(world.ports, code, purchase(world)),
        lambda: roll_back(world.ports, code, "A1"),
    ):
        with pytest.raises(ContentionError):
            call()
