"""Ops approve or reject a held list.

The decision is recorded here; the ingest function then processes the list as if it were dropped
again: the fact goes to its queue. Each fact names who decided (`by`, an AWS principal, never a name
or an address).
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.fact_bodies import ListApproved, ListRejected
from chalicelib.domain.lists.model import APPROVED, REJECTED, HeldList
from chalicelib.services.errors import UnknownError
from chalicelib.services.facts import list_fact
from chalicelib.services.ports import CommandPorts, Replace
from chalicelib.services.retry import retry_on_conflict


def held_lists(ports: CommandPorts, campaign: str, name: str) -> list[HeldList]:
    """The held lists, oldest first, including those already decided on."""
    held = ports.repository.within(HeldList, campaign=campaign, name=name)
    return sorted(held, key=lambda each: each.held_at)


@retry_on_conflict
def approve_held_list(ports: CommandPorts, held: HeldList, *, by: str) -> HeldList:
    """Approve a held list. `UnknownError` when it is no longer held."""
    return _decide(ports, held, APPROVED, ListApproved, by)


@retry_on_conflict
def reject_held_list(ports: CommandPorts, held: HeldList, *, by: str) -> HeldList:
    """Reject a held list. `UnknownError` when it is no longer held."""
    return _decide(ports, held, REJECTED, ListRejected, by)


def _decide(
    ports: CommandPorts,
    named: HeldList,
    decision: str,
    kind: type[ListApproved | ListRejected],
    by: str,
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
    body = kind(list_name=held.name, mode=held.mode, reason=held.reason, sha256=held.sha256, by=by)
    fact = list_fact(ports, held.campaign, held.name, held.sha256[:12], body)
    ports.repository.commit(Replace(decided), facts=[fact])
    return decided
