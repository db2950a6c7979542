"""What a voucher gives: one type per kind, and the text that describes it in each language."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.money import money_text

_NO_BREAK = "\u00a0"


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

_PERCENT = {"en": "{percent}%", "fr": "{percent}" + _NO_BREAK + "%"}
_AT_MOST = {"en": "{share} (up to {most})", "fr": "{share} (jusqu’à {most})"}
_FREE_DELIVERY = {"en": "free delivery", "fr": "livraison offerte"}


def kind_of(benefit: Benefit) -> str:
    """The kind in one word, as files say it. The values are published."""
    return _KINDS[type(benefit)]


def describe(benefit: Benefit, locale: str) -> str:
    """What a voucher is worth, as a reader of `locale` (`fr`, `en`) writes it: `10,00 €`, `15%`."""
    match benefit:
        case MoneyOff(value_minor, currency):
            return money_text(value_minor, currency, locale)
        case PercentOff(percent, currency, at_most_minor):
            share = _PERCENT[locale].format(percent=percent)
            if at_most_minor is None:
                return share
            most = money_text(at_most_minor, currency, locale)
            return _AT_MOST[locale].format(share=share, most=most)
        case FreeDelivery():
            return _FREE_DELIVERY[locale]
