"""Whether a campaign's journal is what was written, and agrees with the table (law 10).

    facts of the table, hour by hour ──┐ counted ones
    files from the head to the first ──┼─► one pass: chain, roots, counts, an hour's facts alike
    parts that are not sealed yet    ──┘

The table is read before the journal: what it has counted by then is in the journal, and what is
counted meanwhile is looked up again. An hour is compared by its number of facts and the sum of
their hashes, so memory does not grow with the journal; only of hours that differ are the facts
held, some hours at a time. (Those of 0.2.0 always differ: their facts are stored by subject.) A
break of the chain ends the work for the campaign: what is before it proves nothing.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CampaignVersion, CurrentCampaign
from chalicelib.domain.effects import deltas, end_of
from chalicelib.domain.facts import Fact
from chalicelib.domain.journal import (
    AlteredBundleError,
    BrokenChainError,
    JournalHead,
    Root,
    canonical,
)
from chalicelib.services.facts import CLOCKS_DIFFER
from chalicelib.services.journal import (
    differences,
    files_back,
    journal,
    miscounts,
    roots_of,
    unsealed_facts,
)
from chalicelib.services.ports import (
    BATCH_LIMIT,
    FACT_SHARDS,
    Failure,
    OnFailure,
    Ports,
    hours,
)

FACTS_HELD = 50_000  # of the hours that differ, at a time
FINDINGS = 1_000  # after which the hours that are left are only counted

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class JournalFinding:
    """Something that is not as it should be: `what` in words, `where` a file, an hour or a fact."""

    what: str
    where: str


@dataclass
class Verified:
    """What was looked at, and what was found. `after_root`: files that no root covers yet;
    `unreadable`: the ids of facts.
    """

    campaign: str
    files: int = 0
    facts: int = 0
    roots: int = 0
    after_root: int = 0
    hours: int = 0
    findings: list[JournalFinding] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)

    def find(self, what: str, where: object) -> None:
        """Add a finding."""
        self.findings.append(JournalFinding(what, str(where)))

    def find_unreadable(self, failure: Failure) -> None:
        """Add a fact of the table that cannot be read, once."""
        if failure.name not in self.unreadable:
            self.unreadable.add(failure.name)
            self.find("in the table, and cannot be read", failure.name)


@dataclass
class _Tally:
    """The facts of an hour: how many, and the sum of their hashes, whatever their order."""

    facts: int = 0
    hashes: int = 0

    def take(self, fact: Fact) -> None:
        """Add a fact."""
        self.facts += 1
        self.hashes += int.from_bytes(hashlib.sha256(canonical(fact).encode()).digest(), "big")


Hours = dict[datetime, _Tally]


def verify_journal(
    ports: Ports,
    current: CurrentCampaign,
    *,
    readers: int = 1,
    progress: Progress = lambda _what, _done: None,
) -> Verified:
    """Verify a campaign's journal. `progress` hears of each hour and each file that is done."""
    done = Verified(current.campaign)
    campaign = current.document
    stored = _in_table(ports, current, done, readers, progress)
    try:
        roots = roots_of(ports, campaign.id)
        journaled, counts = _in_journal(ports, campaign, roots, done, progress)
    except (BrokenChainError, AlteredBundleError) as error:
        done.find("the chain is broken", error)
        return done
    if stored is not None:  # counters end with the facts
        _compare_counts(ports, campaign, counts, done)
        _compare_facts(ports, campaign.id, stored, journaled, done)
    return done


# --- the table ------------------------------------------------------------------------------------


def _in_table(
    ports: Ports, current: CurrentCampaign, done: Verified, readers: int, progress: Progress
) -> Hours | None:
    """The counted facts of a campaign by their hours; None if they have ended with its records."""
    if current.records_after or current.records_ended_at:
        return None
    found: Hours = {}
    with ThreadPoolExecutor(readers) as pool:
        began = _began(ports, current)
        for hour in hours(began - CLOCKS_DIFFER, ports.clock() + CLOCKS_DIFFER):
            for fact in _of_hour(ports, pool, current.campaign, hour, done.find_unreadable):
                if fact.counted and not _may_have_ended(ports, fact):
                    found.setdefault(hour, _Tally()).take(fact)
            done.hours += 1
            progress("hours of the table", done.hours)
    return found


def _may_have_ended(ports: Ports, fact: Fact) -> bool:
    """Whether the table need not have the fact any more; nor may the journal alone miss it."""
    end = end_of(fact)
    return end is not None and end <= ports.clock() + CLOCKS_DIFFER


def _began(ports: Ports, current: CurrentCampaign) -> datetime:
    versions = ports.repository.within(CampaignVersion, campaign=current.campaign)
    return min((version.put_at for version in versions), default=current.put_at)


def _of_hour(
    ports: Ports, pool: Executor, campaign: str, hour: datetime, on_failure: OnFailure
) -> Iterator[Fact]:
    def of_shard(shard: int) -> list[Fact]:
        facts = ports.repository.facts_in(hour, shard, on_failure)
        return [fact for fact in facts if fact.campaign == campaign]

    for facts in pool.map(of_shard, range(FACT_SHARDS)):
        yield from facts


