"""Vouchers: their value, their states, and whether one is accepted on an order.

    issued ──► exported ──► acknowledged ──► redeemed     a rollback undoes `redeemed`
       └──────────┴──────────────┴────────► expired | revoked

A voucher may be redeemed before the client's acknowledgement is processed: the client already knows
the code. It ends with a local day (law 11); an order placed before the end but reported later still
counts, so a voucher becomes `expired` only `REPORTING_GRACE` after its end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from chalicelib.domain.benefits import Benefit, MoneyOff
from chalicelib.domain.campaign.file import Campaign, is_past
from chalicelib.domain.campaign.rules import HolderRole, Release, Rule
from chalicelib.domain.entity import Entity, require, require_move, stored_as
from chalicelib.domain.files.orders import OrderRow
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral


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

    `code` is what people and tills see; `code_key` is what it is found by, without prefix, spaces
    or hyphens. `export` is the number of the one export it is in (law 5), `redeemed_by` the order
    that used it (law 6).
    """

    code_key: Annotated[str, stored_as("code")]
    voucher_id: str
    code: Annotated[str, stored_as("printed")]
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
    revoked_at: Annotated[datetime | None, stored_as("withdrawn_at")] = None
    ended_at: datetime | None = None
    changed_at: datetime | None = None
    changes: int = 0

    @property
    def benefit(self) -> Benefit:
        """What it is worth."""
        return MoneyOff(self.value_minor, self.currency)


class VoucherProblem(StrEnum):
    """Why a voucher is not accepted. The values are published."""

    REVOKED = "revoked"
    EXHAUSTED = "exhausted"
    REFUSED_BY_CLIENT = "refused_by_client"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_CURRENCY = "wrong_currency"
    BELOW_MINIMUM_BASKET = "below_minimum_basket"
    ROLLED_BACK = "rolled_back"
    NOT_REDEEMED = "not_redeemed"


@dataclass(frozen=True, kw_only=True)
class Redemption(Entity):
    """The recorded use of a voucher on an order, and its rollback."""

    code_key: Annotated[str, stored_as("code")]
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
    code_key: Annotated[str, stored_as("code")]
    code: Annotated[str, stored_as("printed")]


REPORTING_GRACE = timedelta(days=3)

_LIVE = frozenset({VoucherState.ISSUED, VoucherState.EXPORTED, VoucherState.ACKNOWLEDGED})


_ENDS = {VoucherState.REDEEMED, VoucherState.EXPIRED, VoucherState.REVOKED}
_MOVES = {
    VoucherState.ISSUED: {VoucherState.EXPORTED, *_ENDS},
    VoucherState.EXPORTED: {VoucherState.ACKNOWLEDGED, *_ENDS},
    VoucherState.ACKNOWLEDGED: _ENDS,
    VoucherState.REDEEMED: {*_LIVE, VoucherState.REVOKED},  # a rollback
}


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """The order a voucher is to be used on. `amount_minor` in minor units of `currency`."""

    order_id: str
    ordered_at: datetime
    amount_minor: int
    currency: str


def new_voucher(
    campaign: Campaign,
    rule: Rule,
    referral: Referral,
    sponsor: Sponsor,
    *,
    rung: int,
    voucher_id: str,
    code_key: str,
    code: str,
    now: datetime,
) -> Voucher:
    """The voucher that `rule` issues to its holder for a rung of `referral`."""
    template = campaign.templates[rule.issue]
    to_sponsor = rule.to is HolderRole.SPONSOR
    return Voucher(
        code_key=code_key,
        voucher_id=voucher_id,
        code=code,
        campaign=campaign.id,
        campaign_version=campaign.version,
        template=rule.issue,
        holder=rule.to,
        holder_id=sponsor.sponsor_id if to_sponsor else referral.referral_id,
        holder_digest=referral.sponsor_digest if to_sponsor else referral.referee_digest,
        contact_id=sponsor.contact_id if to_sponsor else referral.contact_id,
        referral_id=referral.referral_id,
        rule=rule.id,
        rung=rung,
        value_minor=template.value_minor,
        currency=campaign.currency,
        minimum_basket_minor=template.minimum_basket_minor,
        valid_from=now,
        valid_until=valid_until(campaign, now, template.valid_days),
        issued_at=now,
        state=VoucherState.ISSUED,
        release=campaign.release,
        correlation=referral.correlation,
    )


def valid_until(campaign: Campaign, issued_at: datetime, valid_days: int) -> datetime:
    """The last second, in UTC, of the local day `valid_days` after the day of issue (law 11)."""
    return campaign.end_of_day(campaign.local_date(issued_at) + timedelta(days=valid_days))


def is_live(voucher: Voucher) -> bool:
    """True while it is neither redeemed, expired nor revoked."""
    return voucher.state in _LIVE


def problem_at(voucher: Voucher, at: datetime) -> VoucherProblem | None:
    """Why the voucher would not be accepted at `at`, None when it would (laws 6 and 11)."""
    if voucher.state is VoucherState.REVOKED:
        return VoucherProblem.REVOKED
    if voucher.state is VoucherState.REDEEMED:
        return VoucherProblem.EXHAUSTED
    if voucher.refused_reason is not None:
        return VoucherProblem.REFUSED_BY_CLIENT
    if voucher.state is VoucherState.EXPIRED or is_past(voucher.valid_until, at):
        return VoucherProblem.EXPIRED
    return VoucherProblem.NOT_YET_VALID if at < voucher.valid_from else None


