"""What a campaign promises is what its rules grant, and its own words promise nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.campaign.promises import Promise
from chalicelib.domain.campaign.rules import HolderRole, Trigger
from chalicelib.domain.campaign.wording import share_message
from tests.fakes.campaign import campaign, templates

LADDER = {"id": "second", "when": "order_kept", "if": {"order": 2}, "issue": "third-order",
          "to": "referee"}  # fmt: skip
WELCOME = {"id": "welcome", "when": "referral_confirmed", "issue": "welcome", "to": "referee"}


def rule(**fields: Any) -> dict[str, Any]:
    return {"id": "one", "when": "order_kept", "issue": "thank-you", "to": "sponsor"} | fields


def test_what_the_rules_grant_in_the_order_in_which_one_gets_it() -> None:
    rules = [LADDER, rule(**{"if": {"order": 1, "minimum_amount": "30.50"}}), WELCOME]
    made = campaign(rules=rules)
    assert made.promises(HolderRole.SPONSOR) == (
        Promise(
            rule="one", template="thank-you", value_minor=1500, minimum_basket_minor=0,
            valid_days=90, when=Trigger.ORDER_KEPT, order=1, least_order_minor=3050,
        ),
    )  # fmt: skip
    first, second = made.promises(HolderRole.REFEREE)
    assert (first.rule, first.when, first.minimum_basket_minor) == (
        "welcome",
        Trigger.REFERRAL_CONFIRMED,
        4000,
    )
    assert (second.rule, second.order) == ("second", 2)


@pytest.mark.parametrize(
    "never",
    [
        {"rules": [WELCOME, rule(**{"if": {"template": "third-order"}})]},
        {"rules": [WELCOME, rule()], "caps": {"budget": "14.99"}},
    ],
)
def test_a_rule_that_can_never_hold_promises_nothing(never: dict[str, Any]) -> None:
    made = campaign(**never)
    assert made.promises(HolderRole.SPONSOR) == ()
    assert made.offer_to(HolderRole.SPONSOR) == {}
    assert made.offer_to(HolderRole.REFEREE) == made.offer


def test_a_rule_that_waits_for_a_voucher_of_another_rule_promises() -> None:
    waits = rule(when="voucher_redeemed", **{"if": {"template": "welcome"}})
    assert len(campaign(rules=[WELCOME, waits]).promises(HolderRole.SPONSOR)) == 1


def test_what_is_shared_promises_what_the_first_voucher_keeps() -> None:
    share = {"message": {"fr": "{value} dès {minimum_basket}", "en": "{value} at {brand}"}}
    assert share_message(campaign(share=share)) == share["message"]
    free = templates(welcome={"minimum_basket": 0})
    assert [*share_message(campaign(share=share, templates=free))] == ["en"]
    assert share_message(campaign(share=share, rules=[rule()])) == {}
    assert share_message(campaign()) == {}
