"""What a campaign promises: what its rules grant, to whom and for what, and nothing else.

Pages and mails make their sentences of these, so that no text promises what no rule keeps. A rule
that can never hold promises nothing: one whose voucher the budget cannot pay, or that waits for a
voucher that no rule issues.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from chalicelib.domain.campaign.rules import HolderRole, Rule, Trigger

if TYPE_CHECKING:
    from chalicelib.domain.campaign.file import Campaign


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One voucher that a rule grants. `order`: which one of the referral's orders it is for; None
    for each. Amounts in minor units; `least_order_minor` is what the order must come to.
    """

    rule: str
    template: str
    value_minor: int
    minimum_basket_minor: int
    valid_days: int
    when: Trigger
    order: int | None
    least_order_minor: int


def promises(campaign: Campaign, role: HolderRole) -> tuple[Promise, ...]:
    """What the rules grant to that holder: on confirmation first, then order by order."""
    kept = [rule for rule in campaign.rules if rule.to is role and _can_hold(campaign, rule)]
    ordered = sorted(kept, key=lambda rule: (_STAGES.index(rule.when), rule.conditions.order or 0))
    return tuple(_promise(campaign, rule) for rule in ordered)


_STAGES = (
    Trigger.REFERRAL_CONFIRMED,
    Trigger.ORDER_PLACED,
    Trigger.VOUCHER_REDEEMED,
    Trigger.ORDER_KEPT,
    Trigger.ORDER_RETURNED,
)


def _can_hold(campaign: Campaign, rule: Rule) -> bool:
    value, budget = campaign.templates[rule.issue].value, campaign.caps.budget
    if budget is not None and budget < value:
        return False
    wanted = rule.conditions.template
    return wanted is None or any(
        other is not rule and other.issue == wanted for other in campaign.rules
    )


def _promise(campaign: Campaign, rule: Rule) -> Promise:
    template = campaign.templates[rule.issue]
    least = rule.conditions.minimum_amount
    return Promise(
        rule=rule.id,
        template=rule.issue,
        value_minor=template.value_minor,
        minimum_basket_minor=template.minimum_basket_minor,
        valid_days=template.valid_days,
        when=rule.when,
        order=rule.conditions.order,
        least_order_minor=int(least * 100) if least is not None else 0,
    )


_SIGNS = {"EUR": "€", "GBP": "£", "USD": "$", "PLN": "zł"}


def unkept_amounts(campaign: Campaign, text: str, kept: tuple[Promise, ...]) -> set[Decimal]:
    """The amounts of money in a text that none of these promises has: neither a voucher's value,
    nor what it or an order must come to, nor all values together.
    """
    minor = {
        amount
        for one in kept
        for amount in (one.value_minor, one.minimum_basket_minor, one.least_order_minor)
    }
    minor.add(sum(one.value_minor for one in kept))
    return _amounts_in(text, campaign.currency) - {Decimal(amount) / 100 for amount in minor}


def _amounts_in(text: str, currency: str) -> set[Decimal]:
    """The amounts in a text, written as any of the languages do."""
    sign = re.escape(_SIGNS.get(currency, currency))
    number = r"(\d+(?:[.,]\d\d?)?)"
    found = re.findall(rf"{sign}\s?{number}|{number}\s?{sign}", text)
    return {Decimal((one or other).replace(",", ".")) for one, other in found}
