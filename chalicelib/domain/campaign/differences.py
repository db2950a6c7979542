"""What changes for rewards when one version of a campaign file follows another.

What happens from then on is judged by the new version, what happened before by the old one
(`domain/earned.py`). A rule is the same rule if its `id` is the same; so an id that vanishes, or
that issues something else, is named before the new version is in force. So is every other field
that decides what is granted or how long it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from pydantic import BaseModel

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.review import Review, Weights
from chalicelib.domain.campaign.rules import Caps, Conditions, Rule
from chalicelib.domain.campaign.templates import VoucherTemplate

_ISSUED = "vouchers that are issued stay as they are"

# Of the campaign as a whole, beside its rules, templates and caps: when an order counts, for whom,
# what it gives back, and in which money and days.
DECIDING_FIELDS = ("currency", "time_zone", "return_window_days", "buyer", "give_back_voucher")

# `days_left` says when an alarm rings, `use` what is said of a voucher: not what is issued.
NOT_ISSUED = frozenset({"days_left", "use"})
TEMPLATE_FIELDS = tuple(name for name in VoucherTemplate.model_fields if name not in NOT_ISSUED)


def reward_differences(before: Campaign, after: Campaign) -> list[str]:
    """What vanishes from `before` or is granted otherwise in `after`, one line each."""
    return [
        *_changed(before, after, DECIDING_FIELDS),
        *_review_differences(before, after),
        *_changed(before.caps, after.caps, Caps.model_fields, "caps."),
        *_rule_differences(before, after),
        *_template_differences(before, after),
    ]


def _review_differences(before: Campaign, after: Campaign) -> Iterator[str]:
    """What is held from now on: what waits for a decision goes on waiting for it."""
    old, new = before.review, after.review
    if old and new:
        names = [name for name in Review.model_fields if name != "weights"]
        yield from _changed(old, new, names, "review.")
        yield from _changed(old.weights, new.weights, Weights.model_fields, "review.weights.")
    elif old:
        yield "review: vanishes; nothing more is held, and what is held waits for its decision"
    elif new:
        yield f"review: new; rewards with a score over {new.hold_over} are held from now on"


def _rule_differences(before: Campaign, after: Campaign) -> Iterator[str]:
    kept = {rule.id: rule for rule in after.rules}
    for rule in before.rules:
        if rule.id not in kept:
            yield f"rule {rule.id}: vanishes; what is reported from now on earns nothing by it"
        elif changes := [*_rule_changes(rule, kept[rule.id])]:
            yield f"rule {rule.id}: {', '.join(changes)}"
    known = {rule.id for rule in before.rules}
    for rule in after.rules:
        if rule.id not in known:
            yield f"rule {rule.id}: new; what was reported before earns nothing by it"


def _rule_changes(old: Rule, new: Rule) -> Iterator[str]:
    yield from _changed(old, new, ("when", "issue", "to"))
    yield from _changed(old.conditions, new.conditions, Conditions.model_fields, "if.")


def _template_differences(before: Campaign, after: Campaign) -> Iterator[str]:
    for name, template in before.templates.items():
        if name not in after.templates:
            yield f"template {name}: vanishes; {_ISSUED}"
        elif changes := [*_template_changes(template, after.templates[name])]:
            yield f"template {name}: {', '.join(changes)}; {_ISSUED}"


def _template_changes(old: VoucherTemplate, new: VoucherTemplate) -> Iterator[str]:
    yield from _changed(old, new, TEMPLATE_FIELDS)


def _changed(
    before: BaseModel, after: BaseModel, names: Iterable[str], group: str = ""
) -> Iterator[str]:
    for name in names:
        old, new = _text(getattr(before, name)), _text(getattr(after, name))
        if old != new:
            yield f"{group}{name} {old} → {new}"


def _text(value: object) -> str:
    """A value of the file as it is written there; `none` where it is left out."""
    match value:
        case None | ():
            return "none"
        case bool():
            return str(value).lower()
        case Decimal():
            return f"{value:.2f}"
        case tuple():
            return "[" + ", ".join(map(str, value)) + "]"
        case _:
            return str(value)
