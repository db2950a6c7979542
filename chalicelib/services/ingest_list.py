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

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import cast

from chalicelib.domain import lists
from chalicelib.domain.campaign import Campaign
from chalicelib.domain.facts import FactName
from chalicelib.domain.files.manifest import Manifest, parse_manifest
from chalicelib.domain.files.reading import FileRefusedError, Tally
from chalicelib.domain.files.receipt import ListOutcome
from chalicelib.domain.listed import FullList, HeldList, ListDelta, ListInForce, ListVersion
from chalicelib.domain.lists import ListMode
from chalicelib.domain.model import FileRecord
from chalicelib.services.list_versions import (
    REFUSED,
    ROLLBACK,
    DroppedList,
    Listed,
    Standing,
    about_list,
    built,
    candidate,
    commit,
    new_segment,
    next_version,
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
    Replace,
    StoredSegment,
)
from chalicelib.services.steps import decided_again

DELTA_DAYS = 450  # longer than any list may be in force
# Content dropped anew so long after is stored anew: segments are not kept for ever either.
RENEWED_AFTER = timedelta(days=90)


def take_in_list(
    ports: Ports,
    campaign: Campaign,
    dropped: DroppedList,
    *,
    plain: Iterable[bytes],
    sha256: Callable[[], str],
    tally: Tally,
) -> ListOutcome:
    """Take a list in; returns what became of it.

    `FileRefusedError` with what is wrong, `ListHeldError` when ops must decide.
    """
    with ports.list_builder().gather(plain, tally) as digests:
        manifest = _manifest_beside(ports, campaign, dropped.path)
        listed = Listed(
            **vars(dropped),
            rows=tally.rows,
            sha256=sha256(),
            manifest=manifest,
            key_id=_key_id(campaign, manifest),
        )
        return _settled(ports, campaign, listed, digests)


def note_refused(ports: Ports, campaign: Campaign, name: str, mode: str, reason: str) -> None:
    """Write down that a list was refused, whatever was wrong with it."""
    refused = about_list(
        ports, FactName.LIST_REFUSED, campaign.campaign, name, "refused", mode=mode, reason=reason
    )
    ports.repository.commit(facts=[refused])


@decided_again
def _settled(
    ports: Ports, campaign: Campaign, listed: Listed, digests: GatheredDigests
) -> ListOutcome:
    standing = _standing(ports, campaign, listed)
    if listed.manifest and (mismatch := lists.manifest_mismatch(candidate(listed))):
        raise FileRefusedError(mismatch)
    if standing.held and standing.held.decision == REFUSED:
        raise FileRefusedError("refused_by_ops")
    if standing.seen and standing.in_force and not _restores(listed, standing):
        return _seen_before(ports, campaign, listed, standing.seen, standing.in_force)
    if standing.in_force and listed.order < standing.in_force.full.order:
        raise FileRefusedError("older_than_the_list_in_force")
    take_in = _full if listed.mode == "full" else _delta
    return take_in(ports, campaign, listed, standing, digests)


def _standing(ports: Ports, campaign: Campaign, listed: Listed) -> Standing:
    key: dict[str, str | int] = {"campaign": campaign.campaign, "name": listed.name}
    repository = ports.repository
    return Standing(
        in_force=repository.get(ListInForce, **key),
        deltas=list(repository.within(ListDelta, **key)),
        seen=repository.get(
            FileRecord, campaign=campaign.campaign, area=listed.area, sha256=listed.sha256
        ),
        held=repository.get(HeldList, **key, mode=listed.mode, sha256=listed.sha256),
        limits=getattr(campaign.lists, listed.name),
    )


# --- what was there before -----------------------------------------------------------------------


def _restores(listed: Listed, standing: Standing) -> bool:
    """Whether content taken in before is meant once more: only a newer manifest says so.

    Else it is an old file come a second time.
    """
    seen, in_force = standing.seen, standing.in_force
    if seen is None or in_force is None:
        return False
    if seen.version == in_force.version:
        return in_force.full.order < lists.drop_order(listed.dropped_at - RENEWED_AFTER, "", "")
    if listed.manifest and listed.manifest.generated_at > in_force.accepted_at:
        return True
    if listed.mode != "full" or seen.file == listed.path or in_force.full.sha256 == listed.sha256:
        return False
    raise FileRefusedError("replaced_by_a_later_list")


