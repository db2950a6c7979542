"""Finding work that is stuck, so that nothing is lost when a queue or a function fails.

Each kind of finding has a name, a metric and a section in the runbook. Work that can be repeated
safely is: undecided invitations, and leased mails that must arrive, are queued again, and refused
vouchers that wait for a code are replaced; the guards of their use cases make a repeat harmless.
The other findings need a person.

More conditions are checked here, because no event reports them: what the client was expected to
send and has not (`services/watch.py`), lists that are too old or missing while their campaign is
open, and referrals without digests under the current keys (`rekey`).
"""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain import mails
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.effects import Queue, queues_of
from chalicelib.domain.facts import Fact
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.mails import AT_MOST_ONCE, Mail
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.facts import facts_around
from chalicelib.services.list_status import list_statuses
from chalicelib.services.lookups import current_campaign, invitation_in
from chalicelib.services.operations.rekey import rekey
from chalicelib.services.operations.relay import relay
from chalicelib.services.ports import Agenda, Ports, Replace
from chalicelib.services.requeue import requeue_undecided
from chalicelib.services.vouchers.issue import ReplacementOutcome
from chalicelib.services.vouchers.replace_refused import replace_refused
from chalicelib.services.watch import Watch, count_codes, watched

# What should never happen: any of them raises an alarm.
FINDINGS = (
    "undecided",
    "leased",
    "unexported",
    "unreplaced",
    "refused_repeatedly",
    "unacknowledged",
    "orders_missing",
    "codes_low",
)
_FINDING_OF = {
    Watch.ACKNOWLEDGEMENTS: "unacknowledged",
    Watch.ORDERS: "orders_missing",
    Watch.CODES: "codes_low",
}
_WATCHED = (
    "lists_too_old",
    "referrals_rekeyed",
    "referrals_without_address",
    "referrals_to_rekey",
    "campaigns_to_rekey",  # at 0 the client may use the new key, and the old one may be removed
)
UNDECIDED_AFTER = timedelta(minutes=15)
LEASED_AFTER = timedelta(minutes=15)
UNEXPORTED_AFTER = timedelta(hours=1)
# At about ten calls each, well within the five minutes of a run.
REKEYED_A_RUN = 1_500
REPLACED_A_RUN = 500


def reconcile(ports: Ports) -> dict[str, int]:
    """Find stuck work and queue what can be repeated; returns how many of each of `FINDINGS`,
    `lists_too_old`, and the progress of re-keying.
    """
    found = dict.fromkeys((*FINDINGS, *_WATCHED), 0)
    found["leased"] = _leased(ports)
    _replace_refused(ports, found)
    for current in ports.repository.agenda(CurrentCampaign, Agenda.CAMPAIGNS):
        campaign = current.document
        found["undecided"] += _undecided(ports, campaign)
        found["unexported"] += _unexported(ports, campaign)
        found["lists_too_old"] += _lists_too_old(ports, campaign)
        count_codes(ports, campaign)
        for each in watched(ports, campaign):
            found[_FINDING_OF[each.watch]] += each.overdue
        _rekey(ports, current, found)
    return found


def _rekey(ports: Ports, current: CurrentCampaign, found: dict[str, int]) -> None:
    worked_on = found["referrals_rekeyed"] + found["referrals_without_address"]
    rekeyed = rekey(ports, current, REKEYED_A_RUN - worked_on)
    found["referrals_rekeyed"] += rekeyed.done
    found["referrals_without_address"] += rekeyed.without_address
    found["referrals_to_rekey"] += rekeyed.left
    found["campaigns_to_rekey"] += not rekeyed.complete


def _lists_too_old(ports: Ports, campaign: Campaign) -> int:
    """Lists of an open campaign that are too old to use: nothing is sent meanwhile (law 3)."""
    if not campaign.is_open(ports.clock()):
        return 0
    return sum(not status.in_force for status in list_statuses(ports, campaign).values())


def _undecided(ports: Ports, campaign: Campaign) -> int:
    until = ports.clock() - UNDECIDED_AFTER
    overdue = ports.repository.agenda(Invitation, Agenda.UNDECIDED, campaign.id, until=until)
    return requeue_undecided(ports, campaign.id) if next(overdue, None) else 0


def _unexported(ports: Ports, campaign: Campaign) -> int:
    until = ports.clock() - UNEXPORTED_AFTER
    overdue = ports.repository.agenda(Voucher, Agenda.UNEXPORTED, campaign.id, until=until)
    return sum(1 for _ in overdue)


def _replace_refused(ports: Ports, found: dict[str, int]) -> None:
    """Replace the refused vouchers that waited for a code; count those that still have none."""
    without_codes: set[tuple[str, str]] = set()
    replaced = 0
    for entry in ports.repository.agenda(Voucher, Agenda.REFUSED):
        if (entry.campaign, entry.template) in without_codes or replaced >= REPLACED_A_RUN:
            found["unreplaced"] += 1
            continue
        campaign = current_campaign(ports, entry.campaign)
        outcome = replace_refused(ports, campaign, entry.code_key)
        replaced += outcome is ReplacementOutcome.REPLACED
        found["refused_repeatedly"] += outcome is ReplacementOutcome.REFUSED_REPEATEDLY
        if outcome is ReplacementOutcome.WAITS_FOR_CODES:
            found["unreplaced"] += 1
            without_codes.add((entry.campaign, entry.template))


def _leased(ports: Ports) -> int:
    found = 0
    for mail in ports.repository.agenda(Mail, Agenda.LEASED, until=ports.clock() - LEASED_AFTER):
        if mail.mail_kind in AT_MOST_ONCE:
            found += _uncertain(ports, mail)
            continue
        found += 1
        relay(ports, _causes(ports, mail))
    return found


def _uncertain(ports: Ports, mail: Mail) -> int:
    """A mail that may or may not have been sent is a finding until its invitation ends."""
    invitation = invitation_in(ports, mail)
    if invitation and invitation.ended_at is None:
        return 1
    ports.repository.commit(Replace(mails.failed(mail)))
    return 0


_MAIL_QUEUES = {Queue.MAIL, Queue.REQUESTED_MAIL}


def _causes(ports: Ports, mail: Mail) -> list[Fact]:
    """The fact that a mail follows from, if it is there."""
    # The facts of a sign-in are stored under its contact, those of a voucher under the voucher.
    subject = mail.ids.get("voucher", mail.contact_id)
    # A mail without the time was leased by 0.2.0: its fact is found whatever the hours.
    facts = facts_around(ports, subject, mail.caused_at or mail.leased_at)
    return [fact for fact in facts if _MAIL_QUEUES.intersection(queues_of(fact))][:1]
