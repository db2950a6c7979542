"""The journal read back: its facts, its chain verified, and what they add up to (law 10).

    files of out/, chained up to the head ──┐
                                            ├─► each fact once ──► counts by local day
    parts that are not sealed yet ──────────┘

Between the transaction that counts a fact and the seal, its line is in a bundle whose SHA-256 is in
the table: an alteration is noticed there (`AlteredBundleError`) as it is in the chain afterwards
(`BrokenChainError`). `operations/project.py` records, `operations/seal.py` seals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from heapq import merge
from itertools import islice, takewhile

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.effects import comparable, deltas
from chalicelib.domain.facts import Fact
from chalicelib.domain.journal import (
    GENESIS,
    LEFT_SHARD,
    PART_SHARDS,
    AlteredBundleError,
    BrokenChainError,
    JournalHead,
    JournalPart,
    Root,
    bundle_path,
    fact_of,
    file_name,
    folder,
    lines_of,
    root_of,
    roots_folder,
    verified,
)
from chalicelib.services.file_ports import EARLIEST
from chalicelib.services.ports import DayCounts, Failure, OnFailure, Ports


@dataclass(frozen=True)
class ChainedFile:
    """A verified file of the journal: it ends with `hash` and follows the one with `previous`."""

    number: int
    hash: str
    path: str
    facts: Sequence[Fact]
    previous: str


SEAL_OVERDUE = timedelta(hours=2)
# At 100 lines of 0.4 KB a part, their lines are 20 MB, and their records 150 KB of an item's 400.
PARTS_AT_ONCE = 500
ATTEMPTS = 5


@dataclass(frozen=True)
class Miscount:
    """A counter of a day that differs from what the journal adds up to."""

    day: date
    name: str
    counted: int
    journaled: int


def miscounts(
    ports: Ports, campaign: Campaign, since: date = date.min, until: date = date.max
) -> list[Miscount]:
    """Where the counts that are shown of a campaign differ from its journal, from a local day to
    another, both included.

    Facts of those days that are counted meanwhile make it read again. `BrokenChainError`,
    `AlteredBundleError`.
    """

    def counted() -> DayCounts:
        counts = ports.repository.counts(campaign.id).items()
        return {day: of_day for day, of_day in counts if since <= day <= until}

    for _ in range(ATTEMPTS):
        counts = counted()
        journaled = deltas(campaign, journal(ports, campaign.id, since))
        if counted() == counts:
            break
    journaled = {day: of_day for day, of_day in journaled.items() if since <= day <= until}
    return differences(counts, journaled)


def journal(ports: Ports, campaign: str, since: date = date.min) -> Iterator[Fact]:
    """Each fact of a campaign's journal once, sealed or not; at least those of the local days from
    `since` on. `BrokenChainError`, `AlteredBundleError`.
    """
    # These first: what is sealed while they are read is found twice, never not at all.
    waiting = {fact.fact_id: fact for fact in unsealed_facts(ports, campaign)}
    yield from waiting.values()
    sealed = sealed_facts(ports, campaign, since)
    yield from (fact for fact in sealed if fact.fact_id not in waiting)


def sealed_facts(ports: Ports, campaign: str, since: date = date.min) -> Iterator[Fact]:
    """The facts in the files of a campaign, the last file first, down to those sealed before
    `since`. `BrokenChainError` when a file is missing, altered, or does not follow from the others.
    """
    # A local day begins and ends within a day of UTC's.
    first_day = (since - timedelta(days=1)).isoformat() if since > date.min else ""
    head = ports.repository.get(JournalHead, campaign=campaign)
    for file in files_back(ports, campaign, head, first_day):
        yield from file.facts


def files_back(
    ports: Ports, campaign: str, head: JournalHead | None, first_day: str = "", after: int = 0
) -> Iterator[ChainedFile]:
    """The files of a campaign from its head back, each verified: down to those of days (UTC) before
    `first_day`, and to the number `after`, without it. `BrokenChainError` names the file.
    """
    paths = {path.rpartition("/")[2]: path for path in ports.files.paths(folder(campaign))}
    number, last = (head.number, head.hash) if head else (0, GENESIS)
    while number > after:
        path = paths.get(file_name(number, last))
        if path is None:
            raise BrokenChainError(f"file {number} is missing")
        if path.removeprefix(folder(campaign)) < first_day:
            return
        try:
            facts, previous = verified(b"".join(ports.files.read(path)), last)
        except (ValueError, LookupError, TypeError) as error:
            raise BrokenChainError(f"{path}: {error}") from error
        yield ChainedFile(number, last, path, facts, previous)
        number, last = number - 1, previous
    if not after and last != GENESIS:
        raise BrokenChainError("the first file follows another")


def roots_of(ports: Ports, campaign: str) -> list[Root]:
    """The roots of a campaign, oldest first, also those that somebody has hidden since.
    `BrokenChainError` when there are two of one file.
    """
    written = ports.roots.written_since(roots_folder(campaign), EARLIEST)
    every = [root_of(one.path, one.at) for one in written]
    roots = {(root.number, root.hash): root for root in reversed(every)}
    numbers = Counter(number for number, _ in roots)
    twice = [number for number, times in numbers.items() if times > 1]
    if twice:
        raise BrokenChainError(f"file {min(twice)} has two roots")
    return sorted(roots.values(), key=lambda root: root.number)


def unsealed(ports: Ports, on_failure: OnFailure | None = None) -> Iterator[JournalPart]:
    """What is not sealed yet. One that cannot be read goes to `on_failure`, or is an error."""
    yield from recorded(ports, on_failure)
    # Afterwards: what a group leaves meanwhile is found twice, never not at all.
    yield from left(ports, on_failure)


def recorded(ports: Ports, on_failure: OnFailure | None = None) -> Iterator[JournalPart]:
    """The parts that no closed group has had, oldest first."""
    shards = (
        ports.repository.within(JournalPart, on_failure, shard=shard)
        for shard in range(PART_SHARDS)
    )
    return merge(*shards, key=lambda part: part.position)


def left(ports: Ports, on_failure: OnFailure | None = None) -> list[JournalPart]:
    """What closed groups have left, in the order of their numbers."""
    found = ports.repository.within(JournalPart, on_failure, shard=LEFT_SHARD)
    return sorted(found, key=lambda part: part.group)


def seal_overdue(ports: Ports, shard: int, on_failure: OnFailure | None = None) -> int:
    """How many parts of a shard should have been sealed by now. One that cannot be read goes to
    `on_failure`, or is an error.
    """
    due = ports.clock() - SEAL_OVERDUE
    parts = ports.repository.within(JournalPart, on_failure, shard=shard)
    return sum(1 for _ in takewhile(lambda part: part.recorded_at < due, parts))


def bundles(ports: Ports, parts: Iterable[JournalPart]) -> dict[str, bytes | None]:
    """The bundles of the parts by their SHA-256, each read once; None where there is none."""
    digests = list(dict.fromkeys(part.digest for part in parts))
    return dict(zip(digests, ports.files.read_all(map(bundle_path, digests)), strict=True))


def unsealed_facts(ports: Ports, campaign: str) -> Iterator[Fact]:
    """The facts of a campaign that are recorded and in no file yet. `AlteredBundleError`."""
    parts = (part for part in unsealed(ports, _altered) if part.campaign in {None, campaign})
    while some := list(islice(parts, PARTS_AT_ONCE)):
        contents = bundles(ports, some)
        for part in some:
            facts = map(fact_of, lines_of(part, contents[part.digest]))
            yield from (fact for fact in facts if fact.campaign == campaign)


def _altered(failure: Failure) -> None:
    raise AlteredBundleError(failure.name) from failure.error


def differences(counted: DayCounts, journaled: DayCounts) -> list[Miscount]:
    """Where what is shown of counts differs from what the journal adds up to."""
    return [
        Miscount(day, name, here.get(name, 0), there.get(name, 0))
        for day in sorted(counted.keys() | journaled.keys())
        for here, there in [comparable(counted.get(day, {}), journaled.get(day, {}))]
        for name in sorted(here.keys() | there.keys())
        if here.get(name, 0) != there.get(name, 0)
    ]
