"""What may become of a voucher: would it be accepted on an order, and the row it has in an export.

    issued ──► exported ──► acknowledged ──► redeemed     a rollback takes `redeemed` back
       └──────────┴──────────────┴────────► expired | revoked

A voucher may be redeemed before the client's acknowledgement has been read: whoever asks knows the
code. Its last second is the end of a local day (law 11); an order made before it but reported later
still counts, which is why `expired` is noted only `REPORTING_GRACE` after the end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from chalicelib.domain.campaign.file import Campaign, is_past
from chalicelib.domain.campaign.rules import HolderRole, Release
from chalicelib.domain.entity import Entity


class VoucherState(StrEnum):
    """`issued → exported → acknowledged → redeemed`, or `expired`, `revoked`."""

    ISSUED = "issued"
    EXPORTED = "exported"
    ACKNOWLEDGED = "acknowledged"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, kw_only=True)
class Voucher(Entity):
    """A coded, single-use instrument issued to a holder.

    `code` is the key (no prefix, spaces or hyphens); `printed` is what people and tills see.
    `export` is the number of the one export it is in (law 5); `redeemed_by` the order that used it
    (law 6).
    """

    code: str
    voucher_id: str
    printed: str
    campaign: str
    campaign_version: int
    template: str
    holder: HolderRole
    holder_id: str
    holder_digest: str
    contact_id: str
    referral_id: str
    rule: str
    rung: int
    value_minor: int
    currency: str
    minimum_basket_minor: int
    valid_from: datetime
    valid_until: datetime
    issued_at: datetime
    state: VoucherState
    release: Release
    correlation: str
    export: int | None = None
    acknowledged_at: datetime | None = None
    refused_reason: str | None = None
    redeemed_by: str | None = None
    revoked_at: Annotated[datetime | None, Field(alias="withdrawn_at")] = None
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Redemption(Entity):
    """The recorded use of a voucher on an order, and its rollback."""

    code: str
    order_id: str
    ordered_at: datetime
    amount_minor: int
    currency: str
    redeemed_at: datetime
    rolled_back_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class SpareCode(Entity):
    """A code of the client's own, waiting to be issued."""

    campaign: str
    template: str
    code: str
    printed: str


REPORTING_GRACE = timedelta(days=3)

_LIVE = frozenset({VoucherState.ISSUED, VoucherState.EXPORTED, VoucherState.ACKNOWLEDGED})


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """The order a voucher is to be used on. `amount_minor` in minor units of `currency`."""

    order_id: str
    ordered_at: datetime
    amount_minor: int
    currency: str


def valid_until(campaign: Campaign, issued_at: datetime, valid_days: int) -> datetime:
    """The last second of the local day `valid_days` after the day of issue, in UTC (law 11)."""
    return campaign.end_of_day(campaign.local_date(issued_at) + timedelta(days=valid_days))


def is_live(voucher: Voucher) -> bool:
    """True while it is neither redeemed, expired nor revoked."""
    return voucher.state in _LIVE


def problem_at(voucher: Voucher, at: datetime) -> str | None:
    """Why the voucher would not be accepted at `at`, None when it would (laws 6 and 11)."""
    if voucher.state is VoucherState.REVOKED:
        return "revoked"
    if voucher.state is VoucherState.REDEEMED:
        return "exhausted"
    if voucher.refused_reason is not None:
        return "refused_by_client"
    if voucher.state is VoucherState.EXPIRED or is_past(voucher.valid_until, at):
        return "expired"
    return "not_yet_valid" if at < voucher.valid_from else None


def problem_with(voucher: Voucher, purchase: Purchase) -> str | None:
    """Why the voucher is not accepted on `purchase`, None when it is."""
    if problem := problem_at(voucher, purchase.ordered_at):
        return problem
    if purchase.currency != voucher.currency:
        return "wrong_currency"
    return "below_minimum_basket" if purchase.amount_minor < voucher.minimum_basket_minor else None


def redeemed(voucher: Voucher, purchase: Purchase) -> Voucher:
    """The voucher, used on `purchase`."""
    return replace(
        voucher,
        state=VoucherState.REDEEMED,
        redeemed_by=purchase.order_id,
    )


def rolled_back(voucher: Voucher) -> Voucher:
    """The voucher as it would be, had it not been redeemed."""
    if voucher.state is not VoucherState.REDEEMED:
        raise ValueError("a voucher that is not redeemed has nothing to roll back")
    unused = replace(voucher, state=_state_unused(voucher), redeemed_by=None)
    # Back on the agenda of what ends, if its end was noted meanwhile; for good if it was withdrawn.
    return replace(unused, ended_at=voucher.revoked_at)


def _state_unused(voucher: Voucher) -> VoucherState:
    if voucher.revoked_at:
        return VoucherState.REVOKED
    if voucher.acknowledged_at:
        return VoucherState.ACKNOWLEDGED
    return VoucherState.ISSUED if voucher.export is None else VoucherState.EXPORTED


def withdrawn(voucher: Voucher, now: datetime) -> Voucher:
    """The voucher, taken back: revoked, or if it is used already, once that is rolled back."""
    if voucher.state is VoucherState.REDEEMED:
        return replace(voucher, revoked_at=now)
    return replace(voucher, state=VoucherState.REVOKED, revoked_at=now, ended_at=now)


def taken_into(voucher: Voucher, export: int) -> Voucher:
    """The voucher as part of export number `export`."""
    state = VoucherState.EXPORTED if voucher.state is VoucherState.ISSUED else voucher.state
    return replace(voucher, export=export, state=state)


def acknowledged(voucher: Voucher, now: datetime) -> Voucher:
    """The voucher, known to the client."""
    known = voucher.state in {VoucherState.ISSUED, VoucherState.EXPORTED}
    state = VoucherState.ACKNOWLEDGED if known else voucher.state
    return replace(voucher, state=state, acknowledged_at=now)


def expiry_due_before(now: datetime) -> datetime:
    """Vouchers that ended at or before this are noted as expired at `now`."""
    return now - REPORTING_GRACE
