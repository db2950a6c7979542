"""Facts about what is stopped because of bounces and complaints."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.facts import FactBody, FactName


@dataclass(frozen=True, kw_only=True)
class LinkStopped(FactBody, name=FactName.LINK_STOPPED):
    """A sponsor's shared link takes nobody in any more: so many of its mails had `problems`."""

    sponsor_id: str
    problems: int


@dataclass(frozen=True, kw_only=True)
class InvitationsStopped(FactBody, name=FactName.INVITATIONS_STOPPED):
    """No invitation of the campaign is sent until ops resume them."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class InvitationsResumed(FactBody, name=FactName.INVITATIONS_RESUMED):
    """Ops resumed the campaign's invitations; those that were held are queued again."""

    by: str
