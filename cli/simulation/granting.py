"""Granting in a simulation: the vouchers, what was granted and revoked, and what limits it.

What is earned is decided in `chalicelib/domain/earned.py`, what has to change for it in
`reward_plan.py` beside it. Here its actions are carried out on dictionaries, as
`services/vouchers/reward_actions.py` does on the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.domain import rewards, vouchers
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.earned import Earned, earned_on_confirmation, earned_on_orders
from chalicelib.domain.reward_plan import (
    Action,
    Grant,
    Limits,
    Refuse,
    Reinstate,
    Revoke,
    plan_rewards,
)
from chalicelib.domain.rewards import Reward, RewardRefusal
from chalicelib.domain.vouchers import Voucher, VoucherState
from cli.simulation.referees import RefereeRecord

Planner = Callable[[RefereeRecord, Limits], list[Action]]


@dataclass
class Granting:
    """What a campaign has granted. `vouchers` has every voucher by the key of its code, in the
    order of issue; `spent_minor` is what counts against the budget; `revoked` are the vouchers
    whose revocation has not made room for others yet.
    """

    campaign: Campaign
    referees: dict[str, RefereeRecord]
    vouchers: dict[str, Voucher] = field(default_factory=dict)
    spent_minor: int = 0
    revoked: list[Voucher] = field(default_factory=list)

    def settle(self, referee: RefereeRecord, planner: Planner, now: datetime) -> None:
        """Take the actions of the plan, one at a time, until none is left."""
        while actions := planner(referee, self._limits(referee)):
            self._carry_out(referee, actions[0], now)

    def settle_confirmation(self, referee: RefereeRecord, now: datetime) -> None:
        """Grant what the confirmation earns."""
        self.settle(referee, self._on_confirmation, now)

    def settle_orders(self, referee: RefereeRecord, now: datetime) -> None:
        """Grant what the present orders earn, and revoke what none earns any more."""
        self.settle(referee, self._on_orders, now)

    def capped_with(self, voucher: Voucher) -> list[RefereeRecord]:
        """The referees to whom the cap of its holder refused a reward, now that this voucher is
        revoked: a cap counts what stands.
        """
        referee = self.referees[voucher.referral_id]
        if voucher.holder is HolderRole.REFEREE:
            return [referee] if _was_refused(referee, RewardRefusal.REFEREE_CAP) else []
        others = [self.referees[digest] for digest in referee.sponsor.digests]
        return [other for other in others if _was_refused(other, RewardRefusal.SPONSOR_CAP)]

    def free_room(self, voucher: Voucher) -> None:
        """Stop counting a reward whose used voucher a rollback has revoked."""
        referee = self.referees[voucher.referral_id]
        granted = referee.rewards[voucher.rule, voucher.rung]
        if granted.is_used and self.vouchers[str(granted.code_key)].state is VoucherState.REVOKED:
            _store(referee, replace(granted, is_used=False))
            self._count(referee, voucher, -1)

    # --- plans ----------------------------------------------------------------------------------

    def _on_confirmation(self, referee: RefereeRecord, limits: Limits) -> list[Action]:
        earned = earned_on_confirmation(self.campaign)
        decided = [*referee.rewards.values()]
        return plan_rewards(referee.referral, earned, decided, limits, for_confirmation=True)

    def _on_orders(self, referee: RefereeRecord, limits: Limits) -> list[Action]:
        earned = earned_on_orders(
            referee.referral, referee.orders.values(), lambda *_: self.campaign
        )
        return plan_rewards(referee.referral, earned, [*referee.rewards.values()], limits)

    def _limits(self, referee: RefereeRecord) -> Limits:
        budget = self.campaign.caps.budget_minor
        return Limits(
            is_newcomer=True,
            sponsor_rewards=referee.sponsor.rewards,
            budget_left=None if budget is None else budget - self.spent_minor,
        )

    # --- actions --------------------------------------------------------------------------------

    def _carry_out(self, referee: RefereeRecord, action: Action, now: datetime) -> None:
        match action:
            case Grant(earned, decision):
                self._grant(referee, earned, decision, now)
            case Refuse(_, decision, why):
                _store(referee, rewards.refused(decision, why))
            case Revoke(granted):
                self._revoke(referee, granted, now)
            case Reinstate(granted):
                self._reinstate(referee, granted)

    def _grant(
        self, referee: RefereeRecord, earned: Earned, decision: Reward, now: datetime
    ) -> None:
        key = f"voucher{len(self.vouchers)}"
        voucher = vouchers.new_voucher(
            self.campaign,
            earned.rule,
            referee.referral,
            referee.sponsor.sponsor,
            rung=decision.rung,
            voucher_id=key,
            code_key=key,
            code=key,
            now=now,
        )
        self.vouchers[key] = voucher
        referee.voucher_keys.append(key)
        _store(referee, rewards.granted(decision, key, voucher.value_minor, now))
        self._count(referee, voucher, 1)

    def _revoke(self, referee: RefereeRecord, granted: Reward, now: datetime) -> None:
        voucher = self.voucher(str(granted.code_key), now)
        if voucher.state is VoucherState.EXPIRED:
            _store(referee, rewards.revoked(granted, now, is_used=True))
            return
        self.vouchers[voucher.code_key] = vouchers.revoked(voucher, now)
        is_used = voucher.state is VoucherState.REDEEMED
        _store(referee, rewards.revoked(granted, now, is_used=is_used))
        if not is_used:
            self._count(referee, voucher, -1)
            self.revoked.append(voucher)

    def _reinstate(self, referee: RefereeRecord, granted: Reward) -> None:
        voucher = self.vouchers[str(granted.code_key)]
        if voucher.state is VoucherState.REVOKED:
            self.free_room(voucher)
            return
        _store(referee, rewards.reinstated(granted))
        if voucher.revoked_at:
            self.vouchers[voucher.code_key] = vouchers.reinstated(voucher)

    def voucher(self, key: str, now: datetime) -> Voucher:
        """A voucher as it is at `now`: one whose days have passed has expired."""
        voucher = self.vouchers[key]
        if vouchers.is_live(voucher) and voucher.valid_until <= vouchers.expiry_due_before(now):
            voucher = self.vouchers[key] = vouchers.expired(voucher, now)
        return voucher

    def _count(self, referee: RefereeRecord, voucher: Voucher, by: int) -> None:
        self.spent_minor += by * voucher.value_minor
        referee.sponsor.rewards += by * (voucher.holder is HolderRole.SPONSOR)


def _store(referee: RefereeRecord, reward: Reward) -> None:
    # As in the table, an earlier decision is replaced by the one for the same rule and rung.
    referee.rewards[reward.rule, reward.rung] = replace(reward, revision=reward.revision + 1)


def _was_refused(referee: RefereeRecord, reason: RewardRefusal) -> bool:
    return any(reward.refused_reason == reason for reward in referee.rewards.values())
