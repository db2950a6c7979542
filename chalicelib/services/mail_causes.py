"""Which mail follows from which fact, and the other way round."""

from __future__ import annotations

from chalicelib.domain import mails
from chalicelib.domain.effects import queues_of
from chalicelib.domain.fact_bodies import (
    InvitationAccepted,
    MailToSendAgain,
    PrivacyLinkGranted,
    RewardRevoked,
    SignInGranted,
    VoucherAcknowledged,
    VoucherEndsSoon,
    VoucherIssued,
    body_of,
)
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.mails import Mail
from chalicelib.services.facts import facts_around
from chalicelib.services.ports import Ports


def mail_of(fact: Fact) -> str | None:
    """The id of the mail that follows from `fact`, None when none does."""
    if not queues_of(fact):
        return None
    match body_of(fact):
        case SignInGranted(contact_id=contact_id):
            return mails.sign_in_mail(contact_id)
        case PrivacyLinkGranted(contact_id=contact_id):
            return mails.privacy_mail(contact_id)
        case InvitationAccepted(invitation_id=invitation_id):
            return mails.invitation_mail(invitation_id)
        case VoucherIssued(voucher_id=voucher_id) | VoucherAcknowledged(voucher_id=voucher_id):
            return mails.voucher_mail(voucher_id)
        case RewardRevoked(voucher_id=voucher_id):
            return mails.revoked_mail(voucher_id)
        case VoucherEndsSoon(voucher_id=voucher_id):
            return mails.ends_soon_mail(voucher_id)
        case MailToSendAgain(mail_id=mail_id):
            return mail_id
        case _:
            return None


def causes_of(ports: Ports, mail: Mail) -> list[Fact]:
    """The facts that a mail follows from, around the time of the one it was made for."""
    about = (mail.ids.get(name) for name in ("voucher", "invitation", "referral"))
    subject = next(filter(None, about), mail.contact_id)
    # A mail without the time was leased by 0.2.0: its fact is found whatever the hours.
    facts = facts_around(ports, subject, mail.caused_at or mail.leased_at)
    return [fact for fact in facts if _is_cause(fact, mail)]


def _is_cause(fact: Fact, mail: Mail) -> bool:
    if fact.name == FactName.REFERRAL_CONFIRMED:  # it does not name the address that is written to
        return mail.mail_id == mails.confirmed_mail(mail.contact_id)
    return mail_of(fact) == mail.mail_id
