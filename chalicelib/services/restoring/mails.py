"""What facts about mails did: one that left is noted, so that it does not leave again (law 2)."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain import mails
from chalicelib.domain.fact_bodies import (
    InvitationsResumed,
    InvitationsStopped,
    MailBounced,
    MailBouncedForNow,
    MailComplained,
    MailFailed,
    MailSent,
    MailToSendAgain,
)
from chalicelib.domain.facts import Fact, FactBody
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.mails import Mail, MailProblem, MailState
from chalicelib.domain.people import Contact
from chalicelib.domain.protection import InvitationStop, StopReason, resumed, stopped
from chalicelib.services.digests import digests_of, new_oppositions
from chalicelib.services.ports import Change, Insert, Replace
from chalicelib.services.protection import stop_of
from chalicelib.services.restoring.work import LOST, UnfoundedError, Work

_OfMail = MailSent | MailFailed | MailBounced | MailBouncedForNow | MailComplained | MailToSendAgain


def mail_changes(work: Work, fact: Fact, body: FactBody) -> list[Change] | None:
    """What a fact about mails did; None for any other fact. `UnfoundedError`, `IllegalMoveError`
    while a fact before this one is missing.
    """
    match body:
        case InvitationsStopped(reason=reason):
            stop = work.ports.repository.get(InvitationStop, campaign=fact.campaign)
            made = stopped(work.campaign, stop, StopReason(reason), fact.at)
            return [Replace(made) if stop else Insert(made)]
        case InvitationsResumed():
            stop = stop_of(work.ports, fact.campaign)
            if stop is None:
                raise UnfoundedError(fact.subject)
            return [Replace(resumed(stop, work.counted(), fact.at))]
        case (
            MailSent()
            | MailFailed()
            | MailBounced()
            | MailBouncedForNow()
            | MailComplained()
            | MailToSendAgain()
        ):
            return _moved(work, fact, body)
        case _:
            return None


def _moved(work: Work, fact: Fact, body: _OfMail) -> list[Change]:
    if body.voucher_id in work.codes_lost:
        return []  # the code in it is gone: the voucher is mailed with its new one
    stored = work.ports.repository.get(Mail, mail_id=body.mail_id)
    mail = stored or _leased(work, fact, body)
    after = _after(mail, body, fact.at)
    changes: list[Change] = [Replace(after) if stored else Insert(after)]
    if isinstance(body, MailComplained) and mail.digests:
        changes += new_oppositions(work.at(fact), work.campaign, mail.digests)
    return changes


def _after(mail: Mail, body: _OfMail, at: datetime) -> Mail:
    match body:
        case MailSent():
            return mails.sent(mail, "", at)
        case MailFailed(reason=MailProblem.REJECTED):  # after it was accepted
            return mails.undelivered(mail, MailProblem.REJECTED, at)
        case MailFailed(reason=reason):
            return mails.failed(mail, _problem(reason), at)
        case MailBounced(reason=problem):
            return mails.undelivered(mail, problem, at)
        case MailBouncedForNow():
            return mails.undelivered(mail, MailProblem.BOUNCED_FOR_NOW, at)
        case MailComplained():
            return mails.complained(mail, at)
        case MailToSendAgain():
            return mails.to_send_again(mail, at)


def _problem(reason: str) -> MailProblem:
    return MailProblem(reason) if reason in set(MailProblem) else MailProblem.REFUSED


def _leased(work: Work, fact: Fact, body: _OfMail) -> Mail:
    """The mail as it was when it was about to be sent."""
    contact_id, caused_at = _contact_of(work, fact, body)
    contact = work.ports.repository.get(Contact, contact_id=contact_id)
    kind = None if isinstance(body, MailToSendAgain) else body.kind
    return Mail(
        mail_id=body.mail_id,
        mail_kind=kind or body.mail_id.partition("-")[0],
        campaign=fact.campaign,
        contact_id=contact_id,
        digests=digests_of(work.ports, work.campaign, contact.address) if contact else None,
        state=MailState.LEASED,
        leased_at=fact.at,
        ends_at=work.campaign.contact_ends_at(),
        correlation=fact.correlation,
        caused_at=caused_at,
        ids={name: value for name, value in fact.ids.items() if name != "mail"},
    )


def _contact_of(work: Work, fact: Fact, body: _OfMail) -> tuple[str, datetime | None]:
    """Whom it was sent to, an id that nobody has where that is lost; and when what it says of a
    voucher happened, if it is about one.
    """
    if body.voucher_id:
        cause = work.cause_of(body.mail_id, body.voucher_id, fact.at)
        if cause is None:
            return f"{LOST}{body.voucher_id}", None
        at, holder_id = cause
        return work.voucher(body.voucher_id, holder_id).contact_id, at
    if body.invitation_id:
        invitation = work.ports.repository.get(
            Invitation, sponsor_id=str(body.sponsor_id), invitation_id=body.invitation_id
        )
        return invitation.contact_id if invitation else f"{LOST}{body.invitation_id}", None
    return body.mail_id.partition("-")[2], None  # a sign-in mail's id says to whom it was sent
