"""Creating facts, with their id and time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from chalicelib.domain.exports import Export, export_subject
from chalicelib.domain.facts import Fact, FactBody, FactName
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import Contact
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ports import CommandPorts

CLOCKS_DIFFER = timedelta(minutes=5)


def new_fact(
    ports: CommandPorts, body: FactBody, *, campaign: str, subject: str, correlation: str
) -> Fact:
    """The fact that `body` happened now."""
    return Fact.of(
        body,
        fact_id=ports.codes.identifier(),
        campaign=campaign,
        subject=subject,
        at=ports.clock(),
        correlation=correlation,
    )


def facts_around(
    ports: CommandPorts, subject: str, since: datetime, until: datetime | None = None
) -> Iterator[Fact]:
    """The facts of a subject between two moments, or about one; not all are within them.

    The moments may be of other clocks than the facts, or of the same a moment before.
    """
    return ports.repository.facts_of(
        subject, since - CLOCKS_DIFFER, (until or since) + CLOCKS_DIFFER
    )


def has_followed(ports: CommandPorts, fact: Fact, name: FactName) -> bool:
    """Whether something of that name has happened to what a fact is about, from then to now."""
    since = facts_around(ports, fact.subject, fact.at, ports.clock())
    return any(one.name == name for one in since)


def invitation_fact(ports: CommandPorts, invitation: Invitation, body: FactBody) -> Fact:
    """The fact that `body` happened to an invitation."""
    return _fact_about(ports, invitation, invitation.invitation_id, body)


def referral_fact(ports: CommandPorts, referral: Referral, body: FactBody) -> Fact:
    """The fact that `body` happened to a referral."""
    return _fact_about(ports, referral, referral.referral_id, body)


def voucher_fact(ports: CommandPorts, voucher: Voucher, body: FactBody) -> Fact:
    """The fact that `body` happened to a voucher."""
    return _fact_about(ports, voucher, voucher.voucher_id, body)


def contact_fact(ports: CommandPorts, contact: Contact, correlation: str, body: FactBody) -> Fact:
    """The fact that `body` happened to an address that somebody typed."""
    return new_fact(
        ports,
        body,
        campaign=contact.campaign,
        subject=contact.contact_id,
        correlation=correlation,
    )


def mail_fact(ports: CommandPorts, mail: Mail, body: FactBody) -> Fact:
    """The fact that `body` happened to a mail, and to its invitation if it has one."""
    return _fact_about(ports, mail, mail.ids.get("invitation", mail.mail_id), body)


def export_fact(ports: CommandPorts, export: Export, body: FactBody) -> Fact:
    """The fact that `body` happened to an export."""
    subject = export_subject(export)
    return new_fact(ports, body, campaign=export.campaign, subject=subject, correlation=subject)


def list_fact(
    ports: CommandPorts, campaign: str, list_name: str, which: str, body: FactBody
) -> Fact:
    """The fact that `body` happened to a list of a campaign; `which` is its version or file."""
    subject = f"list-{campaign}-{list_name}"
    return new_fact(
        ports, body, campaign=campaign, subject=subject, correlation=f"{subject}-{which}"
    )


def _fact_about(
    ports: CommandPorts,
    entity: Invitation | Referral | Voucher | Mail,
    subject: str,
    body: FactBody,
) -> Fact:
    return new_fact(
        ports, body, campaign=entity.campaign, subject=subject, correlation=entity.correlation
    )
