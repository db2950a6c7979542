"""Changes that several use cases commit: closed invitations, sent mails, redemptions, rollbacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.domain import invitations, mails
from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.changes import ChangeKind, with_change
from chalicelib.domain.fact_bodies import (
    InvitationBounced,
    InvitationSent,
    MailFailed,
    MailSent,
    RewardRevoked,
    VoucherExpired,
    VoucherRedeemed,
    VoucherRolledBack,
    VoucherUndelivered,
)
from chalicelib.domain.facts import Fact
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.mailed_links import MailedLink
from chalicelib.domain.mails import Mail, MailProblem
from chalicelib.domain.order_refs import known_to_client
from chalicelib.domain.people import Contact, Link, Sponsor, link_of
from chalicelib.domain.privacy import PrivacyLink
from chalicelib.domain.redemptions import (
    OrderUses,
    Redemption,
    RedemptionPlan,
    VoucherOnOrder,
    rolled_back_redemption,
    without_use,
)
from chalicelib.domain.vouchers import (
    Voucher,
    VoucherState,
    is_live,
    rolled_back,
)
from chalicelib.services.facts import mail_fact, new_fact, voucher_fact
from chalicelib.services.lookups import claims_on, invitation_in, release_in, voucher_of
from chalicelib.services.order_refs import reference_of
from chalicelib.services.ports import (
    Change,
    Insert,
    Ports,
    Remove,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict

ROLLED_BACK = "rolled_back"


@retry_on_conflict
def mark_mail_failed(ports: Ports, mail_id: str, problem: MailProblem, reason: str) -> None:
    """Record, once, that a mail is not sent; an invitation that was refused is closed with it."""
    mail = ports.repository.get(Mail, mail_id=mail_id)
    if mail is None or mail.state not in mails.UNSETTLED:
        return
    changes: list[Change] = [Replace(mails.failed(mail, problem, ports.clock()))]
    facts = [mail_fact(ports, mail, MailFailed.of(mail, reason))]
    facts += undelivered_facts(ports, mail, problem)
    invitation = invitation_in(ports, mail)
    is_refused = problem is not MailProblem.UNCONFIRMED
    if is_refused and invitation and invitation.state is InvitationState.RECEIVED:
        changes += close_invitation(ports, invitation, InvitationState.BOUNCED)
        changes += freed_claims(ports, invitation, mail.digests)
        facts.append(mail_fact(ports, mail, InvitationBounced.of(invitation, mail, reason)))
    ports.repository.commit(*changes, facts=facts)


def undelivered_facts(ports: Ports, mail: Mail, problem: MailProblem) -> list[Fact]:
    """The fact that a live voucher's mail did not arrive; none for any other mail."""
    if mail.voucher_id is None or problem is MailProblem.BOUNCED_FOR_NOW:
        return []
    voucher = voucher_of(ports, release_in(ports, mail))
    if voucher is None or voucher.voucher_id != mail.voucher_id or not is_live(voucher):
        return []
    body = VoucherUndelivered(voucher_id=mail.voucher_id, mail_id=mail.mail_id, reason=problem)
    return [
        new_fact(
            ports,
            body,
            campaign=mail.campaign,
            subject=mail.voucher_id,
            correlation=mail.correlation,
        )
    ]


def freed_claims(
    ports: Ports, invitation: Invitation, digests: AddressDigests | None
) -> list[Change]:
    """The changes that let others invite the referee of an invitation of which no mail has left:
    one that nobody could write to must not take somebody's one mail from them (law 2).
    """
    claimed = claims_on(ports, invitation.campaign, digests.values if digests else ())
    return [Remove(one) for one in claimed if one.invitation_id == invitation.invitation_id]


def close_invitation(ports: Ports, invitation: Invitation, state: InvitationState) -> list[Change]:
    """The changes that close an invitation in `state` without a referral; erases the address."""
    contact = ports.repository.get(Contact, contact_id=invitation.contact_id)
    closed = Replace(invitations.closed(invitation, state, ports.clock()))
    return [closed, Remove(contact)] if contact else [closed]


