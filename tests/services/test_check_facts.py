"""Of every kind of fact: one that never reaches the relay, or the projector, is found within a day,
and what follows from it is done once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.adapters.dynamodb import schema
from chalicelib.adapters.dynamodb.schema import fact_shard
from chalicelib.domain.effects import Queue
from chalicelib.domain.fact_checks import FactCheck, Missing
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.journal import JournalPart
from chalicelib.domain.lists.model import CurrentList, HeldList
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.operations.check_facts import (
    FACTS_AT_ONCE,
    SHARDS_A_PIECE,
    FactReport,
    check_facts,
)
from chalicelib.services.ports import (
    FACT_SHARDS,
    TRANSACTION_LIMIT,
    DayCounts,
    OnFailure,
    Ports,
)
from chalicelib.services.vouchers.changes import write_changes
from tests.fakes.campaign import CAMPAIGN, templates
from tests.fakes.due import expire, reconcile
from tests.fakes.fuse import KilledError, killed_everywhere
from tests.fakes.ports import MORNING
from tests.fakes.repository import ContestedRepository, RecordingRepository
from tests.fakes.world import VIPS, World, new_world
from tests.services.fact_cases import CASES

F = FactName


# --- a day --------------------------------------------------------------------------------------


def run_hours(world: World, hours: int, *, checks: bool = True) -> list[FactReport]:
    """The scheduled functions, every hour; what the checks found."""
    reports = []
    for _ in range(hours):
        world.clock.advance(hours=1)
        expire(world.ports)
        world.export()
        write_changes(world.ports, world.campaign)
        reconcile(world.ports)
        if checks:
            reports.append(check_facts(world.ports))
        world.run()
    return reports


def played(name: FactName, consumer: str, *, checks: bool = True) -> tuple[World, list[FactReport]]:
    """The world of a case a day later; the facts of that name never reach `consumer`."""
    case = CASES[name]
    world = case.begin()
    case.before(world)
    world.run()
    check_facts(world.ports)
    before = len(world.facts(name))
    world.loses = lambda to, fact: (to, fact.name) == (consumer, name)
    case.act(world)
    world.run()
    assert len(world.facts(name)) > before, f"{name} does not happen"
    return world, run_hours(world, 25, checks=checks)


FILES = {F.VOUCHERS_EXPORTED, F.EXPORT_WRITTEN, F.CHANGES_WRITTEN, F.CONSENTS_WRITTEN}


def account(world: World) -> dict[str, Any]:
    """All that people, the client and the dashboard see, but for the times."""
    current = world.repository.get(CurrentList, campaign=CAMPAIGN, name="customers")
    return {
        "funnel": world.funnel(),
        "mails": Counter(
            (mail.recipient, mail.mail_id.split("-")[0]) for mail in world.mailer.sent
        ),
        "vouchers": Counter((one.rule, one.state) for one in world.memory.all(Voucher)),
        "rewards": Counter((one.rule, one.refused_reason) for one in world.memory.all(Reward)),
        "invitations": Counter(one.state for one in world.memory.all(Invitation)),
        "list": current and current.rows,
        "held": Counter(one.decision for one in world.memory.all(HeldList)),
        # How many files the vouchers are in depends on when each was issued.
        "facts": Counter(one.name for one in world.facts() if one.name not in FILES),
        "journal": len(world.journal()) == len(world.facts()),
    }


def test_every_kind_of_fact_has_a_case() -> None:
    assert set(CASES) == set(FactName)


@pytest.mark.parametrize("name", FactName)
@pytest.mark.parametrize("consumer", ["relay", "project"])
def test_a_fact_that_is_lost_is_found_within_a_day_and_its_work_is_done_once(
    name: FactName, consumer: str
) -> None:
    undisturbed, nothing = played(name, "nobody")
    world, reports = played(name, consumer)
    assert account(world) == account(undisturbed)
    assert not [one for report in nothing for one in report.findings]
    if consumer == "project":
        found = {one.fact.name for report in reports for one in report.findings}
        assert found == {name}
    left = check_facts(world.ports)
    assert not left.findings


LOST_WITHOUT = (
    F.SIGN_IN_REQUESTED, F.SIGN_IN_GRANTED, F.INVITATION_ACCEPTED, F.REFERRAL_CONFIRMED,
    F.VOUCHER_ISSUED, F.VOUCHER_ACKNOWLEDGED, F.VOUCHER_REDEEMED, F.VOUCHER_ROLLED_BACK,
    F.ORDER_KEPT, F.ORDER_RETURNED, F.ORDER_CANCELLED, F.REWARD_REVOKED, F.LIST_APPROVED,
    F.LIST_REJECTED,
)  # fmt: skip


@pytest.mark.parametrize("name", LOST_WITHOUT)
def test_without_the_check_a_lost_fact_stays_lost(name: FactName) -> None:
    assert account(played(name, "relay", checks=False)[0]) != account(played(name, "nobody")[0])
    _, reports = played(name, "relay")
    found = [one for report in reports for one in report.findings]
    assert (name, Missing.NOT_DONE) in {(one.fact.name, one.missing) for one in found}


# --- how far it is ------------------------------------------------------------------------------


def lost_world(name: FactName = F.REFERRAL_CONFIRMED) -> World:
    """A world in which the fact of a case has not reached the relay."""
    case = CASES[name]
    world = case.begin()
    case.before(world)
    world.run()
    check_facts(world.ports)
    world.loses = lambda to, fact: (to, fact.name) == ("relay", name)
    case.act(world)
    world.run()
    return world


def for_two_minutes(ports: Ports) -> FactReport:
    return check_facts(ports, until=ports.clock() + timedelta(minutes=2))


def check(world: World) -> FactCheck:
    found = world.repository.get(FactCheck)
    assert found
    return found


def test_an_hour_is_looked_at_once_it_is_settled() -> None:
    world = lost_world()
    world.clock.advance(minutes=74)
    assert check_facts(world.ports).checked == 0
    world.clock.advance(minutes=1)
    report = check_facts(world.ports)
    assert report.checked == len(world.facts())
    assert [one.fact.name for one in report.findings] == [F.REFERRAL_CONFIRMED]
    assert check_facts(world.ports).checked == 0


def test_work_that_waits_is_queued_again_later_and_later() -> None:
    world = lost_world()
    queued = []
    for hour in range(24 * 30):
        world.clock.advance(hours=1)
        check_facts(world.ports)
        if world.queues.waiting.pop("reward", []):
            queued.append(hour)
    # Longer than any queue keeps its message, and every day: codes that come are used.
    assert queued == [1, 2, 4, 8, 16, 32, *range(55, 24 * 30, 23)]
    assert check(world).unfinished


def test_work_that_waits_behind_a_backlog_is_not_queued_again_and_is_no_finding() -> None:
    world = lost_world(F.INVITATION_ACCEPTED)
    accepted = world.facts(F.INVITATION_ACCEPTED)
    world.queues.put(Queue.MAIL, accepted)
    for hour in range(2, 13):
        world.clock.now = MORNING + timedelta(hours=hour, minutes=-1)
        report = check_facts(world.ports)
        assert not report.findings
        assert len(world.queues.waiting[Queue.MAIL]) == len(accepted)
    assert check(world).unfinished
    world.loses = lambda *_: False
    world.run()
    world.clock.advance(hours=12)
    assert not check_facts(world.ports).findings
    assert check(world).unfinished == ()


def test_what_waits_behind_a_backlog_is_counted_by_its_look() -> None:
    world = lost_world(F.INVITATION_ACCEPTED)
    world.queues.put(Queue.MAIL, world.facts(F.INVITATION_ACCEPTED))
    world.clock.advance(hours=2)
    assert check_facts(world.ports).waiting == len(world.facts(F.INVITATION_ACCEPTED))


def test_a_fact_lost_while_its_queue_has_a_backlog_is_found_within_a_day() -> None:
    world = lost_world(F.INVITATION_ACCEPTED)
    [lost, *_] = world.facts(F.INVITATION_ACCEPTED)
    other = replace(lost, fact_id="other", ids={})  # a queue that is never empty
    found = []
    for hour in range(1, 49):
        world.clock.now = MORNING + timedelta(hours=hour)
        world.queues.waiting[Queue.MAIL] = [other]
        if check_facts(world.ports).findings:
            found.append(hour)
            ids = {fact.fact_id for fact in world.queues.waiting[Queue.MAIL]}
            assert lost.fact_id in ids
    # From the first look after half a day on, and then as long as it is not done.
    assert found == [17, 33]


def test_the_backlog_that_a_run_makes_itself_explains_nothing() -> None:
    world = lost_world(F.INVITATION_ACCEPTED)
    lost = world.facts(F.INVITATION_ACCEPTED)[0]
    more = [replace(lost, fact_id=f"more{number}") for number in range(2 * FACTS_AT_ONCE)]
    for start in range(0, len(more), TRANSACTION_LIMIT):
        world.memory.commit(facts=more[start : start + TRANSACTION_LIMIT])
    world.clock.advance(hours=2)
    report = check_facts(world.ports)
    assert report.waiting == 0
    assert len(world.queues.waiting[Queue.MAIL]) == len(more) + 1


def test_a_reward_that_waits_for_codes_for_weeks_is_granted_within_a_day_of_them() -> None:
    own = templates(welcome={"codes": "client"}, thank_you={"codes": "client"})
    world = new_world(templates=own)
    world.referral("jeanne@example.fr")
    for day in range(22):
        for _ in range(24):
            world.clock.advance(hours=1)
            check_facts(world.ports)
        # No queue keeps a message longer than 14 days.
        if day == 14:
            world.queues.waiting.clear()
    world.queues.waiting.clear()
    world.drop("codes/welcome/own.csv", b"code\nWELCOME0001\n")
    for _ in range(24):
        world.clock.advance(hours=1)
        check_facts(world.ports)
    world.run()
    assert [one.rule for one in world.memory.all(Voucher)]


def test_facts_from_before_the_first_check_are_checked_and_no_hour_is_late_by_it() -> None:
    case = CASES[F.REFERRAL_CONFIRMED]
    world = case.begin()
    case.before(world)
    world.run()
    world.loses = lambda to, fact: (to, fact.name) == ("relay", F.REFERRAL_CONFIRMED)
    case.act(world)
    world.run()
    world.clock.advance(hours=1, minutes=50)
    report = check_facts(world.ports)
    assert [one.fact.name for one in report.findings] == [F.REFERRAL_CONFIRMED]
    assert report.numbers()["facts_unread"] == 0
    world.run()
    assert world.funnel()["vouchers_issued"] == 1


def test_a_run_that_ends_early_is_gone_on_with() -> None:
    world = lost_world()
    world.clock.advance(hours=3)

    def slow(hour: datetime, shard: int, on_failure: OnFailure | None = None) -> Iterator[Fact]:
        world.clock.advance(seconds=10)
        return world.memory.facts_in(hour, shard, on_failure)

    recorded = RecordingRepository(world.repository)
    recorded.facts_in = slow
    ports = replace(world.ports, repository=recorded)
    runs = 0
    while not for_two_minutes(ports).is_complete:
        runs += 1
        assert check(world).shard % SHARDS_A_PIECE == 0
        assert runs < 1000
    assert runs > FACT_SHARDS / SHARDS_A_PIECE
    world.run()
    assert world.funnel()["vouchers_issued"] == 1


def test_runs_killed_in_the_middle_of_a_busy_hour_get_through_it_again_and_again() -> None:
    """A look at the hour takes longer than a run may last; something in it waits for a list."""
    world = lost_world()
    session = world.sponsor(VIPS[1])
    world.lists.fails = "no_list"
    world.invite(session, "waits@example.fr")
    world.run()
    killed_at = world.clock()

    def slow(hour: datetime, shard: int, on_failure: OnFailure | None = None) -> Iterator[Fact]:
        if hour == MORNING:
            world.clock.advance(seconds=4)
        if world.clock() > killed_at:
            raise KilledError
        return world.memory.facts_in(hour, shard, on_failure)

    recorded = RecordingRepository(world.repository)
    recorded.facts_in = slow
    looks: list[datetime] = []
    kills = 0
    for run in range(2, 30):
        world.clock.now = MORNING + timedelta(hours=run)
        killed_at = world.clock() + timedelta(minutes=5)
        try:
            check_facts(replace(world.ports, repository=recorded))
        except KilledError:
            kills += 1
        looks += [one.looked_at for one in check(world).unfinished if one.hour == MORNING]
    assert kills > 3
    assert len(set(looks)) > 3  # the hour was looked at to its end several times
    assert check(world).hour == MORNING + timedelta(hours=28)  # and the hours behind it


def test_a_look_that_finds_nothing_in_its_last_piece_still_knows_of_the_first() -> None:
    world = lost_world(F.INVITATION_ACCEPTED)
    [lost] = world.facts(F.INVITATION_ACCEPTED)
    assert fact_shard(lost.subject) < FACT_SHARDS - SHARDS_A_PIECE
    world.clock.advance(hours=2)
    check_facts(world.ports)
    world.queues.waiting.clear()
    world.clock.advance(hours=2)
    looked_at = world.clock()
    reads = 0

    def until_the_last_piece(
        hour: datetime, shard: int, on_failure: OnFailure | None = None
    ) -> Iterator[Fact]:
        nonlocal reads
        reads += hour == MORNING
        if reads > FACT_SHARDS - SHARDS_A_PIECE:
            raise KilledError
        return world.memory.facts_in(hour, shard, on_failure)

    recorded = RecordingRepository(world.repository)
    recorded.facts_in = until_the_last_piece
    with pytest.raises(KilledError):
        check_facts(replace(world.ports, repository=recorded))
    [hour] = check(world).unfinished
    assert (hour.shard, hour.is_missing) == (FACT_SHARDS - SHARDS_A_PIECE, True)
    # Not an hour later, as after a look that is over: the rest is looked at by the next run.
    assert check_facts(world.ports).checked < len(world.facts()) / 2
    assert [one.looked_at for one in check(world).unfinished] == [looked_at]


def test_a_busy_shard_is_never_held_as_a_whole() -> None:
    world = lost_world()
    [fact] = world.facts(F.REFERRAL_CONFIRMED)
    for number in range(1, 4 * FACTS_AT_ONCE, TRANSACTION_LIMIT):
        ids = [f"{number + one}" for one in range(TRANSACTION_LIMIT)]
        world.memory.commit(facts=[replace(fact, fact_id=each, counted=False) for each in ids])
    world.clock.advance(hours=2)
    ahead: list[int] = []
    given = 0

    def counted(hour: datetime, shard: int, on_failure: OnFailure | None = None) -> Iterator[Fact]:
        nonlocal given
        for one in world.memory.facts_in(hour, shard, on_failure):
            given += 1
            yield one

    def count(part: JournalPart, counts: Mapping[str, DayCounts], facts: Sequence[Fact]) -> None:
        ahead.append(given)
        world.memory.count(part, counts, facts)

    recorded = RecordingRepository(world.repository)
    recorded.count = count  # type: ignore[method-assign]
    recorded.facts_in = counted
    report = check_facts(replace(world.ports, repository=recorded))
    assert report.checked == given > 4 * FACTS_AT_ONCE
    assert ahead[0] <= 2 * FACTS_AT_ONCE


def test_the_report_of_a_run_has_numbers_only_when_its_pieces_go_elsewhere() -> None:
    world = lost_world()
    world.clock.advance(hours=2)
    pieces: list[FactReport] = []
    report = check_facts(world.ports, on_piece=pieces.append)
    found = [one.fact.name for piece in pieces for one in piece.findings]
    assert found == [F.REFERRAL_CONFIRMED]
    assert report.findings == []
    assert report.numbers()["facts_not_done"] == 1
    assert report.checked == sum(piece.checked for piece in pieces) == len(world.facts())


def test_hours_that_nobody_could_look_at_in_time_are_a_finding() -> None:
    world = lost_world()
    check_facts(world.ports)
    # An hour is settled 15 minutes after its end, and late 6 hours after that.
    world.clock.advance(hours=30)

    def slow(hour: datetime, shard: int, on_failure: OnFailure | None = None) -> Iterator[Fact]:
        world.clock.advance(minutes=1)
        return world.memory.facts_in(hour, shard, on_failure)

    recorded = RecordingRepository(world.repository)
    recorded.facts_in = slow
    report = for_two_minutes(replace(world.ports, repository=recorded))
    assert report.numbers()["facts_unread"] == 24
    while (late := check_facts(world.ports).numbers()["facts_unread"]) > 0:
        assert late < 24
    world.clock.advance(hours=7)
    assert check_facts(world.ports).numbers()["facts_unread"] == 0


@pytest.mark.slow
def test_killed_at_every_step_and_run_again_nothing_is_lost_or_done_twice() -> None:
    def begin() -> World:
        world = lost_world()
        world.clock.advance(hours=2)
        return world

    undisturbed = begin()
    check_facts(undisturbed.ports)
    undisturbed.run()
    worlds = killed_everywhere(begin, lambda _, ports: check_facts(ports), lambda one: one.ports)
    assert len(worlds) > 2 * FACT_SHARDS
    for world in worlds:
        world.clock.advance(hours=2)
        check_facts(world.ports)
        world.run()
        assert account(world) == account(undisturbed)


def test_a_fact_that_cannot_be_handled_does_not_stop_the_others() -> None:
    world = lost_world()
    bad = replace(world.facts(F.REFERRAL_CONFIRMED)[0], fact_id="bad", ids={}, campaign="gone")
    orphan = replace(world.facts(F.CAMPAIGN_PUT)[0], fact_id="orphan", campaign="gone")
    world.loses = lambda _, fact: fact.campaign == "gone"
    world.repository.commit(facts=[bad, orphan])
    world.clock.advance(hours=2)
    report = check_facts(world.ports)
    found = {(one.fact.fact_id, one.missing) for one in report.findings}
    assert ("bad", Missing.FAILED) in found
    assert ("orphan", Missing.FAILED) in found
    world.run()
    assert world.funnel()["vouchers_issued"] == 1
    assert check(world).unfinished


def test_a_fact_that_cannot_be_read_is_a_finding_and_stops_no_other() -> None:
    world = lost_world()
    bad = world.facts(F.INVITATION_RECEIVED)[0]
    key = schema.fact_key(bad)
    world.memory.unreadable.add((key["pk"], key["sk"]))
    world.clock.advance(hours=2)
    report = check_facts(world.ports)
    assert [(one.kind, one.name) for one in report.unreadable] == [("FACT", bad.fact_id)]
    assert report.numbers()["facts_failed"] == 1
    world.run()
    assert world.funnel()["vouchers_issued"] == 1
    # It is looked at again, in case a later version can read it; the hours behind it are checked.
    assert [one.hour for one in check(world).unfinished] == [MORNING]
    assert check(world).hour == MORNING + timedelta(hours=1)
    world.memory.unreadable.clear()
    world.clock.advance(hours=2)
    assert not check_facts(world.ports).unreadable
    assert check(world).unfinished == ()


def test_two_runs_at_once_leave_one_note_of_how_far_they_are() -> None:
    world = lost_world()
    world.clock.advance(hours=2)
    contested = ContestedRepository(world.repository, lambda: check_facts(world.ports))
    check_facts(replace(world.ports, repository=contested))
    world.run()
    assert world.funnel()["vouchers_issued"] == 1
    assert check(world).hour == MORNING + timedelta(hours=1)
