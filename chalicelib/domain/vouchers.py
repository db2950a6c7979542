"""Vouchers: their value, their states, and whether one is valid.

    issued ──► exported ──► acknowledged ──► redeemed     a rollback undoes `redeemed`
       └──────────┴──────────────┴────────► expired | revoked

A voucher may be redeemed before the client's acknowledgement is processed: the client already knows
the code. It is valid from the start of a local day to the end of another (law 11); an order placed
before the end but reported later still counts, so a voucher becomes `expired` only
`REPORTING_GRACE` after its end.

A voucher whose code the client refuses is not accepted any more and is replaced: another voucher is
issued for the same reward, and this one is revoked with that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from zlib import crc32
from zoneinfo import ZoneInfo

from chalicelib.domain.benefits import Benefit, MoneyOff
from chalicelib.domain.campaign.file import Campaign, is_past
from chalicelib.domain.campaign.rules import HolderRole, Release, Rule
from chalicelib.domain.codes import canonical
from chalicelib.domain.entity import Entity, require, require_move, stored_as
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
    that used it (law 6). `holder_key_id` names the key of `holder_digest`; None in items stored
    before it was known. `refused_reason` is the client's own text; `replaced_by` and `replaces`
    are the ids of the vouchers issued for the same reward after and before this one. `not_with`
    names templates of the same campaign; `holder_digests` are the holder as the client may name
    them, and stored only with `holder_bound`.
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
    holder_bound: bool = False
    holder_digests: tuple[str, ...] = ()
    not_with: tuple[str, ...] = ()
    replaces: str | None = None
    replaced_by: str | None = None
    holder_key_id: str | None = None
    reminds_at: datetime | None = None
    """when its holder is reminded that it ends soon; None in most campaigns, and afterwards"""
    far_zone: str | None = None
    """its campaign's time zone where that is so far from UTC that an end does not say its day"""

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
    NOT_THE_HOLDER = "not_the_holder"
    NOT_WITH_OTHER_VOUCHER = "not_with_other_voucher"
    DIFFERS = "differs"
    ROLLED_BACK = "rolled_back"
    NOT_REDEEMED = "not_redeemed"


@dataclass(frozen=True, kw_only=True)
class SpareCode(Entity):
    """A code of the client's own, waiting to be issued.

    `shard` is the share of the template's codes that it is stored with, so that no partition has to
    take every grant; codes of earlier versions are in none.
    """

    campaign: str
    template: str
    code_key: Annotated[str, stored_as("code")]
    code: Annotated[str, stored_as("printed")]
    shard: str = ""


SHARDS = tuple(f"#{digit:x}" for digit in range(16))
UNSHARDED = ""

REPORTING_GRACE = timedelta(days=3)
REMINDED_AT = timedelta(hours=9)
_BEHIND = timedelta(hours=10, minutes=30)
# How far the clock of a till may be behind, at the start of a voucher's validity.
CLOCK_TOLERANCE = timedelta(minutes=10)
# So many of a holder's codes may be refused; then something else is wrong, and a person must look.
MOST_REFUSALS = 3

_LIVE = frozenset({VoucherState.ISSUED, VoucherState.EXPORTED, VoucherState.ACKNOWLEDGED})


_ENDS = {VoucherState.REDEEMED, VoucherState.EXPIRED, VoucherState.REVOKED}
_MOVES = {
    VoucherState.ISSUED: {VoucherState.EXPORTED, *_ENDS},
    VoucherState.EXPORTED: {VoucherState.ACKNOWLEDGED, *_ENDS},
    VoucherState.ACKNOWLEDGED: _ENDS,
    VoucherState.REDEEMED: {*_LIVE, VoucherState.REVOKED, VoucherState.EXPIRED},  # a rollback
}


def spare_code(campaign: str, template: str, code: str) -> SpareCode:
    """A code that the client gave, in the shard that follows from it."""
    key = canonical(code)
    shard = SHARDS[crc32(key.encode()) % len(SHARDS)]
    return SpareCode(campaign=campaign, template=template, code_key=key, code=code, shard=shard)


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
    holder = sponsor.digests if to_sponsor else referral.referee
    holder_digest = referral.sponsor_digest if to_sponsor else referral.referee_digest
    ends = valid_until(campaign, now, template.valid_days)
    return Voucher(
        code_key=code_key,
        voucher_id=voucher_id,
        code=code,
        campaign=campaign.id,
        campaign_version=campaign.version,
        template=rule.issue,
        holder=rule.to,
        holder_id=sponsor.sponsor_id if to_sponsor else referral.referral_id,
        holder_digest=holder_digest,
        holder_key_id=(sponsor.digests if to_sponsor else referral.referee).key_of(holder_digest),
        contact_id=sponsor.contact_id if to_sponsor else referral.contact_id,
        referral_id=referral.referral_id,
        rule=rule.id,
        rung=rung,
        value_minor=template.value_minor,
        currency=campaign.currency,
        minimum_basket_minor=template.minimum_basket_minor,
        valid_from=campaign.start_of_day(campaign.local_date(now)),
        valid_until=ends,
        reminds_at=reminds_at(campaign, now, ends),
        far_zone=far_zone(campaign, ends),
        issued_at=now,
        state=VoucherState.ISSUED,
        release=campaign.release,
        correlation=referral.correlation,
        holder_bound=template.holder_bound,
        holder_digests=holder.known_to_client if template.holder_bound else (),
        not_with=template.not_with,
    )


