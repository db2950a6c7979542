"""What ops decide about a list: let a held one through, turn it down, or go back to an earlier one.

A held list is decided on here and taken in by the ingest function, as if it were dropped once more:
the fact goes to its queue. Going back makes a new version with the content of the old one, so that
a version's number names one content for ever; whatever was dropped before that moment has no say
any more. Each fact names who decided (`by`, an AWS principal, never a name or an address).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.campaign.lists import ListLimits
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.facts import FactName
from chalicelib.domain.lists import rules as lists
from chalicelib.domain.lists.model import CurrentList, FullList, HeldList, ListDrops, ListVersion
from chalicelib.services.errors import RefusedError, UnknownError
from chalicelib.services.lists.versions import (
    APPROVED,
    REJECTED,
    ROLLBACK,
    list_fact,
    one_more,
    version_of,
)
from chalicelib.services.ports import CommandPorts, Insert, Replace
from chalicelib.services.retry import retry_on_conflict


def held_lists(ports: CommandPorts, campaign: str, name: str) -> list[HeldList]:
    """The lists that were held, oldest first; those turned down among them."""
    held = ports.repository.within(HeldList, campaign=campaign, name=name)
    return sorted(held, key=lambda one: one.held_at)


@retry_on_conflict
def approve_held_list(ports: CommandPorts, held: HeldList, *, by: str) -> HeldList:
    """Let a held list through. `UnknownError` when it is held no more."""
    return _decide(ports, held, APPROVED, FactName.LIST_APPROVED, by)


@retry_on_conflict
def reject_held_list(ports: CommandPorts, held: HeldList, *, by: str) -> HeldList:
    """Turn a held list down. `UnknownError` when it is held no more."""
    return _decide(ports, held, REJECTED, FactName.LIST_REJECTED, by)


@retry_on_conflict
def roll_back_list(
    ports: CommandPorts, campaign: str, name: str, version: int, *, by: str
) -> CurrentList:
    """Put the content of an earlier version in force, as a new version.

    `UnknownError` when there is no such campaign, list or version; `RefusedError` when the version
    is in force already, or too old for the campaign.
    """
    key: dict[str, str | int] = {"campaign": campaign, "name": name}
    drops = ports.repository.get(ListDrops, **key)
    rules = ports.repository.get(CurrentCampaign, campaign=campaign)
    in_force = ports.repository.get(CurrentList, **key)
    earlier = ports.repository.get(ListVersion, **key, version=version)
    if rules is None or in_force is None or earlier is None:
        raise UnknownError("version")
    limits: ListLimits = getattr(rules.document.lists, name)
    if ports.clock() - earlier.accepted_at > timedelta(days=limits.max_age_days):
        raise RefusedError("older_than_the_campaign_allows")
    if earlier.key_id not in rules.document.digests.key_ids:
        raise RefusedError("key_not_in_force")
    if earlier.segment == in_force.segment:
        raise RefusedError("in_force_already")
    order = lists.drop_position(ports.clock(), "", earlier.source_sha256)
    restored = CurrentList(
        **{
            **vars(earlier),
            "revision": in_force.revision,
            "version": in_force.version + 1,
            "mode": ROLLBACK,
            "base_version": earlier.version,
            "last_position": order,
            "full": _whole(earlier, order),
        }
    )
    fact = list_fact(
        ports, FactName.LIST_ROLLED_BACK, campaign, name, str(restored.version),
        version=restored.version, base_version=earlier.version, rows=restored.rows, by=by,
    )  # fmt: skip
    ports.repository.commit(
        Replace(restored),
        Insert(version_of(restored)),
        one_more(drops, campaign, name),
        facts=[fact],
    )
    return restored


def _whole(earlier: ListVersion, order: str) -> FullList:
    """The earlier version as a full list of its own, dropped at this moment."""
    return FullList(
        order=order,
        sha256=earlier.full.sha256,  # what deltas name as their base
        key_id=earlier.key_id,
        segment=earlier.segment,
        etag=earlier.etag,
        rows=earlier.rows,
    )


def _decide(
    ports: CommandPorts, named: HeldList, decision: str, fact_name: FactName, by: str
) -> HeldList:
    held = ports.repository.get(
        HeldList,
        campaign=named.campaign,
        name=named.name,
        mode=named.mode,
        sha256=named.sha256,
    )
    if held is None:
        raise UnknownError("held list")
    decided = replace(held, decision=decision, decided_by=by, decided_at=ports.clock())
    fact = list_fact(
        ports, fact_name, held.campaign, held.name, held.sha256[:12],
        mode=held.mode, sha256=held.sha256, reason=held.reason, by=by,
    )  # fmt: skip
    ports.repository.commit(Replace(decided), facts=[fact])
    return decided
