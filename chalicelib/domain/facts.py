"""The facts: their names, what follows from each, and what each counts for.

A use case writes its facts in the transaction that makes them true. Everything else follows from
here: `follow_up` says which work queue a fact goes to, `counted` what it adds to the day it
happened on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import Release


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One thing that happened: outbox, journal line and source of the counts at once.

    It holds random ids, numbers and names of rules, never an address, a name, a code or a token.
    `subject` is the id of what it is about; facts of one subject are stored together, in the order
    of `at`.
    """

    fact_id: str
    name: str
    campaign: str
    subject: str
    at: datetime
    correlation: str
    ids: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str | int | None] = field(default_factory=dict)
    counted: bool = False


class FactName(StrEnum):
    """Everything that can happen."""

    CAMPAIGN_PUT = "campaign_put"
    SIGN_IN_REQUESTED = "sign_in_requested"
    SIGN_IN_GRANTED = "sign_in_granted"
    SIGN_IN_REFUSED = "sign_in_refused"
    INVITATION_RECEIVED = "invitation_received"
    INVITATION_ACCEPTED = "invitation_accepted"
    INVITATION_REFUSED = "invitation_refused"
    INVITATION_SENT = "invitation_sent"
    INVITATION_DECLINED = "invitation_declined"
    INVITATION_BOUNCED = "invitation_bounced"
    INVITATION_EXPIRED = "invitation_expired"
    REFERRAL_CONFIRMED = "referral_confirmed"
    OPPOSITION_RECORDED = "opposition_recorded"
    VOUCHER_ISSUED = "voucher_issued"
    VOUCHERS_EXPORTED = "vouchers_exported"
    VOUCHER_ACKNOWLEDGED = "voucher_acknowledged"
    VOUCHER_REFUSED = "voucher_refused"
    VOUCHER_REDEEMED = "voucher_redeemed"
    VOUCHER_ROLLED_BACK = "voucher_rolled_back"
    VOUCHER_EXPIRED = "voucher_expired"
    EXPORT_WRITTEN = "export_written"
    ORDER_PLACED = "order_placed"
    ORDER_KEPT = "order_kept"
    ORDER_RETURNED = "order_returned"
    ORDER_CANCELLED = "order_cancelled"
    REWARD_REFUSED = "reward_refused"
    REWARD_REVOKED = "reward_taken_back"
    LIST_ACCEPTED = "list_accepted"
    LIST_CONFIRMED = "list_confirmed"
    LIST_WAITS = "list_waits"
    LIST_REFUSED = "list_refused"
    LIST_HELD = "list_held"
    LIST_APPROVED = "list_released"
    LIST_REJECTED = "list_turned_down"
    LIST_ROLLED_BACK = "list_rolled_back"
    MAIL_SENT = "mail_sent"
    MAIL_FAILED = "mail_failed"
    MAIL_COMPLAINED = "mail_complained"


class Queue(StrEnum):
    """The work queues."""

    DECIDE = "decide"
    INGEST = "ingest"
    MAIL = "mail"
    REWARD = "reward"


_FOLLOW_UP: Mapping[str, Queue] = {
    FactName.SIGN_IN_REQUESTED: Queue.DECIDE,
    FactName.INVITATION_RECEIVED: Queue.DECIDE,
    FactName.LIST_ACCEPTED: Queue.DECIDE,
    FactName.LIST_CONFIRMED: Queue.DECIDE,
    FactName.LIST_ROLLED_BACK: Queue.DECIDE,
    FactName.LIST_APPROVED: Queue.INGEST,
    FactName.LIST_REJECTED: Queue.INGEST,
    FactName.SIGN_IN_GRANTED: Queue.MAIL,
    FactName.INVITATION_ACCEPTED: Queue.MAIL,
    FactName.REFERRAL_CONFIRMED: Queue.REWARD,
    FactName.ORDER_KEPT: Queue.REWARD,
    FactName.ORDER_RETURNED: Queue.REWARD,
    FactName.ORDER_CANCELLED: Queue.REWARD,
}
# A list that may not come in force is a metric for each reason, beside the one for all.
COUNTED_BY_REASON = frozenset({FactName.LIST_REFUSED, FactName.LIST_HELD})
# Invitations may have waited for this.
REQUEUES_UNDECIDED = frozenset(
    {FactName.LIST_ACCEPTED, FactName.LIST_CONFIRMED, FactName.LIST_ROLLED_BACK}
)
_RELEASED_BY: Mapping[str, Release] = {
    FactName.VOUCHER_ISSUED: Release.AT_ONCE,
    FactName.VOUCHER_ACKNOWLEDGED: Release.ON_ACKNOWLEDGEMENT,
}


