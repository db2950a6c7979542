"""What a voucher gives: one type per kind, and its kind in a word; mails and pages describe it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MoneyOff:
    """An amount off, in minor units of `currency`."""

    value_minor: int
    currency: str


@dataclass(frozen=True)
class PercentOff:
    """A share of the basket off, in whole per cents, `at_most_minor` units of `currency`."""

    percent: int
    currency: str
    at_most_minor: int | None = None


@dataclass(frozen=True)
class FreeDelivery:
    """The delivery of one order."""


Benefit = MoneyOff | PercentOff | FreeDelivery

_KINDS: dict[type[Benefit], str] = {
    MoneyOff: "money_off",
    PercentOff: "percent_off",
    FreeDelivery: "free_delivery",
}


def kind_of(benefit: Benefit) -> str:
    """The kind in one word, as files say it. The values are published."""
    return _KINDS[type(benefit)]
