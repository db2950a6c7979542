"""What each fact triggers, in one table.

`EFFECTS` says which work queues a fact goes to, which counters it changes, and whether undecided
invitations are queued again. Every fact has a row, so a new one cannot be forgotten; the dashboard
shows the counters of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import Release
from chalicelib.domain.fact_bodies import (
    InvitationAccepted,
    InvitationExpired,
    InvitationReceived,
    InvitationRefused,
    ListHeld,
    ListRefused,
    MailBounced,
    MailComplained,
    OrderBody,
    OrderCorrected,
    RewardHeld,
    RewardHoldEnded,
    RewardRefused,
    RewardReleased,
    VoucherAcknowledged,
    VoucherIssued,
    body_as,
    body_of,
)
from chalicelib.domain.facts import Fact, FactBody, FactName
from chalicelib.domain.figures import FIGURED, figures_of, is_figure
from chalicelib.domain.invitations import Channel
from chalicelib.domain.mails import AT_MOST_ONCE, MailProblem

REFUSED_FOR = "refused."
BOUGHT_BY = "buyer."
# What is held now: how many rewards, and their value.
HELD = "held."
FOUND_ON_LATER_LIST = "found_on_later_list"
ORDERS_KEPT = "orders_kept"
VOUCHERS_REPLACED = "vouchers_replaced"
ISSUED_OF = "issued."
# Of invitations alone, and shown nowhere: they are what stops a campaign's invitations.
HARD_BOUNCES = "hard_bounces"
COMPLAINTS = "complaints"
PLAIN_ADDRESS = "plain_address"


class Queue(StrEnum):
    """The work queues. `due` holds stretches of agendas, `parts` parts of large files, the others
    hold facts; `ingest` both facts and files. What reads the whole table for a person is in
    `persons`.

    What a person asked for a moment ago and waits for (a sign-in, a sign-up by a shared link, a
    link to her data) has queues of its own, so that no backlog of other work is before it.
    """

    DECIDE = "decide"
    REQUESTED_DECISION = "requested-decision"
    DUE = "due"
    INGEST = "ingest"
    MAIL = "mail"
    PARTS = "parts"
    REQUESTED_MAIL = "requested-mail"
    REWARD = "reward"
    PERSONS = "persons"


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a fact triggers.

    It goes to `queues`; with `queue_for` to that one of them which the body says, or to none.
    `counters` change by `sign` times the body's `count`, 1 without one, unless the
    body is excluded; `counted_by` says what else is counted, which depends on the body.
    `is_metric`: an alarm looks at how often it happens; of the others the log says it.
    `metric_by_reason`: its metric is also counted by reason. `kept_for`: how long it stays in the
    table; None until what is left of its campaign is removed.
    """

    queues: tuple[Queue, ...] = ()
    queue_for: Callable[[FactBody], Queue | None] | None = None
    counters: tuple[str, ...] = ()
    sign: int = 1
    counted_by: Callable[[FactBody], Mapping[str, int]] = lambda _: {}
    is_metric: bool = False
    metric_by_reason: bool = False
    requeues_undecided: bool = False
    kept_for: timedelta | None = None


# What strangers alone make happen, as often as they like: longer than anything looks for such a
# fact (queues, checks, a restored table), then the journal alone has it.
STRANGERS_FACTS_KEPT_FOR = timedelta(days=90)


def _by_reason(body: FactBody) -> Mapping[str, int]:
    return {f"{REFUSED_FOR}{body.reason}": 1} if isinstance(body, InvitationRefused) else {}


def _found_on_later_list(body: FactBody) -> Mapping[str, int]:
    # Only the first fact about a referee has this set: a person is counted once (law 3).
    found = isinstance(body, InvitationExpired | RewardRefused) and body.found_on_later_list
    return {FOUND_ON_LATER_LIST: 1} if found else {}


def _refused(body: FactBody) -> Mapping[str, int]:
    return {**_found_on_later_list(body), **_held(body)}


def _held(body: FactBody) -> Mapping[str, int]:
    """Of rewards that are held now, one more or one fewer."""
    match body:
        case RewardHeld(value_minor=value):
            by = 1
        case (
            RewardReleased(value_minor=value)
            | RewardHoldEnded(value_minor=value, was_released=False)
        ):
            by = -1
        case RewardRefused(value_minor=value, is_by_review=True):
            by = -1
        case _:
            return {}
    return {f"{HELD}rewards": by, f"{HELD}value_minor": by * (value or 0)}


def _fills_room(body: FactBody) -> Queue | None:
    """A refusal after a review leaves room under a cap; any other changes nothing."""
    return Queue.REWARD if isinstance(body, RewardRefused) and body.is_by_review else None


