"""Changes that several use cases commit: order status, closed invitations, sent mails, redemptions
and rollbacks.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain import invitations, mails
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.changes import ChangeKind, with_change
from chalicelib.domain.fact_bodies import (
    InvitationSent,
    MailSent,
    RewardRevoked,
    VoucherExpired,
    VoucherRedeemed,
    VoucherRolledBack,
    order_moved,
)
from chalicelib.domain.facts import Fact
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.mails import Mail, MailState
from chalicelib.domain.orders import Order, OrderStatus, moved_order, referral_after
from chalicelib.domain.people import Contact
from chalicelib.domain.referrals import Referral, with_newcomer_check
from chalicelib.domain.vouchers import (
    OrderUses,
    Redemption,
    RedemptionPlan,
    Voucher,
    VoucherState,
    rolled_back,
    rolled_back_redemption,
    without_use,
)
from chalicelib.services.facts import mail_fact, referral_fact, voucher_fact
from chalicelib.services.lookups import find_customer_as_of, invitation_in, referee_of
from chalicelib.services.ports import (
    Change,
    Insert,
    ListUnavailableError,
    Ports,
    Remove,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict

ROLLED_BACK = "rolled_back"


def move_order(
    ports: Ports, campaign: Campaign, order: Order, status: OrderStatus, referral: Referral
) -> tuple[list[Change], list[Fact]]:
    """The changes and facts when `order` (stored or new) gets a new `status`."""
    moved = moved_order(order, status, ports.clock())
    checked = _check_newcomer(ports, campaign, referral, order.ordered_at)
    write = Replace if order.revision else Insert
    fact = referral_fact(ports, referral, order_moved(moved, referral))
    return [write(moved), Replace(referral_after(moved, checked))], [fact]


def _check_newcomer(
    ports: Ports, campaign: Campaign, referral: Referral, ordered_at: datetime
) -> Referral:
    """Law 3: checked once, with the first order, against the list in force at that time; every
    later list contains the referee, who is a customer by then.
    """
    if referral.newcomer is not None:
        return referral
    try:
        customers = find_customer_as_of(ports, campaign, referee_of(ports, referral), ordered_at)
    except ListUnavailableError:
        # Unknown for now; no reward is granted before the check has succeeded.
        return referral
    return with_newcomer_check(
        referral, newcomer=customers.found is None, list_version=customers.version
    )


def close_invitation(ports: Ports, invitation: Invitation, state: InvitationState) -> list[Change]:
    """The changes that close an invitation in `state` without a referral; erases the address."""
    contact = ports.repository.get(Contact, contact_id=invitation.contact_id)
    closed = Replace(invitations.closed(invitation, state, ports.clock()))
    return [closed, Remove(contact)] if contact else [closed]


@retry_on_conflict
def mark_mail_sent(ports: Ports, mail_id: str, provider_id: str) -> None:
    """Record, once, that a leased mail was sent, and its invitation with it."""
    mail = ports.repository.get(Mail, mail_id=mail_id)
    if mail is None or mail.state is not MailState.LEASED:
        return
    now = ports.clock()
    changes: list[Change] = [Replace(mails.sent(mail, provider_id, now))]
    facts = [mail_fact(ports, mail, MailSent.of(mail))]
    invitation = invitation_in(ports, mail)
    if invitation:
        facts.append(mail_fact(ports, mail, InvitationSent.of(invitation, mail)))
        if invitation.state is InvitationState.RECEIVED:
            changes.append(Replace(invitations.sent(invitation, now)))
    ports.repository.commit(*changes, facts=facts)


def redemption_changes(
    ports: Ports, redemption: RedemptionPlan | None
) -> tuple[list[Change], list[Fact]]:
    """The changes of a redemption: none without one, or if it is stored already."""
    if redemption is None or redemption.uses is None:
        return [], []
    voucher, change = with_change(
        redemption.voucher,
        ChangeKind.REDEEMED,
        ports.clock(),
        order_id=redemption.redemption.order_id,
    )
    write = Replace if redemption.uses.revision else Insert
    fact = voucher_fact(ports, voucher, VoucherRedeemed.of(voucher))
    return [
        Replace(voucher),
        Insert(redemption.redemption),
        write(redemption.uses),
        Insert(change),
    ], [fact]


def rollback_changes(
    ports: Ports, voucher: Voucher, redemption: Redemption, uses: OrderUses | None
) -> tuple[list[Change], list[Fact]]:
    """The changes of a rollback, as `VoucherOnOrder` has its parts; an ended voucher ends."""
    now, order_id = ports.clock(), redemption.order_id
    back, change = with_change(
        rolled_back(voucher, now), ChangeKind.ROLLED_BACK, now, order_id=order_id
    )
    changes: list[Change] = [Insert(change), Replace(rolled_back_redemption(redemption, now))]
    facts = [voucher_fact(ports, voucher, VoucherRolledBack.of(voucher))]
    if back.state is VoucherState.REVOKED:
        back, change = with_change(back, ChangeKind.REVOKED, now, reason=ROLLED_BACK)
        changes.append(Insert(change))
        facts.append(voucher_fact(ports, voucher, RewardRevoked.of(voucher, ROLLED_BACK)))
    if back.state is VoucherState.EXPIRED:
        back, change = with_change(back, ChangeKind.EXPIRED, now)
        changes.append(Insert(change))
        facts.append(voucher_fact(ports, voucher, VoucherExpired.of(voucher)))
    return [Replace(back), *changes, *_changes_of_uses(uses, voucher)], facts


def _changes_of_uses(uses: OrderUses | None, voucher: Voucher) -> list[Change]:
    # Redemptions of earlier versions have no entry, nor have the first ones of very many.
    left = without_use(uses, voucher) if uses else None
    if left == uses or left is None:
        return []
    return [Replace(left) if left.uses else Remove(left)]
