"""Finding work that is stuck, so that nothing is lost when a queue or a function fails.

Each kind of finding has a name, a metric and a section in the runbook. Work that can be repeated
safely is: undecided invitations, and leased mails that must arrive, are handed out to be queued
again, and refused vouchers that wait for a code are replaced, for so long a run; the guards of
their use cases make a repeat harmless. So a run ends in time however much is stuck.
The other findings need a person. What cannot be handled is a finding too, named to `on_failure`: it
stops neither the other findings nor the other campaigns.

More conditions are checked here, because no event reports them: what the client was expected to
send and has not (`services/watch.py`), lists that are too old or missing while their campaign is
open, and referrals without digests under the current keys (`rekey`). What ends with a campaign
follows its last day here (`move_ends`). What a list has replaced ends here (`end_lists`), and so do
files of `out/` (`end_files`) and what the table has of a campaign long over (`end_records`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

from chalicelib.domain import mails
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.fact_checks import UNREAD, Missing
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.journal import LEFT_SHARD, PART_SHARDS
from chalicelib.domain.mails import Mail
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.isolation import Isolation, raised
from chalicelib.services.issuing import ReplacementOutcome
from chalicelib.services.journal import seal_overdue
from chalicelib.services.list_status import list_statuses
from chalicelib.services.lookups import current_campaign
from chalicelib.services.operations.end_files import end_files
from chalicelib.services.operations.end_lists import end_lists
from chalicelib.services.operations.end_records import end_records
from chalicelib.services.operations.move_ends import move_ends
from chalicelib.services.operations.overdue_mails import LEASED_AFTER
from chalicelib.services.operations.rekey import rekey
from chalicelib.services.ports import Agenda, OnFailure, Ports
from chalicelib.services.protection import requeue_held, stop_if_needed
from chalicelib.services.requeue import requeue_undecided
from chalicelib.services.stretches import hand_out
from chalicelib.services.turns import rotated
from chalicelib.services.unfinished_files import find_unfinished
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
    *(each.value for each in Missing),  # these and the next by check_facts.py
    UNREAD,
    "unsealed",
    "unfinished_files",
    "invitations_stopped",
    "held_rewards",
    "not_handled",
)
# Each has an alarm of its own, on this metric; what was not handled is counted where it fails.
ALARMED: Mapping[str, str | None] = {
    "lists_too_old": "ListUnavailable",
    "unacknowledged": "ExportUnacknowledged",
    "orders_missing": "OrdersMissing",
    "codes_low": "CodesLow",
    "invitations_stopped": "InvitationsStopped",
    "not_handled": None,
}
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
    "segments_ended",
    "files_ended",
    "records_ended",
    "campaigns_to_rekey",  # at 0 the client may use the new key, and the old one may be removed
)
UNDECIDED_AFTER = timedelta(minutes=15)
UNEXPORTED_AFTER = timedelta(hours=1)
# Before time decides on a held reward, for people who should.
DECIDED_BEFORE = timedelta(days=3)
# Of the five minutes of a run, for refused vouchers: at up to ten calls each, some thousand.
REPLACED_FOR = timedelta(minutes=1)
REFUSED_READ = 10_000
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
    for shard in (*range(PART_SHARDS), LEFT_SHARD):
        with isolation.of("journal", f"{shard:02}"):
            found["unsealed"] += seal_overdue(ports, shard, isolation.note)
    with isolation.of("agenda", Agenda.FILES):
        found["unfinished_files"] = find_unfinished(ports, isolation)
    by_item = {name: partial(check, isolation=isolation) for name, check in _BY_ITEM.items()}
    checks = (
        by_item
        | _OF_A_CAMPAIGN
        | {
            "ends": partial(_move_ends, until=ends_moved_until),
            "records": partial(_end_records, until=ends_moved_until),
        }
    )
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


def _end_lists(ports: Ports, current: CurrentCampaign, found: dict[str, int]) -> None:
    found["segments_ended"] += end_lists(ports, current.campaign)


def _end_files(ports: Ports, current: CurrentCampaign, found: dict[str, int]) -> None:
    found["files_ended"] += end_files(ports, current.campaign)


def _end_records(
    ports: Ports, current: CurrentCampaign, found: dict[str, int], until: datetime
) -> None:
    found["records_ended"] += end_records(ports, current, until)


def _undecided(
    ports: Ports, current: CurrentCampaign, found: dict[str, int], isolation: Isolation
) -> None:
    overdue = ports.repository.agenda(
        Invitation,
        Agenda.UNDECIDED,
        current.campaign,
        until=ports.clock() - UNDECIDED_AFTER,
        on_failure=isolation.note,
    )
    undecided = sum(1 for _ in islice(overdue, COUNTED))
    if undecided:
        requeue_undecided(ports, current.campaign)
    found["undecided"] += undecided


def _unexported(
    ports: Ports, current: CurrentCampaign, found: dict[str, int], isolation: Isolation
) -> None:
    overdue = ports.repository.agenda(
        Voucher,
        Agenda.UNEXPORTED,
        current.campaign,
        until=ports.clock() - UNEXPORTED_AFTER,
        on_failure=isolation.note,
    )
    found["unexported"] += sum(1 for _ in islice(overdue, COUNTED))


def _held_rewards(
    ports: Ports, current: CurrentCampaign, found: dict[str, int], isolation: Isolation
) -> None:
    """Count the rewards on which nobody has decided and time soon will; hand out those that are
    due.
    """
    now = ports.clock()
    soon = ports.repository.agenda(
        Reward,
        Agenda.HELD_REWARDS,
        current.campaign,
        until=now + DECIDED_BEFORE,
        on_failure=isolation.note,
    )
    count = sum(1 for _ in islice(soon, COUNTED))
    if count:
        hand_out(ports, Agenda.HELD_REWARDS, current.campaign, until=now)
    found["held_rewards"] += count


def _protect(
    ports: Ports, current: CurrentCampaign, _: dict[str, int], isolation: Isolation
) -> None:
    stop_if_needed(ports, current.document)
    requeue_held(ports, current.campaign, isolation.note)


# Each by itself: one that fails holds up none of the others. Of these, which go through items, one
# item that cannot be read holds up no other either.
_BY_ITEM = {
    "undecided": _undecided,
    "unexported": _unexported,
    "held_rewards": _held_rewards,
    "protection": _protect,
}
_OF_A_CAMPAIGN = {
    "lists": _lists_too_old,
    "replaced_lists": _end_lists,
    "files": _end_files,
    "watch": _watched,
    "digests": _rekeyed,
}


def _replace_refused(ports: Ports, found: dict[str, int], isolation: Isolation) -> None:
    """Replace the refused vouchers that waited for a code; count those that still have none, and
    those that the run has no time for.
    """
    until = ports.clock() + REPLACED_FOR
    without_codes: set[tuple[str, str]] = set()
    for voucher in _refused_in_turn(ports, isolation):
        template = voucher.campaign, voucher.template
        if template in without_codes or ports.clock() >= until:
            found["unreplaced"] += 1
            continue
        with isolation.of(Voucher.__name__, voucher.voucher_id):
            campaign = current_campaign(ports, voucher.campaign)
            outcome = replace_refused(ports, campaign, voucher.code_key)
            found["refused_repeatedly"] += outcome is ReplacementOutcome.REFUSED_REPEATEDLY
            if outcome is ReplacementOutcome.WAITS_FOR_CODES:
                found["unreplaced"] += 1
                without_codes.add(template)


def _refused_in_turn(ports: Ports, isolation: Isolation) -> list[Voucher]:
    """Refused vouchers, starting with different ones each hour, so that none is permanently stuck
    behind those that cannot be replaced.
    """
    refused = ports.repository.agenda(Voucher, Agenda.REFUSED, on_failure=isolation.note)
    hour = int(ports.clock().timestamp()) // 3600
    # A step that a run gets through even where calls take long.
    return rotated(list(islice(refused, REFUSED_READ)), by=hour * 500)


def _leased(ports: Ports, found: dict[str, int], isolation: Isolation) -> None:
    """Hand out the mails that are leased for long; count those that are not given up with it."""
    now = ports.clock()
    leased = ports.repository.agenda(
        Mail, Agenda.LEASED, until=now - LEASED_AFTER, on_failure=isolation.note
    )
    counted = [mails.is_overdue(mail, now) for mail in islice(leased, COUNTED)]
    hand_out(ports, Agenda.LEASED, until=now - LEASED_AFTER)
    found["leased"] += counted.count(False)