def _by_buyer(body: FactBody) -> Mapping[str, int]:
    """Each order once, under who is known to have made it by now."""
    match body:
        case OrderCorrected(buyer_before=before, buyer=buyer, kept_orders=kept):
            moved = {f"{BOUGHT_BY}{before}": -1, f"{BOUGHT_BY}{buyer}": 1} if before else {}
            return moved | ({ORDERS_KEPT: kept} if kept else {})
        case OrderBody(is_new=True, buyer=buyer):
            return {f"{BOUGHT_BY}{buyer}": 1}
        case _:
            return {}


def _by_template(body: FactBody) -> Mapping[str, int]:
    if not isinstance(body, VoucherIssued):
        return {}
    replaced = {VOUCHERS_REPLACED: 1} if body.replaces_id else {}
    return {f"{ISSUED_OF}{body.template}": 1} | replaced


def _about_invitations(body: FactBody) -> Mapping[str, int]:
    match body:
        # The sender does not count what its own list of addresses kept from leaving.
        case MailBounced(kind=kind, reason=MailProblem.BOUNCED) if kind in AT_MOST_ONCE:
            return {HARD_BOUNCES: 1}
        case MailComplained(kind=kind) if kind in AT_MOST_ONCE:
            return {COMPLAINTS: 1}
        case _:
            return {}


def _by_channel(by_email: Queue, by_link: Queue) -> Callable[[FactBody], Queue]:
    """Who signs up by a shared link waits for the mail; a referee invited by address does not."""

    def queue_for(body: FactBody) -> Queue:
        match body:
            case InvitationReceived(channel=channel) | InvitationAccepted(channel=channel):
                return by_link if channel is Channel.LINK else by_email
            case _:
                return by_email

    return queue_for


def _mail_on(release: Release) -> Callable[[FactBody], Queue | None]:
    """Of the two facts that may release a voucher's mail, the one that does."""

    def queue_for(body: FactBody) -> Queue | None:
        match body:
            case VoucherIssued(release=chosen) | VoucherAcknowledged(release=chosen):
                return Queue.MAIL if chosen is release else None
            case _:
                return None

    return queue_for


_NEW_LIST = Effect(queues=(Queue.DECIDE,), requeues_undecided=True)
_REVIEWED_LIST = Effect(queues=(Queue.INGEST,))
_ORDER = Effect(queues=(Queue.REWARD,), counted_by=_by_buyer)

