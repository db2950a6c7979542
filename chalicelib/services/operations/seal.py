"""Sealing the journal: what projectors have counted becomes chained files in `out/` (law 10).

    parts, oldest first ──► group fixed ──► for each campaign: file, head ──► parts removed, group
    in the table            in the table                                     empty

Everything after the group follows from it: a run that is killed, or two at once, write the same
files under the same names. A campaign's head is moved on condition that it is as it was read, and
holds the group's number, so no campaign gets a group twice. The parts of a group are removed when
every campaign has it.

A bundle that is missing or altered, and a part that cannot be read, are left out of every group:
they are named, and `reconcile` finds them when they get old.

A campaign that fails holds up no other: before the group is closed, its lines are recorded as a
part of their own, with the group's number. Until all of these are sealed, in the order of their
groups, later groups leave the campaign's lines too, so its chain has them in order, each once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, islice

from chalicelib.domain.feed import last_acts, newest, packed, unpacked
from chalicelib.domain.journal import (
    GENESIS,
    AlteredBundleError,
    JournalGroup,
    JournalHead,
    JournalPart,
    bundle_path,
    chained,
    fact_of,
    file_path,
    left_by,
    lines_of,
)
from chalicelib.services.journal import PARTS_AT_ONCE, bundles, left, recorded
from chalicelib.services.ports import (
    TRANSACTION_LIMIT,
    ConflictError,
    Failure,
    Insert,
    Ports,
    Remove,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict

# Within the function's 15 minutes; a group takes seconds.
RUN_FOR = timedelta(minutes=10)
# Removed one by one, in two seconds: a transaction is faster, and costs twice.
FEW_PARTS = 250

Lines = dict[str, list[str]]


@dataclass
class Sealed:
    """What a run did: parts and lines sealed, the bundles left out, errors by the parts that could
    not be read, and by campaign.
    """

    parts: int = 0
    lines: int = 0
    altered: set[str] = field(default_factory=set)
    unreadable: dict[str, Exception] = field(default_factory=dict)
    failed: dict[str, Exception] = field(default_factory=dict)

    def note_part(self, failure: Failure) -> None:
        """Name a part that cannot be read."""
        self.unreadable[failure.name] = failure.error

    def note_left(self, failure: Failure) -> None:
        """Name what a group has left and cannot be read: its campaign cannot go on."""
        self.failed[failure.name] = failure.error


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
    # After the group is known: all that the ones before it have left is there by now.
    _seal_left(ports, sealed)
    if not group.parts:
        return False
    for campaign, own in lines.items():
        _seal_lines(ports, sealed, group.number, group.opened_at, campaign, own)
        if campaign in sealed.failed:
            _leave(ports, *left_by(group, campaign, own))
    _remove(ports, group.parts)
    ports.repository.commit(Replace(replace(group, parts=())))
    sealed.parts += len(group.parts)
    return True


def _seal_left(ports: Ports, sealed: Sealed) -> None:
    """Seal what groups before have left, so far as the campaigns can go on now."""
    for part in left(ports, sealed.note_left):
        try:
            content = bundles(ports, [part])[part.digest]
            lines = _by_campaign([lines_of(part, content)])
        except AlteredBundleError as error:
            sealed.failed.setdefault(part.campaign or part.digest, error)
            continue
        for campaign, own in lines.items():  # of one: `left_by`
            _seal_lines(ports, sealed, part.group, part.recorded_at, campaign, own)
        if sealed.failed.keys().isdisjoint(lines):
            ports.repository.commit(Remove(part))


def _seal_lines(
    ports: Ports,
    sealed: Sealed,
    group: int,
    opened_at: datetime,
    campaign: str,
    lines: Sequence[str],
) -> None:
    """Seal a campaign's lines of a group, unless it has failed at these or at earlier ones."""
    if campaign in sealed.failed:
        return
    try:
        sealed.lines += _chain_on(ports, group, opened_at, campaign, lines)
    except ConflictError:
        raise
    except Exception as error:
        sealed.failed[campaign] = error


def _leave(ports: Ports, content: bytes, part: JournalPart) -> None:
    ports.files.write(bundle_path(part.digest), content, content_type="application/x-ndjson")
    with suppress(ConflictError):  # a run before this one may have been killed here
        ports.repository.commit(Insert(part))


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
            # What is shown of them is in the heads soon: an item has room for so many parts.
            group = replace(group, parts=tuple(replace(part, acts=()) for part in lines))
            ports.repository.commit(Replace(group) if revision else Insert(group))
            return replace(group, revision=revision + 1), _by_campaign(lines.values())
    return group, {}


def _waiting(ports: Ports, sealed: Sealed) -> list[JournalPart]:
    parts = recorded(ports, sealed.note_part)
    return list(islice((one for one in parts if one.digest not in sealed.altered), PARTS_AT_ONCE))


def _by_campaign(parts: Iterable[Sequence[str]]) -> Lines:
    lines: Lines = {}
    for line in chain.from_iterable(parts):
        lines.setdefault(json.loads(line)["campaign"], []).append(line)
    return lines


def _chain_on(
    ports: Ports, group: int, opened_at: datetime, campaign: str, lines: Sequence[str]
) -> int:
    """Write the campaign's file of a group and move its head, unless it has the group already;
    returns how many lines were sealed.
    """
    stored = ports.repository.get(JournalHead, campaign=campaign)
    head = stored or JournalHead(campaign=campaign, number=0, hash=GENESIS)
    if head.group >= group:
        return 0
    content, last = chained(head.hash, lines)
    day = opened_at.astimezone(UTC).date().isoformat()
    path = file_path(campaign, day, head.number + 1, last)
    written = ports.files.write_once(path, content, content_type="application/x-ndjson")
    if not written and b"".join(ports.files.read(path)) != content:
        raise AlteredBundleError(path)
    acts = packed(newest([*last_acts(map(fact_of, lines)), *unpacked(head.acts)]))
    moved = replace(head, number=head.number + 1, hash=last, group=group, acts=acts)
    ports.repository.commit(Replace(moved) if stored else Insert(moved))
    return len(lines)


def _remove(ports: Ports, parts: Sequence[JournalPart]) -> None:
    """Remove the parts that are still there: a run before this one may have been killed here."""
    keys: list[dict[str, str | int]] = [
        {"shard": part.shard, "position": part.position} for part in parts
    ]
    there = ports.repository.get_many(JournalPart, keys)
    at_once = 1 if len(there) <= FEW_PARTS else TRANSACTION_LIMIT
    for start in range(0, len(there), at_once):
        ports.repository.commit(*map(Remove, there[start : start + at_once]))
