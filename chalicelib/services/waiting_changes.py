"""The changes of vouchers that no file has yet, of all shards together in their order."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge

from chalicelib.domain.changes import SHARDS, UNSHARDED, VoucherChange
from chalicelib.services.ports import Ports


def waiting_changes(ports: Ports, campaign_id: str) -> Iterator[VoucherChange]:
    """The waiting changes of a campaign, earliest first; strongly consistent."""
    shards = (
        ports.repository.within(VoucherChange, campaign=campaign_id, shard=shard)
        for shard in (*SHARDS, UNSHARDED)
    )
    return merge(*shards, key=lambda change: change.position)
