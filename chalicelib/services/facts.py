"""Creating facts, with their id and time."""

from __future__ import annotations

from chalicelib.domain.exports import Export, export_subject
from chalicelib.domain.facts import Fact, FactBody
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.mails import Mail
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ports import CommandPorts


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


def invitation_fact(ports: CommandPorts, invitation: Invitation, body: FactBody) -> Fact:
    """The fact that `body` happened to an invitation."""
    return new_fact(
        ports,
        body,
        campaign=invitation.campaign,
        subject=invitation.invitation_id,
        correlation=invitation.correlation,
    )


def referral_fact(ports: CommandPorts, referral: Referral, body: FactBody) -> Fact:
    """The fact that `body` happened to a referral."""
    return new_fact(
        ports,
        body,
        campaign=referral.campaign,
        subject=referral.referral_id,
        correlation=referral.correlation,
    )


def voucher_fact(ports: CommandPorts, voucher: Voucher, body: FactBody) -> Fact:
    """The fact that `body` happened to a voucher."""
    return new_fact(
        ports,
        body,
        campaign=voucher.campaign,
        subject=voucher.voucher_id,
        correlation=voucher.correlation,
    )


def mail_fact(ports: CommandPorts, mail: Mail, body: FactBody) -> Fact:
    """The fact that `body` happened to a mail, and to its invitation if it has one."""
    return new_fact(
        ports,
        body,
        campaign=mail.campaign,
        subject=mail.ids.get("invitation", mail.mail_id),
        correlation=mail.correlation,
    )


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
