"""What a new version of a campaign file changes for rewards is named, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.campaign.differences import reward_differences
from tests.fakes.campaign import campaign, templates

RULES = campaign().model_dump(by_alias=True)["rules"]


def with_rule(position: int, **changes: Any) -> list[str]:
    """What is named when one rule of the campaign is changed."""
    rules = [rule | (changes if at == position else {}) for at, rule in enumerate(RULES)]
    return reward_differences(campaign(), campaign(rules=rules))


def test_nothing_is_named_when_no_reward_changes() -> None:
    assert reward_differences(campaign(), campaign(invitation_days=7, version=2)) == []
    alarm = templates(welcome={"days_left": 30})
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