def _seen_before(
    ports: Ports,
    campaign: Campaign,
    listed: Listed,
    seen: FileRecord,
    in_force: ListInForce,
) -> ListOutcome:
    stands = in_force.source_sha256 == listed.sha256 and in_force.mode in {listed.mode, ROLLBACK}
    if stands and listed.as_of > in_force.accepted_at:
        confirmed = about_list(
            ports, FactName.LIST_CONFIRMED, campaign.campaign, listed.name, str(in_force.version),
            version=in_force.version,
        )  # fmt: skip
        moved = replace(in_force, accepted_at=listed.as_of)
        ports.repository.commit(Replace(moved), facts=[confirmed])
    effect = "already_in_force" if stands else "already_taken_in"
    return outcome(listed, effect, in_force, seen.version)


# --- a full list ---------------------------------------------------------------------------------


def _full(
    ports: Ports,
    campaign: Campaign,
    listed: Listed,
    standing: Standing,
    digests: GatheredDigests,
) -> ListOutcome:
    if ports.clock() - listed.as_of > timedelta(days=standing.limits.max_age_days):
        raise FileRefusedError("older_than_the_campaign_allows")
    version = next_version(standing.in_force)
    path = f"lists/{campaign.campaign}/{listed.name}/{version:08}-{listed.sha256[:12]}"
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
        last_order=max([listed.order, *(delta.order for delta in later)]),
    )  # fmt: skip
    commit(ports, listed, standing, pointer)
    return outcome(listed, "in_force", pointer, pointer.version, standing.in_force, len(later))


# --- digests to add or to remove -----------------------------------------------------------------


def _delta(
    ports: Ports,
    campaign: Campaign,
    listed: Listed,
    standing: Standing,
    digests: GatheredDigests,
) -> ListOutcome:
    in_force = standing.in_force
    kept = _kept(ports, campaign, listed, digests)
    deltas = lists.laid_over(in_force.full, [*standing.deltas, kept]) if in_force else []
    if in_force is None or kept not in deltas:
        # It holds over a full list that is not here yet, and is laid over it when it comes.
        _commit_waiting(ports, listed, standing, kept)
        version = in_force.version if in_force else None
        return outcome(listed, "waits_for_its_full_list", in_force, version)
    last = kept.order > in_force.last_order
    if last:
        layers = [Layer("full", _stored(in_force)), Layer(listed.mode, digests)]
    else:
        layers = [Layer("full", _stored(in_force.full)), *map(_layer, deltas)]
    version = next_version(in_force)
    path = f"lists/{campaign.campaign}/{listed.name}/{version:08}-{listed.sha256[:12]}.seg"
    made = built(
        ports, campaign, listed, standing, new_segment(campaign, listed, path, version), layers
    )
    pointer = pointer_to(
        campaign, listed, standing, made,
        full=in_force.full,
        base_version=in_force.version,
        as_of=max(in_force.accepted_at, listed.as_of),
        last_order=max(in_force.last_order, kept.order),
    )  # fmt: skip
    commit(ports, listed, standing, pointer, Insert(kept))
    effect = "merged" if last else "merged_in_its_place"
    return outcome(listed, effect, pointer, pointer.version, in_force)


def _kept(
    ports: Ports,
    campaign: Campaign,
    listed: Listed,
    digests: GatheredDigests,
) -> ListDelta:
    """The delta with a segment of its own, for a drop that may still come before it."""
    folder = f"lists/{campaign.campaign}/{listed.name}/deltas"
    path = f"{folder}/{listed.mode}-{listed.sha256[:24]}.seg"
    own = ports.list_builder().build(
        new_segment(campaign, listed, path, 0), [Layer("full", digests)]
    )
    return ListDelta(
        campaign=campaign.campaign,
        name=listed.name,
        order=listed.order,
        mode=listed.mode,
        sha256=listed.sha256,
        key_id=listed.key_id,
        segment=own.path,
        etag=own.etag,
        rows=own.rows,
        as_of=listed.as_of,
        base_sha256=listed.manifest.base_sha256 if listed.manifest else None,
        ends_at=ports.clock() + timedelta(days=DELTA_DAYS),
    )


def _commit_waiting(ports: Ports, listed: Listed, standing: Standing, kept: ListDelta) -> None:
    version = standing.in_force.version if standing.in_force else 0
    taken = record_of_file(ports, kept.campaign, listed, standing, version)
    waiting = about_list(
        ports, FactName.LIST_WAITS, kept.campaign, listed.name, str(version),
        mode=listed.mode, rows=kept.rows,
    )  # fmt: skip
    ports.repository.commit(taken, Insert(kept), facts=[waiting])


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


def _manifest_beside(ports: Ports, campaign: Campaign, path: str) -> Manifest | None:
    stem = path.removesuffix(".gz").removesuffix(".csv")
    for beside in (f"{stem}.manifest.json", f"{path}.manifest.json"):
        try:
            return parse_manifest(b"".join(ports.files.read(f"in/{campaign.campaign}/{beside}")))
        except FileMissingError:
            continue
    return None
