"""Vouchers at the till: checked, redeemed once, rolled back once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.changes import ChangeKind
from chalicelib.domain.facts import FactName
from chalicelib.domain.redemptions import OrderUses, Purchase
from chalicelib.domain.vouchers import Voucher, VoucherState, exhausted_since
from chalicelib.services.errors import RefusedError, UnknownError
from chalicelib.services.vouchers.redeem import check_voucher, redeem, roll_back
from chalicelib.services.waiting_changes import waiting_changes
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.due import expire
from tests.fakes.world import World

NEWCOMER = "jeanne@example.fr"


@pytest.fixture
def code(world: World) -> str:
    """The code of a voucher the client knows."""
    world.referral(NEWCOMER)
    world.export()
    world.acknowledge(1)
    world.run()
    return world.exported(1)[0]["code"]


def purchase(world: World, order_id: str = "A1", amount_minor: int = 4000) -> Purchase:
    return Purchase(
        order_id=order_id, ordered_at=world.clock(), amount_minor=amount_minor, currency="EUR"
    )


def changes(world: World) -> list[str]:
    """The changes of vouchers, in their order: what, and on which order."""
    listed = waiting_changes(world.ports, CAMPAIGN)
    return [f"{one.change.value} {one.order_id}" for one in listed]


def state(world: World) -> VoucherState:
    return world.memory.all(Voucher)[0].state


def test_a_code_is_read_back_without_regard_to_case_spaces_or_hyphens(
    world: World, code: str
) -> None:
    for typed in (code, code.lower(), code.replace("-", " "), f" {code.replace('-', '')} "):
        voucher, problem = check_voucher(world.ports, typed)
        assert problem is None
        assert voucher.code == code
    with pytest.raises(UnknownError):
        check_voucher(world.ports, "WE-22222-22222-22222")


def test_an_exhausted_voucher_says_since_when_as_the_changes_do(world: World, code: str) -> None:
    assert exhausted_since(check_voucher(world.ports, code)[0]) is None
    used_at = world.clock()
    redeem(world.ports, code, purchase(world))
    world.clock.advance(days=1)
    redeem(world.ports, code, purchase(world))  # a repeat
    voucher, problem = check_voucher(world.ports, code)
    assert (problem, exhausted_since(voucher)) == ("exhausted", used_at)
    (change,) = waiting_changes(world.ports, CAMPAIGN)
    assert (change.change, change.at) == (ChangeKind.REDEEMED, used_at)
    roll_back(world.ports, code, "A1")
    voucher, problem = check_voucher(world.ports, code)
    assert (problem, exhausted_since(voucher)) == (None, None)


def test_law_6_a_voucher_is_redeemed_once_and_the_repeat_answers_the_same(
    world: World, code: str
) -> None:
    _, first, made = redeem(world.ports, code, purchase(world))
    _, again, made_again = redeem(world.ports, code, purchase(world))
    assert (made, made_again) == (True, False)
    assert again == replace(first, revision=1, order_ref=again.order_ref)
    assert again.order_ref
    with pytest.raises(RefusedError, match="exhausted"):
        redeem(world.ports, code, purchase(world, "A2"))
    assert len(world.facts(FactName.VOUCHER_REDEEMED)) == 1


def test_a_redemption_is_rolled_back_once_and_the_voucher_can_be_used_again(
    world: World, code: str
) -> None:
    redeem(world.ports, code, purchase(world))
    for _ in range(2):
        roll_back(world.ports, code, "A1")
    assert state(world) is VoucherState.ACKNOWLEDGED
    assert len(world.facts(FactName.VOUCHER_ROLLED_BACK)) == 1
    redeem(world.ports, code, purchase(world, "A2"))
    assert state(world) is VoucherState.REDEEMED
    world.run()
    assert world.funnel()["vouchers_redeemed"] == 1
    assert changes(world) == ["redeemed A1", "rolled_back A1", "redeemed A2"]
    assert [one.order_id for one in world.memory.all(OrderUses)] == ["A2"]


def test_a_repeat_with_another_amount_or_currency_differs(world: World, code: str) -> None:
    first = purchase(world)
    redeem(world.ports, code, first)
    for other in (replace(first, amount_minor=4001), replace(first, currency="USD")):
        with pytest.raises(RefusedError, match="differs"):
            redeem(world.ports, code, other)
    world.clock.advance(minutes=1)
    assert redeem(world.ports, code, purchase(world))[2] is False  # at another time
    assert changes(world) == ["redeemed A1"]


def test_a_reported_order_may_repeat_its_code_with_another_amount(world: World, code: str) -> None:
    redeem(world.ports, code, purchase(world))
    receipt = world.drop_orders(world.order("A1", "kept", code=code, amount="75.00"))
    assert (receipt.accepted, receipt.rejected) == (1, 0)


def test_a_late_repeat_does_not_undo_a_rollback(world: World, code: str) -> None:
    redeem(world.ports, code, purchase(world))
    roll_back(world.ports, code, "A1")
    with pytest.raises(RefusedError, match="rolled_back"):
        redeem(world.ports, code, purchase(world))
    assert state(world) is VoucherState.ACKNOWLEDGED


def test_a_late_repeat_of_a_rollback_leaves_the_next_redemption(world: World, code: str) -> None:
    redeem(world.ports, code, purchase(world))
    roll_back(world.ports, code, "A1")
    redeem(world.ports, code, purchase(world, "A2"))
    roll_back(world.ports, code, "A1")
    assert state(world) is VoucherState.REDEEMED


def test_what_was_never_redeemed_cannot_be_rolled_back(world: World, code: str) -> None:
    with pytest.raises(RefusedError, match="not_redeemed"):
        roll_back(world.ports, code, "A1")


def test_a_purchase_that_does_not_meet_the_conditions_is_refused_by_reason(
    world: World, code: str
) -> None:
    with pytest.raises(RefusedError, match="below_minimum_basket"):
        redeem(world.ports, code, purchase(world, amount_minor=3999))
    with pytest.raises(RefusedError, match="wrong_currency"):
        redeem(world.ports, code, replace(purchase(world), currency="USD"))
    assert state(world) is VoucherState.ACKNOWLEDGED


def test_an_expired_voucher_is_refused_but_an_order_made_in_time_still_counts(
    world: World, code: str
) -> None:
    in_time = purchase(world)
    world.clock.advance(days=62)
    assert check_voucher(world.ports, code)[1] == "expired"
    with pytest.raises(RefusedError, match="expired"):
        redeem(world.ports, code, purchase(world))
    assert redeem(world.ports, code, in_time)[2]


def test_a_voucher_rolled_back_after_its_end_expires_at_once(world: World, code: str) -> None:
    redeem(world.ports, code, purchase(world))
    world.clock.advance(days=70)
    expire(world.ports)
    assert state(world) is VoucherState.REDEEMED
    roll_back(world.ports, code, "A1")
    assert state(world) is VoucherState.EXPIRED
    assert expire(world.ports)["vouchers"] == 0
    assert len(world.facts(FactName.VOUCHER_EXPIRED)) == 1
    assert changes(world) == ["redeemed A1", "rolled_back A1", "expired None"]


def test_a_revoked_voucher_and_one_the_client_refused_are_distinguished(world: World) -> None:
    world.referral(NEWCOMER)
    world.drop_orders(world.order("A1", "kept", of=NEWCOMER))
    world.run()
    world.export()
    codes = {row["template"]: row["code"] for row in world.exported(1)}
    world.acknowledge(1, f"{codes['welcome']},unknown template\n".encode())
    world.drop_orders(world.order("A1", "returned", of=NEWCOMER), file="returned")
    world.run()
    assert check_voucher(world.ports, codes["welcome"])[1] == "refused_by_client"
    assert check_voucher(world.ports, codes["thank-you"])[1] == "revoked"
    listed = waiting_changes(world.ports, CAMPAIGN)
    reasons = {one.code: one.reason for one in listed if one.change is ChangeKind.REVOKED}
    assert reasons[codes["thank-you"]] == "order_returned"


def test_law_4_a_rollback_does_not_revive_a_voucher_whose_order_was_returned(world: World) -> None:
    world.referral(NEWCOMER)
    world.drop_orders(world.order("A1", "kept", of=NEWCOMER))
    world.run()
    [code] = [one.code for one in world.memory.all(Voucher) if one.rule == "ladder-first"]
    redeem(world.ports, code, purchase(world, "A2"))
    world.drop_orders(world.order("A1", "returned", of=NEWCOMER), file="returned")
    world.run()
    assert check_voucher(world.ports, code)[0].state is VoucherState.REDEEMED
    roll_back(world.ports, code, "A2")
    assert check_voucher(world.ports, code)[1] == "revoked"
    assert [fact.details["reason"] for fact in world.facts(FactName.REWARD_REVOKED)] == [
        "order_returned", "rolled_back",
    ]  # fmt: skip
    own = [one for one in changes(world) if one.endswith("A2")]
    assert own == ["redeemed A2", "rolled_back A2"]
    assert changes(world)[-1] == "revoked None"
