"""Ops restore an earlier version of a list.

This makes a new version with the content of the earlier one, so that a version number means one
content permanently; drops from before that moment no longer apply. The fact names who
decided (`by`, an AWS principal, never a name or an address).
"""

from __future__ import annotations

from chalicelib.domain.campaign.lists import ListName
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.fact_bodies import ListRolledBack
from chalicelib.domain.lists.drops import drop_position
from chalicelib.domain.lists.ends import may_be_restored
from chalicelib.domain.lists.model import CurrentList, FullList, ListDrops, ListVersion
from chalicelib.domain.lists.plan import ROLLBACK
from chalicelib.domain.lists.rules import is_fresh
from chalicelib.services.errors import RefusedError, UnknownError
from chalicelib.services.facts import list_fact
from chalicelib.services.lists.versions import count_drop, version_of
from chalicelib.services.ports import CommandPorts, Insert, Replace
from chalicelib.services.retry import retry_on_conflict


@retry_on_conflict
def roll_back_list(
    ports: CommandPorts, campaign: str, name: ListName, version: int, *, by: str
) -> CurrentList:
    """Make the content of an earlier version the current list, as a new version.

    `UnknownError` when there is no such campaign, list or version; `RefusedError` when the version
    is the current one already, or too old for the campaign.
    """
    key: dict[str, str | int] = {"campaign": campaign, "name": name.value}
    drops = ports.repository.get(ListDrops, **key)
    rules = ports.repository.get(CurrentCampaign, campaign=campaign)
    current = ports.repository.get(CurrentList, **key)
    earlier = ports.repository.get(ListVersion, **key, version=version)
    if rules is None or current is None or earlier is None:
        raise UnknownError("version")
    if not may_be_restored(earlier, ports.clock()):
        raise UnknownError("version")
    limits = rules.document.lists[name]
    if not is_fresh(earlier, ports.clock(), limits.max_age):
        raise RefusedError("older_than_the_campaign_allows")
    if earlier.key_id not in rules.document.digests.key_ids:
        raise RefusedError("key_not_in_force")
    if earlier.segment == current.segment:
        raise RefusedError("in_force_already")
    position = drop_position(ports.clock(), "", earlier.source_sha256)
    restored = CurrentList(
        **{
            **vars(earlier),
            "revision": current.revision,
            "version": current.version + 1,
            "mode": ROLLBACK,
            "base_version": earlier.version,
            "last_position": position,
            "full": _as_full(earlier, position),
            "ends_at": None,
        }
    )
    body = ListRolledBack(
        list_name=restored.name,
        version=restored.version,
        base_version=earlier.version,
        rows=restored.rows,
        by=by,
    )
    fact = list_fact(ports, campaign, restored.name, str(restored.version), body)
    ports.repository.commit(
        Replace(restored),
        Insert(version_of(restored)),
        count_drop(drops, campaign, restored.name),
        facts=[fact],
    )
    return restored


def _as_full(earlier: ListVersion, position: str) -> FullList:
    """The earlier version as a full list, as if dropped at this moment."""
    return FullList(
        position=position,
        sha256=earlier.full.sha256,  # the base that deltas name
        key_id=earlier.key_id,
        segment=earlier.segment,
        etag=earlier.etag,
        rows=earlier.rows,
    )
