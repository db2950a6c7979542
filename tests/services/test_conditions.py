"""What a voucher asks of an order: its holder, and which other vouchers are used on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.addresses import Address, AddressDigests
from chalicelib.domain.campaign.lists import DigestKeys
from chalicelib.domain.redemptions import (
    MAX_USES,
    OrderUse,
    OrderUses,
    Purchase,
)
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.errors import RefusedError
from chalicelib.services.ports import Insert, Replace
from chalicelib.services.vouchers.redeem import redeem, roll_back
from tests.fakes.campaign import CAMPAIGN, digest, digests, templates
from tests.fakes.ports import MemoryKeys
from tests.fakes.repository import RecordingRepository
from tests.fakes.world import VIPS, World, new_world, wrapped

# That a call was refused.
COUNTED = ("get RedemptionRefusal", "Insert RedemptionRefusal + redemption_refused")
NEWCOMER, ALIAS, OTHER = "jeanne.d@gmail.com", "jeanned+shop@gmail.com", "paul@example.fr"


def world_with(**changes: dict[str, Any]) -> World:
    """A world whose templates have other fields."""
    return new_world(templates=templates(**changes))


def codes(world: World) -> dict[str, str]:
    """The codes of the vouchers so far, by template."""
    return {one.template: one.code for one in world.memory.all(Voucher)}


def voucher(world: World, template: str) -> Voucher:
    [found] = [one for one in world.memory.all(Voucher) if one.template == template]
    return found


def purchase(world: World, order_id: str = "A1", email_digest: str | None = None) -> Purchase:
    return Purchase(
        order_id=order_id, ordered_at=world.clock(), amount_minor=8000, currency="EUR",
        email_digest=email_digest,
    )  # fmt: skip


def two_vouchers(world: World) -> tuple[str, str]:
    """The codes of a welcome voucher and of the sponsor's."""
    world.referral(NEWCOMER)
    world.drop_orders(world.order("A0", "kept", of=NEWCOMER))
    world.run()
    return codes(world)["welcome"], codes(world)["thank-you"]


# --- bound to its holder --------------------------------------------------------------------------


@pytest.mark.parametrize("buyer", [None, digest(OTHER), digest(VIPS[0])])
def test_a_voucher_bound_to_its_holder_is_refused_to_anybody_else(buyer: str | None) -> None:
    world = world_with(welcome={"holder_bound": True})
    world.referral(NEWCOMER)
    with pytest.raises(RefusedError, match="not_the_holder"):
        redeem(world.ports, codes(world)["welcome"], purchase(world, email_digest=buyer))
    assert voucher(world, "welcome").state is VoucherState.ISSUED


@pytest.mark.parametrize("form", ["exact", "canonical"])
def test_a_voucher_bound_to_its_holder_knows_both_forms_of_the_address(form: str) -> None:
    world = world_with(welcome={"holder_bound": True})
    world.referral(NEWCOMER)
    own = getattr(digests(NEWCOMER).pairs[0], form)
    assert redeem(world.ports, codes(world)["welcome"], purchase(world, email_digest=own))[2]


def test_a_sponsors_voucher_is_bound_to_the_sponsor() -> None:
    world = world_with(thank_you={"holder_bound": True})
    _, code = two_vouchers(world)
    with pytest.raises(RefusedError, match="not_the_holder"):
        redeem(world.ports, code, purchase(world, email_digest=digest(NEWCOMER)))
    assert redeem(world.ports, code, purchase(world, email_digest=digest(VIPS[0])))[2]


def test_a_voucher_that_is_not_bound_stores_no_digests_and_asks_for_none() -> None:
    world = world_with()
    world.referral(NEWCOMER)
    assert voucher(world, "welcome").holder_digests == ()
    assert redeem(world.ports, codes(world)["welcome"], purchase(world))[2]


