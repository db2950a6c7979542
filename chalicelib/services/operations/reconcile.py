"""Finding work that is stuck, so that nothing is lost when a queue or a function fails.

Each kind of finding has a name, a metric and a section in the runbook. Work that can be repeated
safely is: undecided invitations, and leased mails that must arrive, are queued again, and refused
vouchers that wait for a code are replaced; the guards of their use cases make a repeat harmless.
The other findings need a person. What cannot be handled is a finding too, named to `on_failure`: it
stops neither the other findings nor the other campaigns.

More conditions are checked here, because no event reports them: what the client was expected to
send and has not (`services/watch.py`), lists that are too old or missing while their campaign is
open, and referrals without digests under the current keys (`rekey`). What ends with a campaign
follows its last day here (`move_ends`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from itertools import islice

from chalicelib.domain import mails
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.effects import Queue, queues_of
from chalicelib.domain.fact_checks import Missing
from chalicelib.domain.facts import Fact
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.mails import Mail, MailProblem
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.facts import facts_around
from chalicelib.services.isolation import Isolation, raised
from chalicelib.services.journal import seal_overdue
from chalicelib.services.list_status import list_statuses
from chalicelib.services.lookups import current_campaign
from chalicelib.services.moves import mark_mail_failed
from chalicelib.services.operations.move_ends import move_ends
from chalicelib.services.operations.rekey import rekey
from chalicelib.services.operations.relay import relay
from chalicelib.services.ports import Agenda, OnFailure, Ports
from chalicelib.services.protection import requeue_held, stop_if_needed
from chalicelib.services.requeue import requeue_undecided
from chalicelib.services.unfinished_files import find_unfinished
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
    *(each.value for each in Missing),  # counted by check_facts.py
    "unsealed",
    "unfinished_files",
    "invitations_stopped",
    "not_handled",
)
_FINDING_OF = {
    Watch.ACKNOWLEDGEMENTS: "unacknowledged",
    Watch.ORDERS: "orders_missing",
    Watch.CODES: "codes_low",
    Watch.INVITATIONS: "invitations_stopped",
}
_WATCHED = (
    "lists_too_old",
    "referrals_to_rekey",
    "ends_moved",
    "ends_not_moved",
    "campaigns_with_moving_ends",
    "campaigns_to_rekey",  # at 0 the client may use the new key, and the old one may be removed
)
UNDECIDED_AFTER = timedelta(minutes=15)
LEASED_AFTER = timedelta(minutes=15)
UNEXPORTED_AFTER = timedelta(hours=1)
# At about ten calls each, well within the five minutes of a run.
REPLACED_A_RUN = 500
# Of the five minutes of a run; some thousand items a second.
ENDS_MOVED_FOR = timedelta(minutes=3)
# More are not counted: what a person does about a thousand does not depend on how many more.
COUNTED = 1_000


def reconcile(ports: Ports, on_failure: OnFailure = raised) -> dict[str, int]:
    """Find stuck work and queue what can be repeated; returns how many of each of `FINDINGS`,
    `lists_too_old`, and the progress of re-keying.

    A mail, a voucher or a part of a campaign that fails does not stop the others.
    """
    found = dict.fromkeys((*FINDINGS, *_WATCHED), 0)
    isolation = Isolation(on_failure)
    ends_moved_until = ports.clock() + ENDS_MOVED_FOR
    with isolation.of("agenda", Agenda.LEASED):
        _leased(ports, found, isolation)
    with isolation.of("agenda", Agenda.REFUSED):
        _replace_refused(ports, found, isolation)
    with isolation.of("journal", "unsealed"):
        found["unsealed"] = seal_overdue(ports)
    with isolation.of("agenda", Agenda.FILES):
        found["unfinished_files"] = find_unfinished(ports, isolation)
    checks = _OF_A_CAMPAIGN | {"ends": partial(_move_ends, until=ends_moved_until)}
    campaigns = ports.repository.agenda(
        CurrentCampaign, Agenda.CAMPAIGNS, on_failure=isolation.note
    )
    for current in campaigns:
        for name, check in checks.items():
            with isolation.of(name, current.campaign):
                check(ports, current, found)
    found["not_handled"] = isolation.failed
    return found


def _watched(ports: Ports, current: CurrentCampaign, found: dict[str, int]) -> None:
    count_codes(ports, current.document)
    for each in watched(ports, current.document):
        found[_FINDING_OF[each.watch]] += each.overdue


def _move_ends(
    ports: Ports, current: CurrentCampaign, found: dict[str, int], until: datetime
) -> None:
    progress = move_ends(ports, current, until)
    found["ends_moved"] += progress.moved
    found["ends_not_moved"] += progress.failed
    found["campaigns_with_moving_ends"] += not progress.complete


def _rekeyed(ports: Ports, current: CurrentCampaign, found: dict[str, int]) -> None:
    progress = rekey(ports, current)
    found["referrals_to_rekey"] += progress.left
    found["campaigns_to_rekey"] += not progress.complete


def _lists_too_old(ports: Ports, current: CurrentCampaign, found: dict[str, int]) -> None:
    """Lists of an open campaign that are too old to use: nothing is sent meanwhile (law 3)."""
    if current.document.is_open(ports.clock()):
        statuses = list_statuses(ports, current.document).values()
        found["lists_too_old"] += sum(not status.in_force for status in statuses)


def _undecided(ports: Ports, current: CurrentCampaign, found: dict[str, int]) -> None:
    until = ports.clock() - UNDECIDED_AFTER
    overdue = ports.repository.agenda(Invitation, Agenda.UNDECIDED, current.campaign, until=until)
    undecided = sum(1 for _ in islice(overdue, COUNTED))
    if undecided:
        requeue_undecided(ports, current.campaign)
    found["undecided"] += undecided


def _unexported(ports: Ports, current: CurrentCampaign, found: dict[str, int]) -> None:
    until = ports.clock() - UNEXPORTED_AFTER
    overdue = ports.repository.agenda(Voucher, Agenda.UNEXPORTED, current.campaign, until=until)
    found["unexported"] += sum(1 for _ in islice(overdue, COUNTED))


def _protect(ports: Ports, current: CurrentCampaign, _: dict[str, int]) -> None:
    stop_if_needed(ports, current.document)
    requeue_held(ports, current.campaign)


# Each by itself: one that fails holds up none of the others.
_OF_A_CAMPAIGN = {
    "undecided": _undecided,
    "unexported": _unexported,
    "lists": _lists_too_old,
    "protection": _protect,
    "watch": _watched,
    "digests": _rekeyed,
}


def _replace_refused(ports: Ports, found: dict[str, int], isolation: Isolation) -> None:
    """Replace the refused vouchers that waited for a code; count those that still have none."""
    without_codes: set[tuple[str, str]] = set()
    replaced = 0
    for voucher in ports.repository.agenda(Voucher, Agenda.REFUSED, on_failure=isolation.note):
        template = voucher.campaign, voucher.template
        if template in without_codes or replaced >= REPLACED_A_RUN:
            found["unreplaced"] += 1
            continue
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
            found["leased"] += _overdue(ports, mail)


def _overdue(ports: Ports, mail: Mail) -> int:
    """A mail that no event has settled for long is given up; one that must arrive is sent again."""
    if mails.is_overdue(mail, ports.clock()):
        mark_mail_failed(ports, mail.mail_id, MailProblem.UNCONFIRMED, MailProblem.UNCONFIRMED)
        return 0
    relay(ports, _causes(ports, mail))
    return 1


_MAIL_QUEUES = {Queue.MAIL, Queue.REQUESTED_MAIL}


def _causes(ports: Ports, mail: Mail) -> list[Fact]:
    """The fact that a mail follows from; none for an invitation, which is not sent again."""
    # The facts of a sign-in are stored under its contact, those of a voucher under the voucher.
    subject = mail.ids.get("voucher", mail.contact_id)
    # A mail without the time was leased by 0.2.0: its fact is found whatever the hours.
    facts = facts_around(ports, subject, mail.caused_at or mail.leased_at)
    return [fact for fact in facts if _MAIL_QUEUES.intersection(queues_of(fact))][:1]
