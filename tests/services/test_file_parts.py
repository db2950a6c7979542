"""Large files in parts: the same as handled at once, whatever comes twice, late or not at all."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import Export
from chalicelib.domain.facts import FactName
from chalicelib.domain.files.orders import COLUMNS
from chalicelib.domain.files.parts import FileInParts, HandledPart, staged_path
from chalicelib.domain.files.reading import Tally
from chalicelib.domain.files.receipt import Receipt, receipt_json
from chalicelib.domain.orders import Order
from chalicelib.domain.redemptions import OrderUses, Redemption
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import SpareCode, Voucher, VoucherState
from chalicelib.services import file_parts, row_groups
from chalicelib.services.file_parts import PartLeftError, work_off
from chalicelib.services.ingest import Drop, ingest
from chalicelib.services.numbered_files import Series
from chalicelib.services.operations.reconcile import reconcile
from chalicelib.services.orders.record_many import ingest_orders
from chalicelib.services.ports import Failure, PartOfFile, Ports
from chalicelib.services.vouchers import acknowledge
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.due import must_not_fail
from tests.fakes.fuse import Fuse, KilledError, killed_everywhere
from tests.fakes.parts import work_off_parts
from tests.fakes.repository import ContestedRepository, RecordingRepository, _Wrapped
from tests.fakes.world import VIPS, World, new_world, wrapped
from tests.services.test_export import issued
from tests.services.test_orders import CLIENT_TEMPLATES

REFEREES = [f"newcomer{number}@example.fr" for number in range(4)]
ORDERS = "orders/many.csv"
RECEIPTS = f"out/{CAMPAIGN}/receipts/"
AT_ONCE = 10_000
BOTH_WAYS = pytest.mark.parametrize("step", [1, -1], ids=["in their order", "backwards"])
LOOK_UP = "read OrderUses + Order + RefereeClaim + SponsorClaim"
LEADS = "read Invitation"  # of those who may be concerned


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 7 rows, or of one part of an export."""
    in_parts_of(monkeypatch, 7)
    monkeypatch.setattr(acknowledge, "_AT_ONCE", 1)


