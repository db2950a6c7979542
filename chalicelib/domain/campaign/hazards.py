"""What is valid in a campaign file and probably not meant; each warning names its field.

Refuses nothing: that is `checks.py`. A warning is for money that anybody could take, for a rule
that can never hold, and for addresses that are kept longer or protected less than they need be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.promises import unkept_amounts
from chalicelib.domain.campaign.rules import HolderRole, Rule, Trigger
from chalicelib.domain.campaign.wording import share_message

# After a year nobody waits for a mail of this campaign: longer needs a reason of the client's own.
LONGEST_RETENTION_DAYS = 365


def campaign_warnings(campaign: Campaign) -> list[str]:
    """Every warning, as `field: what is doubtful`, in the order of the fields' positions."""
    found = [
        f"rules.{position}.if.{warning}"
        for position, rule in enumerate(campaign.rules)
        if rule.when is not Trigger.REFERRAL_CONFIRMED
        for warning in _rule_warnings(campaign, rule)
    ]
    return [
        *_information_warnings(campaign),
        *_promise_warnings(campaign),
        *_share_warnings(campaign),
        *_picture_warnings(campaign),
        *_privacy_warnings(campaign),
        *found,
        *_budget_warnings(campaign),
        *_review_warnings(campaign),
    ]


def _information_warnings(campaign: Campaign) -> Iterator[str]:
    for name in ("controller", "privacy"):
        if getattr(campaign, name) is None:
            yield f"{name}: missing: a new campaign is refused without it (GDPR 13 and 14)"


def _promise_warnings(campaign: Campaign) -> Iterator[str]:
    """What the campaign's own words promise and its rules do not grant."""
    offers = {HolderRole.SPONSOR: "sponsor_offer", HolderRole.REFEREE: "offer"}
    for role, field in offers.items():
        kept = campaign.promises(role)
        texts: Mapping[str, str] = getattr(campaign, field)
        if not kept:
            so = f", so {field} is not shown" if texts else ""
            yield f"rules: no rule gives the {role.value} anything{so}"
            continue
        for locale, text in texts.items():
            for amount in sorted(unkept_amounts(campaign, text, kept)):
                reason = (
                    f"no rule for the {role.value} has an amount of {amount:.2f}: it is not shown"
                )
                yield f"{field}.{locale}: {reason}"


def _share_warnings(campaign: Campaign) -> Iterator[str]:
    used = share_message(campaign)
    for locale in campaign.share.message if campaign.share else ():
        if locale not in used:
            yield (
                f"share.message.{locale}: is not used, because no rule gives the referee a first "
                "voucher with these amounts"
            )


def _picture_warnings(campaign: Campaign) -> Iterator[str]:
    if campaign.brand.logo and campaign.brand.logo_for_mails is None:
        yield "brand.logo: mail programs show no SVG: with a PNG as mail_logo mails have a logo too"


def _privacy_warnings(campaign: Campaign) -> Iterator[str]:
    if campaign.digests.algorithm == "sha256":
        yield "digests.algorithm: sha256 has no key: anybody with a digest can find its address"
    if campaign.retention_days > LONGEST_RETENTION_DAYS:
        yield (
            f"retention_days: {campaign.retention_days}: addresses are kept more than "
            f"{LONGEST_RETENTION_DAYS} days after the campaign's last day"
        )


def _rule_warnings(campaign: Campaign, rule: Rule) -> Iterator[str]:
    given, template = rule.conditions, rule.conditions.template
    least = _least_amount(campaign, rule)
    value = campaign.templates[rule.issue].value
    if not least:
        yield f"minimum_amount: none: an order of 0.01 earns a voucher of {value:.2f}"
    elif least < value:
        yield f"minimum_amount: an order of {least:.2f} earns a voucher of {value:.2f}"
    if template is None:
        return
    if all(other.issue != template for other in campaign.rules):
        yield f"template: no rule issues {template}, so this rule never holds"
    basket = campaign.templates[template].minimum_basket
    if given.maximum_amount is not None and given.maximum_amount < basket:
        yield (
            f"maximum_amount: below the minimum_basket of {template}, {basket:.2f}: "
            "no order with such a voucher is that small"
        )


def _least_amount(campaign: Campaign, rule: Rule) -> Decimal:
    """The smallest order for which the rule may hold, 0 for any."""
    least, used = rule.conditions.minimum_amount or Decimal(0), rule.conditions.template
    if rule.when is not Trigger.VOUCHER_REDEEMED or used is None:
        # A basket was that large when its voucher was used, and part of it may be returned.
        return least
    return max(least, campaign.templates[used].minimum_basket)


def _review_warnings(campaign: Campaign) -> Iterator[str]:
    review = campaign.review
    if review and review.weights.total <= review.hold_over:
        yield (
            f"review.hold_over: {review.hold_over}: all weights together are "
            f"{review.weights.total}, so no score is over it"
        )


def _budget_warnings(campaign: Campaign) -> Iterator[str]:
    budget = campaign.caps.budget
    values = {rule.issue: campaign.templates[rule.issue].value for rule in campaign.rules}
    for name, value in values.items():
        if budget is not None and budget < value:
            yield f"caps.budget: less than one voucher of {name}, {value:.2f}"
