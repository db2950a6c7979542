"""What facts about orders did, so that their rewards stand and a repeat has no second effect.

A fact says of an order what counts: its status, its amount, its buyer. Its date is in the file that
reported it; of one that a call reported it is the time of the first fact, until it is reported
again. So is the client's id: facts have our own alone (`Work.order_id`).
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.fact_bodies import (
    OrderBody,
    OrderCancelled,
    OrderCorrected,
    OrderKept,
    OrderPlaced,
    OrderReturned,
)
from chalicelib.domain.facts import Fact, FactBody
from chalicelib.domain.orders import (
    Buyer,
    Order,
    OrderStatus,
    buyer_by_both,
    moves_forward,
    return_window_ends_at,
)
from chalicelib.domain.redemptions import OrderUses
from chalicelib.domain.referrals import Referral, known_order_ids
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.order_changes import order_changes
from chalicelib.services.ports import Change
from chalicelib.services.restoring.work import UnfoundedError, Work, order_name, order_of

_STATUS = {
    OrderPlaced: OrderStatus.PLACED,
    OrderKept: OrderStatus.KEPT,
    OrderReturned: OrderStatus.RETURNED,
    OrderCancelled: OrderStatus.CANCELLED,
}


def order_fact_changes(work: Work, fact: Fact, body: FactBody) -> list[Change] | None:
    """What a fact about an order did, as far as it is not there; None for any other fact.

    `UnfoundedError`.
    """
    if not isinstance(body, OrderBody):
        return None
    referral = work.ports.repository.get(Referral, referral_id=body.referral_id)
    if referral is None:
        raise UnfoundedError(body.referral_id)
    order_id = work.order_id(body, *known_order_ids(referral))
    stored = order_of(work, order_id)
    if stored is None and isinstance(body, OrderCorrected):
        raise UnfoundedError(order_name(body))
    if stored and _is_known(stored, body):
        return []
    before = stored or _new(work, fact, body, order_id)
    order = replace(
        _moved(work, fact, body, before),
        referral_id=referral.referral_id,
        buyer=buyer_by_both(before.buyer, body.buyer or before.buyer),
        counts=not body.is_excluded,
    )
    changes, _ = order_changes(work.at(fact), stored, order, referral)
    return changes


def _is_known(stored: Order, body: OrderBody) -> bool:
    """Whether what is stored has a report after this one."""
    match body:
        # It has left this referral, by the fact about the one that it belongs to.
        case OrderCorrected(is_excluded=True, buyer_before=None):
            return stored.referral_id != body.referral_id
        case OrderCorrected():
            return False
        case _:
            return not moves_forward(stored.status, _STATUS[type(body)])


def _new(work: Work, fact: Fact, body: OrderBody, order_id: str) -> Order:
    """The order at its first report."""
    at = work.outside.ordered_at.get(order_id, fact.at)
    campaign = work.versions.at(fact.at)
    used = work.ports.repository.get(OrderUses, order_id=order_id)
    keys = [use.code_key for use in used.uses if use.campaign == fact.campaign] if used else []
    voucher = work.ports.repository.get(Voucher, code_key=keys[0]) if keys else None
    return Order(
        campaign=fact.campaign,
        order_id=order_id,
        referral_id=body.referral_id,
        status=OrderStatus.PLACED,
        ordered_at=at,
        amount_minor=body.amount_minor,
        currency=campaign.currency,
        return_window_ends_at=return_window_ends_at(campaign, at),
        buyer=body.buyer or Buyer.NONE,
        code_key=voucher.code_key if voucher else None,
        template=voucher.template if voucher else None,
        first_version=campaign.version,
        status_version=campaign.version,
    )


def _moved(work: Work, fact: Fact, body: OrderBody, before: Order) -> Order:
    """The order with its status and amount; of two amounts of a status the smaller one holds."""
    status = _STATUS.get(type(body), before.status)
    if status is before.status:
        return replace(before, amount_minor=min(before.amount_minor, body.amount_minor))
    return replace(
        before,
        status=status,
        status_version=work.versions.at(fact.at).version,
        amount_minor=body.amount_minor,
        kept_at=fact.at if status is OrderStatus.KEPT else before.kept_at,
    )
