"""The campaign files in force, cached for a few seconds, because every call needs its campaign.

A new version of a file takes effect within `CACHED_FOR`; an unknown name is not cached, so a new
campaign can be used at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
        document = self._cached(campaign, now)
        if document:
            return document
        found = self._repository.get(CurrentCampaign, campaign=campaign)
        return self._keep(found, now) if found else None

    def get_many(self, campaigns: Collection[str]) -> Mapping[str, Campaign]:
        """Those of them that there are, by their names."""
        now = self._clock()
        known = {name: document for name in campaigns if (document := self._cached(name, now))}
        missing = [{"campaign": name} for name in campaigns if name not in known]
        read = self._repository.get_many(CurrentCampaign, missing) if missing else []
        return known | {found.document.id: self._keep(found, now) for found in read}

    def _cached(self, campaign: str, now: datetime) -> Campaign | None:
        read_at, document = self._cache.get(campaign, (None, None))
        return document if read_at and now - read_at < CACHED_FOR else None

    def _keep(self, found: CurrentCampaign, now: datetime) -> Campaign:
        self._cache[found.campaign] = (now, found.document)
        return found.document
