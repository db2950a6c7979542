"""A current list, as a full drop would have left it."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.addresses import Algorithm
from chalicelib.domain.lists.drops import drop_position
from chalicelib.domain.lists.model import CurrentList, FullList
from chalicelib.services.list_ports import StoredSegment


def current_list(
    stored: StoredSegment,
    *,
    campaign: str,
    name: str,
    accepted_at: datetime,
    version: int = 1,
    key_id: str = "k1",
    algorithm: Algorithm = "hmac_sha256",
    revision: int = 0,
) -> CurrentList:
    """The pointer to a segment that one full drop at `accepted_at` was made into."""
    sha256 = f"{version:064x}"
    full = FullList(
        position=drop_position(accepted_at, "", sha256),
        sha256=sha256,
        key_id=key_id,
        segment=stored.path,
        etag=stored.etag,
        rows=stored.rows,
    )
    return CurrentList(
        revision=revision,
        campaign=campaign,
        name=name,
        version=version,
        rows=stored.rows,
        segment=stored.path,
        etag=stored.etag,
        directory_crc=stored.directory_crc,
        key_id=key_id,
        algorithm=algorithm,
        accepted_at=accepted_at,
        source_sha256=sha256,
        mode="full",
        last_position=full.position,
        full=full,
    )
