"""The campaign files in force, read through a memory of a few seconds.

Every call needs its campaign. A new version of the file therefore takes effect within
`REMEMBERED_FOR`; an unknown name is never remembered, so a campaign just put is there at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.services.ports import Clock, Repository

REMEMBERED_FOR = timedelta(seconds=5)


class RememberedCampaigns:
    """`ports.Campaigns` over the repository."""

    def __init__(self, repository: Repository, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock
        self._read: dict[str, tuple[datetime, Campaign]] = {}

    def get(self, campaign: str) -> Campaign | None:
        """The campaign in force, or None."""
        now = self._clock()
        read_at, document = self._read.get(campaign, (None, None))
        if read_at and now - read_at < REMEMBERED_FOR:
            return document
        found = self._repository.get(CurrentCampaign, campaign=campaign)
        if found is None:
            return None
        self._read[campaign] = (now, found.document)
        return found.document
