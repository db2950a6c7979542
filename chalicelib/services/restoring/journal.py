"""The journal after a restore: what is in its files is not sealed again, and its head is the last.

A part whose lines are in a file is removed, and one with only some of them there is recorded again
with the others. Then the head of each campaign moves to its last file, so the next one follows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from chalicelib.domain.feed import last_acts, newest, packed, packed_by_campaign, unpacked
from chalicelib.domain.journal import (
    GENESIS,
    JournalGroup,
    JournalHead,
    JournalPart,
    bundle,
    bundle_path,
    fact_of,
    file_name,
    folder,
    lines_of,
    part_of_bundle,
    verified,
)
from chalicelib.services.journal import bundles, unsealed
from chalicelib.services.ports import Insert, Ports, Remove, Replace
from chalicelib.services.restoring.outside import Outside


def settle_parts(ports: Ports, outside: Iterable[Outside]) -> None:
    """Leave of the recorded parts what is in no file. `AlteredBundleError`."""
    every = list(outside)
    in_files = {fact.fact_id for one in every for file in one.sealed for fact in file.facts}
    group = ports.repository.get(JournalGroup)
    if group and group.parts:
        # Its first files may have been written before the moment.
        in_files |= {fact_id for one in every for fact_id in _in_the_head(ports, one)}
    parts = list(unsealed(ports))
    contents = bundles(ports, parts)
    # A group that is open may have left lines that its parts still have.
    left = (part for part in parts if part.campaign)
    lines = (line for part in left for line in lines_of(part, contents[part.digest]))
    elsewhere = in_files | {fact_of(line).fact_id for line in lines}
    for part in parts:
        _settle(ports, part, contents, in_files if part.campaign else elsewhere)
    if group:
        ports.repository.commit(Replace(replace(group, parts=())))


def _in_the_head(ports: Ports, one: Outside) -> Iterator[str]:
    """The facts in the file of the head, which may be of the group that is open."""
    head = ports.repository.get(JournalHead, campaign=one.campaign)
    if head is None:
        return
    name = file_name(head.number, head.hash)
    for path in ports.files.paths(folder(one.campaign)):
        if path.endswith(name):
            facts, _ = verified(b"".join(ports.files.read(path)), head.hash)
            yield from (fact.fact_id for fact in facts)


def _settle(
    ports: Ports, part: JournalPart, contents: Mapping[str, bytes | None], in_files: set[str]
) -> None:
    facts = [fact_of(line) for line in lines_of(part, contents[part.digest])]
    left = [fact for fact in facts if fact.fact_id not in in_files]
    if len(left) == len(facts):
        return
    if not left:
        ports.repository.commit(Remove(part))
        return
    content, digest = bundle(left)
    ports.files.write(bundle_path(digest), content, content_type="application/x-ndjson")
    again = part_of_bundle(digest, 0, len(left), part.recorded_at, packed_by_campaign(left))
    ports.repository.commit(Remove(part), Insert(again))


def move_head(ports: Ports, outside: Outside) -> None:
    """The campaign's next file follows its last one."""
    if not outside.sealed:
        return
    last = outside.sealed[-1]
    stored = ports.repository.get(JournalHead, campaign=outside.campaign)
    head = stored or JournalHead(campaign=outside.campaign, number=0, hash=GENESIS)
    facts = (fact for file in outside.sealed for fact in file.facts)
    acts = packed(newest([*last_acts(facts), *unpacked(head.acts)]))
    moved = replace(head, number=last.number, hash=last.last, acts=acts)
    ports.repository.commit(Replace(moved) if stored else Insert(moved))
