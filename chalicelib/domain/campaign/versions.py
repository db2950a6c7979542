"""The campaign file as stored: every version ever put in force, and the current one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from chalicelib.domain.campaign.file import Campaign, EarlierZone
from chalicelib.domain.entity import Entity


@dataclass(frozen=True, kw_only=True)
class CampaignVersion(Entity):
    """One version of a campaign file, never changed afterwards."""

    campaign: str
    version: int
    put_at: datetime
    document: Campaign


@dataclass(frozen=True, kw_only=True)
class CurrentCampaign(CampaignVersion):
    """The version of the campaign file in force.

    `rekeyed_for` are the key ids under which every referral has digests, in their order; empty
    until `rekey` has made sure of that. `ends_followed` is the version whose last day everything
    follows that ends with the campaign, or closes with it; `ends_after` is how far the work for
    this version is (`move_ends`), `ends_left` how many items it had to leave. `records_ended_at` is
    when all that the table had of it was removed, `records_after` how far that is (`end_records`).
    """

    rekeyed_for: tuple[str, ...] = ()
    ends_followed: int = 0
    ends_after: str | None = None
    ends_left: int = 0
    records_after: str | None = None
    records_ended_at: datetime | None = None


# Longer than the clocks of two functions differ, and than a function caches a campaign: a fact that
# was counted before a version was put is never judged by its time zone.
ZONE_HOLDS_AFTER = timedelta(minutes=15)


def next_version(
    campaign: Campaign,
    before: CurrentCampaign | None,
    versions: Sequence[CampaignVersion],
    now: datetime,
) -> CurrentCampaign:
    """The campaign with `campaign` in force, as the version after `before`; `versions` are all so
    far, in their order.
    """
    version = before.version + 1 if before else 1
    zones = _earlier_zones(versions, campaign, now)
    document = campaign.model_copy(update={"version": version, "earlier_zones": zones})
    if before is None:
        return CurrentCampaign(
            campaign=campaign.id,
            version=version,
            put_at=now,
            document=document,
            ends_followed=version,
        )
    is_same_end = before.document.ends == campaign.ends
    follows_at_once = is_same_end and before.ends_followed == before.version
    return replace(
        before,
        version=version,
        put_at=now,
        document=document,
        ends_followed=version if follows_at_once else before.ends_followed,
        ends_after=before.ends_after if is_same_end else None,
        ends_left=before.ends_left if is_same_end else 0,
    )


def _earlier_zones(
    versions: Sequence[CampaignVersion], campaign: Campaign, now: datetime
) -> tuple[EarlierZone, ...]:
    """The time zones before that of `campaign`, put at `now`; none where it never changed."""
    zones = [(one.document.time_zone, one.put_at) for one in versions]
    changes = pairwise([*zones, (campaign.time_zone, now)])
    return tuple(
        EarlierZone(time_zone=zone, until=put_at + ZONE_HOLDS_AFTER)
        for (zone, _), (following, put_at) in changes
        if zone != following
    )
