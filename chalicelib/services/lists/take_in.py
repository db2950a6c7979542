"""Putting a dropped list in force: read, laid together, judged, stored as a segment, and then the
pointer moves.

    full    G                       ─┐
    add     the list in force + G    ├─► one new segment ─► judge ─► version, pointer, fact
    remove  the list in force - G   ─┘

A delta that comes late is laid in its place: the full list beneath, then every delta in the order
it was dropped (`domain.lists`), so the list is the same whatever order its drops arrived in.

The version in force stays until the very last step, one transaction: the version, the pointer at
the revision it was judged against, the record of the file, and the fact. A file seen before changes
nothing but, when it is the one in force and dropped anew, the day it speaks of: a retailer whose
list has not changed is not late. A list that a limit stops is held: ops decide on it
(overrule_list.py), and the file is then taken in once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import cast

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.lists import ListLimits
from chalicelib.domain.facts import FactName
from chalicelib.domain.files.manifest import Manifest, beginning, parse_manifest
from chalicelib.domain.files.reading import FileRefusedError, Tally
from chalicelib.domain.files.receipt import ListOutcome
from chalicelib.domain.lists import rules as lists
from chalicelib.domain.lists.model import (
    CurrentList,
    FileRecord,
    FullList,
    HeldList,
    ListDelta,
    ListDrops,
    ListMode,
    ListVersion,
)
from chalicelib.services.lists.versions import (
    APPROVED,
    REJECTED,
    ListFile,
    ListHeldError,
    ListState,
    ReadListFile,
    built,
    candidate,
    commit,
    is_in_force,
    list_fact,
    new_segment,
    next_version,
    one_more,
    outcome,
    pointer_to,
    record_of_file,
)
from chalicelib.services.ports import (
    FileMissingError,
    GatheredDigests,
    Insert,
    Layer,
    Ports,
    Remove,
    Replace,
    StoredSegment,
)
from chalicelib.services.retry import retry_on_conflict

DELTA_DAYS = 450  # longer than any list may be in force
# Content dropped anew so long after is stored anew: segments are not kept for ever either.
RENEWED_AFTER = timedelta(days=90)
FORMER_MANIFESTS = 20  # looked into, the newest first


def take_in_list(
    ports: Ports,
    campaign: Campaign,
    dropped: ListFile,
    *,
    plain: Iterable[bytes],
    sha256: Callable[[], str],
    tally: Tally,
) -> ListOutcome:
    """Take a list in; returns what became of it.

    `FileRefusedError` with what is wrong, `ListHeldError` when ops must decide.
    """
    with ports.list_builder().gather(plain, tally) as digests:
        whole = sha256()
        manifest = _manifest_beside(ports, campaign, dropped.path, whole)
        listed = ReadListFile(
            **vars(dropped),
            rows=tally.rows,
            sha256=whole,
            manifest=manifest,
            key_id=_key_id(campaign, manifest),
        )
        return _settled(ports, campaign, listed, digests)


def note_refused(ports: Ports, campaign: str, name: str, mode: str, reason: str) -> None:
    """Write down that a list was refused, whatever was wrong with it."""
    refused = list_fact(
        ports, FactName.LIST_REFUSED, campaign, name, "refused", mode=mode, reason=reason
    )
    ports.repository.commit(facts=[refused])


@retry_on_conflict
def _settled(
    ports: Ports, campaign: Campaign, listed: ReadListFile, digests: GatheredDigests
) -> ListOutcome:
    standing = _standing(ports, campaign, listed)
    if listed.manifest and (mismatch := lists.manifest_mismatch(candidate(listed))):
        raise FileRefusedError(mismatch)
    if standing.held and standing.held.decision == REJECTED:
        raise FileRefusedError("refused_by_ops")
    take_in = _full if listed.mode == "full" else _delta
    try:
        return take_in(ports, campaign, listed, standing, digests)
    except ListHeldError:
        raise
    except FileRefusedError:
        if standing.held and standing.held.decision == APPROVED:
            # Stopped by something else: the release is used up all the same.
            ports.repository.commit(Remove(standing.held))
        raise


def _standing(ports: Ports, campaign: Campaign, listed: ReadListFile) -> ListState:
    key: dict[str, str | int] = {"campaign": campaign.id, "name": listed.name}
    repository = ports.repository
    # The drops first: whatever is read after them is what the commit is made on.
    drops = repository.get(ListDrops, **key)
    return ListState(
        in_force=repository.get(CurrentList, **key),
        drops=drops,
        deltas=list(repository.within(ListDelta, **key)),
        seen=_seen(ports, campaign, listed),
        held=repository.get(HeldList, **key, mode=listed.mode, sha256=listed.sha256),
        limits=getattr(campaign.lists, listed.name),
    )


def _seen(ports: Ports, campaign: Campaign, listed: ReadListFile) -> FileRecord | None:
    """The record of the same content, if it was taken in before."""
    key: dict[str, str | int] = {"campaign": campaign.id, "sha256": listed.sha256}
    seen = ports.repository.get(FileRecord, **key, area=listed.area)
    return seen or _seen_by_0_1(ports, campaign, listed)


def _seen_by_0_1(ports: Ports, campaign: Campaign, listed: ReadListFile) -> FileRecord | None:
    """0.1.0 recorded full lists under their name alone: such a record as it would be stored now.

    The version that the file became says which key it was made with.
    """
    if listed.mode != "full":
        return None
    of_list: dict[str, str | int] = {"campaign": campaign.id, "name": listed.name}
    seen = ports.repository.get(
        FileRecord, campaign=campaign.id, area=listed.name, sha256=listed.sha256
    )
    became = ports.repository.get(ListVersion, **of_list, version=seen.version) if seen else None
    if seen is None or became is None or became.key_id != listed.key_id:
        return None
    return replace(seen, area=listed.area, revision=0)


# --- what was there before -----------------------------------------------------------------------


def _is_meant_anew(listed: ReadListFile, seen: FileRecord, in_force: CurrentList) -> bool:
    """Whether content taken in before is meant once more: only a manifest that is newer than both
    says so. Else it is an old file come a second time.
    """
    newest = max(seen.as_of, in_force.accepted_at)
    return listed.manifest is not None and listed.as_of > newest and listed.order > seen.order


def _seen_before(
    ports: Ports, campaign: Campaign, listed: ReadListFile, standing: ListState, seen: FileRecord
) -> ListOutcome:
    """A full list that is in force or was: dropped anew, the one in force is as young as the drop.

    `FileRefusedError` when another list has taken its place since, or when it is too old even so.
    """
    in_force = standing.in_force
    repeated = listed.order <= seen.order
    if in_force is None or not is_in_force(listed, in_force):
        if repeated:
            return outcome(listed, "already_taken_in", in_force, seen.version)
        raise FileRefusedError("replaced_by_a_later_list")
    newest = max(listed.as_of, in_force.accepted_at)
    if not repeated and ports.clock() - newest > timedelta(days=standing.limits.max_age_days):
        raise FileRefusedError("older_than_the_campaign_allows")
    if listed.as_of > in_force.accepted_at and not repeated:
        confirmed = list_fact(
            ports, FactName.LIST_CONFIRMED, campaign.id, listed.name, str(in_force.version),
            version=in_force.version,
        )  # fmt: skip
        moved = replace(in_force, accepted_at=listed.as_of)
        ports.repository.commit(Replace(moved), facts=[confirmed])
    return outcome(listed, "already_in_force", in_force, seen.version)


# --- a full list ---------------------------------------------------------------------------------


def _full(
    ports: Ports,
    campaign: Campaign,
    listed: ReadListFile,
    standing: ListState,
    digests: GatheredDigests,
) -> ListOutcome:
    in_force, seen = standing.in_force, standing.seen
    if in_force and seen and not _is_to_count_again(listed, seen, in_force):
        return _seen_before(ports, campaign, listed, standing, seen)
    if in_force and listed.order < in_force.full.order:
        raise FileRefusedError("older_than_the_list_in_force")
    if ports.clock() - listed.as_of > timedelta(days=standing.limits.max_age_days):
        raise FileRefusedError("older_than_the_campaign_allows")
    version = next_version(in_force)
    path = _path(ports, campaign, listed, version)
    alone = FullList(
        order=listed.order, sha256=listed.sha256, key_id=listed.key_id, segment="", etag="", rows=0
    )
    later = lists.laid_over(alone, standing.deltas)
    layers = [Layer("full", digests)]
    if later:  # it comes late: what was added and removed since is laid over it again
        own = ports.list_builder().build(
            new_segment(campaign, listed, f"{path}-full.seg", version), layers
        )
        layers = [Layer("full", own), *map(_layer, later)]
    new = new_segment(campaign, listed, f"{path}.seg", version)
    made = built(ports, campaign, listed, standing, new, layers)
    beneath = own if later else made
    full = replace(alone, segment=beneath.path, etag=beneath.etag, rows=beneath.rows)
    pointer = pointer_to(
        campaign, listed, standing, made,
        full=full,
        base_version=None,
        as_of=max([listed.as_of, *(delta.as_of for delta in later)]),
        last_position=max([listed.order, *(delta.order for delta in later)]),
    )  # fmt: skip
    commit(ports, listed, standing, pointer)
    return outcome(listed, "in_force", pointer, pointer.version, standing.in_force, len(later))


def _is_to_count_again(listed: ReadListFile, seen: FileRecord, in_force: CurrentList) -> bool:
    long_ago = lists.drop_position(listed.dropped_at - RENEWED_AFTER, "", "")
    aged = is_in_force(listed, in_force) and in_force.full.order < long_ago
    return aged or _is_meant_anew(listed, seen, in_force)


# --- digests to add or to remove -----------------------------------------------------------------


def _delta(
    ports: Ports,
    campaign: Campaign,
    listed: ReadListFile,
    standing: ListState,
    digests: GatheredDigests,
) -> ListOutcome:
    in_force, seen = standing.in_force, standing.seen
    if seen and _is_taken_in(listed, seen, in_force):
        return _repeated(listed, standing, seen)
    based = listed.manifest is not None and listed.manifest.base_sha256 is not None
    if in_force and listed.order < in_force.full.order and not based:
        raise FileRefusedError("older_than_the_list_in_force")
    kept = _kept(ports, campaign, listed, digests)
    # Content counts from its first drop: the same dropped later, come here before it, gives way.
    later = [delta for delta in standing.deltas if seen and _repeats(delta, kept)]
    others = [delta for delta in standing.deltas if delta not in later]
    deltas = lists.laid_over(in_force.full, [*others, kept]) if in_force else []
    if in_force is None or kept not in deltas or _is_late(listed, in_force, standing.limits):
        # It holds over a full list that is not here yet, and is laid over it when it comes. What
        # the list in force was made of stays beneath it.
        laid = lists.laid_over(in_force.full, standing.deltas) if in_force else []
        _commit_waiting(ports, listed, standing, kept, [one for one in later if one not in laid])
        version = in_force.version if in_force else None
        return outcome(listed, "waits_for_its_full_list", in_force, version)
    before = [delta.order for delta in deltas if delta != kept]
    last = kept.order > in_force.last_position >= max(before, default="")
    if last:
        layers = [Layer("full", _stored(in_force)), Layer(listed.mode, digests)]
    else:
        layers = [Layer("full", _stored(in_force.full)), *map(_layer, deltas)]
    version = next_version(in_force)
    path = _path(ports, campaign, listed, version)
    new = new_segment(campaign, listed, f"{path}.seg", version)
    pointer = pointer_to(
        campaign, listed, standing, built(ports, campaign, listed, standing, new, layers),
        full=in_force.full,
        base_version=in_force.version,
        as_of=max(in_force.accepted_at, listed.as_of),
        last_position=max([in_force.full.order, *(delta.order for delta in deltas)]),
    )  # fmt: skip
    commit(ports, listed, standing, pointer, Insert(kept), *map(Remove, later))
    effect = "merged" if last else "merged_in_its_place"
    return outcome(listed, effect, pointer, pointer.version, in_force)


def _is_taken_in(listed: ReadListFile, seen: FileRecord, in_force: CurrentList | None) -> bool:
    """Whether this drop, or one of the same content before it, has had its say."""
    if listed.order < seen.order:
        return False
    return in_force is None or not _is_meant_anew(listed, seen, in_force)


def _repeated(listed: ReadListFile, standing: ListState, seen: FileRecord) -> ListOutcome:
    """A notice come twice, or content that is the last word on the list already.

    `FileRefusedError` for content whose word is no longer the last: who drops it anew expects more.
    """
    in_force = standing.in_force
    laid = lists.laid_over(in_force.full, standing.deltas) if in_force else standing.deltas
    last = laid and (laid[-1].mode, laid[-1].sha256) == (listed.mode, listed.sha256)
    if listed.order == seen.order or last:
        return outcome(listed, "already_taken_in", in_force, seen.version or None)
    raise FileRefusedError("taken_in_before")


def _repeats(delta: ListDelta, kept: ListDelta) -> bool:
    same = (delta.mode, delta.sha256, delta.key_id) == (kept.mode, kept.sha256, kept.key_id)
    return same and delta.order > kept.order and not delta.dated


def _is_late(listed: ReadListFile, in_force: CurrentList, limits: ListLimits) -> bool:
    """Whether the list had grown too old before this delta: nobody knows what else it missed."""
    return listed.as_of - in_force.accepted_at > timedelta(days=limits.max_age_days)


def _kept(
    ports: Ports,
    campaign: Campaign,
    listed: ReadListFile,
    digests: GatheredDigests,
) -> ListDelta:
    """The delta with a segment of its own, for a drop that may still come before it."""
    folder = f"lists/{campaign.id}/{listed.name}/deltas"
    path = f"{folder}/{listed.mode}-{listed.key_id}-{listed.sha256[:24]}.seg"
    own = ports.list_builder().build(
        new_segment(campaign, listed, path, 0), [Layer("full", digests)]
    )
    return ListDelta(
        campaign=campaign.id,
        name=listed.name,
        order=listed.order,
        mode=listed.mode,
        sha256=listed.sha256,
        key_id=listed.key_id,
        segment=own.path,
        etag=own.etag,
        rows=own.rows,
        as_of=listed.as_of,
        dated=listed.manifest is not None,
        base_sha256=listed.manifest.base_sha256 if listed.manifest else None,
        ends_at=ports.clock() + timedelta(days=DELTA_DAYS),
    )


def _commit_waiting(
    ports: Ports, listed: ReadListFile, standing: ListState, kept: ListDelta, gone: list[ListDelta]
) -> None:
    version = standing.in_force.version if standing.in_force else 0
    waiting = list_fact(
        ports, FactName.LIST_WAITS, kept.campaign, listed.name, str(version),
        mode=listed.mode, rows=kept.rows,
    )  # fmt: skip
    ports.repository.commit(
        record_of_file(ports, kept.campaign, listed, standing, version),
        one_more(standing.drops, kept.campaign, listed.name),
        Insert(kept),
        *map(Remove, gone),
        facts=[waiting],
    )


def _path(ports: Ports, campaign: Campaign, listed: ReadListFile, version: int) -> str:
    """Where a version's segment will lie: its own place for each attempt, so that two at once do
    not write over one another.
    """
    attempt = ports.codes.identifier()[:8]
    folder = f"lists/{campaign.id}/{listed.name}"
    return f"{folder}/{version:08}-{listed.sha256[:12]}-{attempt}"


def _layer(delta: ListDelta) -> Layer:
    return Layer(cast(ListMode, delta.mode), _stored(delta))


def _stored(held: ListVersion | FullList | ListDelta) -> StoredSegment:
    return StoredSegment(held.segment, held.etag, held.rows)


# --- what comes with it --------------------------------------------------------------------------


def _key_id(campaign: Campaign, manifest: Manifest | None) -> str:
    """The key the list was made with: the manifest's if in force, else the campaign's first."""
    known = campaign.digests.key_ids
    if manifest and manifest.key_id in known:
        return manifest.key_id
    if len(known) > 1 and manifest is None:
        # Taken for the wrong key, a list would know nobody.
        raise FileRefusedError("key_id_unknown_without_manifest")
    return known[0]


def _manifest_beside(ports: Ports, campaign: Campaign, path: str, sha256: str) -> Manifest | None:
    """The manifest that speaks of this very file: one put over it since speaks of another."""
    stem = path.removesuffix(".gz").removesuffix(".csv")
    for beside in (f"{stem}.manifest.json", f"{path}.manifest.json"):
        key = f"in/{campaign.id}/{beside}"
        try:
            manifest = parse_manifest(beginning(ports.files.read(key)))
        except FileMissingError:
            continue
        if manifest.sha256 == sha256:
            return manifest
        return next(_former(ports, key, sha256), manifest)
    return None


def _former(ports: Ports, key: str, sha256: str) -> Iterator[Manifest]:
    for version in ports.files.versions(key)[1 : 1 + FORMER_MANIFESTS]:
        with suppress(FileRefusedError, FileMissingError):
            manifest = parse_manifest(beginning(ports.files.read(key, version)))
            if manifest.sha256 == sha256:
                yield manifest


def forget_held(ports: Ports, campaign: str, name: str, mode: str, sha256: str) -> None:
    """A list that cannot be taken in any more is held no more."""
    held = ports.repository.get(HeldList, campaign=campaign, name=name, mode=mode, sha256=sha256)
    if held:
        ports.repository.commit(Remove(held))
