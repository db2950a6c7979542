"""The last acts of a campaign that are counted: those that its journal ends with, each once.

What is not sealed is in the records of parts, what is sealed in the head of the campaign's journal.
Of each shard the last records are read, which are of all campaigns. Where there are more, an act
that is in none of those is missing until it is sealed: the newest are there, and a quiet campaign
beside a busy one keeps those that it had.
"""

from __future__ import annotations

from chalicelib.domain.feed import Act, acts_of_campaign, newest, unpacked
from chalicelib.domain.journal import LEFT_SHARD, PART_SHARDS, JournalHead, JournalPart
from chalicelib.services.ports import CommandPorts, OnFailure

PARTS_A_LOOK = 10


def feed_of(ports: CommandPorts, campaign: str, on_failure: OnFailure | None = None) -> list[Act]:
    """The last acts of a campaign, the newest first. A record that cannot be read goes to
    `on_failure`; without it, the error is raised.
    """
    parts = [
        part
        for shard in (*range(PART_SHARDS), LEFT_SHARD)
        for part in ports.repository.last_within(JournalPart, PARTS_A_LOOK, on_failure, shard=shard)
    ]
    acts = [act for part in parts for act in acts_of_campaign(part.acts, campaign)]
    # Afterwards: what is sealed meanwhile is found twice, never not at all.
    head = ports.repository.get(JournalHead, campaign=campaign)
    return newest([*acts, *(unpacked(head.acts) if head else ())])