def valid_until(campaign: Campaign, issued_at: datetime, valid_days: int) -> datetime:
    """The last second, in UTC, of the local day `valid_days` after the day of issue (law 11)."""
    return campaign.end_of_day(campaign.local_date(issued_at) + timedelta(days=valid_days))


def month_of_end(voucher: Voucher) -> str:
    """The month that its last day is in (`2026-11`). Its end says it where that is between UTC-10
    and UTC+13: there a day ends between 11:00 of the day and 10:00 of the next one.
    """
    if voucher.far_zone:
        return f"{voucher.valid_until.astimezone(ZoneInfo(voucher.far_zone)):%Y-%m}"
    return f"{voucher.valid_until.astimezone(UTC) - _BEHIND:%Y-%m}"


def far_zone(campaign: Campaign, ends: datetime) -> str | None:
    """The campaign's time zone, if days of that year, in winter or in summer, have ends there that
    do not say their day; None for nearly all.
    """
    days = (date(ends.year, month, 1) for month in (1, 7))
    is_far = any((campaign.end_of_day(day) - _BEHIND).date() != day for day in days)
    return campaign.time_zone if is_far else None


def reminds_at(campaign: Campaign, issued_at: datetime, ends: datetime) -> datetime | None:
    """When the holder of a voucher that `ends` then is reminded of it: on the morning of the local
    day that is so many days before. None in a campaign that reminds nobody, or where it is so soon.
    """
    if campaign.ends_soon_days is None:
        return None
    day = campaign.local_date(ends) - timedelta(days=campaign.ends_soon_days)
    morning = campaign.start_of_day(day) + REMINDED_AT
    return morning if morning > issued_at else None


def reminded(voucher: Voucher) -> Voucher:
    """The voucher, whose holder was reminded, or will not be."""
    require(voucher.reminds_at is not None, "reminding of a voucher twice")
    return replace(voucher, reminds_at=None)


def next_due_at(voucher: Voucher) -> datetime:
    """When time next does something to a voucher, as if at its end: a reminder stands on the agenda
    of ends, which is worked on `REPORTING_GRACE` later.
    """
    return voucher.reminds_at - REPORTING_GRACE if voucher.reminds_at else voucher.valid_until


def is_live(voucher: Voucher) -> bool:
    """True while it is neither redeemed, expired nor revoked."""
    return voucher.state in _LIVE


def is_answered(voucher: Voucher) -> bool:
    """True once the client has acknowledged or refused it."""
    return voucher.acknowledged_at is not None or voucher.refused_reason is not None


def is_code_released(voucher: Voucher) -> bool:
    """True once its holder may know the code: at once, or when the client has loaded it."""
    return voucher.release is Release.AT_ONCE or voucher.acknowledged_at is not None


def problem_at(voucher: Voucher, at: datetime) -> VoucherProblem | None:
    """Why the voucher would not be accepted at `at`, None when it would (laws 6 and 11)."""
    if voucher.refused_reason is not None:
        return VoucherProblem.REFUSED_BY_CLIENT
    if voucher.state is VoucherState.REVOKED:
        return VoucherProblem.REVOKED
    if voucher.state is VoucherState.REDEEMED:
        return VoucherProblem.EXHAUSTED
    if voucher.state is VoucherState.EXPIRED or is_past(voucher.valid_until, at):
        return VoucherProblem.EXPIRED
    is_early = at < voucher.valid_from - CLOCK_TOLERANCE
    return VoucherProblem.NOT_YET_VALID if is_early else None


def exhausted_since(voucher: Voucher) -> datetime | None:
    """When it was used, as the changes say it; None while it is not, or where 0.1.0 recorded it."""
    return voucher.changed_at if voucher.state is VoucherState.REDEEMED else None


def redeemed(voucher: Voucher, order_id: str) -> Voucher:
    """The voucher, used on an order."""
    return _moved(voucher, VoucherState.REDEEMED, redeemed_by=order_id)