def test_our_own_digests_are_not_among_those_a_client_may_send() -> None:
    world = world_with(welcome={"holder_bound": True})
    world.referral(NEWCOMER)
    own = AddressDigests.of(Address.parse(NEWCOMER), [MemoryKeys().own()]).values
    assert set(voucher(world, "welcome").holder_digests) == set(digests(NEWCOMER).values)
    with pytest.raises(RefusedError, match="not_the_holder"):
        redeem(world.ports, codes(world)["welcome"], purchase(world, email_digest=own[0]))


def test_a_reported_order_says_the_buyer_of_a_bound_voucher() -> None:
    world = world_with(welcome={"holder_bound": True})
    world.referral(NEWCOMER)
    code = codes(world)["welcome"]
    world.drop_orders(world.order("A1", of=OTHER, code=code))
    assert voucher(world, "welcome").state is VoucherState.ISSUED
    world.drop_orders(world.order("A2", of=NEWCOMER, code=code), file="second")
    assert voucher(world, "welcome").redeemed_by == "A2"


def test_a_holder_is_known_under_a_key_that_came_after_the_voucher() -> None:
    world = world_with(welcome={"holder_bound": True})
    referral = world.referral(NEWCOMER)
    keys = MemoryKeys().in_force(DigestKeys(key_ids=("k2", "k1")))
    known = AddressDigests.of(Address.parse(NEWCOMER), [*keys, MemoryKeys().own()])
    stored = world.repository.get(type(referral), referral_id=referral.referral_id)
    assert stored
    world.repository.commit(Replace(replace(stored, referee=known)))
    code, new = codes(world)["welcome"], known.under("k2").exact
    for stranger in (digest(OTHER), None):
        with pytest.raises(RefusedError, match="not_the_holder"):
            redeem(world.ports, code, purchase(world, email_digest=stranger))
    recording = RecordingRepository(world.repository)
    ports = wrapped(world, lambda _: recording)
    assert redeem(ports, code, purchase(world, email_digest=new))[2]
    assert new in voucher(world, "welcome").holder_digests
    assert [call.partition(" ")[0] for call in recording.calls] == ["read", "get", "Replace"]
    roll_back(ports, code, "A1")
    recording.calls.clear()
    assert redeem(ports, code, purchase(world, "A2", email_digest=new))[2]
    assert [call.partition(" ")[0] for call in recording.calls] == ["read", "Replace"]


def test_a_refused_buyer_of_a_bound_voucher_costs_two_reads() -> None:
    world = world_with(welcome={"holder_bound": True})
    world.referral(NEWCOMER)
    recording = RecordingRepository(world.repository)
    ports = wrapped(world, lambda _: recording)
    with pytest.raises(RefusedError, match="not_the_holder"):
        redeem(ports, codes(world)["welcome"], purchase(world, email_digest=digest(OTHER)))
    looked_up = ["read OrderUses + Voucher + Redemption", "get Referral"]
    assert recording.calls == [*looked_up, *COUNTED]


def test_a_call_that_names_no_buyer_is_refused_a_bound_voucher_in_one_read() -> None:
    world = world_with(welcome={"holder_bound": True})
    world.referral(NEWCOMER)
    recording = RecordingRepository(world.repository)
    ports = wrapped(world, lambda _: recording)
    with pytest.raises(RefusedError, match="not_the_holder"):
        redeem(ports, codes(world)["welcome"], purchase(world))
    assert recording.calls == ["read OrderUses + Voucher + Redemption", *COUNTED]


# --- not together with others ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "excluding",
    [{"welcome": {"not_with": ["thank-you"]}}, {"thank_you": {"not_with": ["welcome"]}}],
    ids=["the first excludes the second", "the second excludes the first"],
)
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in turn", "the other way round"])
def test_two_vouchers_are_not_used_on_one_order_where_either_excludes_the_other(
    excluding: dict[str, dict[str, Any]], order: tuple[int, int]
) -> None:
    world = world_with(**excluding)
    both = two_vouchers(world)
    first, second = (both[at] for at in order)
    redeem(world.ports, first, purchase(world))
    with pytest.raises(RefusedError, match="not_with_other_voucher"):
        redeem(world.ports, second, purchase(world))
    assert redeem(world.ports, second, purchase(world, "A2"))[2]