def link_changes(ports: Ports, sponsor: Sponsor, renewed: Sponsor) -> list[Change]:
    """The changes that give a sponsor the link of `renewed` and end the one before."""
    former = ports.repository.get(Link, link_code=sponsor.link_code)
    ended = [Remove(former)] if former else []
    return [Replace(renewed), Insert(link_of(renewed)), *ended]


def ended_request(ports: Ports, last: PrivacyLink | None) -> list[Change]:
    """The changes that end what was typed for a link that ends before its time."""
    contact_id = last.contact_id if last else None
    contact = ports.repository.get(Contact, contact_id=contact_id) if contact_id else None
    return [Remove(contact)] if contact else []


def stored_stop(stop: MailedLink) -> Change:
    """The change that stops mails with links to a person, in place of the last link if there is
    one.
    """
    return Replace(stop) if stop.revision else Insert(stop)


@retry_on_conflict
def mark_mail_sent(ports: Ports, mail_id: str, provider_id: str) -> None:
    """Record, once, that a mail was sent, and its invitation with it.

    Also of one that was given up: whatever proves it may be late.
    """
    mail = ports.repository.get(Mail, mail_id=mail_id)
    if mail is None or mails.is_proved_sent(mail):
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
    order_id = redemption.redemption.order_id
    voucher, change = with_change(
        redemption.voucher, ChangeKind.REDEEMED, ports.clock(), order_id=known_to_client(order_id)
    )
    write = Replace if redemption.uses.revision else Insert
    reference = reference_of(ports, order_id)
    fact = voucher_fact(ports, voucher, VoucherRedeemed.of(voucher, reference))
    return [
        Replace(voucher),
        Insert(replace(redemption.redemption, order_ref=reference)),
        write(redemption.uses),
        Insert(change),
    ], [fact]


def rollback_changes(
    ports: Ports, voucher: Voucher, redemption: Redemption, uses: OrderUses | None
) -> tuple[list[Change], list[Fact]]:
    """The changes of a rollback, as `VoucherOnOrder` has its parts; an ended voucher ends."""
    now, order_id = ports.clock(), known_to_client(redemption.order_id)
    back, change = with_change(
        rolled_back(voucher, now), ChangeKind.ROLLED_BACK, now, order_id=order_id
    )
    changes: list[Change] = [Insert(change), Replace(rolled_back_redemption(redemption, now))]
    facts = [voucher_fact(ports, voucher, VoucherRolledBack.of(voucher, redemption.order_ref))]
    if back.state is VoucherState.REVOKED:
        back, change = with_change(back, ChangeKind.REVOKED, now, reason=ROLLED_BACK)
        changes.append(Insert(change))
        facts.append(voucher_fact(ports, voucher, RewardRevoked.of(voucher, ROLLED_BACK)))
    if back.state is VoucherState.EXPIRED:
        back, change = with_change(back, ChangeKind.EXPIRED, now)
        changes.append(Insert(change))
        facts.append(voucher_fact(ports, voucher, VoucherExpired.of(voucher)))
    return [Replace(back), *changes, *_changes_of_uses(uses, voucher)], facts


def give_back_changes(
    ports: Ports, used: Sequence[VoucherOnOrder], uses: OrderUses | None
) -> tuple[list[Change], list[Fact]]:
    """The changes that roll back every one of the vouchers `used` on one order."""
    changes: list[Change] = []
    facts: list[Fact] = []
    for each in used:
        if each.redemption:
            back, back_facts = rollback_changes(ports, each.voucher, each.redemption, None)
            changes += back
            facts += back_facts
            uses = without_use(uses, each.voucher) if uses else None
    if changes and uses:
        changes.append(_stored_uses(uses))
    return changes, facts


def _changes_of_uses(uses: OrderUses | None, voucher: Voucher) -> list[Change]:
    # Redemptions of earlier versions have no entry, nor have the first ones of very many.
    left = without_use(uses, voucher) if uses else None
    if left == uses or left is None:
        return []
    return [_stored_uses(left)]


def _stored_uses(uses: OrderUses) -> Change:
    return Remove(uses) if uses.is_empty else Replace(uses)
