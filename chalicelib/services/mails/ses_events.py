"""Events of the sender about earlier mails: accepted, bounced, rejected, complained about.

They may come twice, late, early and in any order, and for mails that ended long ago. Each of them
proves that the mail was sent, so it settles a send without an answer, even one that was given up. A
bounced invitation is closed and its address erased; a voucher's mail that bounced is shown to ops;
a complaint counts as an opposition and withdraws consent. Both count for the shared link that
somebody came by, and too many stop a campaign's invitations (`services/protection.py`). An event
about what was sent before a mail was sent again says nothing about the later one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from chalicelib.domain import mails
from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.consents import ConsentSource, own_digest
from chalicelib.domain.fact_bodies import (
    InvitationBounced,
    InvitationDeclined,
    LinkStopped,
    MailBounced,
    MailBouncedForNow,
    MailComplained,
    MailFailed,
    PrivacyMailsStopped,
    SignInsStopped,
)
from chalicelib.domain.facts import Fact, FactBody
from chalicelib.domain.invitations import Invitation, InvitationState, is_answerable
from chalicelib.domain.links import is_counted_for_link
from chalicelib.domain.mailed_links import StopReason
from chalicelib.domain.mails import AT_MOST_ONCE, PRIVACY_LINK, SIGN_IN, Mail, MailProblem
from chalicelib.domain.people import Sponsor, is_link_stopped
from chalicelib.domain.privacy import stop_of_privacy_mails
from chalicelib.domain.sign_ins import SignInLink, stop_of_mails
from chalicelib.services.consent_words import Person, consent_withdrawal, person_of
from chalicelib.services.digests import new_oppositions
from chalicelib.services.facts import invitation_fact, mail_fact
from chalicelib.services.lookups import (
    current_campaign,
    holder_of,
    invitation_in,
    privacy_link,
    release_in,
    voucher_of,
)
from chalicelib.services.moves import (
    close_invitation,
    ended_request,
    mark_mail_sent,
    stored_stop,
    undelivered_facts,
)
from chalicelib.services.ports import Change, Ports, Replace
from chalicelib.services.protection import stop_if_needed
from chalicelib.services.retry import retry_on_conflict

EventKind = Literal["sent", "bounced", "bounced_for_now", "suppressed", "rejected", "complained"]

_PROBLEMS: Mapping[EventKind, MailProblem] = {
    "bounced": MailProblem.BOUNCED,
    "bounced_for_now": MailProblem.BOUNCED_FOR_NOW,
    "suppressed": MailProblem.SUPPRESSED,
    "rejected": MailProblem.REJECTED,
}

_LINK_PROBLEMS = {MailProblem.BOUNCED, MailProblem.SUPPRESSED}


@dataclass(frozen=True)
class MailEvent:
    """One event of the sender about one of our mails."""

    kind: EventKind
    mail_id: str
    provider_id: str


def settle_mail(ports: Ports, event: MailEvent) -> str:
    """Act on an event; returns the named outcome. Repeated events change nothing."""
    mail = ports.repository.get(Mail, mail_id=event.mail_id)
    if mail is None:
        return "not_ours"
    if event.provider_id not in mail.earlier_ids:
        if not mails.is_proved_sent(mail):
            mark_mail_sent(ports, event.mail_id, event.provider_id)
    elif event.kind != "complained":
        return "of_an_earlier_send"
    problem = _PROBLEMS.get(event.kind)
    if event.kind == "complained":
        outcome = _complained(ports, event.mail_id)
    elif problem:
        outcome = _undelivered(ports, event.mail_id, problem)
    else:
        return "sent"
    if mail.mail_kind in AT_MOST_ONCE:
        stop_if_needed(ports, current_campaign(ports, mail.campaign))
    return outcome


@retry_on_conflict
def _undelivered(ports: Ports, mail_id: str, problem: MailProblem) -> str:
    mail = ports.repository.get(Mail, mail_id=mail_id)
    if mail is None or not mails.is_news(mail, problem):
        return "bounced_already"
    changes: list[Change] = [Replace(mails.undelivered(mail, problem, ports.clock()))]
    facts = [mail_fact(ports, mail, _body(mail, problem))]
    facts += undelivered_facts(ports, mail, problem)
    invitation = invitation_in(ports, mail)
    # A bounce for now may be a machine's answer to a mail that arrived: the offer stays open.
    ends = problem is not MailProblem.BOUNCED_FOR_NOW
    if ends and invitation and is_answerable(invitation, ports.clock()):
        changes += close_invitation(ports, invitation, InvitationState.BOUNCED)
        facts.append(mail_fact(ports, mail, InvitationBounced.of(invitation, mail)))
    if problem in _LINK_PROBLEMS:
        _count_for_link(ports, invitation, changes, facts)
    ports.repository.commit(*changes, facts=facts)
    return problem.value


def _count_for_link(
    ports: Ports, invitation: Invitation | None, changes: list[Change], facts: list[Fact]
) -> None:
    """Count a problem of somebody who came by a shared link; the link may stop with it."""
    if invitation is None:
        return
    sponsor = ports.repository.get(Sponsor, sponsor_id=invitation.sponsor_id)
    if sponsor is None or not is_counted_for_link(sponsor, invitation):
        return
    campaign = current_campaign(ports, invitation.campaign)
    counted = replace(sponsor, link_problems=sponsor.link_problems + 1)
    changes.append(Replace(counted))
    if is_link_stopped(counted, campaign) and not is_link_stopped(sponsor, campaign):
        body = LinkStopped(sponsor_id=sponsor.sponsor_id, problems=counted.link_problems)
        facts.append(invitation_fact(ports, invitation, body))


def _body(mail: Mail, problem: MailProblem) -> FactBody:
    match problem:
        case MailProblem.BOUNCED_FOR_NOW:
            return MailBouncedForNow.of(mail)
        case MailProblem.REJECTED:
            return MailFailed.of(mail, problem)
        case _:
            return MailBounced.of(mail, problem)


def _recipient(ports: Ports, mail: Mail, digests: AddressDigests) -> Person:
    """Whom a mail was sent to."""
    if mail.voucher_id is None:
        return Person(digests, mail.ids.get("sponsor"), mail.ids.get("invitation"))
    voucher = voucher_of(ports, release_in(ports, mail))
    holder = holder_of(ports, voucher) if voucher else None
    return person_of(holder, digests) if holder else Person(digests)


def _stop_sign_ins(ports: Ports, mail: Mail, changes: list[Change], facts: list[Fact]) -> None:
    """Anybody may have asked for the mail: who complains about it gets no other for some time."""
    sponsor_id = mail.ids["sponsor"]
    link = ports.repository.get(SignInLink, sponsor_id=sponsor_id)
    changes.append(stored_stop(stop_of_mails(mail.campaign, sponsor_id, link, ports.clock())))
    body = SignInsStopped(sponsor_id=sponsor_id, reason=StopReason.COMPLAINED)
    facts.append(mail_fact(ports, mail, body))


def _stop_privacy_mails(
    ports: Ports, mail: Mail, digests: AddressDigests, changes: list[Change], facts: list[Fact]
) -> None:
    """The same for the mail with a link to somebody's data."""
    campaign, digest = current_campaign(ports, mail.campaign), own_digest(digests)
    last = privacy_link(ports, campaign, digest)
    stop = stop_of_privacy_mails(campaign.id, campaign.brand.id, digest, last, ports.clock())
    changes += [stored_stop(stop), *ended_request(ports, last)]
    body = PrivacyMailsStopped(contact_id=mail.contact_id, reason=StopReason.COMPLAINED)
    facts.append(mail_fact(ports, mail, body))


