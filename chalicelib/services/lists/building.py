"""Segments of dropped lists: built from the layers of a plan, and checked before they are stored.

A list that exceeds a limit is stored here as a held list, for ops to decide (review_held.py). Any
other refusal ends an approval of ops: the next drop of that content needs a new one. The segments
themselves are written by `ports.ListBuilder`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.fact_bodies import ListHeld
from chalicelib.domain.files.digests import record
from chalicelib.domain.files.reading import FileRefusedError
from chalicelib.domain.lists import plan
from chalicelib.domain.lists.drops import ReadListFile, position_of_held
from chalicelib.domain.lists.model import APPROVED, FullList, HeldList, ListDelta, ListVersion
from chalicelib.domain.lists.plan import ListState
from chalicelib.domain.lists.rules import HELD_FOR, Accepted, judge
from chalicelib.services.facts import list_fact
from chalicelib.services.list_ports import GatheredDigests, Layer, NewSegment, StoredSegment, Sums
from chalicelib.services.ports import Insert, Ports, Remove, Replace

HELD_DAYS = 30  # as long as a dropped file stays in the bucket


class ListHeldError(FileRefusedError):
    """A list that exceeds a limit; ops may approve it. `rows` is how many it would have."""

    def __init__(self, reason: str, detail: str, rows: int) -> None:
        super().__init__(reason, 0, detail)
        self.rows = rows


def build_judged(
    ports: Ports,
    file: ReadListFile,
    state: ListState,
    new: NewSegment,
    layers: list[Layer],
) -> StoredSegment:
    """The segment of a new version, checked before it is stored.

    `FileRefusedError`, `ListHeldError`.
    """

    def check(sums: Sums) -> None:
        verdict = judge(sums.rows, sums.canaries_missing, state.current, state.limits)
        if isinstance(verdict, Accepted):
            return
        if verdict.reason not in HELD_FOR:
            raise FileRefusedError(verdict.reason, 0, verdict.detail)
        if not _is_approved(state.held):
            raise ListHeldError(verdict.reason, verdict.detail, sums.rows)

    with _refusals_recorded(ports, file, state):
        return ports.list_builder().build(new, layers, canaries=_canaries(file, state), judge=check)


def build_delta(
    ports: Ports, file: ReadListFile, state: ListState, delta: ListDelta, digests: GatheredDigests
) -> ListDelta:
    """The delta with its segment, needed if a full list or a delta arrives before it."""
    with _refusals_recorded(ports, file, state):
        own = ports.list_builder().build(
            new_segment(file, delta.segment, 0), [Layer("full", digests)]
        )
    return replace(delta, segment=own.path, etag=own.etag, rows=own.rows)


def build_full(
    ports: Ports, file: ReadListFile, state: ListState, new: NewSegment, digests: GatheredDigests
) -> StoredSegment:
    """A full list alone, without the deltas that were dropped after it."""
    with _refusals_recorded(ports, file, state):
        return ports.list_builder().build(new, [Layer("full", digests)])


def new_segment(file: ReadListFile, path: str, generation: int) -> NewSegment:
    """A segment to be built with the file's key and algorithm."""
    return NewSegment(
        path=path, algorithm=file.algorithm, key_id=file.key_id, generation=generation
    )


def layer_of(planned: plan.Layer, digests: GatheredDigests) -> Layer:
    """A layer of a plan, with the digests of the dropped file where nothing is stored yet."""
    return Layer(planned.mode, _stored(planned.stored) if planned.stored else digests)


def _stored(stored: ListVersion | FullList | ListDelta) -> StoredSegment:
    return StoredSegment(stored.segment, stored.etag, stored.rows)


def _canaries(file: ReadListFile, state: ListState) -> set[bytes]:
    """What must be in the list: the campaign's canaries, and those of a full list's manifest."""
    own = file.manifest.canaries if file.manifest and file.mode == "full" else ()
    return {record(digest) for digest in (*state.limits.canaries_under(file.key_id), *own)}


# --- held lists and their approval ---------------------------------------------------------------


def end_approval(ports: Ports, held: HeldList | None) -> None:
    """Use up an approval: it is valid for one drop of its content, whatever the result."""
    if held and _is_approved(held):
        ports.repository.commit(Remove(held))


def _is_approved(held: HeldList | None) -> bool:
    return held is not None and held.decision == APPROVED


@contextmanager
def _refusals_recorded(ports: Ports, file: ReadListFile, state: ListState) -> Iterator[None]:
    try:
        yield
    except ListHeldError as error:
        _hold(ports, file, state.held, error)
        raise
    except FileRefusedError:
        end_approval(ports, state.held)
        raise


def _hold(ports: Ports, file: ReadListFile, before: HeldList | None, error: ListHeldError) -> None:
    """Store what ops need to decide; of several drops of one content, the last one."""
    if before and position_of_held(before) >= file.position:
        return
    held = HeldList(
        revision=before.revision if before else 0,
        campaign=file.campaign,
        name=file.name,
        mode=file.mode,
        sha256=file.sha256,
        path=file.path,
        dropped_at=file.dropped_at,
        sequencer=file.sequencer,
        file_version=file.file_version,
        reason=error.reason,
        detail=error.detail,
        rows=error.rows,
        held_at=ports.clock(),
        ends_at=ports.clock() + timedelta(days=HELD_DAYS),
    )
    body = ListHeld(list_name=file.name, mode=file.mode, reason=error.reason, sha256=file.sha256)
    fact = list_fact(ports, file.campaign, file.name, file.sha256[:12], body)
    ports.repository.commit(Replace(held) if before else Insert(held), facts=[fact])
