"""Changes: what happened to a voucher after its issue, as the client reads it in `out/…/changes/`.

A change is stored in the transaction in which it happens, beside the voucher at its new state, and
waits there for the next numbered file. Changes of one voucher are in their order in those files,
even when the clocks of two functions differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from zlib import crc32

from chalicelib.domain.exports import WaitingRow
from chalicelib.domain.vouchers import Voucher

# A change is two write units, a partition takes 1,000 a second: a million in a quarter of an hour.
SHARDS = tuple(f"#{digit}" for digit in range(4))
UNSHARDED = ""


class ChangeKind(StrEnum):
    """What happened to a voucher. The values are published."""

    REVOKED = "revoked"
    REDEEMED = "redeemed"
    ROLLED_BACK = "rolled_back"
    EXPIRED = "expired"
    REPLACED = "replaced"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class VoucherChange(WaitingRow):
    """A change of a voucher that no changes file has yet. `position` orders those of a campaign.

    `shard` is where it waits: that of its voucher. Those that an earlier version stored are in
    none.
    """

    shard: str = UNSHARDED
    code_key: str
    code: str
    voucher_id: str
    change: ChangeKind
    at: datetime
    order_id: str | None = None
    reason: str = ""


def shard_of(code_key: str) -> str:
    """The shard that the changes of a voucher wait in: always the same one, so in their order."""
    return SHARDS[crc32(code_key.encode()) % len(SHARDS)]


def with_change(
    voucher: Voucher,
    change: ChangeKind,
    now: datetime,
    *,
    order_id: str | None = None,
    reason: str = "",
) -> tuple[Voucher, VoucherChange]:
    """The voucher with one more change, and that change. `reason` is a stable word."""
    at = max(now, voucher.changed_at or now)
    changed = replace(voucher, changed_at=at, changes=voucher.changes + 1)
    moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return changed, VoucherChange(
        campaign=voucher.campaign,
        shard=shard_of(voucher.code_key),
        position=f"{moment}#{changed.changes:06}#{voucher.code_key}",
        code_key=voucher.code_key,
        code=voucher.code,
        voucher_id=voucher.voucher_id,
        change=change,
        at=at,
        order_id=order_id,
        reason=reason,
    )
