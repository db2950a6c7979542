"""Facts to counts and journal: each fact is counted once and journaled once (law 10).

    facts ──► one bundle in the bucket ──► transactions, each: the facts are counted, counters added
                                           to, a part recorded

A batch is taken to be new, as nearly every one is: the transaction itself refuses a fact that is
counted already. Only then are the facts read, and what is left of them is counted.

The bundle's name is its hash. If the function is killed after it, the next attempt writes its own,
which is the same one if no fact was counted meanwhile; lines that no part names never get into the
journal. Two projectors meet only on the same facts, of which one counts each, and on the counters,
which are spread: nothing is read to be written here. `seal` chains what is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.effects import deltas
from chalicelib.domain.facts import Fact
from chalicelib.domain.feed import packed_by_campaign
from chalicelib.domain.journal import bundle, bundle_path, part_of_bundle
from chalicelib.services.errors import UnknownError
from chalicelib.services.ports import (
    COUNTERS_AN_UPDATE,
    FACTS_A_COUNT,
    TRANSACTION_LIMIT,
    ConflictError,
    Ports,
)
from chalicelib.services.retry import retry_on_conflict


def project(ports: Ports, facts: Sequence[Fact]) -> list[Fact]:
    """Count and journal the facts that are still uncounted; returns those.

    A fact that cannot be counted fails its batch before anything of it is written.
    """
    once = list({fact.fact_id: fact for fact in facts}.values())
    counted: list[Fact] = []
    for start in range(0, len(once), FACTS_A_COUNT):
        batch = once[start : start + FACTS_A_COUNT]
        try:
            _count(ports, batch, counted)
        except ConflictError:
            _count_rest(ports, batch, counted)
    return counted


@retry_on_conflict
def _count_rest(ports: Ports, facts: Sequence[Fact], counted: list[Fact]) -> None:
    """Count those that nobody has counted yet."""
    new = ports.repository.uncounted(facts)
    if new:
        _count(ports, new, counted)


def _count(ports: Ports, new: Sequence[Fact], counted: list[Fact]) -> None:
    """Append to `counted` what is counted, also when a later transaction fails. `ConflictError`
    when one of them is counted already.
    """
    in_order = sorted(new, key=lambda fact: (fact.campaign, fact.at, fact.fact_id))
    parts = list(_parts(_campaigns(ports, new), in_order))
    content, digest = bundle(in_order)
    ports.files.write(bundle_path(digest), content, content_type="application/x-ndjson")
    first = 0
    for part in parts:
        acts = packed_by_campaign(part.facts)
        record = part_of_bundle(digest, first, len(part.facts), ports.clock(), acts)
        ports.repository.count(record, part.counts, part.facts)
        counted += part.facts
        first += len(part.facts)


def _campaigns(ports: Ports, facts: Sequence[Fact]) -> Mapping[str, Campaign]:
    names = {fact.campaign for fact in facts}
    found = ports.campaigns.get_many(names)
    if names - found.keys():
        raise UnknownError("campaign")
    return found


@dataclass
class _Part:
    """What one transaction counts."""

    facts: list[Fact] = field(default_factory=list)
    counts: dict[str, dict[date, dict[str, int]]] = field(default_factory=dict)

    def has_room_for(self, campaign: str, added: Mapping[date, Mapping[str, int]]) -> bool:
        """Whether it stays within one transaction, facts, counters of each day and the part itself,
        and what it adds to a day within one update.
        """
        of = self.counts.get(campaign, {})
        if any(
            len(of.get(day, {}).keys() | counts.keys()) > COUNTERS_AN_UPDATE
            for day, counts in added.items()
        ):
            return False
        days = sum(map(len, self.counts.values()))
        more = len(added.keys() - of.keys())
        return len(self.facts) + days + 1 + more + 1 <= TRANSACTION_LIMIT

    def add(self, fact: Fact, added: Mapping[date, Mapping[str, int]]) -> None:
        self.facts.append(fact)
        for day, counts in added.items():
            of_day = self.counts.setdefault(fact.campaign, {}).setdefault(day, {})
            for name, by in counts.items():
                of_day[name] = of_day.get(name, 0) + by


def _parts(campaigns: Mapping[str, Campaign], facts: Sequence[Fact]) -> Iterator[_Part]:
    part = _Part()
    for fact in facts:
        added = deltas(campaigns[fact.campaign], [fact])
        if not part.has_room_for(fact.campaign, added):
            yield part
            part = _Part()
        part.add(fact, added)
    yield part
