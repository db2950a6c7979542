"""The campaign file as stored: every version ever put in force, and the current one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.campaign.file import Campaign
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
    until `rekey` has made sure of that.
    """

    rekeyed_for: tuple[str, ...] = ()
