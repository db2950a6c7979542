"""Segments of dropped lists: built out of the layers of a plan, and judged by what they would hold.

A list that a limit stops is stored here as a held list, for ops to decide on (review_held.py). What
is refused for anything else ends an approval of ops: the next drop of that content needs another.
The segments themselves are written by `ports.ListBuilder`.
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
from chalicelib.services.ports import (
    GatheredDigests,
    Insert,
    Layer,
    NewSegment,
    Ports,
    Remove,
    Replace,
    StoredSegment,
    Sums,
)

HELD_DAYS = 30  # as long as the file is kept where it was dropped


class ListHeldError(FileRefusedError):
    """A list that a limit stopped; ops may approve it. `rows` are those it would have."""

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
    """The segment of a new version, once judged by what would be in it.

    `FileRefusedError`, `ListHeldError`.
    """

    def judged(sums: Sums) -> None:
        verdict = judge(sums.rows, sums.canaries_missing, state.current, state.limits)
        if isinstance(verdict, Accepted):
            return
        if verdict.reason not in HELD_FOR:
            raise FileRefusedError(verdict.reason, 0, verdict.detail)
        if not _is_approved(state.held):
            raise ListHeldError(verdict.reason, verdict.detail, sums.rows)

    with _refusals_noted(ports, file, state):
        return ports.list_builder().build(
            new, layers, canaries=_canaries(file, state), judge=judged
        )


def build_delta(
    ports: Ports, file: ReadListFile, state: ListState, delta: ListDelta, digests: GatheredDigests
) -> ListDelta:
    """The delta with its segment, for a full list or a delta that may still come before it."""
    with _refusals_noted(ports, file, state):
        own = ports.list_builder().build(
            new_segment(file, delta.segment, 0), [Layer("full", digests)]
        )
    return replace(delta, segment=own.path, etag=own.etag, rows=own.rows)


def build_full(
    ports: Ports, file: ReadListFile, state: ListState, new: NewSegment, digests: GatheredDigests
) -> StoredSegment:
    """A full list alone, without the deltas that were dropped after it."""
    with _refusals_noted(ports, file, state):
        return ports.list_builder().build(new, [Layer("full", digests)])


def new_segment(file: ReadListFile, path: str, generation: int) -> NewSegment:
    """A segment to be made of digests like those of the file."""
    return NewSegment(
        path=path, algorithm=file.algorithm, key_id=file.key_id, generation=generation
    )


def layer_of(planned: plan.Layer, digests: GatheredDigests) -> Layer:
    """A layer of a plan, with the digests of the dropped file where it means those."""
    return Layer(planned.mode, _stored(planned.stored) if planned.stored else digests)


def _stored(stored: ListVersion | FullList | ListDelta) -> StoredSegment:
    return StoredSegment(stored.segment, stored.etag, stored.rows)


def _canaries(file: ReadListFile, state: ListState) -> set[bytes]:
    """What must be in the list: what the campaign says, and a full list's own manifest."""
    own = file.manifest.canaries if file.manifest and file.mode == "full" else ()
    return {record(digest) for digest in (*state.limits.canaries_under(file.key_id), *own)}


# --- held lists and their approval ---------------------------------------------------------------


def end_approval(ports: Ports, held: HeldList | None) -> None:
    """An approval is used up by the first drop of its content, whatever becomes of that."""
    if held and _is_approved(held):
        ports.repository.commit(Remove(held))


def _is_approved(held: HeldList | None) -> bool:
    return held is not None and held.decision == APPROVED


@contextmanager
def _refusals_noted(ports: Ports, file: ReadListFile, state: ListState) -> Iterator[None]:
    try:
        yield
    except ListHeldError as error:
        _hold(ports, file, state.held, error)
        raise
    except FileRefusedError:
        end_approval(ports, state.held)
        raise


def _hold(ports: Ports, file: ReadListFile, before: HeldList | None, error: ListHeldError) -> None:
    """Store what ops need to decide on it; of several drops of one content, the last one."""
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
