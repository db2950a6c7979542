"""The campaign files in force, cached for a few seconds, because every call needs its campaign.

A new version of a file takes effect within `CACHED_FOR`; an unknown name is not cached, so a new
campaign can be used at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.services.ports import Clock, Repository

CACHED_FOR = timedelta(seconds=5)


class CachedCampaigns:
    """`ports.Campaigns` over the repository."""

    def __init__(self, repository: Repository, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock
        self._cache: dict[str, tuple[datetime, Campaign]] = {}

    def get(self, campaign: str) -> Campaign | None:
        """The campaign in force, or None."""
        now = self._clock()
        read_at, document = self._cache.get(campaign, (None, None))
        if read_at and now - read_at < CACHED_FOR:
            return document
        found = self._repository.get(CurrentCampaign, campaign=campaign)
        if found is None:
            return None
        self._cache[campaign] = (now, found.document)
        return found.document
