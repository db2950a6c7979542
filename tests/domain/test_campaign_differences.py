"""What a new version of a campaign file changes for rewards is named, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.campaign.differences import DECIDING_FIELDS, NOT_ISSUED, reward_differences
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.review import Review, Weights
from chalicelib.domain.campaign.rules import Caps, Conditions, Rule
from chalicelib.domain.campaign.templates import VoucherTemplate
from tests.fakes.campaign import campaign, templates

RULES = campaign().model_dump(by_alias=True)["rules"]


def with_rule(position: int, **changes: Any) -> list[str]:
    """What is named when one rule of the campaign is changed."""
    rules = [rule | (changes if at == position else {}) for at, rule in enumerate(RULES)]
    return reward_differences(campaign(), campaign(rules=rules))


def test_nothing_is_named_when_no_reward_changes() -> None:
    assert reward_differences(campaign(), campaign(invitation_days=7, version=2)) == []
    alarm = templates(welcome={"days_left": 30, "use": {"shop": True}})
    assert reward_differences(campaign(), campaign(templates=alarm)) == []
    assert reward_differences(campaign(), campaign(rules=RULES[::-1])) == []


def test_a_rule_that_vanishes_is_named() -> None:
    assert reward_differences(campaign(), campaign(rules=RULES[:-1])) == [
        "rule sponsor-reward: vanishes; what is reported from now on earns nothing by it"
    ]


def test_a_rule_with_another_id_is_another_rule() -> None:
    assert with_rule(4, id="thanks") == [
        "rule sponsor-reward: vanishes; what is reported from now on earns nothing by it",
        "rule thanks: new; what was reported before earns nothing by it",
    ]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"issue": "second-order"}, "issue thank-you → second-order"),
        ({"to": "referee"}, "to sponsor → referee"),
        ({"when": "order_placed"}, "when order_kept → order_placed"),
        ({"if": {"order": 2}}, "if.order 1 → 2"),
        ({"if": {"order": 1, "minimum_amount": 30}}, "if.minimum_amount none → 30.00"),
        (
            {"issue": "welcome", "if": {}},
            "issue thank-you → welcome, if.order 1 → none",
        ),
    ],
)
def test_a_rule_that_grants_otherwise_is_named(changes: dict[str, Any], named: str) -> None:
    assert with_rule(4, **changes) == [f"rule sponsor-reward: {named}"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"value": "12.50"}, "value 10.00 → 12.50"),
        ({"minimum_basket": 0}, "minimum_basket 40.00 → 0.00"),
        ({"valid_days": 30}, "valid_days 60 → 30"),
        ({"prefix": "WX"}, "prefix WE → WX"),
        ({"codes": "client"}, "codes minted → client"),
        ({"holder_bound": True}, "holder_bound false → true"),
        ({"not_with": ["thank-you"]}, "not_with none → [thank-you]"),
    ],
)
def test_a_template_that_is_issued_otherwise_is_named(changes: dict[str, Any], named: str) -> None:
    after = campaign(templates=templates(welcome=changes))
    assert reward_differences(campaign(), after) == [
        f"template welcome: {named}; vouchers that are issued stay as they are"
    ]


def test_a_template_that_vanishes_is_named() -> None:
    fewer = {name: given for name, given in templates().items() if name != "fourth-order"}
    rules = [rule for rule in RULES if rule["issue"] != "fourth-order"]
    assert reward_differences(campaign(), campaign(templates=fewer, rules=rules)) == [
        "rule ladder-third: vanishes; what is reported from now on earns nothing by it",
        "template fourth-order: vanishes; vouchers that are issued stay as they are",
    ]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"currency": "USD"}, "currency EUR → USD"),
        ({"time_zone": "Europe/Athens"}, "time_zone Europe/Paris → Europe/Athens"),
        ({"return_window_days": 30}, "return_window_days 14 → 30"),
        ({"buyer": "anyone"}, "buyer referee → anyone"),
        ({"give_back_voucher": []}, "give_back_voucher [cancelled] → none"),
        ({"caps": {"sponsor_rewards": 5}}, "caps.sponsor_rewards 20 → 5"),
        ({"caps": {"referee_rewards": 3}}, "caps.referee_rewards none → 3"),
        ({"caps": {"budget": 9000}}, "caps.budget none → 9000.00"),
    ],
)
def test_what_else_decides_what_is_granted_is_named(changes: dict[str, Any], named: str) -> None:
    assert reward_differences(campaign(), campaign(**changes)) == [named]


# --- no field is forgotten -----------------------------------------------------------------------

# What a field is, where it is not named: a change of it grants nothing more and nothing less.
NOT_NAMED = {
    "id": "another campaign",
    "version": "is assigned",
    "brand": "texts",
    "title": "texts",
    "offer": "texts",
    "sponsor_offer": "texts",
    "country": "texts",
    "locales": "texts",
    "terms": "texts",
    "controller": "texts",
    "privacy": "texts",
    "starts_on": "when one may invite and confirm",
    "ends_on": "when one may invite and confirm",
    "digests": "keys, which `tandem` asks for itself",
    "lists": "when a list is trusted",
    "channels": "how one may invite",
    "quotas": "how much one may invite",
    "invitation_days": "how long one may confirm",
    "retention_days": "how long an address is kept",
    "release": "when a code is mailed",
    "acknowledge_within": "when an alarm rings",
    "orders_expected_every": "when an alarm rings",
    "pictures": "texts",
    "mails": "texts",
    "share": "texts",
    "mail_confirmations": "whether a mail leaves",
    "ends_soon_days": "when a mail leaves",
    "earlier_zones": "is noted when a version is put",
    "files": "how files are laid out",
}
OTHER_VALUES: dict[str, dict[str, Any]] = {
    "rule": {
        "id": "another",
        "when": "order_placed",
        "conditions": {"order": 2},
        "issue": "second-order",
        "to": "referee",
    },
    "if": {
        "order": 3,
        "minimum_amount": 30,
        "maximum_amount": 30,
        "minimum_days": 2,
        "maximum_days": 2,
        "template": "welcome",
    },
    "template": {
        "prefix": "WX",
        "value": "12.50",
        "minimum_basket": 0,
        "valid_days": 30,
        "codes": "client",
        "holder_bound": True,
        "not_with": ["thank-you"],
    },
}


def test_every_field_of_a_campaign_is_named_or_changes_no_reward() -> None:
    named = {"rules", "templates", "caps", "review", *DECIDING_FIELDS}
    assert named | set(NOT_NAMED) == set(Campaign.model_fields)
    assert not named & set(NOT_NAMED)


@pytest.mark.parametrize("name", Rule.model_fields)
def test_every_field_of_a_rule_is_named(name: str) -> None:
    field = Rule.model_fields[name].alias or name
    assert with_rule(4, **{field: OTHER_VALUES["rule"][name]})


@pytest.mark.parametrize("name", Conditions.model_fields)
def test_every_condition_of_a_rule_is_named(name: str) -> None:
    assert with_rule(4, **{"if": {name: OTHER_VALUES["if"][name]}})


@pytest.mark.parametrize("name", sorted({*VoucherTemplate.model_fields} - NOT_ISSUED))
def test_every_field_of_a_template_is_named(name: str) -> None:
    after = campaign(templates=templates(welcome={name: OTHER_VALUES["template"][name]}))
    assert len(reward_differences(campaign(), after)) == 1


@pytest.mark.parametrize("name", Caps.model_fields)
def test_every_cap_is_named(name: str) -> None:
    assert len(reward_differences(campaign(), campaign(caps={name: 7}))) == 1


REVIEWS: dict[str, Any] = {
    "hold_over": 70,
    "per_private_domain_per_day": 3,
    "per_sponsor_per_hour": 4,
    "decide_within_days": 20,
    "undecided": "refuse",
}


@pytest.mark.parametrize("name", [name for name in Review.model_fields if name != "weights"])
def test_every_field_of_a_review_is_named(name: str) -> None:
    before, after = campaign(review={}), campaign(review={name: REVIEWS[name]})
    [line] = reward_differences(before, after)
    assert line.startswith(f"review.{name} ")
    assert line.endswith(f"→ {REVIEWS[name]}")


@pytest.mark.parametrize("name", Weights.model_fields)
def test_every_weight_of_a_review_is_named(name: str) -> None:
    before, after = campaign(review={}), campaign(review={"weights": {name: 1}})
    [line] = reward_differences(before, after)
    assert line.startswith(f"review.weights.{name} ")
    assert line.endswith("→ 1")


def test_a_review_that_begins_or_ends_is_named() -> None:
    without, with_it = campaign(), campaign(review={"hold_over": 70})
    assert reward_differences(without, with_it) == [
        "review: new; rewards with a score over 70 are held from now on"
    ]
    assert reward_differences(with_it, without) == [
        "review: vanishes; nothing more is held, and what is held waits for its decision"
    ]
    assert reward_differences(with_it, with_it) == reward_differences(without, without) == []