F = FactName
EFFECTS: Mapping[FactName, Effect] = {
    F.CAMPAIGN_PUT: Effect(),
    F.SIGN_IN_REQUESTED: Effect(
        queues=(Queue.REQUESTED_DECISION,), is_metric=True, kept_for=STRANGERS_FACTS_KEPT_FOR
    ),
    F.SIGN_IN_GRANTED: Effect(queues=(Queue.REQUESTED_MAIL,)),
    F.SIGN_IN_REFUSED: Effect(kept_for=STRANGERS_FACTS_KEPT_FOR),
    F.SIGN_INS_STOPPED: Effect(),
    F.SIGN_INS_RESUMED: Effect(),
    F.PRIVACY_REQUESTED: Effect(
        queues=(Queue.REQUESTED_DECISION,), kept_for=STRANGERS_FACTS_KEPT_FOR
    ),
    F.PRIVACY_LINK_GRANTED: Effect(queues=(Queue.REQUESTED_MAIL,)),
    F.PRIVACY_LINK_REFUSED: Effect(kept_for=STRANGERS_FACTS_KEPT_FOR),
    F.PRIVACY_FILE_ASKED: Effect(queues=(Queue.PERSONS,)),
    F.PRIVACY_FILE_GIVEN: Effect(),
    F.ERASURE_CONFIRMED: Effect(queues=(Queue.PERSONS,)),
    F.PRIVACY_MAILS_STOPPED: Effect(),
    F.PRIVACY_MAILS_RESUMED: Effect(),
    F.INVITATION_RECEIVED: Effect(
        queues=(Queue.DECIDE, Queue.REQUESTED_DECISION),
        queue_for=_by_channel(Queue.DECIDE, Queue.REQUESTED_DECISION),
        counters=("invited",),
    ),
    F.INVITATION_ACCEPTED: Effect(
        queues=(Queue.MAIL, Queue.REQUESTED_MAIL),
        queue_for=_by_channel(Queue.MAIL, Queue.REQUESTED_MAIL),
    ),
    F.INVITATION_REFUSED: Effect(counters=("refused",), counted_by=_by_reason),
    F.INVITATION_SENT: Effect(counters=("sent",)),
    F.REFERRAL_CONFIRMED: Effect(queues=(Queue.REWARD, Queue.MAIL), counters=("confirmed",)),
    F.INVITATION_DECLINED: Effect(counters=("declined",)),
    F.INVITATION_BOUNCED: Effect(counters=("bounced",)),
    F.INVITATION_EXPIRED: Effect(counters=("expired",), counted_by=_found_on_later_list),
    F.OPPOSITION_RECORDED: Effect(),
    F.CONSENT_GIVEN: Effect(),
    F.CONSENT_WITHDRAWAL: Effect(),
    F.VOUCHER_ISSUED: Effect(
        queues=(Queue.MAIL,),
        queue_for=_mail_on(Release.AT_ONCE),
        counters=("vouchers_issued",),
        counted_by=_by_template,
    ),
    F.VOUCHERS_EXPORTED: Effect(counters=("vouchers_exported",)),
    F.VOUCHER_ACKNOWLEDGED: Effect(
        queues=(Queue.MAIL,),
        queue_for=_mail_on(Release.ON_ACKNOWLEDGEMENT),
        counters=("vouchers_acknowledged",),
    ),
    F.VOUCHER_REFUSED: Effect(is_metric=True),
    F.VOUCHER_REFUSED_REPEATEDLY: Effect(),
    F.VOUCHER_REDEEMED: Effect(queues=(Queue.REWARD,), counters=("vouchers_redeemed",)),
    F.VOUCHER_ROLLED_BACK: Effect(queues=(Queue.REWARD,), counters=("vouchers_redeemed",), sign=-1),
    F.VOUCHER_ENDS_SOON: Effect(queues=(Queue.MAIL,)),
    F.VOUCHER_EXPIRED: Effect(),
    F.VOUCHER_UNDELIVERED: Effect(is_metric=True),
    F.REDEMPTION_REFUSED: Effect(),
    F.EXPORT_WRITTEN: Effect(),
    F.CHANGES_WRITTEN: Effect(),
    F.CONSENTS_WRITTEN: Effect(),
    F.STATEMENT_WRITTEN: Effect(),
    F.ORDER_PLACED: _ORDER,
    F.ORDER_KEPT: replace(_ORDER, counters=(ORDERS_KEPT,)),
    F.ORDER_RETURNED: _ORDER,
    F.ORDER_CANCELLED: _ORDER,
    F.ORDER_CORRECTED: _ORDER,
    F.REWARD_REVOKED: Effect(queues=(Queue.REWARD, Queue.MAIL), counters=("rewards_taken_back",)),
    F.REWARD_REFUSED: Effect(
        queues=(Queue.REWARD,),
        queue_for=_fills_room,
        counters=("rewards_refused",),
        counted_by=_refused,
    ),
    F.REWARD_HELD: Effect(counted_by=_held),
    F.REWARD_RELEASED: Effect(queues=(Queue.REWARD,), counted_by=_held),
    F.REWARD_HOLD_ENDED: Effect(queues=(Queue.REWARD,), counted_by=_held),
    F.LIST_ACCEPTED: _NEW_LIST,
    F.LIST_CONFIRMED: _NEW_LIST,
    F.LIST_ROLLED_BACK: _NEW_LIST,
    F.LIST_WAITS: Effect(is_metric=True),
    F.LIST_REFUSED: Effect(is_metric=True, metric_by_reason=True),
    F.LIST_HELD: Effect(is_metric=True, metric_by_reason=True),
    F.LIST_APPROVED: _REVIEWED_LIST,
    F.LIST_REJECTED: _REVIEWED_LIST,
    F.MAIL_SENT: Effect(),
    F.MAIL_FAILED: Effect(is_metric=True),
    F.MAIL_BOUNCED: Effect(counted_by=_about_invitations),
    F.MAIL_BOUNCED_FOR_NOW: Effect(),
    F.MAIL_TO_SEND_AGAIN: Effect(queues=(Queue.MAIL,)),
    F.MAIL_COMPLAINED: Effect(counted_by=_about_invitations),
    F.LINK_STOPPED: Effect(),
    F.LINK_RENEWED: Effect(),
    F.INVITATIONS_STOPPED: Effect(is_metric=True),
    F.INVITATIONS_RESUMED: Effect(queues=(Queue.DECIDE,)),
    F.PERSON_ERASED: Effect(),
    F.WALL_LINK_MADE: Effect(),
    F.WALL_LINK_REVOKED: Effect(),
}

