"""The contract as a model: what people and the client see, worked out in the plainest way.

It knows no table, no queue and no retry: everything follows at once from what was done. A state
machine (`test_model.py`) plays the same commands against the services and compares. Rules are those
of `tests/fakes/campaign.py`: a welcome voucher for a confirmation, a ladder of three rungs over
orders that are kept, and the sponsor's voucher with the first of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Paris")
INVITATION_DAYS = 14
RETURN_WINDOW_DAYS = 14
LIST_DAYS = 30
VIP_LIST_DAYS = 90  # the list of the first moment: no other is dropped
ANSWERED_FOR = timedelta(days=90)  # after the closing day a link from a mail still answers
REPORTED_LATE = timedelta(days=3)  # so long after its end a voucher counts as expired
VALID_DAYS = {
    "welcome": 60,
    "ladder-first": 45,
    "ladder-second": 45,
    "ladder-third": 60,
    "sponsor-reward": 90,
}
RUNGS = {"ladder-first": 1, "ladder-second": 2, "ladder-third": 3, "sponsor-reward": 1}
RANK = ("placed", "kept", "returned", "cancelled")


def last_second(day: date) -> datetime:
    """Of a local day."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZONE)
    return midnight.astimezone(UTC) - timedelta(seconds=1)


def day_of(at: datetime) -> date:
    """The local day."""
    return at.astimezone(ZONE).date()


def is_over(end: datetime, now: datetime) -> bool:
    """Whether its last second has passed."""
    return now >= end + timedelta(seconds=1)


@dataclass
class Invitation:
    """One sponsor's offer to one referee."""

    referee: str
    received_at: datetime
    state: str = "received"
    is_mailed: bool = False

    @property
    def closes_at(self) -> datetime:
        """The last second in which it may be answered."""
        return last_second(day_of(self.received_at) + timedelta(days=INVITATION_DAYS))


@dataclass
class Voucher:
    """One voucher, and the order that uses it."""

    referee: str
    rule: str
    valid_until: datetime
    state: str = "issued"
    export: int = 0
    acknowledged: bool = False
    order: str = ""
    used_on: set[str] = field(default_factory=set)  # orders it was ever used on
    is_revoked: bool = False

    def unused(self, now: datetime) -> str:
        """The state without a redemption."""
        if self.is_revoked:
            return "revoked"
        if now >= self.valid_until + REPORTED_LATE:
            return "expired"
        if self.acknowledged:
            return "acknowledged"
        return "exported" if self.export else "issued"


@dataclass
class Order:
    """What all reports of one order say."""

    referee: str
    order_id: str
    ordered_at: datetime
    status: str

    @property
    def kept_from(self) -> datetime:
        """When its return window is over."""
        return last_second(day_of(self.ordered_at) + timedelta(days=RETURN_WINDOW_DAYS))


