"""Rules between the fields of a campaign file; each problem names its field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.addresses import OWN_KEY_ID
from chalicelib.domain.campaign.fields import LAST_YEAR
from chalicelib.domain.campaign.rules import Conditions, Trigger

if TYPE_CHECKING:
    from chalicelib.domain.campaign.file import Campaign


_NOT_IN_HUNDREDTHS = frozenset(
    [
        "BHD",
        "BIF",
        "CLF",
        "CLP",
        "DJF",
        "GNF",
        "IQD",
        "ISK",
        "JOD",
        "JPY",
        "KMF",
        "KRW",
        "KWD",
        "LYD",
        "OMR",
        "PYG",
        "RWF",
        "TND",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)


def _date_problems(campaign: Campaign) -> list[str]:
    if campaign.ends_on < campaign.starts_on:
        return ["ends_on: must not be before starts_on"]
    if campaign.ends_on.year > LAST_YEAR:
        return [f"ends_on: must not be after the year {LAST_YEAR}"]
    return []


def _rule_problems(campaign: Campaign) -> list[str]:
    problems = [
        f"rules.{position}.issue: no voucher template named {rule.issue}"
        for position, rule in enumerate(campaign.rules)
        if rule.issue not in campaign.templates
    ]
    names = [rule.id for rule in campaign.rules]
    problems += [
        f"rules.{position}.id: {name} is used twice"
        for position, name in enumerate(names)
        if name in names[:position]
    ]
    problems += [
        f"rules.{position}.if: only a rule for order_kept may have conditions"
        for position, rule in enumerate(campaign.rules)
        if rule.when is Trigger.REFERRAL_CONFIRMED and rule.conditions != Conditions()
    ]
    return problems


def _template_problems(campaign: Campaign) -> list[str]:
    return [
        f"templates.{name}.not_with: no voucher template named {other}"
        for name, template in campaign.templates.items()
        for other in dict.fromkeys(template.not_with)
        if other not in campaign.templates
    ]


def _repetition_problems(campaign: Campaign) -> list[str]:
    named = {
        "locales": campaign.locales,
        "channels": campaign.channels,
        "digests.key_ids": campaign.digests.key_ids,
    } | {
        f"templates.{name}.not_with": template.not_with
        for name, template in campaign.templates.items()
    }
    return [
        f"{field}: {value} is listed twice"
        for field, values in named.items()
        for value in dict.fromkeys(values)
        if values.count(value) > 1
    ]


def _key_problems(campaign: Campaign) -> list[str]:
    if OWN_KEY_ID in campaign.digests.key_ids:
        return [f"digests.key_ids: {OWN_KEY_ID} is reserved"]
    return []


def _currency_problems(campaign: Campaign) -> list[str]:
    if campaign.currency in _NOT_IN_HUNDREDTHS:
        return ["currency: amounts are stored in hundredths, which this currency does not have"]
    return []


def _text_problems(campaign: Campaign) -> list[str]:
    return [
        f"{field}: no text for locale {locale}"
        for field in ("title", "offer", "sponsor_offer")
        for locale in campaign.locales
        if locale not in getattr(campaign, field)
    ]


def campaign_problems(campaign: Campaign) -> list[str]:
    """Every problem, as `field: what is wrong`; empty for a valid file."""
    return [
        *_date_problems(campaign),
        *_currency_problems(campaign),
        *_repetition_problems(campaign),
        *_key_problems(campaign),
        *_template_problems(campaign),
        *_rule_problems(campaign),
        *_text_problems(campaign),
    ]
