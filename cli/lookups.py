"""What several commands look up, and say in the same words when it is not there."""

from __future__ import annotations

from chalicelib.domain.campaign.versions import CurrentCampaign
from cli.connection import Connection
from cli.errors import CommandError


def current_campaign(connection: Connection, name: str) -> CurrentCampaign:
    """The campaign in force. Raises CommandError."""
    current = connection.repository.get(CurrentCampaign, campaign=name)
    if current is None:
        raise CommandError(f"no campaign {name}: list them with: tandem campaign list")
    return current