def problem_with(voucher: Voucher, purchase: Purchase) -> VoucherProblem | None:
    """Why the voucher is not accepted on `purchase`, None when it is."""
    if problem := problem_at(voucher, purchase.ordered_at):
        return problem
    if purchase.currency != voucher.currency:
        return VoucherProblem.WRONG_CURRENCY
    if purchase.amount_minor < voucher.minimum_basket_minor:
        return VoucherProblem.BELOW_MINIMUM_BASKET
    return None


def purchase_of(row: OrderRow) -> Purchase:
    """The purchase that a reported order is."""
    return Purchase(
        order_id=row.order_id,
        ordered_at=row.ordered_at,
        amount_minor=row.amount_minor,
        currency=row.currency,
    )


@dataclass(frozen=True)
class RedemptionPlan:
    """A redemption about to be committed, or an existing one (`is_new` false)."""

    voucher: Voucher
    redemption: Redemption
    is_new: bool


def plan_redemption(
    voucher: Voucher, earlier: Redemption | None, purchase: Purchase, now: datetime
) -> RedemptionPlan | VoucherProblem:
    """The result of using the voucher on `purchase`; `earlier` is its redemption on that order.

    A repeat for the same order gets the same answer. An order whose redemption was rolled back
    cannot redeem again: otherwise a late duplicate would undo the rollback.
    """
    if earlier:
        if earlier.rolled_back_at:
            return VoucherProblem.ROLLED_BACK
        return RedemptionPlan(voucher, earlier, is_new=False)
    if problem := problem_with(voucher, purchase):
        return problem
    redemption = Redemption(
        code_key=voucher.code_key,
        order_id=purchase.order_id,
        ordered_at=purchase.ordered_at,
        amount_minor=purchase.amount_minor,
        currency=purchase.currency,
        redeemed_at=now,
    )
    return RedemptionPlan(redeemed(voucher, purchase), redemption, is_new=True)


def redeemed(voucher: Voucher, purchase: Purchase) -> Voucher:
    """The voucher, used on `purchase`."""
    return _moved(voucher, VoucherState.REDEEMED, redeemed_by=purchase.order_id)


def rolled_back(voucher: Voucher) -> Voucher:
    """The voucher in the state it would have without the redemption."""
    is_redeemed = voucher.state is VoucherState.REDEEMED
    require(is_redeemed, f"a rollback of a voucher that is {voucher.state.value}")
    # On the expiry agenda again, even if its end has passed meanwhile; ended if it was revoked.
    return _moved(voucher, _state_unused(voucher), redeemed_by=None, ended_at=voucher.revoked_at)


def rolled_back_redemption(redemption: Redemption, now: datetime) -> Redemption:
    """The redemption, reversed."""
    require(redemption.rolled_back_at is None, "rolling a redemption back twice")
    return replace(redemption, rolled_back_at=now)


def _state_unused(voucher: Voucher) -> VoucherState:
    if voucher.revoked_at:
        return VoucherState.REVOKED
    if voucher.acknowledged_at:
        return VoucherState.ACKNOWLEDGED
    return VoucherState.ISSUED if voucher.export is None else VoucherState.EXPORTED


def revoked(voucher: Voucher, now: datetime) -> Voucher:
    """The voucher, revoked; a redeemed one will be, if its redemption is rolled back."""
    if voucher.state is VoucherState.REDEEMED:
        return replace(voucher, revoked_at=now)
    return _moved(voucher, VoucherState.REVOKED, revoked_at=now, ended_at=now)


def exported(voucher: Voucher, export: int) -> Voucher:
    """The voucher as part of export number `export`. `IllegalMoveError` if it is in one (law 5)."""
    require(voucher.export is None, "exporting a voucher twice")
    numbered = replace(voucher, export=export)
    # A voucher redeemed, revoked or expired before its export is exported too.
    is_issued = voucher.state is VoucherState.ISSUED
    return _moved(numbered, VoucherState.EXPORTED) if is_issued else numbered


def acknowledged(voucher: Voucher, now: datetime) -> Voucher:
    """The voucher, known to the client."""
    require(voucher.export is not None, "acknowledging a voucher that was not exported")
    known = replace(voucher, acknowledged_at=now)
    is_pending = voucher.state is VoucherState.EXPORTED
    return _moved(known, VoucherState.ACKNOWLEDGED) if is_pending else known


def refused(voucher: Voucher, reason: str) -> Voucher:
    """The voucher, which the client refused."""
    require(voucher.acknowledged_at is None, "refusing a voucher that was acknowledged")
    return replace(voucher, refused_reason=reason)


def expired(voucher: Voucher, now: datetime) -> Voucher:
    """The voucher, whose last day has passed; one that is not live only gets its `ended_at`."""
    ended = replace(voucher, ended_at=now)
    return _moved(ended, VoucherState.EXPIRED) if is_live(voucher) else ended


def _moved(voucher: Voucher, state: VoucherState, **changes: Any) -> Voucher:
    return replace(voucher, state=require_move(voucher.state, state, _MOVES), **changes)


def expiry_due_before(now: datetime) -> datetime:
    """Vouchers that ended at or before this instant are marked as expired at `now`."""
    return now - REPORTING_GRACE
