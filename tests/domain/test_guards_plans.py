"""What a plan of rewards leaves alone, and which refusal is work."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest

from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.earned import Earned
from chalicelib.domain.effects import Queue, queues_of
from chalicelib.domain.entity import Entity
from chalicelib.domain.fact_bodies import RewardRefused
from chalicelib.domain.facts import Fact
from chalicelib.domain.held_rewards import held, refused_in_review, released
from chalicelib.domain.orders import Order
from chalicelib.domain.referrals import Referral
from chalicelib.domain.review import Score
from chalicelib.domain.reward_plan import (
    Limits,
    Refuse,
    Revoke,
    plan_redemption_reward,
    plan_rewards,
)
from chalicelib.domain.rewards import Reward, RewardRefusal, refused
from tests.contract.entities import ENTITIES
from tests.fakes.campaign import campaign
from tests.fakes.ports import MORNING

E = TypeVar("E", bound=Entity)
RULES = campaign(
    rules=[
        {"id": "kept", "when": "order_kept", "issue": "thank-you", "to": "sponsor"},
        {"id": "used", "when": "voucher_redeemed", "if": {"template": "thank-you"},
         "issue": "second-order", "to": "referee"},
    ]
)  # fmt: skip
KEPT, USED = RULES.rules
NO_NEWCOMER = Limits(is_newcomer=False, sponsor_rewards=0)


def one(kind: type[E]) -> E:
    return next(entity for entity in ENTITIES if isinstance(entity, kind))


REFERRAL, ORDER = one(Referral), one(Order)


def decided(rule: str) -> Reward:
    return Reward(
        referral_id=REFERRAL.referral_id,
        rule=rule,
        rung=1,
        campaign=RULES.id,
        order_id=ORDER.order_id,
        to=HolderRole.SPONSOR,
    )


def test_what_was_used_stays_so_though_the_referee_is_no_newcomer_any_more() -> None:
    used = replace(decided("kept"), code_key="C", revoked_at=MORNING, is_used=True)
    earned = [Earned(campaign=RULES, rule=KEPT, rung=1, order=ORDER)]
    assert plan_rewards(REFERRAL, earned, [used], NO_NEWCOMER) == []


def test_a_released_reward_for_a_use_falls_away_for_who_is_no_newcomer_any_more() -> None:
    waiting = held(
        replace(decided("used"), voucher_id="v"), Score(total=70), 1000,
        now=MORNING, ends_at=MORNING + timedelta(days=14),
    )  # fmt: skip
    let_go = released(waiting, MORNING, "AROA")
    earned = [Earned(campaign=RULES, rule=USED, rung=1, voucher_id="v")]
    plan = plan_redemption_reward(REFERRAL, earned, [let_go], NO_NEWCOMER, "v")
    assert plan == [Revoke(let_go)]


def test_a_voucher_stands_for_the_order_that_is_left_when_a_held_reward_falls_away() -> None:
    gone = held(
        replace(decided("kept"), order_id="returned"), Score(total=70), 1000,
        now=MORNING, ends_at=MORNING + timedelta(days=14),
    )  # fmt: skip
    stands = replace(decided("kept"), rung=2, code_key="C", granted_at=MORNING)
    earned = [Earned(campaign=RULES, rule=KEPT, rung=1, order=ORDER)]
    newcomer = replace(NO_NEWCOMER, is_newcomer=True)
    assert plan_rewards(REFERRAL, earned, [gone, stands], newcomer) == [Revoke(gone)]


@pytest.mark.parametrize("reason", [RewardRefusal.REFUSED_IN_REVIEW, RewardRefusal.NOT_DECIDED])
def test_what_a_review_has_ended_with_a_no_is_not_decided_again(reason: RewardRefusal) -> None:
    waiting = held(
        decided("kept"), Score(total=70), 1000,
        now=MORNING, ends_at=MORNING + timedelta(days=14),
    )  # fmt: skip
    earned = [Earned(campaign=RULES, rule=KEPT, rung=1, order=ORDER)]
    newcomer = replace(NO_NEWCOMER, is_newcomer=True)
    ended = refused_in_review(waiting, reason)
    assert plan_rewards(REFERRAL, earned, [ended], newcomer) == []


@pytest.mark.parametrize("before", [RewardRefusal.SPONSOR_CAP, RewardRefusal.NOT_A_NEWCOMER])
def test_a_refusal_for_a_use_says_the_reason_that_holds_by_now(before: RewardRefusal) -> None:
    stored = refused(replace(decided("used"), voucher_id="v"), before)
    earned = [Earned(campaign=RULES, rule=USED, rung=1, voucher_id="v")]
    plan = plan_redemption_reward(REFERRAL, earned, [stored], NO_NEWCOMER, "v")
    reasons = [action.reason for action in plan if isinstance(action, Refuse)]
    now = RewardRefusal.NOT_A_NEWCOMER
    assert reasons == ([] if before is now else [now])
    assert len(plan) == len(reasons)


def refusal(reason: RewardRefusal) -> Fact:
    body = RewardRefused(referral_id="r", sponsor_id="s", rule="kept", rung=1, reason=reason)
    return Fact.of(body, fact_id="f", campaign=RULES.id, subject="r", at=MORNING, correlation="c")


def test_a_refusal_is_work_where_it_leaves_room_for_another_reward() -> None:
    for reason in (RewardRefusal.REFUSED_IN_REVIEW, RewardRefusal.NOT_DECIDED):
        assert queues_of(refusal(reason)) == (Queue.REWARD,)
    assert queues_of(refusal(RewardRefusal.SPONSOR_CAP)) == ()
