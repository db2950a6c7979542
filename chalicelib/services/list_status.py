"""The status of a campaign's lists, for the dashboard and for `reconcile`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.lists import ListLimits, ListName
from chalicelib.domain.lists.model import CurrentList, ListVersion
from chalicelib.domain.lists.rules import is_fresh
from chalicelib.services.ports import CommandPorts


@dataclass(frozen=True)
class ListStatus:
    """The status of a list; version 0: there is none."""

    version: int
    rows: int
    accepted_at: datetime | None
    in_force: bool
    max_age_days: int


def list_statuses(ports: CommandPorts, campaign: Campaign) -> dict[str, ListStatus]:
    """The current status of the campaign's lists, by name."""
    return {
        name.value: _status(ports, campaign, name, limits)
        for name, limits in campaign.lists.items()
    }


def _status(
    ports: CommandPorts, campaign: Campaign, name: ListName, limits: ListLimits
) -> ListStatus:
    pointer = ports.repository.get(CurrentList, campaign=campaign.id, name=name.value)
    if pointer is None:
        return ListStatus(
            version=0, rows=0, accepted_at=None, in_force=False, max_age_days=limits.max_age_days
        )
    fresh = is_fresh(pointer, ports.clock(), limits.max_age)
    return ListStatus(
        version=pointer.version,
        rows=pointer.rows,
        accepted_at=pointer.accepted_at,
        in_force=fresh,
        max_age_days=limits.max_age_days,
    )


def rows_before(
    ports: CommandPorts, campaign: Campaign, name: str, status: ListStatus
) -> int | None:
    """The rows of the version before the current one, where that is still there."""
    before = ports.repository.get(
        ListVersion, campaign=campaign.id, name=name, version=status.version - 1
    )
    return before.rows if before else None
