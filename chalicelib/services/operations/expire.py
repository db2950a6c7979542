"""Time-based changes: close invitations, expire vouchers, keep orders past their return window.

Run by a schedule, safe to repeat.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import chain

from chalicelib.domain import vouchers
from chalicelib.domain.changes import ChangeKind, with_change
from chalicelib.domain.fact_bodies import InvitationExpired, VoucherExpired
from chalicelib.domain.invitations import Invitation, InvitationState, closing_reason, is_open
from chalicelib.domain.orders import Order, OrderStatus, moved_order
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import (
    Voucher,
    expiry_due_before,
    is_live,
)
from chalicelib.services.facts import invitation_fact, voucher_fact
from chalicelib.services.lookups import campaign_of_version, current_campaign
from chalicelib.services.moves import close_invitation
from chalicelib.services.order_changes import order_changes
from chalicelib.services.ports import Agenda, Insert, Ports, Replace
from chalicelib.services.retry import retry_on_conflict


def expire(ports: Ports) -> dict[str, int]:
    """Make all changes that are due; returns how many of each kind."""
    now = ports.clock()
    repository = ports.repository
    # An invitation may be answered until the end of its last second.
    closing = repository.agenda(Invitation, Agenda.CLOSING, until=now - timedelta(seconds=1))
    ended = expiry_due_before(now)
    ending = chain(
        repository.agenda(Voucher, Agenda.EXPIRING, until=ended),
        repository.agenda(Voucher, Agenda.REFUSED, until=ended),
    )
    windows = repository.agenda(Order, Agenda.RETURN_WINDOW, until=now)
    return {
        "invitations": sum(_close(ports, invitation) for invitation in closing),
        "vouchers": sum(_end(ports, voucher.code_key) for voucher in ending),
        "orders": sum(_keep(ports, order.campaign, order.order_id) for order in windows),
    }


@retry_on_conflict
def _close(ports: Ports, due: Invitation) -> bool:
    invitation = ports.repository.get(
        Invitation, sponsor_id=due.sponsor_id, invitation_id=due.invitation_id
    )
    if invitation is None or not is_open(invitation):
        return False
    closed = close_invitation(ports, invitation, InvitationState.EXPIRED)
    received_under = campaign_of_version(ports, invitation.campaign, invitation.campaign_version)
    reason = closing_reason(received_under, invitation)
    fact = invitation_fact(ports, invitation, InvitationExpired.unanswered(invitation, reason))
    ports.repository.commit(*closed, facts=[fact])
    return True


@retry_on_conflict
def _end(ports: Ports, code_key: str) -> bool:
    voucher = ports.repository.get(Voucher, code_key=code_key)
    if voucher is None or voucher.ended_at:
        return False
    now = ports.clock()
    ended = vouchers.expired(voucher, now)
    if not is_live(voucher):
        # A redeemed one only gets its end: it leaves the agenda.
        ports.repository.commit(Replace(ended))
        return False
    ended, change = with_change(ended, ChangeKind.EXPIRED, now)
    fact = voucher_fact(ports, voucher, VoucherExpired.of(voucher))
    ports.repository.commit(Replace(ended), Insert(change), facts=[fact])
    return True


@retry_on_conflict
def _keep(ports: Ports, campaign_id: str, order_id: str) -> bool:
    order = ports.repository.get(Order, campaign=campaign_id, order_id=order_id)
    if order is None or order.status is not OrderStatus.PLACED:
        return False
    campaign = current_campaign(ports, campaign_id)
    kept = moved_order(campaign, order, OrderStatus.KEPT, ports.clock())
    referral = ports.repository.get(Referral, referral_id=order.referral_id)
    if referral is None:
        # Erased: nobody earns anything, and the order leaves the agenda.
        ports.repository.commit(Replace(kept))
        return False
    changes, facts = order_changes(ports, order, kept, referral)
    ports.repository.commit(*changes, facts=facts)
    return True
