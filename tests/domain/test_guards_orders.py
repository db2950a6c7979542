"""What an order earns and what its reports change, at the bounds of the rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import Trigger
from chalicelib.domain.earned import LONGEST_LADDER, earned_on_orders, earned_on_redemption
from chalicelib.domain.entity import Entity
from chalicelib.domain.files.orders import OrderRow
from chalicelib.domain.orders import (
    Buyer,
    Order,
    OrderProblem,
    OrderStatus,
    dated_order,
    new_order,
    refusal_of,
    reported_order,
    return_window_ends_at,
)
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from tests.contract.entities import ENTITIES
from tests.fakes.campaign import campaign
from tests.fakes.ports import MORNING

E = TypeVar("E", bound=Entity)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def one(kind: type[E]) -> E:
    return next(entity for entity in ENTITIES if isinstance(entity, kind))


REFERRAL, ORDER = one(Referral), one(Order)
ROW = OrderRow(
    order_id=ORDER.order_id, status="kept", ordered_at=ORDER.ordered_at, amount_minor=8000,
    currency="EUR", email_digest=None, voucher_code=None,
)  # fmt: skip


def earning(when: Trigger, rule: str = "one", **conditions: object) -> dict[str, object]:
    return {"id": rule, "when": when.value, "if": conditions, "issue": "second-order",
            "to": "referee"}  # fmt: skip


# --- what is earned -------------------------------------------------------------------------------


def earned(rules: Campaign, orders: list[Order], **used: dict[str, list[str]]) -> list[int]:
    found = earned_on_orders(REFERRAL, orders, lambda _version, _at: rules, **used)
    return [each.rung for each in found]


def test_of_very_many_orders_the_longest_ladder_earns() -> None:
    many = [
        replace(ORDER, order_id=f"A{number:05}", status=OrderStatus.KEPT)
        for number in range(LONGEST_LADDER + 3)
    ]
    rules = campaign(rules=[earning(Trigger.ORDER_KEPT)])
    assert earned(rules, many) == list(range(1, 1001))


def test_a_returned_order_has_been_made_with_the_voucher_that_it_gave_back() -> None:
    rules = campaign(rules=[earning(Trigger.ORDER_RETURNED, template="welcome")])
    returned = replace(ORDER, status=OrderStatus.RETURNED)
    assert returned.template == "welcome"
    assert earned(rules, [returned], used={}) == [1]
    # While it is kept, what it uses now decides.
    rules = campaign(rules=[earning(Trigger.ORDER_KEPT, template="welcome")])
    kept = replace(ORDER, status=OrderStatus.KEPT)
    assert earned(rules, [kept], used={}) == []
    assert earned(rules, [kept], used={kept.order_id: ["welcome"]}) == [1]


def test_the_use_of_a_voucher_earns_nothing_by_a_rule_for_orders_made_with_it() -> None:
    rules = campaign(
        rules=[
            earning(Trigger.ORDER_KEPT, "for-order", template="welcome"),
            earning(Trigger.VOUCHER_REDEEMED, "for-use", template="welcome"),
        ]
    )
    redemption = replace(one(Redemption), buyer=Buyer.NONE)
    found = earned_on_redemption(REFERRAL, rules, one(Voucher), redemption)
    assert [each.rule.id for each in found] == ["for-use"]


# --- what is reported -----------------------------------------------------------------------------


@pytest.mark.parametrize(("ahead", "refused"), [(DAY, False), (DAY + SECOND, True)])
def test_an_order_is_taken_from_a_clock_that_is_a_day_ahead_and_no_more(
    ahead: timedelta, refused: bool
) -> None:
    row = ROW._replace(ordered_at=MORNING + ahead)
    expected = OrderProblem.IN_THE_FUTURE if refused else None
    assert refusal_of(campaign(), row, MORNING) is expected


def test_a_report_of_the_same_date_leaves_the_return_window_as_it_was_promised() -> None:
    before, later = campaign(), campaign(return_window_days=60)
    order = replace(ORDER, return_window_ends_at=return_window_ends_at(before, ORDER.ordered_at))
    assert dated_order(later, REFERRAL, order, ROW) == order
    earlier = dated_order(later, REFERRAL, order, ROW._replace(ordered_at=ROW.ordered_at - SECOND))
    assert earlier.return_window_ends_at > order.return_window_ends_at


@pytest.mark.parametrize("status", OrderStatus)
def test_a_first_report_says_all_that_is_known_of_an_order(status: OrderStatus) -> None:
    rules, row = campaign(), ROW._replace(status=status.value)
    order = reported_order(rules, new_order(rules, row, REFERRAL), row, MORNING)
    assert (order.status, order.amount_minor) == (status, 8000)
    assert order.first_version == order.status_version == rules.version
    assert order.kept_at == (MORNING if status is OrderStatus.KEPT else None)
