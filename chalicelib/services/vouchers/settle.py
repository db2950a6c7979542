"""Settling the rewards of one referral: the actions of its plan, one transaction each.

A planner answers which actions are due, as `domain/reward_plan.py` decides. How one is carried out
is in `reward_actions.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.reward_plan import Action
from chalicelib.domain.rewards import Budget, Reward, is_active, revoked
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.lookups import current_campaign
from chalicelib.services.ports import Ports
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.reward_state import ReferralRewards
from chalicelib.services.vouchers.reward_actions import carry_out, recounted

NOTHING_LEFT = "nothing_left"
WAITS = "waits"

# Returns the state with the referral as it is stored then.
Planner = Callable[[Ports, ReferralRewards], tuple[ReferralRewards, list[Action]]]


def settle(ports: Ports, referral_id: str, planner: Planner) -> list[str]:
    """Take the actions of the plan, one transaction each, until none is left: after each it is
    made again, so room that was freed at the same moment is seen. One that must wait does not block
    the others: `RetryLaterError` comes at the end.
    """
    outcomes: list[str] = []
    waiting: dict[tuple[str, int], RetryLaterError] = {}
    while (outcome := _next_action(ports, referral_id, planner, waiting)) != NOTHING_LEFT:
        outcomes.append(outcome)
    for error in waiting.values():
        raise error
    return outcomes


@retry_on_conflict
def _next_action(
    ports: Ports,
    referral_id: str,
    planner: Planner,
    waiting: dict[tuple[str, int], RetryLaterError],
) -> str:
    state = load_rewards(ports, referral_id)
    if state is None:
        return NOTHING_LEFT
    state, plan = planner(ports, state)
    actions = [action for action in plan if _key(action) not in waiting]
    if not actions:
        return NOTHING_LEFT
    try:
        return carry_out(ports, state, actions[0])
    except RetryLaterError as error:
        waiting[_key(actions[0])] = error
        return WAITS


def _key(action: Action) -> tuple[str, int]:
    return action.reward.rule, action.reward.rung


def load_rewards(ports: Ports, referral_id: str) -> ReferralRewards | None:
    """The rewards of a referral, with what limits them; None when it or its sponsor is erased."""
    referral = ports.repository.get(Referral, referral_id=referral_id)
    sponsor = ports.repository.get(Sponsor, sponsor_id=referral.sponsor_id) if referral else None
    if referral is None or sponsor is None:
        return None
    if sponsor.counts_revoked:
        sponsor = recounted(ports, sponsor)
    limit = current_campaign(ports, referral.campaign).caps.budget_minor
    rewards = _as_revoked(ports, list(ports.repository.within(Reward, referral_id=referral_id)))
    has_budget = limit is not None or any(reward.in_budget for reward in rewards)
    budget = ports.repository.get(Budget, campaign=referral.campaign) if has_budget else None
    return ReferralRewards(
        referral=referral,
        sponsor=sponsor,
        rewards=rewards,
        budget=budget,
        budget_left=None if limit is None else limit - (budget.spent_minor if budget else 0),
    )


def _as_revoked(ports: Ports, rewards: Sequence[Reward]) -> list[Reward]:
    """The rewards as this version stores them: earlier ones let a reward stand whose voucher was
    used when it was to be revoked, and noted that on the voucher alone.
    """
    keys = {
        reward.code_key: {"code_key": reward.code_key}
        for reward in rewards
        if reward.code_key and is_active(reward) and reward.to is None
    }
    vouchers = ports.repository.get_many(Voucher, list(keys.values())) if keys else []
    ends = {voucher.code_key: voucher.revoked_at for voucher in vouchers if voucher.revoked_at}
    return [
        revoked(reward, ends[reward.code_key], is_used=True) if reward.code_key in ends else reward
        for reward in rewards
    ]


def run_each(works: Iterable[Callable[[], list[str]]]) -> list[str]:
    """The outcomes of all: one that must wait does not block those after it. The next one is asked
    for once the one before is done.
    """
    outcomes: list[str] = []
    waits: RetryLaterError | None = None
    for work in works:
        try:
            outcomes += work()
        except RetryLaterError as error:
            waits = waits or error
    if waits:
        raise waits
    return outcomes
