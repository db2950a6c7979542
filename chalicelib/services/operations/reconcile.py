"""Finding work that is stuck, so that nothing is lost when a queue or a function fails.

Each kind of finding has a name, a metric and a section in the runbook. Work that can be repeated
safely is: undecided invitations, and leased mails that must arrive, are queued again, and refused
vouchers that wait for a code are replaced; the guards of their use cases make a repeat harmless.
The other findings need a person. What cannot be handled is a finding too, named to `on_failure`: it
stops neither the other findings nor the other campaigns.

More conditions are checked here, because no event reports them: what the client was expected to
send and has not (`services/watch.py`), lists that are too old or missing while their campaign is
open, and referrals without digests under the current keys (`rekey`).
"""

from __future__ import annotations

from datetime import timedelta
from itertools import islice

from chalicelib.domain import mails
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.effects import Queue, queues_of
from chalicelib.domain.facts import Fact
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.mails import AT_MOST_ONCE, Mail
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.isolation import Isolation
from chalicelib.services.list_status import list_statuses
from chalicelib.services.lookups import current_campaign, invitation_in
from chalicelib.services.operations.rekey import rekey
from chalicelib.services.ports import Agenda, OnFailure, Ports, Replace
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
    "not_handled",
)
_FINDING_OF = {
    Watch.ACKNOWLEDGEMENTS: "unacknowledged",
    Watch.ORDERS: "orders_missing",
    Watch.CODES: "codes_low",
}
_WATCHED = (
    "lists_too_old",
    "referrals_to_rekey",
    "campaigns_to_rekey",  # at 0 the client may use the new key, and the old one may be removed
)
UNDECIDED_AFTER = timedelta(minutes=15)
LEASED_AFTER = timedelta(minutes=15)
UNEXPORTED_AFTER = timedelta(hours=1)
# At about ten calls each, well within the five minutes of a run.
REPLACED_A_RUN = 500
# More are not counted: what a person does about a thousand does not depend on how many more.
COUNTED = 1_000


def reconcile(ports: Ports, on_failure: OnFailure = lambda _: None) -> dict[str, int]:
    """Find stuck work and queue what can be repeated; returns how many of each of `FINDINGS`,
    `lists_too_old`, and the progress of re-keying.
    """
    found = dict.fromkeys((*FINDINGS, *_WATCHED), 0)
    isolation = Isolation(on_failure)
    with isolation.of("agenda", Agenda.LEASED):
        _leased(ports, found, isolation)
    with isolation.of("agenda", Agenda.REFUSED):
        _replace_refused(ports, found, isolation)
    campaigns = ports.repository.agenda(
        CurrentCampaign, Agenda.CAMPAIGNS, on_failure=isolation.note
    )
    for current in campaigns:
        for check in _OF_A_CAMPAIGN:
            with isolation.of(check.__name__.lstrip("_"), current.campaign):
                check(ports, current, found)
    found["not_handled"] = isolation.failed
    return found


def _stuck(ports: Ports, current: CurrentCampaign, found: dict[str, int]) -> None:
    found["undecided"] += _undecided(ports, current.document)
    found["unexported"] += _unexported(ports, current.document)


def _late(ports: Ports, current: CurrentCampaign, found: dict[str, int]) -> None:
    campaign = current.document
    found["lists_too_old"] += _lists_too_old(ports, campaign)
    count_codes(ports, campaign)
    for each in watched(ports, campaign):
        found[_FINDING_OF[each.watch]] += each.overdue


def _rekeyed(ports: Ports, current: CurrentCampaign, found: dict[str, int]) -> None:
    progress = rekey(ports, current)
    found["referrals_to_rekey"] += progress.left
    found["campaigns_to_rekey"] += not progress.complete


# Each by itself: one that fails holds up none of the others.
_OF_A_CAMPAIGN = (_stuck, _late, _rekeyed)


def _lists_too_old(ports: Ports, campaign: Campaign) -> int:
    """Lists of an open campaign that are too old to use: nothing is sent meanwhile (law 3)."""
    if not campaign.is_open(ports.clock()):
        return 0
    return sum(not status.in_force for status in list_statuses(ports, campaign).values())


def _undecided(ports: Ports, campaign: Campaign) -> int:
    until = ports.clock() - UNDECIDED_AFTER
    overdue = ports.repository.agenda(Invitation, Agenda.UNDECIDED, campaign.id, until=until)
    found = sum(1 for _ in islice(overdue, COUNTED))
    if found:
        requeue_undecided(ports, campaign.id)
    return found


def _unexported(ports: Ports, campaign: Campaign) -> int:
    until = ports.clock() - UNEXPORTED_AFTER
    overdue = ports.repository.agenda(Voucher, Agenda.UNEXPORTED, campaign.id, until=until)
    return sum(1 for _ in islice(overdue, COUNTED))


def _replace_refused(ports: Ports, found: dict[str, int], isolation: Isolation) -> None:
    """Replace the refused vouchers that waited for a code; count those that still have none."""
    without_codes: set[tuple[str, str]] = set()
    replaced = 0
    for voucher in ports.repository.agenda(Voucher, Agenda.REFUSED, on_failure=isolation.note):
        template = voucher.campaign, voucher.template
        if template in without_codes or replaced >= REPLACED_A_RUN:
            found["unreplaced"] += 1
            continue
        outcome = None
        with isolation.of(Voucher.__name__, voucher.voucher_id):
            campaign = current_campaign(ports, voucher.campaign)
            outcome = replace_refused(ports, campaign, voucher.code_key)
        replaced += outcome is ReplacementOutcome.REPLACED
        found["refused_repeatedly"] += outcome is ReplacementOutcome.REFUSED_REPEATEDLY
        if outcome is ReplacementOutcome.WAITS_FOR_CODES:
            found["unreplaced"] += 1
            without_codes.add(template)


def _leased(ports: Ports, found: dict[str, int], isolation: Isolation) -> None:
    until = ports.clock() - LEASED_AFTER
    for mail in ports.repository.agenda(
        Mail, Agenda.LEASED, until=until, on_failure=isolation.note
    ):
        with isolation.of(Mail.__name__, mail.mail_id):
            found["leased"] += _settled(ports, mail)


def _settled(ports: Ports, mail: Mail) -> int:
    """1 for a finding, 0 for a mail that is none any more; one that must arrive is queued again."""
    if mail.mail_kind in AT_MOST_ONCE:
        return _uncertain(ports, mail)
    fact = _cause(ports, mail)
    if fact:
        ports.queues.put(Queue.MAIL, [fact])
    return 1


def _uncertain(ports: Ports, mail: Mail) -> int:
    """A mail that may or may not have been sent is a finding until its invitation ends."""
    invitation = invitation_in(ports, mail)
    if invitation and invitation.ended_at is None:
        return 1
    ports.repository.commit(Replace(mails.failed(mail)))
    return 0


def _cause(ports: Ports, mail: Mail) -> Fact | None:
    # The facts of a sign-in are stored under its contact, those of a voucher under the voucher.
    facts = ports.repository.facts_of(mail.ids.get("voucher", mail.contact_id))
    return next((fact for fact in facts if Queue.MAIL in queues_of(fact)), None)
