"""Granting in a simulation: the vouchers, what was granted and revoked, and what limits it.

What is earned and what has to change is decided in `chalicelib/domain/rewards.py`. Here its actions
are carried out on dictionaries, as `services/vouchers/reward_actions.py` does on the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.domain import rewards, vouchers
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.rewards import (
    Action,
    Earned,
    Grant,
    Limits,
    Refuse,
    Reinstate,
    Revoke,
    Reward,
    RewardRefusal,
    earned_on_orders,
    plan_rewards,
)
from chalicelib.domain.vouchers import Voucher, VoucherState
from cli.simulation.referees import RefereeRecord

Planner = Callable[[RefereeRecord, Limits], list[Action]]


@dataclass
class Granting:
    """What a campaign has granted. `vouchers` has every voucher by the key of its code, in the
    order of issue; `spent_minor` is what counts against the budget.
    """

    campaign: Campaign
    referees: dict[str, RefereeRecord]
    vouchers: dict[str, Voucher] = field(default_factory=dict)
    spent_minor: int = 0

    def settle(self, referee: RefereeRecord, planner: Planner, now: datetime) -> bool:
        """Take the actions of the plan, one at a time, until none is left. True when a reward of
        the sponsor was revoked: `fill_room` once the event is over.
        """
        freed = False
        while actions := planner(referee, self._limits(referee)):
            freed |= self._carry_out(referee, actions[0], now)
        return freed

    def settle_orders(self, referee: RefereeRecord, now: datetime) -> bool:
        """Grant what the present orders earn, and revoke what none earns any more; as `settle`."""
        return self.settle(referee, self._on_orders, now)

    def fill_room(self, referee: RefereeRecord, now: datetime) -> None:
        """Grant what the cap of a sponsor refused, now that one of its rewards is revoked."""
        for digest in referee.sponsor.digests:
            other = self.referees[digest]
            refused = (reward.refused_reason for reward in other.rewards.values())
            if RewardRefusal.SPONSOR_CAP in refused:
                self.settle_orders(other, now)

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

    def _carry_out(self, referee: RefereeRecord, action: Action, now: datetime) -> bool:
        """Take one action; True when that frees a reward of the sponsor."""
        match action:
            case Grant(earned, decision):
                self._grant(referee, earned, decision, now)
            case Refuse(_, decision, why):
                _store(referee, rewards.refused(decision, why))
            case Revoke(granted):
                return self._revoke(referee, granted, now)
            case Reinstate(granted):
                self._reinstate(referee, granted)
        return False

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

    def _revoke(self, referee: RefereeRecord, granted: Reward, now: datetime) -> bool:
        voucher = self.voucher(str(granted.code_key), now)
        if voucher.state is VoucherState.EXPIRED:
            _store(referee, rewards.revoked(granted, now, is_used=True))
            return False
        self.vouchers[voucher.code_key] = vouchers.revoked(voucher, now)
        is_used = voucher.state is VoucherState.REDEEMED
        _store(referee, rewards.revoked(granted, now, is_used=is_used))
        if not is_used:
            self._count(referee, voucher, -1)
        return not is_used and voucher.holder is HolderRole.SPONSOR

    def _reinstate(self, referee: RefereeRecord, granted: Reward) -> None:
        voucher = self.vouchers[str(granted.code_key)]
        if voucher.state is VoucherState.REVOKED:
            _store(referee, replace(granted, is_used=False))
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