@retry_on_conflict
def _complained(ports: Ports, mail_id: str) -> str:
    mail = ports.repository.get(Mail, mail_id=mail_id)
    if mail is None or mail.complained_at:
        return "complained_already"
    now = ports.clock()
    changes: list[Change] = [Replace(mails.complained(mail, now))]
    facts = [mail_fact(ports, mail, MailComplained.of(mail))]
    if mail.digests:
        campaign = current_campaign(ports, mail.campaign)
        changes += new_oppositions(ports, campaign, mail.digests)
        withdrawal, consent_facts = consent_withdrawal(
            ports, campaign, _recipient(ports, mail, mail.digests), ConsentSource.COMPLAINT
        )
        changes += withdrawal
        facts += consent_facts
        if mail.mail_kind == PRIVACY_LINK:
            _stop_privacy_mails(ports, mail, mail.digests, changes, facts)
    if mail.mail_kind == SIGN_IN:
        _stop_sign_ins(ports, mail, changes, facts)
    invitation = invitation_in(ports, mail)
    if invitation and is_answerable(invitation, now):
        changes += close_invitation(ports, invitation, InvitationState.DECLINED)
        facts.append(mail_fact(ports, mail, InvitationDeclined.of(invitation, mail.mail_id)))
    _count_for_link(ports, invitation, changes, facts)
    ports.repository.commit(*changes, facts=facts)
    return "complained"
