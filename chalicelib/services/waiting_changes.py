"""The changes of vouchers, and the words about consent, that no file has yet: of all shards
together, in their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge

from chalicelib.domain import consents
from chalicelib.domain.changes import SHARDS, UNSHARDED, VoucherChange
from chalicelib.domain.consents import ConsentChange
from chalicelib.services.ports import OnFailure, Ports


def waiting_changes(
    ports: Ports, campaign_id: str, on_failure: OnFailure | None = None
) -> Iterator[VoucherChange]:
    """The waiting changes of a campaign, earliest first; strongly consistent."""
    shards = (
        ports.repository.within(VoucherChange, on_failure, campaign=campaign_id, shard=shard)
        for shard in (*SHARDS, UNSHARDED)
    )
    return merge(*shards, key=lambda change: change.position)


def waiting_words(
    ports: Ports, campaign_id: str, on_failure: OnFailure | None = None
) -> Iterator[ConsentChange]:
    """The words that no file has yet, earliest first; strongly consistent."""
    shards = (
        ports.repository.within(ConsentChange, on_failure, campaign=campaign_id, shard=shard)
        for shard in consents.SHARDS
    )
    return merge(*shards, key=lambda change: change.position)
