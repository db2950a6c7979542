"""What time does: invitations close, vouchers end, return windows pass. Run by a schedule, safe to
repeat.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import Invitation, InvitationState, ended
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.people import Contact
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher, VoucherState, expiry_due_before, is_live
from chalicelib.services.facts import invitation_fact, voucher_fact
from chalicelib.services.lookups import current_campaign
from chalicelib.services.orders.record import moved
from chalicelib.services.ports import Agenda, Ports, Remove, Replace
from chalicelib.services.retry import retry_on_conflict


def expire(ports: Ports) -> dict[str, int]:
    """Do all that is due now; returns how many of each."""
    now = ports.clock()
    repository = ports.repository
    # An invitation may be answered to the very end of the second it closes with.
    closing = repository.agenda(Invitation, Agenda.CLOSING, until=now - timedelta(seconds=1))
    ending = repository.agenda(Voucher, Agenda.EXPIRING, until=expiry_due_before(now))
    windows = repository.agenda(Order, Agenda.RETURN_WINDOW, until=now)
    return {
        "invitations": sum(_close(ports, invitation) for invitation in closing),
        "vouchers": sum(_end(ports, voucher.code) for voucher in ending),
        "orders": sum(_keep(ports, order.campaign, order.order_id) for order in windows),
    }


@retry_on_conflict
def _close(ports: Ports, listed: Invitation) -> bool:
    invitation = ports.repository.get(
        Invitation, sponsor_id=listed.sponsor_id, invitation_id=listed.invitation_id
    )
    waiting = {InvitationState.RECEIVED, InvitationState.SENT}
    if invitation is None or invitation.state not in waiting:
        return False
    contact = ports.repository.get(Contact, contact_id=invitation.contact_id)
    closed = invitation_fact(
        ports,
        FactName.INVITATION_EXPIRED,
        invitation,
        reason="unanswered",
    )
    ports.repository.commit(
        Replace(ended(invitation, InvitationState.EXPIRED, ports.clock())),
        *([Remove(contact)] if contact else []),
        facts=[closed],
    )
    return True


@retry_on_conflict
def _end(ports: Ports, code: str) -> bool:
    voucher = ports.repository.get(Voucher, code=code)
    if voucher is None or voucher.ended_at:
        return False
    now = ports.clock()
    if not is_live(voucher):
        # Redeemed: only taken off the agenda.
        ports.repository.commit(Replace(replace(voucher, ended_at=now)))
        return False
    expired = voucher_fact(
        ports,
        FactName.VOUCHER_EXPIRED,
        voucher,
        template=voucher.template,
    )
    ports.repository.commit(
        Replace(replace(voucher, state=VoucherState.EXPIRED, ended_at=now)), facts=[expired]
    )
    return True


@retry_on_conflict
def _keep(ports: Ports, campaign_id: str, order_id: str) -> bool:
    order = ports.repository.get(Order, campaign=campaign_id, order_id=order_id)
    if order is None or order.status is not OrderStatus.PLACED:
        return False
    referral = ports.repository.get(Referral, referral_id=order.referral_id)
    if referral is None:
        return False
    campaign = current_campaign(ports, campaign_id)
    changes, facts = moved(ports, campaign, order, OrderStatus.KEPT, referral)
    ports.repository.commit(*changes, facts=facts)
    return True