def follow_up(fact: Fact) -> Queue | None:
    """The queue of the work that follows from `fact`, None when nothing does."""
    if fact.name in _RELEASED_BY:
        return (
            Queue.MAIL if fact.details.get("release") == _RELEASED_BY[FactName(fact.name)] else None
        )
    return _FOLLOW_UP.get(fact.name)


_COUNTS: Mapping[str, str] = {
    FactName.INVITATION_RECEIVED: "invited",
    FactName.INVITATION_REFUSED: "refused",
    FactName.INVITATION_SENT: "sent",
    FactName.REFERRAL_CONFIRMED: "confirmed",
    FactName.INVITATION_DECLINED: "declined",
    FactName.INVITATION_BOUNCED: "bounced",
    FactName.INVITATION_EXPIRED: "expired",
    FactName.VOUCHER_ISSUED: "vouchers_issued",
    FactName.VOUCHERS_EXPORTED: "vouchers_exported",
    FactName.VOUCHER_ACKNOWLEDGED: "vouchers_acknowledged",
    FactName.VOUCHER_REDEEMED: "vouchers_redeemed",
    FactName.VOUCHER_ROLLED_BACK: "vouchers_redeemed",
    FactName.ORDER_KEPT: "orders_kept",
    FactName.REWARD_REVOKED: "rewards_taken_back",
    FactName.REWARD_REFUSED: "rewards_refused",
}
FOUND_ON_LATER_LIST = "found_on_later_list"
FUNNEL = (
    "invited", "refused", "sent", "confirmed", "declined", "bounced", "expired",
    "vouchers_issued", "vouchers_exported", "vouchers_acknowledged", "vouchers_redeemed",
    "orders_kept", "rewards", "rewards_taken_back", "rewards_refused", FOUND_ON_LATER_LIST,
)  # fmt: skip
REFUSED_FOR = "refused."


def _by(fact: Fact) -> int:
    if fact.name == FactName.VOUCHER_ROLLED_BACK:
        return -1
    count = fact.details.get("count", 1)
    return count if isinstance(count, int) else 1


def counted(fact: Fact) -> dict[str, int]:
    """What `fact` adds to the counts of its day."""
    counts = {_COUNTS[fact.name]: _by(fact)} if fact.name in _COUNTS else {}
    if fact.name == FactName.INVITATION_REFUSED:
        counts[f"{REFUSED_FOR}{fact.details['reason']}"] = 1
    if fact.name == FactName.VOUCHER_ISSUED and fact.details.get("order"):
        counts["rewards"] = 1
    if fact.details.get(FOUND_ON_LATER_LIST):
        # Only the first fact about a referee says so: the person counts once (law 3).
        counts[FOUND_ON_LATER_LIST] = 1
    return counts


def deltas(campaign: Campaign, facts: Iterable[Fact]) -> dict[date, dict[str, int]]:
    """What `facts` add, by the campaign's local day."""
    days: dict[date, dict[str, int]] = {}
    for fact in facts:
        day = campaign.local_date(fact.at)
        for name, by in counted(fact).items():
            counts = days.setdefault(day, {})
            counts[name] = counts.get(name, 0) + by
    return days


def totals(counts: Mapping[date, Mapping[str, int]]) -> dict[str, int]:
    """The counts of all days together."""
    summed: dict[str, int] = {}
    for day in counts.values():
        for name, value in day.items():
            summed[name] = summed.get(name, 0) + value
    return summed


def fact(
    name: FactName,
    *,
    fact_id: str,
    campaign: str,
    subject: str,
    at: datetime,
    correlation: str,
    ids: Mapping[str, str] | None = None,
    **details: str | int | None,
) -> Fact:
    """One fact; `details` are kept where they are not None."""
    return Fact(
        fact_id=fact_id,
        name=name.value,
        campaign=campaign,
        subject=subject,
        at=at,
        correlation=correlation,
        ids=ids or {},
        details={key: value for key, value in details.items() if value is not None},
    )