def in_parts_of(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(row_groups, "PART_ROWS", rows)


def with_referees() -> World:
    """A world with four referrals, whose vouchers are issued."""
    world = new_world()
    for referee, sponsor in zip(REFEREES, VIPS, strict=False):
        world.referral(referee, sponsor)
    world.clock.advance(days=9)
    return world


def order_file(*rows: dict[str, str]) -> bytes:
    lines = [",".join(COLUMNS), *(",".join(row[name] for name in COLUMNS) for row in rows)]
    return "\n".join(lines).encode()


def random_rows(world: World, chance: Random) -> list[dict[str, str]]:
    """Orders of referees, sponsors and strangers, most of them reported several times; vouchers on
    several orders; and rows that are wrong.
    """
    codes = [voucher.code for voucher in world.memory.all(Voucher)]
    people = [*REFEREES, *REFEREES, VIPS[0], "stranger@example.fr", None]
    rows = []
    for number in range(chance.randrange(25, 45)):
        buyer = chance.choice(people)
        code = chance.choice([*codes, *codes, "SUMMER10", "SUMMER10", "", "", ""])
        for _ in range(chance.randrange(1, 5)):
            made = world.clock() - timedelta(days=chance.randrange(-1, 9), hours=1)
            rows.append(
                world.order(
                    f"A{number}",
                    chance.choice(["placed", "kept", "returned", "cancelled"]),
                    of=chance.choice([buyer, buyer, buyer, None, REFEREES[0]]),
                    code=chance.choice([code, code.lower(), ""]),
                    amount=chance.choice(["80.00", "80.00", "79.99", "0.00", "x"]),
                    ordered_at=made.isoformat(),
                    currency=chance.choice(["EUR"] * 9 + ["USD"]),
                )
            )
    chance.shuffle(rows)
    return rows


def come_to(world: World) -> dict[str, list[Any]]:
    """What is stored of orders, vouchers and referrals."""

    def shown(entity: Entity) -> str:
        fields = asdict(entity) | {"revision": 0}
        for name in {"known_orders", "kept_orders"} & set(fields):  # as they came
            fields[name] = sorted(fields[name])
        return repr(fields)

    kinds = (Order, OrderUses, Redemption, Referral, Voucher, SpareCode)
    return {kind.__name__: sorted(map(shown, world.memory.all(kind))) for kind in kinds}


def receipts(world: World) -> dict[str, bytes]:
    """Those of orders, one for each drop."""
    found = world.files.under(f"{RECEIPTS}{ORDERS}@")
    return dict(found)


def handled_at_once(world: World, content: bytes, path: str = ORDERS) -> Receipt:
    with pytest.MonkeyPatch.context() as patch:
        in_parts_of(patch, AT_ONCE)
        return world.drop(path, content)


def handed_out(world: World, content: bytes, path: str = ORDERS) -> list[PartOfFile]:
    """The messages for a file that was read."""
    drop = world.put_file(path, content)
    assert ingest(world.ports, drop) is None
    assert ingest(world.ports, drop) is None  # its event comes twice
    return [*world.queues.parts]


def delivered(world: World, chance: Random) -> Receipt:
    """The receipt after all messages have come, in any order, some several times."""
    messages = world.queues.parts
    messages += [message for message in messages if chance.random() < 0.5]
    chance.shuffle(messages)
    receipt = work_off_parts(world.ports)
    assert receipt
    return receipt


@pytest.mark.parametrize("seed", range(12))
def test_law_4_orders_in_parts_come_to_the_same_as_at_once_in_any_sequence(seed: int) -> None:
    chance = Random(seed)
    world, twin = with_referees(), with_referees()
    rows = random_rows(world, chance)
    for each in (world, twin):
        handled_at_once(each, order_file(*rows[::3]), "orders/earlier.csv")
    content = order_file(*rows)
    expected = handled_at_once(twin, content)
    assert len(handed_out(world, content)) > 4
    receipt = delivered(world, chance)
    assert receipt_json(receipt) == receipt_json(expected)
    assert receipts(world) == receipts(twin)
    assert come_to(world) == come_to(twin)
    assert world.files.under("parts/") == {}


@BOTH_WAYS
def test_law_6_orders_that_name_one_voucher_are_in_one_part_in_the_order_of_the_file(
    step: int,
) -> None:
    """The first order in the file gets it, even if its part is handled last."""
    world = with_referees()
    code = next(one.code for one in world.memory.all(Voucher))
    rows = [
        world.order(f"A{number:02}", of=REFEREES[number % 4], code="SUMMER10")
        for number in range(30)
    ]
    rows[2] |= {"order_id": "Z", "voucher_code": code}
    rows[25] |= {"order_id": "A", "voucher_code": code.lower()}
    handed_out(world, order_file(*rows))
    world.queues.parts[:] = world.queues.parts[::step]
    receipt = work_off_parts(world.ports)
    assert receipt
    assert (27, "exhausted") in receipt.vouchers
    assert [one.order_id for one in world.memory.all(Redemption)] == ["Z"]
    # A code of the shop's own, in all orders, does not keep them together.
    assert len(world.memory.all(HandledPart)) > 4


@BOTH_WAYS
def test_law_6_an_order_that_gives_a_voucher_back_is_in_one_part_with_the_next_that_names_it(
    step: int,
) -> None:
    """Its code was named by a report before this file, and is not in it."""
    world = with_referees()
    code = next(one.code for one in world.memory.all(Voucher))
    world.drop_orders(world.order("Z", of=REFEREES[0], code=code))
    rows = [world.order(f"A{number:02}", of=REFEREES[number % 4]) for number in range(30)]
    rows[2] = world.order("Z", "cancelled", of=REFEREES[0])
    rows[25] |= {"order_id": "A", "voucher_code": code}
    handed_out(world, order_file(*rows))
    world.queues.parts[:] = world.queues.parts[::step]
    receipt = work_off_parts(world.ports)
    assert receipt
    assert receipt.vouchers == ()
    [voucher] = [one for one in world.memory.all(Voucher) if one.code == code]
    assert (voucher.state, voucher.redeemed_by) == (VoucherState.REDEEMED, "A")


def test_law_4_codes_in_parts_come_to_the_same_as_at_once() -> None:
    chance = Random(1)
    lines = [f"OWN-{chance.randrange(1000, 1040)}" for _ in range(60)] + ["x y", "own1001"]
    chance.shuffle(lines)
    content = "\n".join(["code", *lines]).encode()
    world = new_world(templates=CLIENT_TEMPLATES)
    twin = new_world(templates=CLIENT_TEMPLATES)
    path = "codes/welcome/many.csv"
    expected = handled_at_once(twin, content, path)
    assert "code_duplicate" in {error.reason for error in expected.errors}
    handed_out(world, content, path)
    assert receipt_json(delivered(world, chance)) == receipt_json(expected)
    assert come_to(world) == come_to(twin)


def test_a_file_that_is_damaged_at_its_end_stages_nothing_and_changes_nothing() -> None:
    world = with_referees()
    rows = [world.order(f"A{number}", of=REFEREES[0]) for number in range(40)]
    before = come_to(world)
    receipt = ingest(world.ports, world.put_file(ORDERS, order_file(*rows) + b"\n\xff"))
    assert receipt
    assert receipt.reason == "not_utf8"
    assert (world.queues.parts, world.files.under("parts/")) == ([], {})
    assert come_to(world) == before


def test_a_gzipped_file_is_handled_in_parts() -> None:
    world, twin = with_referees(), with_referees()
    rows = [world.order(f"A{number}", of=REFEREES[0]) for number in range(40)]
    content = gzip.compress(order_file(*rows), mtime=0)
    expected = handled_at_once(twin, content, f"{ORDERS}.gz")
    assert receipt_json(world.drop(f"{ORDERS}.gz", content)) == receipt_json(expected)


# --- kills --------------------------------------------------------------------------------------


def many_orders(world: World) -> bytes:
    rows = [world.order(f"A{number}", of=REFEREES[number % 4]) for number in range(20)]
    rows[3] |= {"amount": "x"}
    rows[17] |= {"currency": "USD"}
    return order_file(*rows)


def dropped() -> World:
    """A world with a file of several parts, about which nobody knows yet."""
    world = with_referees()
    world.files.content[DROP.key] = many_orders(world)
    return world


DROP = Drop(CAMPAIGN, ORDERS, with_referees().clock())


def told_by(receipt: dict[str, Any]) -> dict[str, Any]:
    """What a receipt says whatever was killed: how many were accepted, not by which attempt."""
    return receipt | {"effects": sum(receipt["effects"].values())}


def handle_all(world: World, ports: Ports) -> None:
    """The event of the drop, then all messages; each stays until its work is done."""
    ingest(ports, DROP)
    while world.queues.parts:
        work_off(ports, world.queues.parts[0], must_not_fail)
        world.queues.parts.pop(0)


@pytest.mark.slow
def test_law_4_killed_at_every_step_and_delivered_again_there_is_one_receipt() -> None:
    undisturbed = dropped()
    handle_all(undisturbed, undisturbed.ports)
    [expected] = receipts(undisturbed).values()
    worlds = killed_everywhere(dropped, handle_all, lambda world: world.ports)
    assert len(worlds) > 150
    for world in worlds:
        handle_all(world, world.ports)
        [found] = receipts(world).values()
        assert told_by(json.loads(found)) == told_by(json.loads(expected))
        assert world.files.content[f"{RECEIPTS}{ORDERS}.json"] == found
        assert come_to(world) == come_to(undisturbed)
        [file] = world.memory.all(FileInParts)
        assert file.finished_at
        # What a killed reader had staged ends with its folder; of what counts nothing is left.
        assert not world.files.under(f"parts/{CAMPAIGN}/{file.folder}")


def test_law_4_of_two_readers_of_a_file_the_parts_of_one_are_handled() -> None:
    world = dropped()
    other = Fuse(AT_ONCE, after_the_effect=True).on(world.ports)
    contested = ContestedRepository(world.repository, lambda: ingest(other, DROP))
    ingest(wrapped(world, lambda _: contested), DROP)
    [file] = world.memory.all(FileInParts)
    assert set(world.files.under("parts/")) == set(
        world.files.under(f"parts/{CAMPAIGN}/{file.folder}")
    )
    assert work_off_parts(world.ports)


def test_a_file_that_is_recorded_is_not_staged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = dropped()
    ingest(world.ports, DROP)
    staged = set(world.files.under("parts/"))
    written: list[str] = []
    monkeypatch.setattr(world.files, "write", lambda path, *_, **__: written.append(path))
    ingest(world.ports, DROP)
    assert (written, set(world.files.under("parts/"))) == ([], staged)


def test_a_part_that_was_never_handled_is_never_left_out_of_the_receipt() -> None:
    """What was staged of it is gone: by its end, or by somebody's hand."""
    world = dropped()
    ingest(world.ports, DROP)
    lost = world.queues.parts.pop()
    [file] = world.memory.all(FileInParts)
    world.files.remove(staged_path(file, lost.part))
    assert work_off_parts(world.ports) is None
    assert receipts(world) == {}
    with pytest.raises(PartLeftError):
        work_off(world.ports, lost, must_not_fail)
    world.clock.advance(hours=4)
    assert reconcile(world.ports)["unfinished_files"] == 1


def killed_before_the_receipt() -> World:
    """A world whose last worker was killed before the receipt, and its message is lost."""
    world = dropped()
    ingest(world.ports, DROP)
    last = world.queues.parts.pop()
    work_off_parts(world.ports)
    handled = len(world.memory.all(HandledPart))
    for at in range(1, 50):
        with pytest.raises(KilledError):
            work_off(Fuse(at, after_the_effect=True).on(world.ports), last, must_not_fail)
        if len(world.memory.all(HandledPart)) > handled and not world.files.under("parts/"):
            return world
    raise AssertionError("never killed there")


def test_a_file_whose_last_worker_was_killed_is_finished_within_the_hour() -> None:
    world = killed_before_the_receipt()
    assert receipts(world) == {}
    world.clock.advance(minutes=16)
    assert reconcile(world.ports)["unfinished_files"] == 0
    assert work_off_parts(world.ports)
    assert len(receipts(world)) == 1
    world.clock.advance(hours=4)
    assert reconcile(world.ports)["unfinished_files"] == 0
    assert world.queues.parts == []


# --- what cannot be handled ---------------------------------------------------------------------


class Poisoned(_Wrapped):
    """A repository that cannot store some orders, in any status or in one."""

    def __init__(self, world: World, *order_ids: str, status: str = "") -> None:
        super().__init__(world.repository)
        self._order_ids = order_ids
        self._status = status

    def commit(self, *changes: Any, **more: Any) -> None:
        for order in (change.entity for change in changes if isinstance(change.entity, Order)):
            if order.order_id in self._order_ids and self._status in {"", order.status}:
                raise LookupError("nobody can store it")
        super().commit(*changes, **more)


def delivered_to(
    world: World, ports: Ports, on_failure: Callable[[Failure], None]
) -> list[PartOfFile]:
    """Deliver every message once; those that came back."""
    left = []
    for message in [*world.queues.parts]:
        try:
            work_off(ports, message, on_failure)
        except PartLeftError:
            left.append(message)
    world.queues.parts[:] = left
    return left


def test_a_row_that_cannot_be_handled_stops_no_other_and_is_named() -> None:
    world, twin = dropped(), with_referees()
    expected = handled_at_once(twin, many_orders(twin))
    ingest(world.ports, DROP)
    poisoned = wrapped(world, lambda _: Poisoned(world, "A5"))
    failures: list[Failure] = []
    [left] = delivered_to(world, poisoned, failures.append)
    [file] = world.memory.all(FileInParts)
    assert [(one.kind, one.name) for one in failures] == [("row", f"{file.file_id}:7")]
    assert {one.order_id for one in world.memory.all(Order)} == {
        one.order_id for one in twin.memory.all(Order) if one.order_id != "A5"
    }
    assert receipts(world) == {}
    # Delivered again, it is that row alone that is tried.
    recording = RecordingRepository(Poisoned(world, "A5"))
    assert delivered_to(world, wrapped(world, lambda _: recording), failures.append) == [left]
    assert len(recording.calls) < 15
    world.clock.advance(hours=4)
    assert reconcile(world.ports)["unfinished_files"] == 1
    # Its cause is settled, and it is redriven: the receipt is that of one without a failure.
    receipt = work_off_parts(world.ports)
    assert receipt
    assert replace(receipt, dropped_at=expected.dropped_at) == expected
    assert come_to(world) == come_to(twin)


def test_later_reports_of_an_order_wait_for_one_that_cannot_be_handled() -> None:
    world = with_referees()
    rows = [world.order(f"A{number}", of=REFEREES[0]) for number in range(8)]
    rows += [world.order("A5", "cancelled", of=REFEREES[0])]
    world.put_file(ORDERS, order_file(*rows))
    ingest(world.ports, DROP)
    poisoned = Poisoned(world, "A5", status="placed")
    delivered_to(world, wrapped(world, lambda _: poisoned), lambda _: None)
    assert [one.left for one in world.memory.all(HandledPart) if one.left] == [(7, 10)]
    receipt = work_off_parts(world.ports)
    assert receipt
    assert receipt.effects == {"recorded": 9}


def test_where_nothing_works_a_part_is_left_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    in_parts_of(monkeypatch, 100)
    world = with_referees()
    rows = [world.order(f"A{number}", of=REFEREES[0]) for number in range(101)]
    ingest(world.ports, world.put_file(ORDERS, order_file(*rows)))
    world.queues.parts[1:] = []
    ids = [row["order_id"] for row in rows]
    failures: list[Failure] = []
    for times in (1, 2):
        delivered_to(world, wrapped(world, lambda _: Poisoned(world, *ids)), failures.append)
        assert len(failures) == times * file_parts.FAILING_AT_ONCE + (times - 1) * 10
    # Each delivery gets further, so that a few bad rows never hold up the good ones behind them.
    [part] = [one for one in world.memory.all(HandledPart) if one.part]
    assert (part.position, len(part.left)) == (20, 20)


def test_a_part_that_takes_too_long_goes_on_in_another_message() -> None:
    world, twin = dropped(), with_referees()
    expected = handled_at_once(twin, many_orders(twin))
    ingest(world.ports, DROP)
    start = world.clock.now

    class Slow(_Wrapped):
        def commit(self, *changes: Any, **more: Any) -> None:
            super().commit(*changes, **more)
            world.clock.advance(minutes=4)

    slow = wrapped(world, lambda _: Slow(world.repository))
    times = 0
    receipt = None
    while world.queues.parts:
        receipt = work_off(slow, world.queues.parts.pop(0), must_not_fail) or receipt
        times += 1
    [file] = world.memory.all(FileInParts)
    assert times > 2 * file.parts
    assert receipt
    assert replace(receipt, dropped_at=expected.dropped_at) == expected
    assert receipt.received_at == start


def test_results_are_read_for_the_receipt_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    world = dropped()
    read: list[str] = []
    within = world.repository.within

    def noted(kind: Any, /, **key: Any) -> Any:
        read.append(kind.__name__)
        return within(kind, **key)

    monkeypatch.setattr(world.repository, "within", noted)
    handle_all(world, world.ports)
    assert read.count("HandledPart") == 1


# --- what it costs ------------------------------------------------------------------------------


def counted(world: World, work: Callable[[Ports], object]) -> list[str]:
    recording = RecordingRepository(world.repository)
    work(wrapped(world, lambda _: recording))
    return recording.calls


def test_rows_cost_the_same_calls_in_parts_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world, twin = dropped(), dropped()
    with monkeypatch.context() as patch:
        in_parts_of(patch, AT_ONCE)
        at_once = counted(twin, lambda ports: ingest(ports, DROP))
    in_parts = counted(world, lambda ports: handle_all(world, ports))
    [file] = world.memory.all(FileInParts)
    assert not Counter(at_once) - Counter(in_parts)
    more = Counter(in_parts) - Counter(at_once)
    # Who may be concerned is looked up a part, not a row; the rest is about the file.
    assert more.pop(LOOK_UP) <= file.parts
    assert more.pop(LEADS) <= file.parts
    assert all("FileInParts" in call or "HandledPart" in call for call in more)
    assert more.total() <= 4 * file.parts + 6


def lines_of(rows: int) -> Iterator[bytes]:
    yield f"{','.join(COLUMNS)}\n".encode()
    for number in range(rows):
        yield (
            f"{number:036},2026-03-10T09:00:00+01:00,{number:064x},CODE{number},45.00,EUR,kept\n"
        ).encode()


def peak_of(rows: int) -> int:
    """The most memory that reading and staging so many rows takes."""
    world = new_world()
    tracemalloc.start()
    parts = ingest_orders(world.ports, world.campaign, plain=lines_of(rows), tally=Tally())
    assert parts
    assert sum(map(len, parts)) == rows
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    in_parts_of(monkeypatch, 1_000)
    small = peak_of(10_000)
    assert peak_of(40_000) < small * 1.1
    assert small < 10 << 20


# --- law 9 --------------------------------------------------------------------------------------


def test_law_9_nothing_with_a_plain_address_is_staged_and_the_file_is_moved_at_once() -> None:
    world, twin = with_referees(), with_referees()
    rows = [world.order(f"A{number}", of=REFEREES[0]) for number in range(30)]
    rows[4] |= {"email_digest": "jeanne@example.fr"}
    rows[20] |= {"voucher_code": "jeanne@example.fr"}
    content = order_file(*rows)
    name = "orders/jeanne@example.fr.csv"
    drop = world.put_file(name, content)
    assert ingest(world.ports, drop) is None
    # Before any part is handled.
    assert drop.key not in world.files.content
    assert len(world.files.under("quarantine/")) == 1
    staged = world.files.under("parts/")
    assert len(staged) > 3
    left = [repr(list(staged)), *(gzip.decompress(one).decode() for one in staged.values())]
    assert "@" not in repr([left, world.memory.all(FileInParts), world.queues.parts])
    receipt = work_off_parts(world.ports)
    expected = handled_at_once(twin, content, name)
    assert receipt == expected
    assert (receipt.quarantined, receipt.name_withheld, receipt.rejected) == (True, True, 2)


# --- acknowledgements ---------------------------------------------------------------------------


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with an export of four vouchers in four parts, too large to be answered at once."""
    in_parts_of(monkeypatch, 3)
    return export_of_four()


def export_of_four() -> World:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Series, "part_rows", 1)
        world = issued(4)
        world.export()
    return world


def states(world: World) -> list[VoucherState]:
    return sorted(voucher.state for voucher in world.memory.all(Voucher))


def test_law_4_an_empty_acknowledgement_of_a_large_export_answers_every_voucher_once(
    exported: World,
) -> None:
    handed_out(exported, b"", "acks/00000001.ack")
    assert exported.memory.all(Export)[0].acknowledged_at is None
    receipt = delivered(exported, Random(1))
    assert (receipt.status, receipt.effects) == ("accepted", {"acknowledged": 4})
    assert set(states(exported)) == {VoucherState.ACKNOWLEDGED}
    assert len(exported.facts(FactName.VOUCHER_ACKNOWLEDGED)) == 4
    assert exported.memory.all(Export)[0].acknowledged_at
    exported.clock.advance(minutes=1)
    assert exported.acknowledge(1).effects == {"already": 4}


def test_law_4_refused_codes_are_never_acknowledged_whichever_part_is_first(
    exported: World,
) -> None:
    twin = export_of_four()
    codes = [row["code"] for row in exported.exported(1)]
    content = f"code,reason\n{codes[3]},a\n{codes[0].lower()},b\n".encode()
    expected = handled_at_once(twin, content, "acks/00000001.ack")
    handed_out(exported, content, "acks/00000001.ack")
    receipt = delivered(exported, Random(2))
    assert receipt.effects == expected.effects == {"acknowledged": 2, "refused": 2}
    assert states(exported) == states(twin)
    refused = {one.code: one.refused_reason for one in exported.memory.all(Voucher)}
    assert [refused[code] for code in codes] == ["b", None, None, "a"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [("WE-22222-22222-22222,x", "code_not_in_export"), ("=1+1,x", "code_invalid")],
)
def test_one_wrong_line_refuses_the_acknowledgement_of_a_large_export(
    exported: World, line: str, reason: str
) -> None:
    code = exported.exported(1)[2]["code"]
    receipt = exported.acknowledge(1, f"{code},x\n{line}\n".encode())
    assert (receipt.status, receipt.reason, receipt.errors[0].line) == ("refused", reason, 2)
    assert set(states(exported)) == {VoucherState.EXPORTED}
    assert (exported.queues.parts, exported.files.under("parts/")) == ([], {})


def test_a_code_that_was_acknowledged_cannot_be_refused_in_a_large_export(exported: World) -> None:
    code = exported.exported(1)[2]["code"]
    exported.acknowledge(1)
    assert exported.acknowledge(1, f"{code},late\n".encode()).reason == "code_acknowledged_already"