# Everything a rule grants is a reward, on confirmation or on an order, so rewards are the issued
# vouchers but for those that replace a refused one. (0.2.0 counted only the rewards on orders,
# under a counter that nothing reads any more.)
SAME_COUNT: Mapping[str, str] = {"rewards": "vouchers_issued"}
LESS: Mapping[str, str] = {"rewards": VOUCHERS_REPLACED}

# Every counter once, in the order of the table: the totals that the dashboard shows.
FUNNEL = (
    *dict.fromkeys(counter for effect in EFFECTS.values() for counter in effect.counters),
    *SAME_COUNT,
    FOUND_ON_LATER_LIST,
    VOUCHERS_REPLACED,
)


def is_known(fact: Fact) -> bool:
    """Whether this version knows what `fact` triggers.

    After an earlier version is deployed again, its streams may still hold facts of the later one:
    they go to the journal, and must not hold up the facts behind them.
    """
    return fact.name in EFFECTS


def effect_of(fact: Fact) -> Effect:
    """What `fact` triggers: nothing for a name that this version does not know."""
    return EFFECTS[FactName(fact.name)] if is_known(fact) else Effect()


def queues_of(fact: Fact) -> tuple[Queue, ...]:
    """The queues of the work that follows from `fact`."""
    effect = effect_of(fact)
    if effect.queue_for is None:
        return effect.queues
    queue = effect.queue_for(body_of(fact))
    return (queue,) if queue else ()


def quantity_of(fact: Fact) -> int:
    """How many things `fact` reports: vouchers of an export, for example."""
    return body_of(fact).quantity if is_known(fact) else 1


def is_incident(fact: Fact) -> bool:
    """Whether `fact` is a list refused for the plain addresses in it."""
    if fact.name != FactName.LIST_REFUSED:
        return False
    return body_as(fact, ListRefused).reason == PLAIN_ADDRESS


def reason_of(fact: Fact) -> str:
    """The named reason in `fact`."""
    match body_of(fact):
        case ListRefused(reason=reason) | ListHeld(reason=reason):
            return reason
        case _:
            raise LookupError(f"{fact.name} is not counted by reason")


def end_of(fact: Fact) -> datetime | None:
    """When the table no longer needs a fact; None for one that stays with its campaign."""
    kept_for = effect_of(fact).kept_for
    return fact.at + kept_for if kept_for else None


def counted(fact: Fact) -> dict[str, int]:
    """What `fact` adds to the counters of its day."""
    if not is_known(fact):
        return {}
    effect = effect_of(fact)
    body = body_of(fact)
    by = 0 if body.excluded else effect.sign * body.quantity
    counts = dict.fromkeys(effect.counters, by) if by else {}
    return counts | dict(effect.counted_by(body))


def deltas(campaign: Campaign, facts: Iterable[Fact]) -> dict[date, dict[str, int]]:
    """What `facts` add, by the day they are counted on, which stays the same in every version."""
    days: dict[date, dict[str, int]] = {}
    for fact in facts:
        at = campaign.counted_at(fact.at)
        figures = figures_of(campaign, body_of(fact), at) if is_known(fact) else {}
        for name, by in (counted(fact) | figures).items():
            counts = days.setdefault(at.date(), {})
            counts[name] = counts.get(name, 0) + by
    return days


def funnel(counts: Mapping[str, int]) -> dict[str, int]:
    """Every counter of the funnel, 0 where nothing was counted."""
    return {
        name: counts.get(SAME_COUNT.get(name, name), 0) - counts.get(LESS.get(name, ""), 0)
        for name in FUNNEL
    }


def shown(counts: Mapping[str, int]) -> dict[str, int]:
    """What the dashboard shows of `counts`: the funnel, refusals by reason, orders by buyer, what
    is held.

    The others are those that no version shows any more, or that earlier versions did not count.
    """
    by_body = {
        name: value
        for name, value in counts.items()
        if name.startswith((REFUSED_FOR, BOUGHT_BY, HELD))
    }
    return funnel(counts) | by_body


def comparable(
    counted: Mapping[str, int], journaled: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, int]]:
    """What is shown of the counts of a day and of what its journal adds up to, to be compared. A
    day on which an earlier version counted has fewer figures: then they are left out.
    """
    here, there = shown(counted), shown(journaled)
    if counted.get(FIGURED, 0) >= journaled.get(FIGURED, 0):
        here |= {name: by for name, by in counted.items() if is_figure(name)}
        there |= {name: by for name, by in journaled.items() if is_figure(name)}
    return here, there


def totals(counts: Mapping[date, Mapping[str, int]]) -> dict[str, int]:
    """The counts of all days together."""
    summed: dict[str, int] = {}
    for day in counts.values():
        for name, value in day.items():
            summed[name] = summed.get(name, 0) + value
    return summed
