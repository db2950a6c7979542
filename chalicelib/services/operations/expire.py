"""Time-based changes: close invitations, expire vouchers, keep orders past their return window.

A schedule hands out what is due (`expire`); `due.py` works on it, one thing at a time. Each is read
again and changed only if it is due by its own state. Safe to repeat.
"""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain import vouchers
from chalicelib.domain.campaign.file import is_past
from chalicelib.domain.changes import ChangeKind, with_change
from chalicelib.domain.fact_bodies import InvitationExpired, VoucherEndsSoon, VoucherExpired
from chalicelib.domain.invitations import Invitation, InvitationState, closing_reason, is_open
from chalicelib.domain.orders import Order, OrderStatus, moved_order
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher, expiry_due_before, is_live
from chalicelib.services.facts import invitation_fact, voucher_fact
from chalicelib.services.lookups import campaign_of_version, current_campaign
from chalicelib.services.moves import close_invitation
from chalicelib.services.order_changes import order_changes
from chalicelib.services.ports import Agenda, Insert, Key, Ports, Replace
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.stretches import hand_out


def expire(ports: Ports) -> int:
    """Hand out everything that is due; returns how many messages."""
    now = ports.clock()
    ended = expiry_due_before(now)
    due = {
        # An invitation may be answered until the end of its last second.
        Agenda.CLOSING: now - timedelta(seconds=1),
        Agenda.EXPIRING: ended,
        Agenda.REFUSED: ended,
        Agenda.RETURN_WINDOW: now,
    }
    return sum(hand_out(ports, name, until=until) for name, until in due.items())


@retry_on_conflict
def close_due(ports: Ports, key: Key[Invitation]) -> bool:
    """Close an invitation whose closing day has passed; False when there is nothing to do."""
    invitation = ports.repository.read(key).get(key)
    if invitation is None or not is_open(invitation):
        return False
    if not is_past(invitation.closes_at, ports.clock()):
        return False
    closed = close_invitation(ports, invitation, InvitationState.EXPIRED)
    received_under = campaign_of_version(ports, invitation.campaign, invitation.campaign_version)
    reason = closing_reason(received_under, invitation)
    fact = invitation_fact(ports, invitation, InvitationExpired.unanswered(invitation, reason))
    ports.repository.commit(*closed, facts=[fact])
    return True


@retry_on_conflict
def end_due(ports: Ports, key: Key[Voucher]) -> bool:
    """Note the end of a voucher that has ended, or that it ends soon; False when nothing is noted
    for its holder.
    """
    voucher = ports.repository.read(key).get(key)
    now = ports.clock()
    if voucher is None or voucher.ended_at:
        return False
    if voucher.valid_until > expiry_due_before(now):
        return _remind(ports, voucher)
    ended = vouchers.expired(voucher, now)
    if not is_live(voucher):
        # A redeemed one only gets its end: it leaves the agenda.
        ports.repository.commit(Replace(ended))
        return False
    ended, change = with_change(ended, ChangeKind.EXPIRED, now)
    fact = voucher_fact(ports, voucher, VoucherExpired.of(voucher))
    ports.repository.commit(Replace(ended), Insert(change), facts=[fact])
    return True


def _remind(ports: Ports, voucher: Voucher) -> bool:
    """Note that a voucher ends soon, once: the mail decides whether its holder is reminded."""
    now = ports.clock()
    if voucher.reminds_at is None or voucher.reminds_at > now:
        return False
    changed = Replace(vouchers.reminded(voucher))
    if vouchers.problem_at(voucher, now):
        ports.repository.commit(changed)  # used, or over: it only leaves its place
        return False
    fact = voucher_fact(ports, voucher, VoucherEndsSoon.of(voucher))
    ports.repository.commit(changed, facts=[fact])
    return True


@retry_on_conflict
def keep_due(ports: Ports, key: Key[Order]) -> bool:
    """Keep an order whose return window has passed; False when there is nothing to do."""
    order = ports.repository.read(key).get(key)
    if order is None or order.status is not OrderStatus.PLACED:
        return False
    if order.return_window_ends_at > ports.clock():
        return False
    campaign = current_campaign(ports, order.campaign)
    kept = moved_order(campaign, order, OrderStatus.KEPT, ports.clock())
    referral = ports.repository.get(Referral, referral_id=order.referral_id)
    if referral is None:
        # Erased: nobody earns anything, and the order leaves the agenda.
        ports.repository.commit(Replace(kept))
        return False
    changes, facts = order_changes(ports, order, kept, referral)
    ports.repository.commit(*changes, facts=facts)
    return True
