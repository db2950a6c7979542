"""What facts about mails did: one that left is noted, so that it does not leave again (law 2)."""

from __future__ import annotations

from chalicelib.domain import mails
from chalicelib.domain.addresses import AddressDigests
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
from chalicelib.domain.people import Contact, Sponsor
from chalicelib.domain.protection import InvitationStop, StopReason, resumed, stopped
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.digests import digests_of, new_oppositions
from chalicelib.services.ports import Change, Insert, Replace
from chalicelib.services.restoring.work import LOST, UnfoundedError, Work

_OfMail = MailSent | MailFailed | MailBounced | MailBouncedForNow | MailComplained | MailToSendAgain


def mail_changes(work: Work, fact: Fact, body: FactBody) -> list[Change] | None:
    """What a fact about mails did, as far as it is not there; None for any other fact."""
    match body:
        case InvitationsStopped(reason=reason):
            return _stopped(work, fact, StopReason(reason))
        case InvitationsResumed():
            stop = work.ports.repository.get(InvitationStop, campaign=fact.campaign)
            if stop is None or not stop.is_in_force:
                return []
            counts = work.ports.repository.counts(fact.campaign)
            return [Replace(resumed(stop, counts, fact.at))]
        case _ if isinstance(body, _OfMail):
            return _moved(work, fact, body)
        case _:
            return None


def _stopped(work: Work, fact: Fact, reason: StopReason) -> list[Change]:
    stop = work.ports.repository.get(InvitationStop, campaign=fact.campaign)
    if stop and stop.is_in_force:
        return []
    made = stopped(work.campaign, stop, reason, fact.at)
    return [Replace(made) if stop else Insert(made)]


def _moved(work: Work, fact: Fact, body: _OfMail) -> list[Change]:
    if body.voucher_id in work.codes_lost:
        return []  # the code in it is gone: the voucher is mailed with its new one
    stored = work.ports.repository.get(Mail, mail_id=body.mail_id)
    if stored is None and isinstance(body, MailToSendAgain):
        raise UnfoundedError(body.mail_id)
    mail = stored or _leased(work, fact, body)
    after = _after(mail, fact, body)
    if after == stored:
        return []
    changes: list[Change] = [Replace(after) if stored else Insert(after)]
    if isinstance(body, MailComplained) and mail.digests:
        changes += new_oppositions(work.at(fact), work.campaign, mail.digests.values)
    return changes


def _after(mail: Mail, fact: Fact, body: FactBody) -> Mail:
    """The mail after the fact, in whatever sequence the facts come."""
    at = fact.at
    match body:
        case MailToSendAgain() if mail.problem:
            return mails.to_send_again(mail, at)
        case MailFailed(reason=reason) if mail.state is MailState.LEASED:
            return mails.failed(mail, _problem(reason), at)
        case MailFailed():
            return mail
        case MailSent():
            return mail if mails.is_proved_sent(mail) else mails.sent(mail, "", at)
    sent = mail if mails.is_proved_sent(mail) else mails.sent(mail, "", at)
    match body:
        case MailBounced(reason=problem) if mails.is_news(sent, problem):
            return mails.undelivered(sent, problem, at)
        case MailBouncedForNow() if mails.is_news(sent, MailProblem.BOUNCED_FOR_NOW):
            return mails.undelivered(sent, MailProblem.BOUNCED_FOR_NOW, at)
        case MailComplained() if sent.complained_at is None:
            return mails.complained(sent, at)
        case _:
            return sent


def _problem(reason: str) -> MailProblem:
    return MailProblem(reason) if reason in set(MailProblem) else MailProblem.REFUSED


def _leased(work: Work, fact: Fact, body: _OfMail) -> Mail:
    """The mail as it was when it was about to be sent."""
    contact_id = _contact_id(work, body)
    contact = work.ports.repository.get(Contact, contact_id=contact_id)
    digests: AddressDigests | None = None
    if contact:
        digests = digests_of(work.ports, work.campaign, contact.address)
    kind = body.mail_id.partition("-")[0] if isinstance(body, MailToSendAgain) else body.kind
    return Mail(
        mail_id=body.mail_id,
        mail_kind=kind or body.mail_id.partition("-")[0],
        campaign=fact.campaign,
        contact_id=contact_id,
        digests=digests,
        state=MailState.LEASED,
        leased_at=fact.at,
        ends_at=work.campaign.contact_ends_at(),
        correlation=fact.correlation,
        ids={name: value for name, value in fact.ids.items() if name != "mail"},
    )


def _contact_id(work: Work, body: _OfMail) -> str:
    """Whom it was sent to; an id that nobody has where that is lost."""
    repository = work.ports.repository
    if body.invitation_id and body.sponsor_id:
        invitation = repository.get(
            Invitation, sponsor_id=body.sponsor_id, invitation_id=body.invitation_id
        )
        return invitation.contact_id if invitation else f"{LOST}{body.invitation_id}"
    if body.voucher_id:
        key = work.keys.get(body.voucher_id)
        voucher = repository.get(Voucher, code_key=key) if key else None
        return voucher.contact_id if voucher else f"{LOST}{body.voucher_id}"
    sponsor = repository.get(Sponsor, sponsor_id=body.sponsor_id) if body.sponsor_id else None
    return sponsor.contact_id if sponsor else f"{LOST}{body.mail_id}"
