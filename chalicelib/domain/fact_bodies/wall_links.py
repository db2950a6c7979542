"""Facts about wall links; `by` is the id of the principal who made or revoked one."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.facts import FactBody, FactName


@dataclass(frozen=True, kw_only=True)
class WallLinkMade(FactBody, name=FactName.WALL_LINK_MADE):
    """Anybody with the link sees the campaign's numbers, for at most `days` days."""

    link_id: str
    by: str
    days: int


@dataclass(frozen=True, kw_only=True)
class WallLinkRevoked(FactBody, name=FactName.WALL_LINK_REVOKED):
    """The link shows nothing any more."""

    link_id: str
    by: str
