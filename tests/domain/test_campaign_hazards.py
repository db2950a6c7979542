"""What is valid in a campaign file and probably not meant is named, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.campaign.hazards import campaign_warnings
from chalicelib.domain.campaign.review import Weights
from tests.fakes.campaign import campaign, templates

WELCOME = {"id": "welcome", "when": "referral_confirmed", "issue": "welcome", "to": "referee"}


def warnings_of(when: str, conditions: dict[str, Any], **changes: Any) -> list[str]:
    """The warnings of a campaign with one rule that issues a voucher of 15.00."""
    rule = {"id": "thanks", "when": when, "if": conditions, "issue": "thank-you", "to": "sponsor"}
    return campaign_warnings(campaign(rules=[WELCOME, rule], **changes))


@pytest.mark.parametrize("when", ["order_placed", "order_kept", "order_returned"])
@pytest.mark.parametrize("conditions", [{}, {"minimum_amount": 0}, {"maximum_amount": 90}])
def test_a_reward_for_an_order_without_minimum_amount(
    when: str, conditions: dict[str, Any]
) -> None:
    assert warnings_of(when, conditions) == [
        "rules.1.if.minimum_amount: none: an order of 0.01 earns a voucher of 15.00"
    ]


def test_a_reward_worth_more_than_the_order_it_asks_for() -> None:
    assert warnings_of("order_kept", {"minimum_amount": "14.99"}) == [
        "rules.1.if.minimum_amount: an order of 14.99 earns a voucher of 15.00"
    ]
    assert warnings_of("order_kept", {"minimum_amount": 15}) == []


def test_a_confirmation_has_no_amount_to_ask_for() -> None:
    assert campaign_warnings(campaign(rules=[WELCOME])) == []


def test_a_voucher_that_asks_for_a_basket_asks_for_the_reward_of_its_use_too() -> None:
    asks = {"template": "welcome"}
    assert warnings_of("voucher_redeemed", asks) == []
    free = templates(welcome={"minimum_basket": 0})
    assert warnings_of("voucher_redeemed", asks, templates=free) == [
        "rules.1.if.minimum_amount: none: an order of 0.01 earns a voucher of 15.00"
    ]


def test_the_basket_of_a_voucher_says_nothing_about_what_is_kept_of_the_order() -> None:
    assert warnings_of("order_kept", {"template": "welcome"}) == [
        "rules.1.if.minimum_amount: none: an order of 0.01 earns a voucher of 15.00"
    ]


def test_the_use_of_a_voucher_worth_less_than_its_reward() -> None:
    cheap = templates(welcome={"minimum_basket": "5.00"})
    assert warnings_of("voucher_redeemed", {"template": "welcome"}, templates=cheap) == [
        "rules.1.if.minimum_amount: an order of 5.00 earns a voucher of 15.00"
    ]


def test_a_maximum_below_the_basket_of_the_voucher_it_asks_for() -> None:
    conditions = {"template": "welcome", "minimum_amount": 20, "maximum_amount": "39.99"}
    [warning] = warnings_of("order_kept", conditions)
    assert warning == (
        "rules.1.if.maximum_amount: below the minimum_basket of welcome, 40.00: "
        "no order with such a voucher is that small"
    )
    assert warnings_of("order_kept", conditions | {"maximum_amount": 40}) == []


def test_a_condition_on_a_voucher_that_no_rule_issues() -> None:
    assert warnings_of("order_kept", {"template": "third-order", "minimum_amount": 20}) == [
        "rules.1.if.template: no rule issues third-order, so this rule never holds"
    ]


def test_a_budget_that_is_spent_before_the_first_voucher() -> None:
    assert warnings_of("order_kept", {"minimum_amount": 20}, caps={"budget": "14.99"}) == [
        "caps.budget: less than one voucher of thank-you, 15.00"
    ]
    assert warnings_of("order_kept", {"minimum_amount": 20}, caps={"budget": 15}) == []


def test_addresses_kept_for_more_than_a_year_after_the_last_day() -> None:
    assert campaign_warnings(campaign(rules=[WELCOME], retention_days=365)) == []
    assert campaign_warnings(campaign(rules=[WELCOME], retention_days=366)) == [
        "retention_days: 366: addresses are kept more than 365 days after the campaign's last day"
    ]


def test_digests_without_a_key() -> None:
    plain = {"algorithm": "sha256", "key_ids": ["k1"]}
    assert campaign_warnings(campaign(rules=[WELCOME], digests=plain)) == [
        "digests.algorithm: sha256 has no key: anybody with a digest can find its address"
    ]


def test_a_limit_that_no_score_reaches() -> None:
    weights = dict.fromkeys(Weights.model_fields, 0) | {"sequence": 30}
    reached = campaign(rules=[WELCOME], review={"hold_over": 29, "weights": weights})
    assert campaign_warnings(reached) == []
    never = campaign(rules=[WELCOME], review={"hold_over": 30, "weights": weights})
    assert campaign_warnings(never) == [
        "review.hold_over: 30: all weights together are 30, so no score is over it"
    ]
