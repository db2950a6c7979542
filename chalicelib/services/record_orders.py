"""Taking in what the client reports of orders, one at a time, whatever the order or number of the
reports.

An order counts for the referral of the person who made it: found by the digest, or by the referee's
voucher that was used on it. Orders of anybody else leave no trace. A report moves an order forward
(placed, kept, returned or cancelled) or changes nothing. The voucher is redeemed in the transaction
that stores the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from chalicelib.domain.campaign import Campaign, HolderRole
from chalicelib.domain.facts import FactName
from chalicelib.domain.files.orders import OrderRow
from chalicelib.domain.model import (
    Fact,
    Invitation,
    Order,
    OrderStatus,
    Referral,
)
from chalicelib.domain.rewards import is_newcomer, moves_forward
from chalicelib.domain.vouchers import Purchase
from chalicelib.services.errors import RefusedError, UnknownError
from chalicelib.services.ports import Change, Insert, ListUnavailableError, Ports, Replace
from chalicelib.services.redeem import Planned, find_voucher, plan_redemption
from chalicelib.services.steps import claim_on, decided_again, happened

_FACTS = {
    OrderStatus.PLACED: FactName.ORDER_PLACED,
    OrderStatus.KEPT: FactName.ORDER_KEPT,
    OrderStatus.RETURNED: FactName.ORDER_RETURNED,
    OrderStatus.CANCELLED: FactName.ORDER_CANCELLED,
}
_USES_VOUCHERS = frozenset({OrderStatus.PLACED, OrderStatus.KEPT})


@dataclass(frozen=True)
class OrderOutcome:
    """What became of one reported order. `problem` is None when it was accepted."""

    effect: str
    problem: str | None = None


def record_reported_order(
    ports: Ports, campaigns: Sequence[Campaign], row: OrderRow
) -> OrderOutcome:
    """Take in an order that names no campaign: in each one that knows its voucher or its person."""
    concerned = [campaign for campaign in campaigns if _concerns(ports, campaign, row)]
    outcomes = [record_order(ports, campaign, row) for campaign in concerned]
    problem = next((outcome for outcome in outcomes if outcome.problem), None)
    if problem or outcomes:
        return problem or outcomes[0]
    unknown = "voucher_code_unknown" if row.voucher_code else None
    return OrderOutcome("none" if unknown else "not_a_referees", unknown)


def _concerns(ports: Ports, campaign: Campaign, row: OrderRow) -> bool:
    if row.voucher_code:
        try:
            return find_voucher(ports, row.voucher_code).campaign == campaign.campaign
        except UnknownError:
            return False
    digest = row.email_digest
    return digest is not None and claim_on(ports, campaign.campaign, digest) is not None


@decided_again
def record_order(ports: Ports, campaign: Campaign, row: OrderRow) -> OrderOutcome:
    """Take one order in; a problem leaves everything as it was."""
    if row.currency != campaign.currency:
        return OrderOutcome("none", "currency_not_the_campaigns")
    if row.ordered_at.astimezone(UTC) > ports.clock() + timedelta(days=1):
        return OrderOutcome("none", "ordered_at_in_the_future")
    status = OrderStatus(row.status)
    try:
        redemption = _redemption(ports, campaign, row, status)
    except UnknownError:
        return OrderOutcome("none", "voucher_code_unknown")
    except RefusedError as error:
        return OrderOutcome("none", f"voucher_code_{error.reason}")
    stored = ports.repository.get(Order, campaign=campaign.campaign, order_id=row.order_id)
    referral = _referral(ports, campaign, row, stored, redemption)
    if stored and referral and stored.referral_id != referral.referral_id:
        return OrderOutcome("none", "order_id_of_another_person")
    if referral is None:
        return _without_referral(ports, redemption)
    return _with_referral(ports, campaign, row, status, stored, referral, redemption)


def _redemption(
    ports: Ports, campaign: Campaign, row: OrderRow, status: OrderStatus
) -> Planned | None:
    if row.voucher_code is None or status not in _USES_VOUCHERS:
        return None
    purchase = Purchase(
        order_id=row.order_id,
        ordered_at=row.ordered_at,
        amount_minor=row.amount_minor,
        currency=row.currency,
    )
    planned = plan_redemption(ports, row.voucher_code, purchase)
    if planned.voucher.campaign != campaign.campaign:
        raise UnknownError("voucher")
    return planned


def _referral(
    ports: Ports,
    campaign: Campaign,
    row: OrderRow,
    stored: Order | None,
    redemption: Planned | None,
) -> Referral | None:
    referral_id = stored.referral_id if stored and row.email_digest is None else None
    if row.email_digest:
        referral_id = _referral_id_behind(ports, campaign, row.email_digest)
    if referral_id is None and redemption and redemption.voucher.holder is HolderRole.REFEREE:
        referral_id = redemption.voucher.referral_id
    if referral_id is None and stored:
        referral_id = stored.referral_id
    referral = ports.repository.get(Referral, referral_id=referral_id) if referral_id else None
    if referral and row.ordered_at < referral.confirmed_at:
        return None
    return referral


def _referral_id_behind(ports: Ports, campaign: Campaign, digest: str) -> str | None:
    claim = claim_on(ports, campaign.campaign, digest)
    if claim is None:
        return None
    invitation = ports.repository.get(
        Invitation, sponsor_id=claim.sponsor_id, invitation_id=claim.invitation_id
    )
    return invitation.referral_id if invitation else None


def _without_referral(ports: Ports, redemption: Planned | None) -> OrderOutcome:
    if redemption is None or not redemption.changes:
        return OrderOutcome("not_a_referees")
    ports.repository.commit(*redemption.changes, facts=redemption.facts)
    return OrderOutcome("redeemed")


def _with_referral(
    ports: Ports,
    campaign: Campaign,
    row: OrderRow,
    status: OrderStatus,
    stored: Order | None,
    referral: Referral,
    redemption: Planned | None,
) -> OrderOutcome:
    changes: list[Change] = list(redemption.changes) if redemption else []
    facts: list[Fact] = list(redemption.facts) if redemption else []
    if moves_forward(stored.status if stored else None, status):
        moved_changes, moved_facts = moved(
            ports, campaign, _order(ports, campaign, row, stored, referral), status, referral
        )
        changes += moved_changes
        facts += moved_facts
    if not changes:
        return OrderOutcome("known_already")
    ports.repository.commit(*changes, facts=facts)
    return OrderOutcome("recorded")


def _order(
    ports: Ports, campaign: Campaign, row: OrderRow, stored: Order | None, referral: Referral
) -> Order:
    if stored:
        return stored
    window_ends = campaign.end_of_day(
        campaign.local_date(row.ordered_at) + timedelta(days=campaign.return_window_days)
    )
    return Order(
        campaign=campaign.campaign,
        order_id=row.order_id,
        referral_id=referral.referral_id,
        status=OrderStatus.PLACED,
        ordered_at=row.ordered_at,
        amount_minor=row.amount_minor,
        currency=row.currency,
        return_window_ends_at=window_ends,
    )


def moved(
    ports: Ports, campaign: Campaign, order: Order, status: OrderStatus, referral: Referral
) -> tuple[list[Change], list[Fact]]:
    """What changes when `order` (stored or new) comes to stand at `status`."""
    now = ports.clock()
    kept_at = now if status is OrderStatus.KEPT else order.kept_at
    order_now = replace(order, status=status, kept_at=kept_at)
    referral_now = replace(
        _asked_with_first_order(ports, campaign, referral, order.ordered_at),
        orders=referral.orders + (0 if order.revision else 1),
        kept_orders=_kept(referral, order.order_id, status),
    )
    write = Replace if order.revision else Insert
    fact = happened(
        ports,
        _FACTS[status],
        campaign=campaign.campaign,
        subject=referral.referral_id,
        correlation=referral.correlation,
        ids={
            "order": order.order_id,
            "referral": referral.referral_id,
            "sponsor": referral.sponsor_id,
        },
        amount_minor=order.amount_minor,
    )
    return [write(order_now), Replace(referral_now)], [fact]


def _kept(referral: Referral, order_id: str, status: OrderStatus) -> tuple[str, ...]:
    if status is OrderStatus.KEPT:
        return (*referral.kept_orders, order_id)
    # Its rung is gone, but its place stays: which rung an order stands on never changes.
    return tuple("" if kept == order_id else kept for kept in referral.kept_orders)


def _asked_with_first_order(
    ports: Ports, campaign: Campaign, referral: Referral, ordered_at: datetime
) -> Referral:
    """Law 3: asked once, with the first order: is this a newcomer, or a customer already?"""
    if referral.newcomer is not None:
        return referral
    try:
        customers = ports.lists.find(
            "customers",
            campaign.campaign,
            campaign.lists.customers.max_age_days,
            referral.referee,
        )
    except ListUnavailableError:
        # Not known yet; no reward is granted before the list has been asked.
        return referral
    return replace(
        referral,
        newcomer=is_newcomer(customers.found, customers.as_of, ordered_at),
        newcomer_list_version=customers.version,
    )
