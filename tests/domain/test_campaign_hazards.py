"""What is valid in a campaign file and probably not meant is named, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.campaign.hazards import campaign_warnings
from chalicelib.domain.campaign.review import Weights
from tests.fakes.campaign import campaign, templates

# Of a campaign with a rule for the referee alone.
NOTHING_FOR_SPONSOR = "rules: no rule gives the sponsor anything, so sponsor_offer is not shown"
UNUSED = "is not used, because no rule gives the referee a first voucher with these amounts"
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
    assert campaign_warnings(campaign(rules=[WELCOME])) == [NOTHING_FOR_SPONSOR]


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
        NOTHING_FOR_SPONSOR,
        "rules.1.if.template: no rule issues third-order, so this rule never holds",
    ]


def test_a_budget_that_is_spent_before_the_first_voucher() -> None:
    assert warnings_of("order_kept", {"minimum_amount": 20}, caps={"budget": "14.99"}) == [
        NOTHING_FOR_SPONSOR,
        "caps.budget: less than one voucher of thank-you, 15.00",
    ]
    assert warnings_of("order_kept", {"minimum_amount": 20}, caps={"budget": 15}) == []


def test_addresses_kept_for_more_than_a_year_after_the_last_day() -> None:
    assert campaign_warnings(campaign(rules=[WELCOME], retention_days=365)) == [NOTHING_FOR_SPONSOR]
    assert campaign_warnings(campaign(rules=[WELCOME], retention_days=366)) == [
        NOTHING_FOR_SPONSOR,
        "retention_days: 366: addresses are kept more than 365 days after the campaign's last day",
    ]


def test_digests_without_a_key() -> None:
    plain = {"algorithm": "sha256", "key_ids": ["k1"]}
    assert campaign_warnings(campaign(rules=[WELCOME], digests=plain)) == [
        NOTHING_FOR_SPONSOR,
        "digests.algorithm: sha256 has no key: anybody with a digest can find its address",
    ]


def test_a_limit_that_no_score_reaches() -> None:
    weights = dict.fromkeys(Weights.model_fields, 0) | {"sequence": 30}
    reached = campaign(rules=[WELCOME], review={"hold_over": 29, "weights": weights})
    assert campaign_warnings(reached) == [NOTHING_FOR_SPONSOR]
    never = campaign(rules=[WELCOME], review={"hold_over": 30, "weights": weights})
    assert campaign_warnings(never) == [
        NOTHING_FOR_SPONSOR,
        "review.hold_over: 30: all weights together are 30, so no score is over it",
    ]


def test_a_campaign_whose_rules_give_nobody_anything_but_the_ladder() -> None:
    second = {"id": "second", "when": "order_kept", "if": {"order": 2, "minimum_amount": 30},
              "issue": "third-order", "to": "referee"}  # fmt: skip
    silent = campaign(rules=[second], offer={}, sponsor_offer={})
    assert campaign_warnings(silent) == ["rules: no rule gives the sponsor anything"]


def test_an_amount_in_the_offer_that_no_rule_has() -> None:
    offer = {"fr": "20 € offerts, puis 10 € dès 40,00 € d’achat", "en": "€20 off, €10 from €40"}
    assert campaign_warnings(campaign(rules=[WELCOME], offer=offer)) == [
        NOTHING_FOR_SPONSOR,
        "offer.fr: no rule for the referee has an amount of 20.00: it is not shown",
        "offer.en: no rule for the referee has an amount of 20.00: it is not shown",
    ]


def test_what_is_shared_and_cannot_be_kept() -> None:
    share = {"message": {"fr": "Tu as {value} dès {minimum_basket}", "en": "Look at {brand}"}}
    assert campaign_warnings(campaign(rules=[WELCOME], share=share)) == [NOTHING_FOR_SPONSOR]
    free = templates(welcome={"minimum_basket": 0})
    assert campaign_warnings(campaign(rules=[WELCOME], share=share, templates=free)) == [
        NOTHING_FOR_SPONSOR,
        f"share.message.fr: {UNUSED}",
    ]


def test_a_logo_that_no_mail_can_show() -> None:
    brand = campaign().brand.model_dump() | {"logo": "logo.svg"}
    assert campaign_warnings(campaign(rules=[WELCOME], brand=brand))[1:] == [
        "brand.logo: mail programs show no SVG: with a PNG as mail_logo mails have a logo too"
    ]
    for shown in ({"logo": "logo.png"}, {"mail_logo": "logo.png"}):
        assert campaign_warnings(campaign(rules=[WELCOME], brand=brand | shown))[1:] == []
