"""The campaign file as it is kept: every version ever put, and the one that decides now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.entity import Entity


@dataclass(frozen=True, kw_only=True)
class CampaignVersion(Entity):
    """One version of a campaign file, never changed once put."""

    campaign: str
    version: int
    put_at: datetime
    document: Campaign


@dataclass(frozen=True, kw_only=True)
class CurrentCampaign(CampaignVersion):
    """The version of the campaign file that decides now.

    `rekeyed_for` are the key ids under which every referral is known, in their order; empty until
    that has been looked at.
    """

    rekeyed_for: tuple[str, ...] = ()