def test_vouchers_that_do_not_exclude_each_other_are_used_on_one_order() -> None:
    world = world_with(welcome={"not_with": ["second-order"]})
    for code in two_vouchers(world):
        assert redeem(world.ports, code, purchase(world))[2]
    [uses] = world.memory.all(OrderUses)
    assert [use.template for use in uses.uses] == ["welcome", "thank-you"]


def test_a_repeat_is_not_refused_for_the_voucher_itself() -> None:
    world = world_with(welcome={"not_with": ["welcome"]})
    world.referral(NEWCOMER)
    code = codes(world)["welcome"]
    assert [redeem(world.ports, code, purchase(world))[2] for _ in range(2)] == [True, False]


def test_a_rollback_frees_the_order_for_the_voucher_it_excluded() -> None:
    world = world_with(welcome={"not_with": ["thank-you"]})
    first, second = two_vouchers(world)
    redeem(world.ports, first, purchase(world))
    roll_back(world.ports, first, "A1")
    assert redeem(world.ports, second, purchase(world))[2]


def test_a_rollback_leaves_the_other_vouchers_of_its_order() -> None:
    world = world_with()
    first, second = two_vouchers(world)
    for code in (first, second):
        redeem(world.ports, code, purchase(world))
    roll_back(world.ports, first, "A1")
    [uses] = world.memory.all(OrderUses)
    assert [use.template for use in uses.uses] == ["thank-you"]


def test_a_template_of_another_campaign_excludes_nobody() -> None:
    world = world_with(welcome={"not_with": ["thank-you"]})
    first, _ = two_vouchers(world)
    elsewhere = OrderUse(campaign="other", code_key="X", template="thank-you")
    world.repository.commit(Insert(OrderUses(order_id="A1", uses=(elsewhere,))))
    assert redeem(world.ports, first, purchase(world))[2]


def test_an_order_id_used_for_everything_does_not_grow_without_end() -> None:
    world = world_with(welcome={"not_with": ["thank-you"]})
    first, _ = two_vouchers(world)
    many = tuple(
        OrderUse(campaign=CAMPAIGN, code_key=f"X{at}", template="second-order")
        for at in range(MAX_USES)
    )
    world.repository.commit(Insert(OrderUses(order_id="A1", uses=many)))
    redeem(world.ports, first, purchase(world))
    [uses] = world.memory.all(OrderUses)
    assert len(uses.uses) == MAX_USES
    assert uses.uses[-1].template == "welcome"


def test_a_redemption_of_an_earlier_version_without_its_use_is_rolled_back() -> None:
    world = world_with()
    first, second = two_vouchers(world)
    redeem(world.ports, first, purchase(world))
    redeem(world.ports, second, purchase(world))
    [uses] = world.memory.all(OrderUses)
    world.repository.commit(Replace(replace(uses, uses=uses.uses[1:])))
    roll_back(world.ports, first, "A1")
    assert voucher(world, "welcome").state is VoucherState.ISSUED
    [left] = world.memory.all(OrderUses)
    assert left.revision == uses.revision + 1


# --- the days it is valid on ----------------------------------------------------------------------


def test_a_voucher_is_valid_from_the_start_of_the_local_day_it_was_issued_on() -> None:
    world = world_with()
    world.referral(NEWCOMER)  # at 10:00 in Paris
    midnight = world.clock() - timedelta(hours=10)
    assert voucher(world, "welcome").valid_from == midnight
    code = codes(world)["welcome"]
    tolerated = midnight - timedelta(minutes=10)
    early = replace(purchase(world), ordered_at=tolerated - timedelta(seconds=1))
    with pytest.raises(RefusedError, match="not_yet_valid"):
        redeem(world.ports, code, early)
    assert redeem(world.ports, code, replace(early, ordered_at=tolerated))[2]
