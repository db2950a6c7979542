"""Sealing the journal: what projectors have counted becomes chained files in `out/` (law 10).

    parts, oldest first ──► group fixed ──► for each campaign: file, head ──► parts removed, group
    in the table            in the table                                     empty

Everything after the group follows from it: a run that is killed, or two at once, write the same
files under the same names. A campaign's head is moved on condition that it is as it was read, and
holds the group's number, so no campaign gets a group twice. The parts of a group are removed when
every campaign has it.

A bundle that is missing or altered is left out of every group: it is named, and its parts are found
by `reconcile` when they get old. A campaign that fails holds up the next group, but not the other
campaigns of this one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import chain, islice

from chalicelib.domain.journal import (
    GENESIS,
    AlteredBundleError,
    JournalGroup,
    JournalHead,
    JournalPart,
    chained,
    file_path,
    lines_of,
)
from chalicelib.services.journal import PARTS_AT_ONCE, bundles, unsealed
from chalicelib.services.ports import (
    TRANSACTION_LIMIT,
    ConflictError,
    Insert,
    Ports,
    Remove,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict

# Within the function's 15 minutes; a group takes seconds.
RUN_FOR = timedelta(minutes=10)

Lines = dict[str, list[str]]


@dataclass
class Sealed:
    """What a run did: parts and lines sealed, the bundles left out, and errors by campaign."""

    parts: int = 0
    lines: int = 0
    altered: set[str] = field(default_factory=set)
    failed: dict[str, Exception] = field(default_factory=dict)


def seal(ports: Ports) -> Sealed:
    """Seal what is recorded, a group at a time, until nothing is left or the run's time is up."""
    sealed, until = Sealed(), ports.clock() + RUN_FOR
    while ports.clock() < until and _seal_group(ports, sealed):
        pass
    return sealed


@retry_on_conflict
def _seal_group(ports: Ports, sealed: Sealed) -> bool:
    """Seal the open group, or the next one; False when there is no more to do."""
    # Read once: that no other run has opened a group meanwhile is the condition of the next one.
    stored = ports.repository.get(JournalGroup)
    if stored and stored.parts:
        group, lines = stored, _lines_again(ports, stored)
    else:
        group, lines = _next_group(ports, stored, sealed)
    if not group.parts:
        return False
    for campaign, own in lines.items():
        try:
            _chain_on(ports, group, campaign, own)
        except ConflictError:
            raise
        except Exception as error:
            sealed.failed[campaign] = error
    if sealed.failed:
        return False
    _remove(ports, group.parts)
    ports.repository.commit(Replace(replace(group, parts=())))
    sealed.parts += len(group.parts)
    sealed.lines += sum(map(len, lines.values()))
    return True


def _lines_again(ports: Ports, group: JournalGroup) -> Lines:
    """The lines of a group that is fixed: none may be missing now. `AlteredBundleError`."""
    contents = bundles(ports, group.parts)
    return _by_campaign(lines_of(part, contents[part.digest]) for part in group.parts)


def _next_group(
    ports: Ports, before: JournalGroup | None, sealed: Sealed
) -> tuple[JournalGroup, Lines]:
    """Fix the next group: the oldest parts whose lines are there. Without parts: none is left."""
    number, revision = (before.number, before.revision) if before else (0, 0)
    group = JournalGroup(number=number + 1, opened_at=ports.clock(), parts=(), revision=revision)
    while waiting := _waiting(ports, sealed):
        contents, lines = bundles(ports, waiting), {}
        for part in waiting:
            try:
                lines[part] = lines_of(part, contents[part.digest])
            except AlteredBundleError:
                sealed.altered.add(part.digest)
        if lines:
            group = replace(group, parts=tuple(lines))
            ports.repository.commit(Replace(group) if revision else Insert(group))
            return replace(group, revision=revision + 1), _by_campaign(lines.values())
    return group, {}


def _waiting(ports: Ports, sealed: Sealed) -> list[JournalPart]:
    left = (part for part in unsealed(ports) if part.digest not in sealed.altered)
    return list(islice(left, PARTS_AT_ONCE))


def _by_campaign(parts: Iterable[Sequence[str]]) -> Lines:
    lines: Lines = {}
    for line in chain.from_iterable(parts):
        lines.setdefault(json.loads(line)["campaign"], []).append(line)
    return lines


def _chain_on(ports: Ports, group: JournalGroup, campaign: str, lines: Sequence[str]) -> None:
    """Write the campaign's file of a group and move its head, unless it has the group already."""
    stored = ports.repository.get(JournalHead, campaign=campaign)
    head = stored or JournalHead(campaign=campaign, number=0, hash=GENESIS)
    if head.group >= group.number:
        return
    content, last = chained(head.hash, lines)
    day = group.opened_at.date().isoformat()
    path = file_path(campaign, day, head.number + 1, last)
    written = ports.files.write_once(path, content, content_type="application/x-ndjson")
    if not written and b"".join(ports.files.read(path)) != content:
        raise AlteredBundleError(path)
    moved = replace(head, number=head.number + 1, hash=last, group=group.number)
    ports.repository.commit(Replace(moved) if stored else Insert(moved))


def _remove(ports: Ports, parts: Sequence[JournalPart]) -> None:
    """Remove the parts that are still there: a run before this one may have been killed here."""
    keys: list[dict[str, str | int]] = [
        {"shard": part.shard, "position": part.position} for part in parts
    ]
    there = ports.repository.get_many(JournalPart, keys)
    for start in range(0, len(there), TRANSACTION_LIMIT):
        ports.repository.commit(*map(Remove, there[start : start + TRANSACTION_LIMIT]))