def rolled_back(voucher: Voucher, now: datetime) -> Voucher:
    """The voucher in the state it would have at `now` without the redemption: an ended one ends."""
    is_redeemed = voucher.state is VoucherState.REDEEMED
    require(is_redeemed, f"a rollback of a voucher that is {voucher.state.value}")
    state = _state_unused(voucher, now)
    ended_at = now if state is VoucherState.EXPIRED else voucher.revoked_at
    return _moved(voucher, state, redeemed_by=None, ended_at=ended_at)


def _state_unused(voucher: Voucher, now: datetime) -> VoucherState:
    if voucher.revoked_at:
        return VoucherState.REVOKED
    if voucher.valid_until <= expiry_due_before(now):
        return VoucherState.EXPIRED
    if voucher.acknowledged_at:
        return VoucherState.ACKNOWLEDGED
    return VoucherState.ISSUED if voucher.export is None else VoucherState.EXPORTED


def revoked(voucher: Voucher, now: datetime) -> Voucher:
    """The voucher, revoked; a redeemed one will be, if its redemption is rolled back."""
    if voucher.state is VoucherState.REDEEMED:
        return replace(voucher, revoked_at=now)
    return _moved(voucher, VoucherState.REVOKED, revoked_at=now, ended_at=now)


def reinstated(voucher: Voucher) -> Voucher:
    """The voucher, redeemed, which is not revoked by a rollback any more."""
    require(voucher.state is VoucherState.REDEEMED, "reinstating a voucher that is not redeemed")
    return replace(voucher, revoked_at=None)


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
    """The voucher, which the client refused: no till accepts it, and it waits to be replaced."""
    require(voucher.acknowledged_at is None, "refusing a voucher that was acknowledged")
    return replace(voucher, refused_reason=reason)


def state_for_client(voucher: Voucher) -> VoucherState:
    """The state that the client reads. A code that it refused is revoked for it, even while the
    holder waits for another one.
    """
    return VoucherState.REVOKED if awaits_replacement(voucher) else voucher.state


def awaits_replacement(voucher: Voucher) -> bool:
    """True while its holder has no good code because the client refused this one."""
    return voucher.refused_reason is not None and is_live(voucher)


def replaced(voucher: Voucher, by: str, now: datetime) -> Voucher:
    """The refused voucher, revoked: the voucher with the id `by` is issued in its place."""
    require(voucher.refused_reason is not None, "replacing a voucher that was not refused")
    return _moved(voucher, VoucherState.REVOKED, revoked_at=now, ended_at=now, replaced_by=by)


def replacement_of(
    voucher: Voucher, *, voucher_id: str, code_key: str, code: str, ends: datetime, now: datetime
) -> Voucher:
    """The voucher issued for the same reward, with the same value and conditions, until `ends`.

    It is accepted on any order on which the refused one would have been: `valid_from` stays.
    """
    return replace(
        voucher,
        revision=0,
        voucher_id=voucher_id,
        code_key=code_key,
        code=code,
        valid_until=ends,
        reminds_at=moved_reminder(voucher, ends, now),
        issued_at=now,
        state=VoucherState.ISSUED,
        export=None,
        refused_reason=None,
        revoked_at=None,
        ended_at=None,
        changed_at=None,
        changes=0,
        replaces=voucher.voucher_id,
        replaced_by=None,
    )


def moved_reminder(voucher: Voucher, ends: datetime, now: datetime) -> datetime | None:
    """When the holder is reminded of what replaces a voucher and `ends` then: as long before."""
    if voucher.reminds_at is None:
        return None
    moved = ends - (voucher.valid_until - voucher.reminds_at)
    return moved if moved > now else None


def expired(voucher: Voucher, now: datetime) -> Voucher:
    """The voucher, whose last day has passed; one that is not live only gets its `ended_at`."""
    ended = replace(voucher, ended_at=now)
    return _moved(ended, VoucherState.EXPIRED) if is_live(voucher) else ended


def _moved(voucher: Voucher, state: VoucherState, **changes: Any) -> Voucher:
    return replace(voucher, state=require_move(voucher.state, state, _MOVES), **changes)


def expiry_due_before(now: datetime) -> datetime:
    """Vouchers that ended at or before this instant are marked as expired at `now`."""
    return now - REPORTING_GRACE


def with_erased_holder(voucher: Voucher) -> Voucher:
    """The voucher, whose holder is forgotten: a till takes its code from whoever has it, because
    nobody can be compared with its holder any more.
    """
    return replace(voucher, holder_digest=voucher.holder_id, holder_digests=(), holder_bound=False)
