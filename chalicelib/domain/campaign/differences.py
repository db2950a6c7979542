"""What changes for rewards when one version of a campaign file follows another.

What happens from then on is judged by the new version, what happened before by the old one
(`domain/earned.py`). A rule is the same rule if its `id` is the same; so an id that vanishes, or
that issues something else, is named before the new version is in force. So is every other field
that decides what is granted or how long it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from chalicelib.domain.campaign.file import ASSIGNED, Campaign
from chalicelib.domain.campaign.review import Review, Weights
from chalicelib.domain.campaign.rules import Caps, Conditions, Rule
from chalicelib.domain.campaign.templates import VoucherTemplate
from chalicelib.domain.files.armour import fingerprint_of
from chalicelib.domain.files.writing import sha256_of

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


@dataclass(frozen=True)
class FieldDifference:
    """A field of the campaign file, as `rules.ladder.template`, with both values as the file has
    them; None where it is missing.
    """

    field: str
    before: Any
    after: Any

    @property
    def warning(self) -> str | None:
        """Why such a change needs a second look; None for an ordinary one."""
        if self.field.startswith("rules.") and self.after is None and self.field.endswith(".id"):
            return "the rule vanishes: what is reported from now on earns nothing by it"
        return next((text for name, text in _WARNINGS.items() if self.field.startswith(name)), None)


KEY_FIELD = "files.encrypt_to"

_WARNINGS = {
    "currency": "what was issued before keeps its currency",
    "time_zone": "the days of the past stay as they were counted; those to come end elsewhere",
    "digests": "the client's lists must have the new key before the old one may go",
    "starts_on": "who was invited before may be outside the campaign now",
    "files.encrypt_to": "what is written from now on is for this key; files that are there stay",
    "files": "files that are dropped and not handled yet are read by the new layout",
    "ends_on": "invitations, addresses and vouchers end with the campaign",
}


def field_differences(before: Campaign, after: Campaign) -> list[FieldDifference]:
    """Every field that differs, in the order of the file; lists of things with ids by these ids."""
    old, new = _fields(before), _fields(after)
    names = [*old, *(name for name in new if name not in old)]
    return [
        FieldDifference(name, old.get(name), new.get(name))
        for name in names
        if old.get(name) != new.get(name)
    ]


def _fields(campaign: Campaign) -> dict[str, Any]:
    document = campaign.model_dump(
        mode="json", by_alias=True, exclude=set(ASSIGNED), exclude_none=True
    )
    return dict(_flat(document, ""))


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, each in value.items():
            yield from _flat(each, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        for number, one in enumerate(value):
            yield from _flat(one, f"{path}.{one.get('id', number)}")
    elif path == KEY_FIELD:
        yield path, _key_text(value)
    else:
        yield path, value


def _key_text(armoured: str) -> str:
    """A key by its fingerprint; with another date of expiry it is the same key and another text."""
    return f"{fingerprint_of(armoured)} (text {sha256_of(armoured.encode())[:8]})"


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