@dataclass
class Model:
    """See the module."""

    now: datetime
    lists: list[tuple[datetime, frozenset[str]]]  # of customers; the first came with the VIP list
    invitations: list[Invitation] = field(default_factory=list)
    confirmed: dict[str, datetime] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    vouchers: list[Voucher] = field(default_factory=list)
    exports: int = 0

    # --- people ----------------------------------------------------------------------------------

    def invite(self, referee: str) -> None:
        """A sponsor invites."""
        self.invitations.append(Invitation(referee, self.now))
        self._decide(self.invitations[-1])

    def answer(self, referee: str, is_yes: bool) -> bool:
        """A referee confirms or declines the offer in the mail; whether that is accepted."""
        offer = self.offer_to(referee)
        if offer is None or self.now >= offer.closes_at + ANSWERED_FOR:
            return False
        if referee in self.confirmed:
            return is_yes
        if offer.state == "declined":
            return not is_yes
        if offer.state != "sent" or is_over(offer.closes_at, self.now):
            return False
        if not is_yes:
            offer.state = "declined"
        elif not self.has_list:
            return False
        elif referee in self.lists[-1][1]:
            offer.state = "expired"
            return False
        else:
            offer.state = "confirmed"
            self.confirmed[referee] = self.now
            self._issue(referee, "welcome")
        return True

    def offer_to(self, referee: str) -> Invitation | None:
        """The invitation that was mailed."""
        mailed = (one for one in self.invitations if one.referee == referee and one.is_mailed)
        return next(mailed, None)

    def waits(self, referee: str) -> bool:
        """Whether an invitation of the referee waits for a list."""
        return any(one.referee == referee and one.state == "received" for one in self.invitations)

    # --- the client ------------------------------------------------------------------------------

    def drop_list(self, customers: frozenset[str]) -> None:
        """A new customer list is in force: what waited for one is decided."""
        self.lists.append((self.now, customers))
        for invitation in self.invitations:
            if invitation.state == "received":
                self._decide(invitation)

    def report(self, referee: str, order_id: str, statuses: list[str]) -> None:
        """A file of reports of one order, the first of them at the time of the order."""
        order = self.orders.setdefault(order_id, Order(referee, order_id, self.now, statuses[0]))
        order.status = max(order.status, *statuses, key=RANK.index)
        self._reward(order.referee)

    def redeem(self, voucher: Voucher, order: str) -> str:
        """A till uses a voucher; `redeemed`, or why not."""
        if voucher.order == order:
            return "redeemed"
        if order in voucher.used_on:
            return "rolled_back"
        if voucher.state == "redeemed":
            return "exhausted"
        if voucher.state == "revoked":
            return "revoked"
        if voucher.state == "expired" or is_over(voucher.valid_until, self.now):
            return "expired"
        voucher.state, voucher.order = "redeemed", order
        voucher.used_on.add(order)
        return "redeemed"

    def roll_back(self, voucher: Voucher, order: str) -> bool:
        """A till gives a voucher back; False when the order never used it."""
        if order not in voucher.used_on:
            return False
        if voucher.order == order:
            voucher.order = ""
            voucher.state = voucher.unused(self.now)
            self._reward(voucher.referee)
        return True

    def export(self) -> None:
        """All that no export has yet, in one."""
        waiting = [one for one in self.vouchers if not one.export]
        if waiting:
            self.exports += 1
        for voucher in waiting:
            voucher.export = self.exports
            if voucher.state == "issued":
                voucher.state = "exported"

    def acknowledge(self, number: int) -> None:
        """The client loaded an export."""
        for voucher in self.vouchers:
            if voucher.export == number:
                voucher.acknowledged = True
                if voucher.state == "exported":
                    voucher.state = "acknowledged"

    # --- time ------------------------------------------------------------------------------------

    def expire(self) -> None:
        """Everything whose days are over."""
        for invitation in self.invitations:
            if invitation.state == "sent" and is_over(invitation.closes_at, self.now):
                invitation.state = "expired"
        for voucher in self.vouchers:
            # One that no export has yet is exported first.
            is_live = voucher.state in {"exported", "acknowledged"}
            if is_live and self.now >= voucher.valid_until + REPORTED_LATE:
                voucher.state = "expired"
        for order in self.orders.values():
            if order.status == "placed" and self.now >= order.kept_from:
                order.status = "kept"
                self._reward(order.referee)

    # --- what follows ----------------------------------------------------------------------------

    @property
    def has_list(self) -> bool:
        """Whether a customer list is in force that may be trusted."""
        return self.now - self.lists[-1][0] <= timedelta(days=LIST_DAYS)

    @property
    def has_vip_list(self) -> bool:
        """Whether the VIP list may be trusted."""
        return self.now - self.lists[0][0] <= timedelta(days=VIP_LIST_DAYS)

    def _decide(self, invitation: Invitation) -> None:
        is_taken = self.offer_to(invitation.referee) is not None
        if is_taken or is_over(invitation.closes_at, self.now):
            invitation.state = "refused"
        elif not (self.has_list and self.has_vip_list):
            return
        elif invitation.referee in self.lists[-1][1]:
            invitation.state = "refused"
        else:
            invitation.state, invitation.is_mailed = "sent", True

    def _reward(self, referee: str) -> None:
        """As many vouchers a rule as the kept orders earn, whatever came first."""
        own = [one for one in self.orders.values() if one.referee == referee]
        kept = sum(one.status == "kept" for one in own) if self._is_newcomer(own) else 0
        for rule, rung in RUNGS.items():
            granted = [one for one in self.vouchers if (one.referee, one.rule) == (referee, rule)]
            standing = [one for one in granted if not one.is_revoked]
            if kept >= rung and not standing:
                self._grant(referee, rule, granted)
            elif kept < rung and standing:
                self._revoke(standing[0])

    def _is_newcomer(self, orders: list[Order]) -> bool:
        """Whether the list at the time of the first order did not have the referee."""
        if not orders:
            return False
        first = min(one.ordered_at for one in orders)
        in_force = [customers for at, customers in self.lists if at <= first][-1]
        return orders[0].referee not in in_force

    def _grant(self, referee: str, rule: str, granted: list[Voucher]) -> None:
        used = next((one for one in granted if one.state in {"redeemed", "expired"}), None)
        if used:
            used.is_revoked = False  # it could not be revoked, and counts again
        else:
            self._issue(referee, rule)

    def _revoke(self, voucher: Voucher) -> None:
        voucher.is_revoked = True
        if voucher.state not in {"redeemed", "expired"}:
            voucher.state = "revoked"

    def _issue(self, referee: str, rule: str) -> None:
        until = last_second(day_of(self.now) + timedelta(days=VALID_DAYS[rule]))
        self.vouchers.append(Voucher(referee, rule, until))

    # --- what is seen ----------------------------------------------------------------------------

    def counts(self) -> Counter[str]:
        """Those of the dashboard that follow from what stands."""
        return Counter(
            {
                "invited": len(self.invitations),
                "confirmed": len(self.confirmed),
                "vouchers_issued": len(self.vouchers),
                "vouchers_exported": sum(bool(one.export) for one in self.vouchers),
                "vouchers_redeemed": sum(one.state == "redeemed" for one in self.vouchers),
            }
        )
