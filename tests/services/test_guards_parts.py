"""Large files in parts, and what their workers meet: each other, an outage, a staged part that is
gone, a table that cannot be read for a while.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain.entity import Entity
from chalicelib.domain.files.parts import FileInParts, HandledPart, staged_in, staged_path
from chalicelib.domain.vouchers import SpareCode, Voucher
from chalicelib.domain.watch import LastFile
from chalicelib.services.file_parts import work_off
from chalicelib.services.ingest import ingest
from chalicelib.services.isolation import Isolation, raised
from chalicelib.services.orders import record_many
from chalicelib.services.ports import (
    Change,
    ConflictError,
    ContentionError,
    Failure,
    Found,
    Key,
    PartOfFile,
)
from chalicelib.services.unfinished_files import find_unfinished
from tests.fakes.due import must_not_fail
from tests.fakes.parts import work_off_parts
from tests.fakes.repository import _Wrapped
from tests.fakes.world import World, new_world, wrapped
from tests.services.test_file_parts import (
    DROP,
    ORDERS,
    REFEREES,
    Poisoned,
    delivered_to,
    dropped,
    in_parts_of,
    killed_before_the_receipt,
    order_file,
    receipts,
    with_referees,
)
from tests.services.test_orders import CLIENT_TEMPLATES
from tests.services.test_send import Overtaken as BeforeItsCommit

STRANGER = "stranger@example.fr"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    in_parts_of(monkeypatch, 7)


class Overtaken(_Wrapped):
    """A repository where somebody else acts just before something of a kind is first stored."""

    def __init__(self, world: World, kind: type[Entity], competitor: Callable[[], object]) -> None:
        super().__init__(world.repository)
        self._kind = kind
        self._competitors = [competitor]

    def commit(self, *changes: Change, **more: Any) -> None:
        if self._competitors and any(isinstance(one.entity, self._kind) for one in changes):
            self._competitors.pop()()
        super().commit(*changes, **more)


def conflict() -> None:
    raise ConflictError("a transaction that was cancelled meanwhile")


def left_to_the_last_part(world: World) -> PartOfFile:
    """The message of a part that was not handled yet, of a file of which all others were."""
    ingest(world.ports, DROP)
    last = world.queues.parts.pop()
    assert work_off_parts(world.ports) is None
    return last


def test_of_two_workers_at_one_part_the_slower_finds_it_done_and_the_file_finished() -> None:
    world = dropped()
    last = left_to_the_last_part(world)
    faster = [work_off]
    slow = Overtaken(world, HandledPart, lambda: faster.pop()(world.ports, last, must_not_fail))
    receipt = work_off(wrapped(world, lambda _: slow), last, must_not_fail)
    assert receipt
    assert faster == []
    [written] = receipts(world).values()
    # That of the worker who did the rows: the slower one found them known already.
    assert json.loads(written)["effects"] == dict(receipt.effects)
    [file] = world.memory.all(FileInParts)
    assert file.finished_at
    assert world.files.under("parts/") == {}


def test_a_reader_that_meets_a_conflict_and_finds_no_record_leaves_nothing_staged() -> None:
    world = dropped()
    contested = Overtaken(world, FileInParts, conflict)
    with pytest.raises(ConflictError):
        ingest(wrapped(world, lambda _: contested), DROP)
    assert (world.queues.parts, world.files.under("parts/")) == ([], {})
    assert ingest(world.ports, DROP) is None  # delivered again
    assert work_off_parts(world.ports)


@pytest.mark.parametrize("partly_done", [False, True])
def test_a_part_whose_staged_rows_are_gone_waits_for_somebody_and_is_not_queued_again(
    partly_done: bool,
) -> None:
    world = dropped()
    ingest(world.ports, DROP)
    world.queues.parts[1:] = []
    if partly_done:
        poisoned = wrapped(world, lambda _: Poisoned(world, *(f"A{n}" for n in range(20))))
        delivered_to(world, poisoned, lambda _: None)
        assert [one.is_complete for one in world.memory.all(HandledPart) if one.part] == [False]
    [file] = world.memory.all(FileInParts)
    [message] = world.queues.parts
    world.files.remove(staged_path(file, message.part))
    assert delivered_to(world, world.ports, must_not_fail) == [message]
    assert receipts(world) == {}


def test_rows_that_wait_for_a_list_wait_in_their_queue_and_are_handled_when_it_is_back() -> None:
    world = with_referees()
    code = next(one.code for one in world.memory.all(Voucher))
    rows = [world.order(f"A{number}", of=STRANGER, code=code) for number in range(8)]
    ingest(world.ports, world.put_file(ORDERS, order_file(*rows)))
    world.lists.fails = "read_failed"
    messages = [*world.queues.parts]
    # Those who wait are no failure; queued again by itself, such a part would go round without end.
    assert delivered_to(world, world.ports, must_not_fail) == messages
    world.lists.fails = None
    receipt = work_off_parts(world.ports)
    assert receipt
    assert receipt.accepted == 8


class ReadFailing(_Wrapped):
    """A repository whose n-th look-up of rows meets others that read and write the same."""

    def __init__(self, world: World, at: int) -> None:
        super().__init__(world.repository)
        self._left = at

    def read(self, *keys: Key[Any]) -> Found:
        if any(key.kind.__name__ == "SponsorClaim" for key in keys):
            self._left -= 1
            if self._left == 0:
                raise ContentionError
        return super().read(*keys)


def test_what_was_done_of_a_part_before_its_table_failed_is_counted_as_it_was_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(record_many, "_AT_ONCE", 3)
    world = with_referees()
    rows = [world.order(f"A{number}", of=REFEREES[0]) for number in range(8)]
    ingest(world.ports, world.put_file(ORDERS, order_file(*rows)))
    failures: list[Failure] = []
    failing = ReadFailing(world, at=2)
    [left] = delivered_to(world, wrapped(world, lambda _: failing), failures.append)
    assert failures == []  # it comes again by itself
    [part] = [one for one in world.memory.all(HandledPart) if one.part == left.part]
    assert (part.position, part.is_complete) == (3, False)
    receipt = work_off_parts(world.ports)
    assert receipt
    assert receipt.effects == {"recorded": 8}


# --- what counts as an order file -----------------------------------------------------------------


def of_refused_orders(world: World) -> tuple[str, bytes]:
    rows = [world.order(f"A{number}", of=STRANGER, currency="USD") for number in range(8)]
    return ORDERS, order_file(*rows)


def of_codes(_: World) -> tuple[str, bytes]:
    codes = [f"OWN-{1000 + number}" for number in range(8)]
    return "codes/welcome/a.csv", "\n".join(["code", *codes]).encode()


def of_orders(world: World) -> tuple[str, bytes]:
    return ORDERS, order_file(*(world.order(f"A{number}", of=STRANGER) for number in range(8)))


@pytest.mark.parametrize("rows", [7, 100], ids=["in parts", "at once"])
@pytest.mark.parametrize(
    ("file_of", "notes"), [(of_refused_orders, False), (of_codes, False), (of_orders, True)]
)
def test_only_a_file_of_orders_of_which_some_are_accepted_ends_the_wait_for_orders(
    monkeypatch: pytest.MonkeyPatch,
    file_of: Callable[[World], tuple[str, bytes]],
    notes: bool,
    rows: int,
) -> None:
    in_parts_of(monkeypatch, rows)
    world = new_world(templates=CLIENT_TEMPLATES)
    world.drop(*file_of(world))
    assert bool(world.memory.all(LastFile)) is notes
    assert bool(world.memory.all(SpareCode)) is (file_of is of_codes)


# --- files that nobody finishes -------------------------------------------------------------------


def test_a_file_that_cannot_be_looked_at_keeps_no_other_from_being_finished(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = new_world()
    rows = [world.order(f"A{number}", of=STRANGER) for number in range(8)]
    for name in ("orders/a.csv", "orders/b.csv"):
        ingest(world.ports, world.put_file(name, order_file(*rows)))
    files = sorted(world.memory.all(FileInParts), key=lambda one: one.file_id)
    world.queues.parts.clear()
    for path in world.files.under("parts/"):
        world.files.remove(path)
    paths = world.files.paths

    def failing(folder: str) -> list[str]:
        if folder == staged_in(files[0]):
            raise OSError("the bucket does not answer")
        return paths(folder)

    monkeypatch.setattr(world.files, "paths", failing)
    world.clock.advance(hours=4)
    failures: list[Failure] = []
    assert find_unfinished(world.ports, Isolation(failures.append)) == 1
    assert [one.name for one in failures] == [files[0].file_id]
    assert [one.file_id for one in world.queues.parts] == [files[1].file_id]


def test_a_file_without_a_part_left_is_queued_again_once_its_worker_had_its_time() -> None:
    world = killed_before_the_receipt()
    world.clock.advance(minutes=14)
    assert find_unfinished(world.ports, Isolation(raised)) == 0
    assert world.queues.parts == []
    world.clock.advance(minutes=2)
    assert find_unfinished(world.ports, Isolation(raised)) == 0
    assert len(world.queues.parts) == 1


def test_parts_whose_messages_may_be_lost_are_queued_again_once_a_day() -> None:
    world = dropped()
    ingest(world.ports, DROP)
    parts = [*world.queues.parts]
    assert len(parts) > 1
    queued: list[int] = []
    for _ in range(53):
        world.queues.parts.clear()
        world.clock.advance(hours=1)
        found = find_unfinished(world.ports, Isolation(raised))
        assert found == (len(queued) >= 2)
        queued.append(len(world.queues.parts))
    assert [hour for hour, number in enumerate(queued, start=1) if number] == [3, 27, 51]
    assert set(queued) == {0, len(parts)}
    assert {one.part for one in parts} == set(range(1, len(parts) + 1))


def test_of_a_file_only_the_parts_that_are_left_are_queued_again() -> None:
    world = dropped()
    ingest(world.ports, DROP)
    lost = world.queues.parts.pop()
    work_off_parts(world.ports)
    world.clock.advance(hours=4)
    find_unfinished(world.ports, Isolation(raised))
    assert world.queues.parts == [lost]
    assert work_off_parts(world.ports)
    assert len(receipts(world)) == 1


def test_a_file_that_is_finished_while_its_parts_are_queued_again_stays_finished() -> None:
    world = dropped()
    ingest(world.ports, DROP)
    lost = world.queues.parts.pop()
    work_off_parts(world.ports)
    world.clock.advance(hours=4)
    overtaken = wrapped(
        world,
        lambda inner: BeforeItsCommit(inner, lambda: work_off(world.ports, lost, must_not_fail)),
    )
    find_unfinished(overtaken, Isolation(raised))
    [file] = world.memory.all(FileInParts)
    assert file.finished_at
