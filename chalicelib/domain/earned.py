"""What a confirmation, the orders of a referral and the use of its vouchers earn by the rules.

It follows from the present orders alone: the rung of an order is its place among those of its kind
(placed, kept, returned), by `ordered_at`. An order that is returned leaves the ladder, and those
after it move up. What that changes is in `reward_plan.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import Rule, Trigger
from chalicelib.domain.orders import Order, OrderStatus, is_counted, uses_vouchers
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import CONFIRMATION_RUNG
from chalicelib.domain.vouchers import Voucher


@dataclass(frozen=True, kw_only=True)
class Earned:
    """A rule of `campaign` (the version in force when it happened) that holds for a rung."""

    campaign: Campaign
    rule: Rule
    rung: int
    order: Order | None = None
    voucher_id: str | None = None

    @property
    def value_minor(self) -> int:
        """What its voucher is worth, in minor units."""
        return self.campaign.templates[self.rule.issue].value_minor


CampaignOf = Callable[[int | None, datetime], Campaign]
"""The campaign file of a version, or of the time of an event whose version is not stored."""


# The statuses of the orders that a rule counts.
LADDERS: Mapping[Trigger, frozenset[OrderStatus]] = {
    Trigger.ORDER_PLACED: frozenset({OrderStatus.PLACED, OrderStatus.KEPT}),
    Trigger.ORDER_KEPT: frozenset({OrderStatus.KEPT}),
    Trigger.ORDER_RETURNED: frozenset({OrderStatus.RETURNED}),
}


# What a rule without `order` can reach. Rungs after it earn nothing.
LONGEST_LADDER = 1000


def is_rung(order: Order) -> bool:
    """Whether an order may be a rung of a ladder. An order of nothing earns nothing."""
    return order.counts and order.amount_minor > 0


def earned_on_confirmation(campaign: Campaign) -> list[Earned]:
    """What the confirmation earns, by the version of the campaign it was made under."""
    return [
        Earned(campaign=campaign, rule=rule, rung=CONFIRMATION_RUNG)
        for rule in campaign.rules
        if rule.when is Trigger.REFERRAL_CONFIRMED
    ]


Templates = Mapping[str, Collection[str]]
"""The templates of the vouchers that are used on orders now, by order id."""


def earned_on_orders(
    referral: Referral,
    orders: Iterable[Order],
    campaign_of: CampaignOf,
    used: Templates | None = None,
) -> list[Earned]:
    """What the orders that count for the referral earn, up to the longest ladder. An order of 0.00
    earns nothing.

    Without `used`, an order was made with the voucher that its reports name.
    """
    sequence = sorted(orders, key=lambda order: (order.ordered_at, order.order_id))
    return [
        Earned(campaign=campaign, rule=rule, rung=rung, order=order)
        for trigger in LADDERS
        for rung, order in enumerate(_ladder(sequence, trigger), 1)
        for campaign in [campaign_of(_version(order, trigger), order.kept_at or order.ordered_at)]
        for rule in campaign.rules
        if rule.when is trigger and _holds(campaign, rule, referral, order, rung)
        if rule.conditions.template in {None, *_made_with(order, used)}
    ]


def _ladder(sequence: Iterable[Order], trigger: Trigger) -> Iterator[Order]:
    rungs = (order for order in sequence if is_rung(order) and order.status in LADDERS[trigger])
    return islice(rungs, LONGEST_LADDER)


def _version(order: Order, trigger: Trigger) -> int | None:
    return order.first_version if trigger is Trigger.ORDER_PLACED else order.status_version


def _holds(campaign: Campaign, rule: Rule, referral: Referral, order: Order, rung: int) -> bool:
    conditions = rule.conditions
    return (
        conditions.order in {None, rung}
        and conditions.allow_amount(order.amount_minor)
        and conditions.allow_days(campaign.days_between(referral.confirmed_at, order.ordered_at))
    )


def _made_with(order: Order, used: Templates | None) -> Collection[str]:
    """The templates of its vouchers, which a returned order may have given back."""
    if used is not None and uses_vouchers(order.status):
        return used.get(order.order_id, ())
    return [order.template] if order.template else ()


def earned_on_redemption(
    referral: Referral, campaign: Campaign, voucher: Voucher, redemption: Redemption
) -> list[Earned]:
    """What the use of a voucher earns, by the version of the campaign in force when it was used."""
    days = campaign.days_between(referral.confirmed_at, redemption.ordered_at)
    return [
        Earned(campaign=campaign, rule=rule, rung=1, voucher_id=voucher.voucher_id)
        for rule in campaign.rules
        if rule.when is Trigger.VOUCHER_REDEEMED
        and redemption.amount_minor
        and is_counted(campaign, redemption.buyer)
        # Always named: without it, the rule would grant its own template again.
        and rule.conditions.template == voucher.template
        and rule.conditions.allow_amount(redemption.amount_minor)
        and rule.conditions.allow_days(days)
    ]
