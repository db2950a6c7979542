"""Facts, stamped with their id and time."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.facts import Fact, FactName, fact
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.mails import Mail
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ports import CommandPorts, Ports


def new_fact(
    ports: CommandPorts,
    name: FactName,
    *,
    campaign: str,
    subject: str,
    correlation: str,
    ids: Mapping[str, str] | None = None,
    **details: str | int | None,
) -> Fact:
    """The fact that `name` happened now."""
    return fact(
        name,
        fact_id=ports.codes.identifier(),
        campaign=campaign,
        subject=subject,
        at=ports.clock(),
        correlation=correlation,
        ids=ids,
        **details,
    )


def invitation_fact(
    ports: Ports, name: FactName, invitation: Invitation, **details: str | int | None
) -> Fact:
    """The fact that `name` happened to an invitation."""
    return new_fact(
        ports,
        name,
        campaign=invitation.campaign,
        subject=invitation.invitation_id,
        correlation=invitation.correlation,
        ids={"sponsor": invitation.sponsor_id, "invitation": invitation.invitation_id},
        **details,
    )


def voucher_fact(
    ports: Ports, name: FactName, voucher: Voucher, **details: str | int | None
) -> Fact:
    """The fact that `name` happened to a voucher. It holds its id, never its code."""
    return new_fact(
        ports,
        name,
        campaign=voucher.campaign,
        subject=voucher.voucher_id,
        correlation=voucher.correlation,
        ids={
            "voucher": voucher.voucher_id,
            "referral": voucher.referral_id,
            "holder": voucher.holder_id,
        },
        **details,
    )


def mail_fact(ports: Ports, name: FactName, mail: Mail, **details: str | int | None) -> Fact:
    """The fact that `name` happened to a mail, and to the invitation in it if it carries one."""
    return new_fact(
        ports,
        name,
        campaign=mail.campaign,
        subject=mail.ids.get("invitation", mail.mail_id),
        correlation=mail.correlation,
        ids={**mail.ids, "mail": mail.mail_id},
        **details,
    )
