"""Playing what happens through the rules: confirmations, orders and redemptions.

Every decision is made by `chalicelib.domain`. What `services/orders/record.py` writes to the table
is kept in dictionaries here.

A voucher code of the file is one that production issued, or somebody else's. It is taken for the
oldest voucher, of a template with that prefix, that the buyer of its first order held then in the
simulation and that no other code is taken for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.domain.campaign.rules import HolderRole, Trigger
from chalicelib.domain.codes import CODE_LENGTH, canonical, is_valid
from chalicelib.domain.earned import earned_on_redemption
from chalicelib.domain.files.orders import OrderRow
from chalicelib.domain.orders import (
    CodeProblem,
    Order,
    OrderStatus,
    Person,
    buyer_by_both,
    buyer_of,
    counts_for,
    dated_order,
    moved_order,
    new_order,
    reported_order,
    uses_vouchers,
)
from chalicelib.domain.redemptions import (
    OrderUses,
    Redemption,
    RedemptionPlan,
    VoucherOnOrder,
    plan_redemption,
    purchase_of,
    rolled_back_redemption,
    without_use,
)
from chalicelib.domain.reward_plan import Action, Limits, plan_redemption_reward
from chalicelib.domain.vouchers import Voucher, VoucherProblem, VoucherState, is_live, rolled_back
from cli.simulation.granting import Granting
from cli.simulation.history import Event
from cli.simulation.referees import RefereeRecord

CODE_NOT_HELD = "not_held_by_the_buyer"


@dataclass
class Simulation:
    """A campaign being played. `code_problems` has, by the id of the order, why its voucher code
    was not used.
    """

    granting: Granting
    orders: dict[str, Order] = field(default_factory=dict)
    redemptions: dict[tuple[str, str], Redemption] = field(default_factory=dict)
    uses: dict[str, OrderUses] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)  # of vouchers, by the code in the file
    named: set[str] = field(default_factory=set)  # those that are in `keys`
    code_problems: dict[str, str] = field(default_factory=dict)

    def play(self, events: Iterable[Event]) -> None:
        """Let everything happen, in its sequence."""
        for event in events:
            referee = self.granting.referees[event.digest]
            if not event.order_id:
                self.granting.settle_confirmation(referee, event.at)
            elif event.code:
                self._name_voucher(referee, canonical(event.code), event.at)
            elif event.row:
                self._report(referee, event.row, event.at)
            else:
                self._keep(referee, event.order_id, event.at)

    # --- orders ---------------------------------------------------------------------------------

    def _report(self, referee: RefereeRecord, row: OrderRow, now: datetime) -> None:
        campaign = self.granting.campaign
        before = referee.orders.get(row.order_id) or new_order(campaign, row, referee.referral)
        dated = dated_order(campaign, referee.referral, before, row)
        order = reported_order(campaign, dated, row, now)
        key, plan = self._code(order, row, now)
        order = self._judged(referee, order, key)
        changed: str | None = None
        if order.status in campaign.give_back_voucher:
            changed = self._give_back(order, now)
        elif plan:
            order, changed = self._redeem(order, plan), key
        if changed or order != referee.orders.get(order.order_id):  # a repeat changes nothing
            self._store(referee, order, changed, now)

    def _keep(self, referee: RefereeRecord, order_id: str, now: datetime) -> None:
        order = referee.orders[order_id]
        if order.status is OrderStatus.PLACED:
            kept = moved_order(self.granting.campaign, order, OrderStatus.KEPT, now)
            self._store(referee, kept, None, now)

    def _judged(self, referee: RefereeRecord, order: Order, key: str | None) -> Order:
        """The order with its buyer, and whether it counts."""
        used = self.granting.vouchers[key] if key else None
        holder = self.granting.referees[used.referral_id].referral if used else None
        person = Person(referral_id=referee.referral.referral_id)
        buyer = buyer_by_both(order.buyer, buyer_of(person, holder))
        judged = replace(order, buyer=buyer)
        counts = counts_for(self.granting.campaign, referee.referral, judged)
        return replace(judged, counts=counts)

    def _store(
        self, referee: RefereeRecord, order: Order, changed: str | None, now: datetime
    ) -> None:
        """Store the order and settle what follows, as the facts of one commit are worked on: the
        order's, then that of the voucher used or given back on it, then the revocations.
        """
        stored = replace(order, revision=order.revision + 1)
        referee.orders[order.order_id] = self.orders[order.order_id] = stored
        self._settle(referee, order.code_key, now)
        if changed:
            holder = self.granting.referees[self.granting.vouchers[changed].referral_id]
            self._settle(holder, changed, now)
        while self.granting.revoked:
            voucher = self.granting.revoked.pop(0)
            self.granting.free_room(voucher)
            for capped in self.granting.capped_with(voucher):
                self.granting.settle_confirmation(capped, now)
                self._settle(capped, None, now)

    def _settle(self, referee: RefereeRecord, key: str | None, now: datetime) -> None:
        """Settle the orders, the redemption of one voucher, and those decided before."""
        self.granting.settle_orders(referee, now)
        decided = {reward.voucher_id for reward in referee.rewards.values()}
        rules = self.granting.campaign.rules
        if any(rule.when is Trigger.VOUCHER_REDEEMED for rule in rules):
            used = [key, *(held for held in referee.voucher_keys if held in decided)]
            for each in dict.fromkeys(filter(None, used)):
                self._settle_redemption(each, now)

    # --- redemptions ----------------------------------------------------------------------------

    def _code(
        self, order: Order, row: OrderRow, now: datetime
    ) -> tuple[str | None, RedemptionPlan | None]:
        """The key of the voucher of the order, and the plan that redeems it now."""
        typed = canonical(row.voucher_code or "")
        if order.code_key:
            if typed and self.keys.get(typed) != order.code_key:
                self.code_problems[order.order_id] = CodeProblem.DIFFERS
            return order.code_key, None
        if not typed:
            return None, None
        key = self.keys.get(typed)
        if key is None:
            problem = CODE_NOT_HELD if self._is_ours(typed) else CodeProblem.UNKNOWN
            self.code_problems[order.order_id] = problem
            return None, None
        if not uses_vouchers(OrderStatus(row.status)):
            return key, None
        plan = plan_redemption(self._on_order(key, order, now), purchase_of(row), now)
        if isinstance(plan, VoucherProblem):
            self.code_problems[order.order_id] = plan.value
            return None, None
        return key, plan

    def _on_order(self, key: str, order: Order, now: datetime) -> VoucherOnOrder:
        return VoucherOnOrder(
            voucher=self.granting.voucher(key, now),
            order_id=order.order_id,
            redemption=self.redemptions.get((key, order.order_id)),
            uses=self.uses.get(order.order_id),
        )

    def _is_ours(self, typed: str) -> bool:
        templates = self.granting.campaign.templates.values()
        return any(_has_prefix(typed, template.prefix) for template in templates)

    def _name_voucher(self, referee: RefereeRecord, typed: str, now: datetime) -> None:
        """Let the code be that of the oldest voucher it may be of, if it is of none yet."""
        templates = self.granting.campaign.templates
        for key in referee.voucher_keys if typed not in self.keys else ():
            voucher = self.granting.voucher(key, now)
            is_free = key not in self.named and is_live(voucher)
            is_own = voucher.holder is HolderRole.REFEREE
            if is_free and is_own and _has_prefix(typed, templates[voucher.template].prefix):
                self.keys[typed] = key
                self.named.add(key)
                return

    def _redeem(self, order: Order, plan: RedemptionPlan) -> Order:
        key = plan.voucher.code_key
        self.granting.vouchers[key] = plan.voucher
        self.redemptions[key, order.order_id] = plan.redemption
        if plan.uses:
            self.uses[order.order_id] = plan.uses
        self.code_problems.pop(order.order_id, None)
        return replace(order, code_key=key, template=plan.voucher.template)

    def _give_back(self, order: Order, now: datetime) -> str | None:
        """Roll the redemption on the order back; the key of the voucher, None without one."""
        redemption = self.redemptions.get((order.code_key or "", order.order_id))
        if redemption is None or redemption.rolled_back_at:
            return None
        key = redemption.code_key
        voucher = rolled_back(self.granting.vouchers[key], now)
        self.granting.vouchers[key] = voucher
        self.redemptions[key, order.order_id] = rolled_back_redemption(redemption, now)
        self.uses[order.order_id] = without_use(self.uses[order.order_id], voucher)
        if voucher.state is VoucherState.REVOKED:
            self.granting.revoked.append(voucher)
        return key

    def _settle_redemption(self, key: str, now: datetime) -> None:
        """Grant what the present use of a voucher earns, and revoke it once it is rolled back."""
        voucher = self.granting.vouchers[key]

        def planner(referee: RefereeRecord, limits: Limits) -> list[Action]:
            redemption = self._redemption_that_counts(voucher)
            campaign, referral = self.granting.campaign, referee.referral
            earned = (
                earned_on_redemption(referral, campaign, voucher, redemption) if redemption else []
            )
            decided = [*referee.rewards.values()]
            return plan_redemption_reward(referral, earned, decided, limits, voucher.voucher_id)

        self.granting.settle(self.granting.referees[voucher.referral_id], planner, now)

    def _redemption_that_counts(self, voucher: Voucher) -> Redemption | None:
        order = self.orders.get(voucher.redeemed_by or "")
        if order is None or not order.counts:
            return None
        return self.redemptions.get((voucher.code_key, order.order_id))


def _has_prefix(typed: str, prefix: str) -> bool:
    """Whether a code, in canonical form, is one that we made for a template with that prefix."""
    return typed[:-CODE_LENGTH] == prefix and is_valid(typed[-CODE_LENGTH:])