# --- the journal ----------------------------------------------------------------------------------


def _in_journal(
    ports: Ports, campaign: Campaign, roots: Iterable[Root], done: Verified, progress: Progress
) -> tuple[Hours, dict[date, dict[str, int]]]:
    """The facts of the journal by their hours, and what they add up to. `BrokenChainError`,
    `AlteredBundleError`.
    """
    found: Hours = {}

    def each() -> Iterator[Fact]:
        for fact in _facts(ports, campaign.id, roots, done, progress):
            done.facts += 1
            if not _may_have_ended(ports, fact):
                found.setdefault(hour_of(fact), _Tally()).take(fact)
            yield fact

    return found, deltas(campaign, each())


def _facts(
    ports: Ports, campaign: str, roots: Iterable[Root], done: Verified, progress: Progress
) -> Iterator[Fact]:
    """Each fact once: those that are not sealed, then the files from the last to the first."""
    waiting = {fact.fact_id: fact for fact in unsealed_facts(ports, campaign)}
    yield from waiting.values()
    head = ports.repository.get(JournalHead, campaign=campaign)
    left = {root.number: root for root in roots}
    last = head.number if head else 0
    done.after_root = last - max(left, default=0)
    if done.after_root < 0:
        raise BrokenChainError(f"it ends with file {last}, and there is a root of {max(left)}")
    if last and not left:
        done.find("no root says what it was", campaign)
    for file in files_back(ports, campaign, head):
        root = left.pop(file.number, None)
        if root and root.hash != file.hash:
            raise BrokenChainError(f"{file.path}: it had another end at its root of {root.at}")
        done.roots += root is not None
        done.files += 1
        progress("files", done.files)
        yield from (fact for fact in file.facts if fact.fact_id not in waiting)


# --- what differs ---------------------------------------------------------------------------------


def _compare_counts(
    ports: Ports, campaign: Campaign, counts: dict[date, dict[str, int]], done: Verified
) -> None:
    differing = differences(ports.repository.counts(campaign.id), counts)
    if not differing:
        return
    # Facts may have been counted since: what is read again settles it.
    for one in miscounts(ports, campaign, since=min(each.day for each in differing)):
        found = f"{one.counted} counted, {one.journaled} in the journal"
        done.find(f"{one.name}: {found}", one.day)


def _compare_facts(
    ports: Ports, campaign: str, stored: Hours, journaled: Hours, done: Verified
) -> None:
    """Name the facts that differ."""
    every = stored.keys() | journaled.keys()
    differing = deque(sorted(one for one in every if stored.get(one) != journaled.get(one)))

    def facts_in(hour: datetime) -> int:
        return sum(tallies.get(hour, _Tally()).facts for tallies in (stored, journaled))

    while differing and len(done.findings) < FINDINGS:
        some = [differing.popleft()]
        held = facts_in(some[0])
        while differing and held + facts_in(differing[0]) <= FACTS_HELD:
            held += facts_in(differing[0])
            some.append(differing.popleft())
        _compare_hours(ports, campaign, some, done)
    if differing:
        done.find("more hours differ", len(differing))


def _compare_hours(ports: Ports, campaign: str, some: Sequence[datetime], done: Verified) -> None:
    """Name the facts of these hours that differ. The table is read first, as before."""
    with ThreadPoolExecutor(1) as pool:
        every = (
            fact
            for hour in some
            for fact in _of_hour(ports, pool, campaign, hour, done.find_unreadable)
        )
        stored = {fact.fact_id: fact for fact in every}
    journaled = {
        fact.fact_id: fact
        for fact in journal(ports, campaign, some[0].date())
        if hour_of(fact) in some and not _may_have_ended(ports, fact)
    }
    for fact in stored.values():
        if fact.counted and fact.fact_id not in journaled and not _may_have_ended(ports, fact):
            done.find("counted, and not in the journal", named(fact))
    known = _stored_again(ports, list(journaled.values()), done.find_unreadable)
    for fact_id, fact in journaled.items():
        if fact_id in done.unreadable:
            continue
        if problem := _problem(fact, known.get(fact_id)):
            done.find(problem, named(fact))


def _problem(fact: Fact, stored: Fact | None) -> str | None:
    if stored is None:
        return "in the journal, and not in the table"
    if canonical(stored) != canonical(fact):
        return "another one in the table"
    return None if stored.counted else "in the journal, and not counted"


def _stored_again(ports: Ports, facts: Sequence[Fact], on_failure: OnFailure) -> dict[str, Fact]:
    found: dict[str, Fact] = {}
    for start in range(0, len(facts), BATCH_LIMIT // 2):  # each may be in two places
        some = facts[start : start + BATCH_LIMIT // 2]
        found |= {fact.fact_id: fact for fact in ports.repository.stored(some, on_failure)}
    return found


def named(fact: Fact) -> str:
    """How a finding names a fact."""
    return f"{fact.at.isoformat()} {fact.name} {fact.fact_id}"


def hour_of(fact: Fact) -> datetime:
    """The hour (UTC) that a fact is stored in."""
    return fact.at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
