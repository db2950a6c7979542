"""The expression that adds to the counts of a day: DynamoDB takes 4 KB of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from chalicelib.adapters.dynamodb.counts import count_actions
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.effects import deltas
from chalicelib.domain.fact_bodies import VoucherRedeemed
from chalicelib.domain.facts import Fact
from chalicelib.services.ports import FACTS_A_COUNT
from tests.fakes.campaign import CAMPAIGN, campaign

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_an_expression_has_room_for_a_batch_in_which_every_voucher_is_another_rules() -> None:
    body = VoucherRedeemed(
        voucher_id="v", referral_id="r", holder_id="h", holder=HolderRole.REFEREE,
        template="welcome", value_minor=500, ends_in="2026-11", rung=9,
    )  # fmt: skip
    facts = [
        Fact.of(
            replace(body, rule=f"rule-{number}", template=f"template-{number}"),
            fact_id=f"{number}", campaign=CAMPAIGN, subject="v", at=NOON, correlation="c",
        )
        for number in range(FACTS_A_COUNT)
    ]  # fmt: skip
    actions = count_actions("table", "0" * 64, {CAMPAIGN: deltas(campaign(), facts)}, facts)
    updates = [action["Update"] for action in actions]
    assert sum(len(one["ExpressionAttributeNames"]) for one in updates) > 3 * FACTS_A_COUNT
    assert max(len(one["UpdateExpression"]) for one in updates) < 4_096
    assert len({one["Key"]["sk"]["S"] for one in updates}) == len(updates) == 2
