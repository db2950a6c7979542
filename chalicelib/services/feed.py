"""The last acts of a campaign that are counted: those that its journal ends with, each once.

What is not sealed is in the records of parts, what is sealed in the head of the campaign's journal.
Of each shard the last records are read. Where there are more, records from before the oldest that
was read are left out: fewer acts are shown then, and none between two of them is missing.
"""

from __future__ import annotations

from chalicelib.domain.feed import Act, acts_of_campaign, newest, unpacked
from chalicelib.domain.journal import LEFT_SHARD, PART_SHARDS, JournalHead, JournalPart
from chalicelib.services.ports import CommandPorts

PARTS_A_LOOK = 10


def feed_of(ports: CommandPorts, campaign: str) -> list[Act]:
    """The last acts of a campaign, the newest first."""
    shards = [
        ports.repository.last_within(JournalPart, PARTS_A_LOOK, shard=shard)
        for shard in (*range(PART_SHARDS), LEFT_SHARD)
    ]
    cut = max((parts[-1].position for parts in shards if len(parts) == PARTS_A_LOOK), default="")
    parts = [part for some in shards for part in some if part.position >= cut]
    acts = [act for part in parts for act in acts_of_campaign(part.acts, campaign)]
    if not cut:
        # Afterwards: what is sealed meanwhile is found twice, never not at all.
        head = ports.repository.get(JournalHead, campaign=campaign)
        acts += unpacked(head.acts) if head else []
    return newest(acts)
