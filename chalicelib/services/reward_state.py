"""What a plan of rewards is based on, and what a reward uses of the sponsor's cap and of the budget
until it is revoked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.reward_plan import Limits
from chalicelib.domain.rewards import Budget, Reward
from chalicelib.services.ports import Change, CommandPorts, Insert, Replace


@dataclass(frozen=True)
class ReferralRewards:
    """A referral with what a plan is based on. `budget` is None before the first reward that counts
    in it, `budget_left` while the campaign has none.
    """

    referral: Referral
    sponsor: Sponsor
    rewards: Sequence[Reward]
    budget: Budget | None
    budget_left: int | None

    def limits(self, *, is_newcomer: bool) -> Limits:
        return Limits(
            is_newcomer=is_newcomer,
            sponsor_rewards=self.sponsor.rewards,
            budget_left=self.budget_left,
            erased=frozenset(self._erased()),
        )

    def _erased(self) -> Iterator[HolderRole]:
        if self.sponsor.is_erased:
            yield HolderRole.SPONSOR
        if self.referral.is_erased:
            yield HolderRole.REFEREE


def spent(state: ReferralRewards, value_minor: int) -> Change:
    """What is granted of the budget changes by `value_minor`."""
    return budget_change(state.referral.campaign, state.budget, value_minor)


def budget_change(campaign: str, budget: Budget | None, value_minor: int) -> Change:
    """What is granted of a campaign's budget changes by `value_minor`; `budget` is None before the
    first reward that counts in it.
    """
    if budget is None:
        return Insert(Budget(campaign=campaign, spent_minor=value_minor))
    return Replace(replace(budget, spent_minor=budget.spent_minor + value_minor))


def reserved(state: ReferralRewards, to: HolderRole | None, value_minor: int) -> list[Change]:
    """What a reward uses of the sponsor's cap and of the budget."""
    changes: list[Change] = []
    if to is HolderRole.SPONSOR:
        changes.append(Replace(replace(state.sponsor, rewards=state.sponsor.rewards + 1)))
    if state.budget_left is not None:
        changes.append(spent(state, value_minor))
    return changes


def given_back(ports: CommandPorts, sponsor_id: str, held: Reward) -> list[Change]:
    """What a held reward leaves to others when it is not granted."""
    changes: list[Change] = []
    if held.in_budget:
        budget = ports.repository.get(Budget, campaign=held.campaign)
        changes.append(budget_change(held.campaign, budget, -held.value_minor))
    if held.to is HolderRole.SPONSOR:
        sponsor = ports.repository.get(Sponsor, sponsor_id=sponsor_id)
        if sponsor:
            left = max(0, sponsor.rewards - 1)
            changes.append(Replace(replace(sponsor, rewards=left)))
    return changes
