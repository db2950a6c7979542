"""Rules between the fields of a campaign file; each problem names its field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from chalicelib.domain.addresses import RESERVED_KEY_IDS
from chalicelib.domain.campaign.fields import LAST_YEAR
from chalicelib.domain.campaign.layouts import layout_problems
from chalicelib.domain.campaign.rules import Conditions, Trigger
from chalicelib.domain.campaign.templates import Symbology
from chalicelib.domain.campaign.wording import wording_problems, wording_texts

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
    return problems + _condition_problems(campaign) + _cycle_problems(campaign)


def _condition_problems(campaign: Campaign) -> list[str]:
    problems: list[str] = []
    for position, rule in enumerate(campaign.rules):
        given, at = rule.conditions, f"rules.{position}.if"
        if rule.when is Trigger.REFERRAL_CONFIRMED and given != Conditions():
            problems.append(f"{at}: a rule for referral_confirmed has no conditions")
        if rule.when is Trigger.VOUCHER_REDEEMED and given.order is not None:
            problems.append(f"{at}.order: a rule for voucher_redeemed does not count orders")
        if given.template is not None and given.template not in campaign.templates:
            problems.append(f"{at}.template: no voucher template named {given.template}")
        for limit in ("amount", "days"):
            least, most = getattr(given, f"minimum_{limit}"), getattr(given, f"maximum_{limit}")
            if least is not None and most is not None and most < least:
                problems.append(f"{at}.maximum_{limit}: must not be below minimum_{limit}")
    return problems


def _cycle_problems(campaign: Campaign) -> list[str]:
    """Rules for voucher_redeemed whose vouchers would grant their own template, without end."""
    issued: dict[str, set[str]] = {}
    redeemed = [rule for rule in campaign.rules if rule.when is Trigger.VOUCHER_REDEEMED]
    for rule in redeemed:
        used = rule.conditions.template
        for template in [used] if used else campaign.templates:
            issued.setdefault(template, set()).add(rule.issue)
    return [
        f"rules.{position}.if.template: redeeming {rule.issue} would grant {rule.issue} again"
        for position, rule in enumerate(campaign.rules)
        if rule in redeemed and rule.issue in _reached(issued, rule.issue)
    ]


def _reached(issued: dict[str, set[str]], template: str) -> set[str]:
    """The templates granted, directly or indirectly, when `template` is redeemed."""
    reached: set[str] = set()
    waiting = [template]
    while waiting:
        new = issued.get(waiting.pop(), set()) - reached
        reached |= new
        waiting += new
    return reached


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
        "give_back_voucher": campaign.give_back_voucher,
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
    reserved = [key for key in campaign.digests.key_ids if key in RESERVED_KEY_IDS]
    if reserved:
        return [f"digests.key_ids: {reserved[0]} is reserved"]
    return []


def _currency_problems(campaign: Campaign) -> list[str]:
    if campaign.currency in _NOT_IN_HUNDREDTHS:
        return ["currency: amounts are stored in hundredths, which this currency does not have"]
    return []


def _text_problems(campaign: Campaign) -> list[str]:
    return [
        f"{field}: no text for locale {locale}"
        for field, known in _texts(campaign)
        for locale in campaign.locales
        if locale not in known
    ]


def _texts(campaign: Campaign) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Every text by language; one that is left out needs none."""
    yield "title", campaign.title
    for field, texts in (("offer", campaign.offer), ("sponsor_offer", campaign.sponsor_offer)):
        if texts:
            yield field, texts
    if campaign.privacy:
        yield "privacy.authority", campaign.privacy.authority
        yield "privacy.summary", campaign.privacy.summary
    for name, template in campaign.templates.items():
        if template.use and template.use.how:
            yield f"templates.{name}.use.how", template.use.how
    yield from wording_texts(campaign)


def _use_problems(campaign: Campaign) -> Iterator[str]:
    """Bar codes: EAN-13 is figures, and our own codes have letters."""
    for name, template in campaign.templates.items():
        use = template.use
        if use is None or use.symbology is None:
            continue
        if use.symbology is Symbology.EAN13 and template.codes == "minted":
            yield f"templates.{name}.use.symbology: ean13 needs codes: client, our own have letters"
        if not use.shop:
            yield f"templates.{name}.use.symbology: a bar code needs shop: true"


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
        *_use_problems(campaign),
        *layout_problems(campaign.files),
        *wording_problems(campaign),
    ]
