"""Giving what a restore brought back without the client's id of its order that id again.

Facts have our own id of an order alone (`order_refs.py`). An order or a redemption that a call
reported since the moment of a restore is in no file, so it is stored under a name made of its
reference. The first report or call that names the order finds it by that: it is renamed, in a
commit of its own, and what asked begins again as if it had never been lost.

    report, call ──► finds the lost one ──► renamed ──► ConflictError: decide again
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.order_refs import OrderReference
from chalicelib.domain.orders import Order
from chalicelib.domain.redemptions import (
    OrderUses,
    Redemption,
    VoucherOnOrder,
    with_use,
    without_use,
)
from chalicelib.domain.referral_orders import FurtherOrder, further_order
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ports import Change, Insert, Ports, Remove, Replace


def rename_order(ports: Ports, lost: OrderReference, order_id: str) -> None:
    """Store a lost order, and what names it, under the client's id; nothing if it was stored under
    that a moment ago.
    """
    order = ports.repository.get(Order, campaign=lost.campaign, order_id=lost.order_id)
    if order is None or lost.order_id == order_id:
        return
    changes: list[Change] = [
        Replace(replace(lost, order_id=order_id)),
        Remove(order),
        Insert(replace(order, order_id=order_id, revision=0)),
    ]
    referral = ports.repository.get(Referral, referral_id=order.referral_id)
    if referral:
        changes += _renamed_in(ports, referral, order, order_id)
    ports.repository.commit(*changes)


def _renamed_in(ports: Ports, referral: Referral, order: Order, order_id: str) -> list[Change]:
    """The referral, the note beside it, and the rewards that name the order."""

    def renamed(ids: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(order_id if one == order.order_id else one for one in ids)

    lists = replace(
        referral,
        known_orders=renamed(referral.known_orders),
        kept_orders=renamed(referral.kept_orders),
    )
    changes: list[Change] = [Replace(lists)]
    note = further_order(referral, order)
    stored = ports.repository.get(
        FurtherOrder, referral_id=note.referral_id, group=note.group, position=note.position
    )
    if stored:
        named = further_order(referral, replace(order, order_id=order_id))
        changes += [Remove(stored), Insert(named)]
    rewards = ports.repository.within(Reward, referral_id=referral.referral_id)
    changes += [
        Replace(replace(one, order_id=order_id))
        for one in rewards
        if one.order_id == order.order_id
    ]
    return changes


def rename_use(ports: Ports, voucher: Voucher, lost: Redemption, order_id: str) -> None:
    """Store the use of a voucher on a lost order under the client's id, also one that was given
    back: a late repeat of it must not use the voucher again (law 6).
    """
    changes: list[Change] = [
        Remove(lost),
        Insert(replace(lost, order_id=order_id, revision=0)),
    ]
    if voucher.redeemed_by == lost.order_id:
        changes += _used_on(ports, replace(voucher, redeemed_by=order_id), lost.order_id, order_id)
    ports.repository.commit(*changes)


def _used_on(ports: Ports, voucher: Voucher, before: str, order_id: str) -> list[Change]:
    """The voucher, and what is used on its order, no longer `before`."""
    there = ports.repository.get(OrderUses, order_id=order_id)
    uses = with_use(VoucherOnOrder(voucher=voucher, order_id=order_id, uses=there))
    changes: list[Change] = [Replace(voucher), Replace(uses) if there else Insert(uses)]
    if was := ports.repository.get(OrderUses, order_id=before):
        left = without_use(was, voucher)
        changes.append(Remove(was) if left.is_empty else Replace(left))
    return changes
