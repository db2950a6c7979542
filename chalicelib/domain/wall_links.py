"""Wall links: a screen on a wall shows the numbers of one campaign, and nobody signs in there.

A link is a token in the fragment of an address, stored as its SHA-256. It reads the dashboard of
its campaign and nothing else, until it is revoked, its days are over, or its campaign is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeGuard

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.entity import Entity
from chalicelib.domain.tokens import hashed

LASTS_DAYS: Final = 30
# Questions about a campaign come for some weeks after its end.
AFTER_CAMPAIGN: Final = timedelta(days=30)
ID_LENGTH: Final = 12


@dataclass(frozen=True, kw_only=True)
class WallLink(Entity):
    """One wall link of a campaign. `by`: the id of the principal who made it."""

    campaign: str
    token_hash: str
    made_at: datetime
    by: str
    ends_at: datetime

    @property
    def link_id(self) -> str:
        """What it is called where it is listed and revoked; nobody can read the token from it."""
        return self.token_hash[:ID_LENGTH]


def new_wall_link(text: str, campaign: Campaign, now: datetime, *, by: str, days: int) -> WallLink:
    """The stored form of a link with that token, which lasts `days`, and not beyond its campaign's
    last day by more than `AFTER_CAMPAIGN`.
    """
    return WallLink(
        campaign=campaign.id,
        token_hash=hashed(text),
        made_at=now,
        by=by,
        ends_at=min(now + timedelta(days=days), latest_end(campaign)),
    )


def latest_end(campaign: Campaign) -> datetime:
    """When the last link of a campaign ends, whatever was promised when it was made."""
    return campaign.last_second + AFTER_CAMPAIGN


def shows(link: WallLink | None, campaign: Campaign | None, now: datetime) -> TypeGuard[WallLink]:
    """Whether there is such a link, of a campaign whose last day is not long over: another version
    may have moved that day.
    """
    return link is not None and campaign is not None and now < latest_end(campaign)
