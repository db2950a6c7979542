"""Mails that did not arrive: which ones, and sending a voucher's once more when ops ask for it.

The command only writes that the mail waits, with the fact that has it sent: on the stored revision,
so of two operators one is answered that it is being sent already. An invitation is never sent again
(law 2), and for a sign-in link its person asks again.
"""

from __future__ import annotations

from enum import StrEnum

from chalicelib.domain import mails
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.fact_bodies import MailToSendAgain
from chalicelib.domain.mails import UNSETTLED, Mail
from chalicelib.domain.people import Contact
from chalicelib.domain.vouchers import Voucher, is_live
from chalicelib.services.facts import mail_fact
from chalicelib.services.isolation import raised
from chalicelib.services.lookups import (
    holder_of,
    objects_to_all,
    release_in,
    voucher_of,
)
from chalicelib.services.ports import Agenda, CommandPorts, OnFailure, Replace
from chalicelib.services.retry import retry_on_conflict


class ResendOutcome(StrEnum):
    """What became of asking for a mail once more."""

    QUEUED = "queued"
    UNKNOWN = "unknown"
    NOT_A_VOUCHERS = "not_a_vouchers"
    BEING_SENT = "being_sent"
    NOT_UNDELIVERED = "not_undelivered"
    VOUCHER_ENDED = "voucher_ended"
    ADDRESS_GONE = "address_gone"
    OBJECTED = "objected"


def undelivered_mails(
    ports: CommandPorts, campaign_id: str, on_failure: OnFailure = raised
) -> list[Mail]:
    """The mails of a campaign that did not arrive and that ops are shown, oldest first. One that
    cannot be read goes to `on_failure`.
    """
    undelivered = ports.repository.agenda(
        Mail, Agenda.UNDELIVERED, campaign_id, on_failure=on_failure
    )
    return list(undelivered)


@retry_on_conflict
def resend(ports: CommandPorts, campaign_id: str, which: str, by: str) -> ResendOutcome:
    """Have the mail of that id, or of the voucher of that id, sent once more."""
    mail = ports.repository.get(Mail, mail_id=which) or ports.repository.get(
        Mail, mail_id=f"voucher-{which}"
    )
    if mail is None or mail.campaign != campaign_id:
        return ResendOutcome.UNKNOWN
    problem = _problem(ports, mail)
    if problem:
        return problem
    waiting = mails.to_send_again(mail, ports.clock())
    fact = mail_fact(ports, mail, MailToSendAgain.of(mail, by))
    ports.repository.commit(Replace(waiting), facts=[fact])
    return ResendOutcome.QUEUED


def _problem(ports: CommandPorts, mail: Mail) -> ResendOutcome | None:
    if mail.voucher_id is None:
        return ResendOutcome.NOT_A_VOUCHERS
    if mail.state in UNSETTLED:
        return ResendOutcome.BEING_SENT
    if mail.problem is None:
        return ResendOutcome.NOT_UNDELIVERED
    voucher = voucher_of(ports, release_in(ports, mail))
    if voucher is None or voucher.voucher_id != mail.voucher_id or not is_live(voucher):
        return ResendOutcome.VOUCHER_ENDED
    if ports.repository.get(Contact, contact_id=voucher.contact_id) is None:
        return ResendOutcome.ADDRESS_GONE
    return ResendOutcome.OBJECTED if _is_objected_to(ports, mail.campaign, voucher) else None


def _is_objected_to(ports: CommandPorts, campaign: str, voucher: Voucher) -> bool:
    """Whether its holder wants no mail at all of the brand."""
    current = ports.repository.get(CurrentCampaign, campaign=campaign)
    holder = holder_of(ports, voucher)
    return bool(current and holder and objects_to_all(ports, current.document, holder))
