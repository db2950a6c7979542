"""Facts to counts and journal: each fact is counted once and journaled once (law 10).

The journal segment is written first, under a name that contains its hash; then one transaction adds
to the counts, marks the facts as counted and moves the journal's head from the revision that was
read. If the function is killed between the two, the next attempt writes its own segment, and the
first one is in no chain. Of two concurrent projectors, one moves the head; the other gets a
conflict and starts again with what is still uncounted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from chalicelib.domain.effects import deltas
from chalicelib.domain.facts import Fact
from chalicelib.domain.journal import GENESIS, JournalHead, chain, segment_path
from chalicelib.services.lookups import current_campaign
from chalicelib.services.ports import Ports
from chalicelib.services.retry import retry_on_conflict

FACTS_AT_ONCE = 80  # with the head and the days, below the 100 items of a transaction


def project(ports: Ports, facts: Sequence[Fact]) -> list[Fact]:
    """Count and journal the facts that are still uncounted; returns those."""
    once = {fact.fact_id: fact for fact in facts}.values()
    by_campaign = sorted(once, key=lambda fact: fact.campaign)
    counted: list[Fact] = []
    for campaign, group in groupby(by_campaign, key=lambda fact: fact.campaign):
        own = list(group)
        for start in range(0, len(own), FACTS_AT_ONCE):
            counted += _project(ports, campaign, own[start : start + FACTS_AT_ONCE])
    return counted


@retry_on_conflict
def _project(ports: Ports, campaign_id: str, facts: Sequence[Fact]) -> list[Fact]:
    new = ports.repository.uncounted(facts)
    if not new:
        return []
    campaign = current_campaign(ports, campaign_id)
    stored = ports.repository.get(JournalHead, campaign=campaign_id)
    head = stored or JournalHead(campaign=campaign_id, number=0, hash=GENESIS)
    added = deltas(campaign, new)  # before anything is written: a fact that cannot be counted fails
    lines, digest = chain(head.hash, new)
    number = head.number + 1
    day = campaign.local_date(new[0].at).isoformat()
    path = segment_path(campaign_id, day, number, digest)
    ports.files.write(path, lines, content_type="application/x-ndjson")
    moved = replace(head, number=number, hash=digest)
    ports.repository.count(campaign_id, added, new, moved)
    return new
