"""Putting a dropped list in force: read, judged, stored as a segment, and then the pointer moves.

The version in force stays until the very last step, one transaction: the version, the pointer at
the revision it was judged against, the record of the file, and the fact. A file seen before changes
nothing but, when it is the one in force and dropped anew, the day it speaks of: a retailer whose
list has not changed is not late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain import lists
from chalicelib.domain.campaign import Campaign, ListLimits
from chalicelib.domain.facts import FactName
from chalicelib.domain.files.digests import digests, record
from chalicelib.domain.files.manifest import Manifest, parse_manifest
from chalicelib.domain.files.reading import FileRefusedError, Tally
from chalicelib.domain.model import Fact, FileRecord, ListInForce, ListVersion
from chalicelib.services.ports import Change, FileMissingError, Insert, Ports, Replace
from chalicelib.services.steps import decided_again, happened

Plain = Iterable[bytes]


def take_in_list(
    ports: Ports,
    campaign: Campaign,
    name: str,
    *,
    path: str,
    dropped_at: datetime,
    plain: Plain,
    sha256: Callable[[], str],
    tally: Tally,
) -> int:
    """Take a full list in; returns its version. `FileRefusedError` with what is wrong."""
    records = list(digests(plain, tally))
    manifest = _manifest_beside(ports, campaign, path)
    listed = _Listed(
        name=name,
        path=path,
        records=records,
        rows=tally.rows,
        sha256=sha256(),
        manifest=manifest,
        dropped_at=dropped_at,
        as_of=lists.as_of(manifest, dropped_at),
    )
    return _put_in_force(ports, campaign, listed)


def note_refused(ports: Ports, campaign: Campaign, name: str, reason: str) -> None:
    """Write down that a list was refused, whatever was wrong with it."""
    ports.repository.commit(facts=[_refused(ports, campaign, name, reason)])


class _Listed:
    """A list that was read to its end."""

    def __init__(
        self,
        *,
        name: str,
        path: str,
        records: list[bytes],
        rows: int,
        sha256: str,
        manifest: Manifest | None,
        dropped_at: datetime,
        as_of: datetime,
    ) -> None:
        self.name = name
        self.path = path
        self.records = sorted(set(records))
        self.rows = rows
        self.sha256 = sha256
        self.manifest = manifest
        self.dropped_at = dropped_at
        self.as_of = as_of


def _manifest_beside(ports: Ports, campaign: Campaign, path: str) -> Manifest | None:
    stem = path.removesuffix(".gz").removesuffix(".csv")
    for beside in (f"{stem}.manifest.json", f"{path}.manifest.json"):
        try:
            return parse_manifest(b"".join(ports.files.read(f"in/{campaign.campaign}/{beside}")))
        except FileMissingError:
            continue
    return None


@decided_again
def _put_in_force(ports: Ports, campaign: Campaign, listed: _Listed) -> int:
    in_force = ports.repository.get(ListInForce, campaign=campaign.campaign, name=listed.name)
    seen = ports.repository.get(
        FileRecord, campaign=campaign.campaign, area=listed.name, sha256=listed.sha256
    )
    limits: ListLimits = getattr(campaign.lists, listed.name)
    candidate = _candidate(campaign, listed, limits)
    if mismatch := lists.manifest_mismatch(candidate):
        raise FileRefusedError(mismatch)
    if seen and in_force and not _restores(listed, seen, in_force):
        _refresh(ports, in_force, listed)
        return seen.version
    if in_force and in_force.dropped_at and listed.dropped_at < in_force.dropped_at:
        raise FileRefusedError("older_than_the_list_in_force")
    if ports.clock() - listed.as_of > timedelta(days=limits.max_age_days):
        raise FileRefusedError("older_than_the_campaign_allows")
    _judge(candidate, in_force, limits)
    pointer = ports.lists.store(_pointer(ports, campaign, listed, in_force), listed.records)
    version = ListVersion(**{**vars(pointer), "revision": 0})
    record_of_file = FileRecord(
        revision=seen.revision if seen else 0,
        campaign=campaign.campaign,
        area=listed.name,
        sha256=listed.sha256,
        file=listed.path,
        taken_at=ports.clock(),
        version=pointer.version,
    )
    moved: Change = Replace(pointer) if in_force else Insert(pointer)
    ports.repository.commit(
        moved,
        Insert(version),
        Replace(record_of_file) if seen else Insert(record_of_file),
        facts=[_accepted(ports, pointer)],
    )
    return pointer.version


def _restores(listed: _Listed, seen: FileRecord, in_force: ListInForce) -> bool:
    """Whether a list that was replaced by another is meant to be in force again.

    Only a manifest newer than the list in force says so; else it is an old file come a second time.
    """
    if seen.version == in_force.version:
        return False
    if listed.manifest and listed.manifest.generated_at > in_force.accepted_at:
        return True
    if seen.file == listed.path:
        return False
    raise FileRefusedError("replaced_by_a_later_list")


def _refresh(ports: Ports, in_force: ListInForce | None, listed: _Listed) -> None:
    same = in_force is not None and in_force.source_sha256 == listed.sha256
    if in_force and same and listed.as_of > in_force.accepted_at:
        ports.repository.commit(Replace(replace(in_force, accepted_at=listed.as_of)))


def _candidate(campaign: Campaign, listed: _Listed, limits: ListLimits) -> lists.ListCandidate:
    known = set(listed.records)
    return lists.ListCandidate(
        rows=listed.rows,
        count=len(listed.records),
        sha256=listed.sha256,
        key_id=_key_id(campaign, listed.manifest),
        manifest=listed.manifest,
        canaries_missing=sum(record(canary) not in known for canary in limits.canaries),
    )


def _judge(
    candidate: lists.ListCandidate, in_force: ListInForce | None, limits: ListLimits
) -> None:
    before = None
    if in_force:
        before = lists.ListInForce(in_force.version, in_force.rows, in_force.accepted_at)
    shrink = lists.ListLimits(max_shrink=limits.max_shrink_percent / 100)
    verdict = lists.judge(candidate, before, shrink)
    if isinstance(verdict, lists.Refused):
        raise FileRefusedError(verdict.reason, 0, verdict.detail)


def _key_id(campaign: Campaign, manifest: Manifest | None) -> str:
    """The key the list was made with: the manifest's if in force, else the campaign's first."""
    known = campaign.digests.key_ids
    if manifest and manifest.key_id in known:
        return manifest.key_id
    if len(known) > 1 and manifest is None:
        # Taken for the wrong key, a list would know nobody.
        raise FileRefusedError("key_id_unknown_without_manifest")
    return known[0]


def _pointer(
    ports: Ports, campaign: Campaign, listed: _Listed, in_force: ListInForce | None
) -> ListInForce:
    return ListInForce(
        revision=in_force.revision if in_force else 0,
        campaign=campaign.campaign,
        name=listed.name,
        version=in_force.version + 1 if in_force else 1,
        rows=len(listed.records),
        segment="",
        etag="",
        key_id=_key_id(campaign, listed.manifest),
        algorithm=campaign.digests.algorithm,
        accepted_at=listed.as_of,
        dropped_at=listed.dropped_at,
        source_sha256=listed.sha256,
    )


def _accepted(ports: Ports, pointer: ListInForce) -> Fact:
    return happened(
        ports,
        FactName.LIST_ACCEPTED,
        campaign=pointer.campaign,
        subject=f"list-{pointer.campaign}-{pointer.name}",
        correlation=f"list-{pointer.campaign}-{pointer.name}-{pointer.version}",
        list=pointer.name,
        version=pointer.version,
        rows=pointer.rows,
    )


def _refused(ports: Ports, campaign: Campaign, name: str, reason: str) -> Fact:
    return happened(
        ports,
        FactName.LIST_REFUSED,
        campaign=campaign.campaign,
        subject=f"list-{campaign.campaign}-{name}",
        correlation=f"list-{campaign.campaign}-{name}-refused",
        list=name,
        reason=reason,
    )
