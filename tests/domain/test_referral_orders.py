"""The orders that count for a referral, beside a plain count of them after every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

import pytest

from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.referral_orders import NAMED_ORDERS, kept_order_count, with_counted_order
from chalicelib.domain.referrals import Referral
from tests.contract.entities import ENTITIES

[REFERRAL] = [one for one in ENTITIES if isinstance(one, Referral)]
[ORDER] = [one for one in ENTITIES if isinstance(one, Order)]
EMPTY = replace(
    REFERRAL, orders=0, known_orders=(), kept_orders=(), further_orders=0, further_kept=0
)
ORDERS = [f"A{number}" for number in range(NAMED_ORDERS + 5)]


def reported(order_id: str, status: OrderStatus, *, counts: bool = True) -> Order:
    return replace(ORDER, order_id=order_id, status=status, counts=counts)


def counted(orders: Mapping[str, Order]) -> list[str]:
    return [name for name, order in orders.items() if order.counts]


def kept(orders: Mapping[str, Order]) -> list[str]:
    return [name for name in counted(orders) if orders[name].status is OrderStatus.KEPT]


@pytest.mark.parametrize("seed", range(20))
def test_a_referral_counts_its_orders_whatever_becomes_of_them(seed: int) -> None:
    choose = Random(seed)
    referral, orders = EMPTY, dict[str, Order]()
    further = set[str]()
    for _ in range(200):
        name = choose.choice(ORDERS)
        before = orders.get(name)
        order = reported(name, choose.choice(list(OrderStatus)), counts=choose.random() < 0.8)
        named_before = set(referral.known_orders)
        referral, is_further = with_counted_order(
            referral, before, order, was_further=name in further
        )
        orders[name] = order
        further = further | {name} if is_further else further - {name}

        assert referral.orders == len(counted(orders))
        assert referral.further_orders == len(further)
        assert kept_order_count(referral) == len(kept(orders))
        assert set(referral.known_orders) | further == set(counted(orders))
        assert not set(referral.known_orders) & further
        assert set(referral.kept_orders) <= set(kept(orders)) & set(referral.known_orders)
        assert len(referral.known_orders) == len(set(referral.known_orders)) <= NAMED_ORDERS
        assert len(referral.kept_orders) == len(set(referral.kept_orders))
        # Once listed, an order stays in the list as long as it counts; room is used at once.
        others = named_before - {name}
        assert others <= set(referral.known_orders)
        if order.counts and (name in named_before or len(others) < NAMED_ORDERS):
            assert name in referral.known_orders


def test_a_referral_that_lists_many_kept_orders_only_counts_them_from_now_on() -> None:
    many = tuple(ORDERS[: NAMED_ORDERS + 1])
    former = replace(EMPTY, orders=len(many), kept_orders=many)
    after, is_further = with_counted_order(
        former, None, reported("B1", OrderStatus.KEPT), was_further=False
    )
    assert is_further
    assert after.kept_orders == ()
    assert after.known_orders == many
    assert kept_order_count(after) == len(many) + 1

    few = replace(EMPTY, orders=2, kept_orders=("A0", "", "A1"))
    after, _ = with_counted_order(few, None, reported("B1", OrderStatus.KEPT), was_further=False)
    assert after.kept_orders == ("A0", "", "A1", "B1")


def test_an_order_that_an_earlier_version_listed_stays_in_the_list() -> None:
    many = tuple(ORDERS)
    former = replace(EMPTY, orders=len(many), known_orders=many)
    placed, now_kept = (reported("A0", status) for status in (OrderStatus.PLACED, OrderStatus.KEPT))
    after, is_further = with_counted_order(former, placed, now_kept, was_further=False)
    assert not is_further
    assert set(after.known_orders) == set(many)
    assert after.kept_orders == ("A0",)
