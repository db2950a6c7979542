"""A dropped list: read, planned, built, checked, and put in force.

    gather ─► read the state ─► plan ─► build segments ─► judge ─► commit
    builder   here              domain  building.py       rules    versions.py

The current version stays until the last step, one transaction (versions.py). Two drops of a list
that are handled concurrently conflict there: one is read, planned and built again. A list that
exceeds a limit is held: ops decide (review_held.py), and the file is then processed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.lists import ListLimits
from chalicelib.domain.fact_bodies import ListConfirmed, ListRefused
from chalicelib.domain.files.reading import FileRefusedError, Tally
from chalicelib.domain.files.receipt import ListOutcome
from chalicelib.domain.lists.drops import ListFile, ReadListFile
from chalicelib.domain.lists.model import (
    CurrentList,
    FileRecord,
    HeldList,
    ListDelta,
    ListDrops,
    ListVersion,
)
from chalicelib.domain.lists.plan import (
    AlreadyApplied,
    BuildDelta,
    BuildFull,
    Confirm,
    ListState,
    Refuse,
    Wait,
    plan_drop,
)
from chalicelib.services.facts import list_fact
from chalicelib.services.list_ports import GatheredDigests
from chalicelib.services.lists.building import (
    build_delta,
    build_full,
    build_judged,
    end_approval,
    layer_of,
    new_segment,
)
from chalicelib.services.lists.manifests import key_id_of, manifest_beside
from chalicelib.services.lists.versions import (
    commit_version,
    commit_waiting,
    new_pointer,
    outcome,
)
from chalicelib.services.ports import Insert, Ports, Remove, Replace
from chalicelib.services.retry import retry_on_conflict


def ingest_list(
    ports: Ports,
    campaign: Campaign,
    dropped: ListFile,
    *,
    plain: Iterable[bytes],
    sha256: Callable[[], str],
    tally: Tally,
) -> ListOutcome:
    """Apply a dropped list; returns the outcome.

    `FileRefusedError` with what is wrong, `ListHeldError` when ops must decide.
    """
    with ports.list_builder().gather(plain, tally) as digests:
        file_sha256 = sha256()
        manifest = manifest_beside(ports, campaign.id, dropped.path, file_sha256)
        file = ReadListFile(
            **vars(dropped),
            rows=tally.rows,
            sha256=file_sha256,
            manifest=manifest,
            key_id=key_id_of(campaign.digests, manifest),
            algorithm=campaign.digests.algorithm,
        )
        return _apply(ports, campaign.lists[dropped.name], file, digests)


def record_refusal(ports: Ports, campaign: str, name: str, mode: str, reason: str) -> None:
    """Record that a list was refused, and why."""
    body = ListRefused(list_name=name, mode=mode, reason=reason)
    refused = list_fact(ports, campaign, name, "refused", body)
    ports.repository.commit(facts=[refused])


def remove_held(ports: Ports, campaign: str, name: str, mode: str, sha256: str) -> None:
    """End the holding of a list whose file is gone: there is nothing left to decide."""
    held = ports.repository.get(HeldList, campaign=campaign, name=name, mode=mode, sha256=sha256)
    if held:
        ports.repository.commit(Remove(held))


@retry_on_conflict
def _apply(
    ports: Ports, limits: ListLimits, file: ReadListFile, digests: GatheredDigests
) -> ListOutcome:
    state = _read_state(ports, limits, file)
    match plan_drop(file, state, ports.clock()):
        case Refuse() as plan:
            if plan.ends_approval:
                end_approval(ports, state.held)
            raise FileRefusedError(plan.reason)
        case AlreadyApplied() as plan:
            return outcome(file, plan.effect, state.current, plan.version)
        case Confirm() as plan:
            return _confirm(ports, file, plan)
        case Wait() as plan:
            return _wait(ports, file, state, plan, digests)
        case BuildFull() as plan:
            return _build_full(ports, file, state, plan, digests)
        case BuildDelta() as plan:
            return _build_delta(ports, file, state, plan, digests)


def _read_state(ports: Ports, limits: ListLimits, file: ReadListFile) -> ListState:
    key: dict[str, str | int] = {"campaign": file.campaign, "name": file.name}
    repository = ports.repository
    # The drops first: a drop committed after this read makes our commit conflict.
    drops = repository.get(ListDrops, **key)
    return ListState(
        current=repository.get(CurrentList, **key),
        drops=drops,
        deltas=tuple(repository.within(ListDelta, **key)),
        record=_record_of(ports, file),
        held=repository.get(HeldList, **key, mode=file.mode, sha256=file.sha256),
        limits=limits,
    )


def _record_of(ports: Ports, file: ReadListFile) -> FileRecord | None:
    """The record of the same content, if it was processed before."""
    record = ports.repository.get(
        FileRecord, campaign=file.campaign, area=file.area, sha256=file.sha256
    )
    return record or _record_of_0_1(ports, file)


def _record_of_0_1(ports: Ports, file: ReadListFile) -> FileRecord | None:
    """The record of a full list by 0.1.0, which used the list's name as the area, in today's form.

    The version made from the file tells which key it was made with.
    """
    if file.mode != "full":
        return None
    record = ports.repository.get(
        FileRecord, campaign=file.campaign, area=file.name, sha256=file.sha256
    )
    if record is None:
        return None
    version = ports.repository.get(
        ListVersion, campaign=file.campaign, name=file.name, version=record.version
    )
    if version is None or version.key_id != file.key_id:
        return None
    return replace(record, area=file.area, revision=0)


def _confirm(ports: Ports, file: ReadListFile, plan: Confirm) -> ListOutcome:
    version = plan.current.version
    body = ListConfirmed(list_name=file.name, version=version)
    confirmed = list_fact(ports, file.campaign, file.name, str(version), body)
    ports.repository.commit(
        Replace(replace(plan.current, accepted_at=plan.as_of)), facts=[confirmed]
    )
    return outcome(file, "already_in_force", plan.current, plan.version)


def _wait(
    ports: Ports, file: ReadListFile, state: ListState, plan: Wait, digests: GatheredDigests
) -> ListOutcome:
    commit_waiting(ports, file, state, plan, build_delta(ports, file, state, plan.delta, digests))
    return outcome(file, "waits_for_its_full_list", state.current, plan.current_version)


def _build_full(
    ports: Ports, file: ReadListFile, state: ListState, plan: BuildFull, digests: GatheredDigests
) -> ListOutcome:
    path = _path(ports, file, plan.version)
    if plan.later_deltas:
        alone = build_full(
            ports, file, state, new_segment(file, f"{path}-full.seg", plan.version), digests
        )
    new = new_segment(file, f"{path}.seg", plan.version)
    layers = [layer_of(layer, digests) for layer in plan.layers]
    built = build_judged(ports, file, state, new, layers)
    base = alone if plan.later_deltas else built
    full = replace(plan.full, segment=base.path, etag=base.etag, rows=base.rows)
    pointer = new_pointer(file, state, plan, built, full=full)
    commit_version(ports, file, state, pointer)
    return outcome(file, "in_force", pointer, pointer.version, state.current, plan.later_deltas)


def _build_delta(
    ports: Ports, file: ReadListFile, state: ListState, plan: BuildDelta, digests: GatheredDigests
) -> ListOutcome:
    delta = build_delta(ports, file, state, plan.delta, digests)
    new = new_segment(file, f"{_path(ports, file, plan.version)}.seg", plan.version)
    layers = [layer_of(layer, digests) for layer in plan.layers]
    built = build_judged(ports, file, state, new, layers)
    pointer = new_pointer(file, state, plan, built, full=plan.base.full)
    commit_version(ports, file, state, pointer, Insert(delta), *map(Remove, plan.replaced))
    return outcome(file, plan.effect, pointer, pointer.version, plan.base)


def _path(ports: Ports, file: ReadListFile, version: int) -> str:
    """The path of a version's segment, a new one for each attempt, so that concurrent attempts do
    not overwrite each other.
    """
    attempt = ports.codes.identifier()[:8]
    folder = f"lists/{file.campaign}/{file.name}"
    return f"{folder}/{version:08}-{file.sha256[:12]}-{attempt}"
