"""The daily comparison of the table with the files: every difference by name, and none made up."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import TypeVar

import pytest

from chalicelib.adapters.dynamodb import schema
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.changes import ChangeKind, VoucherChange
from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import Export, ExportPart, ExportSequence, ExportState
from chalicelib.domain.files.reconciliation import RECONCILIATION_COLUMNS
from chalicelib.domain.reconciliation import Difference
from chalicelib.domain.statements import end_of
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.operations import reconciliation
from chalicelib.services.operations.reconciliation import write_reconciliations
from chalicelib.services.operations.statement import write_statements
from chalicelib.services.ports import Failure, Insert, OnFailure, Ports, Remove, Replace, Repository
from chalicelib.services.vouchers.changes import write_changes
from tests.fakes.fuse import killed_everywhere
from tests.fakes.repository import _pair, _Wrapped
from tests.fakes.till import Till
from tests.fakes.world import new_world, wrapped

OUT = "out/demo-vip/"
E = TypeVar("E", bound=Entity)


@pytest.fixture
def till() -> Till:
    """A voucher of each state, in files, and an hour gone by."""
    till = Till(new_world())
    keys = [till.issue() for _ in range(5)]
    till.world.export()
    till.redeem(keys[1], "A1")
    till.revoke(keys[2])
    till.expire(keys[3])
    till.refuse(keys[4])
    files(till)
    till.world.clock.advance(hours=1)
    return till


def files(till: Till) -> None:
    till.world.export()
    write_changes(till.ports, till.world.campaign)


def compared(till: Till) -> list[tuple[str, str, str, str]]:
    """The rows of the day's report."""
    till.world.reconciliation()
    day = till.world.campaign.local_date(till.world.clock()).isoformat()
    content = till.world.files.content[f"{OUT}reports/reconciliation-{day}.csv"].decode()
    header, *rows = csv.reader(content.splitlines())
    assert tuple(header) == RECONCILIATION_COLUMNS
    return [(voucher, difference, table, of_files) for voucher, difference, table, of_files in rows]


def first(till: Till) -> Voucher:
    """The outstanding voucher."""
    return next(one for one in till.world.memory.all(Voucher) if one.voucher_id == "voucher1")


def named(till: Till, voucher_id: str) -> Voucher:
    return next(one for one in till.world.memory.all(Voucher) if one.voucher_id == voucher_id)


def store(till: Till, voucher: Voucher) -> None:
    till.ports.repository.commit(Replace(voucher))


def test_files_that_agree_with_the_table_give_a_header_alone(till: Till) -> None:
    assert compared(till) == []


def test_it_is_made_once_a_day_and_never_changed(till: Till) -> None:
    assert till.world.reconciliation() == 0
    before = dict(till.world.files.content)
    store(till, replace(first(till), value_minor=1))
    assert till.world.reconciliation() == 0
    assert till.world.files.content == before
    till.world.clock.advance(days=1)
    assert till.world.reconciliation() == 1


def test_it_also_starts_from_a_statement(till: Till) -> None:
    till.world.clock.now = end_of(till.world.campaign, "2026-03") + timedelta(minutes=20)
    assert len(write_statements(till.ports, till.world.campaign)) == 1
    assert compared(till) == []


# --- each difference -----------------------------------------------------------------------------


def another_value(till: Till) -> None:
    store(till, replace(first(till), value_minor=999))


def another_state(till: Till) -> None:
    store(till, replace(first(till), state=VoucherState.EXPIRED, changes=0, changed_at=None))
    # Not one that an earlier version ended: it has had a change.
    change = VoucherChange(
        campaign="demo-vip", position="p", code_key=first(till).code_key, code=first(till).code,
        voucher_id="voucher1", change=ChangeKind.ROLLED_BACK, at=till.world.clock(),
    )  # fmt: skip
    store(till, replace(first(till), changes=1))
    till.ports.repository.commit(Insert(change))
    write_changes(till.ports, till.world.campaign)


def another_order(till: Till) -> None:
    store(till, replace(named(till, "voucher2"), redeemed_by="A9"))


def a_change_lost(till: Till) -> None:
    store(till, replace(named(till, "voucher2"), changes=2))


def a_change_too_many(till: Till) -> None:
    store(till, replace(named(till, "voucher5"), changes=1))


def not_exported(till: Till) -> None:
    store(till, replace(first(till), voucher_id="other"))


def exported_twice(till: Till) -> None:
    [part] = till.world.memory.all(ExportPart)
    again = replace(part, part=2, codes=part.codes[:1], rows=part.rows[:1], revision=0)
    till.ports.repository.commit(Insert(again))


def not_acknowledged(till: Till) -> None:
    [export] = till.world.memory.all(Export)
    till.ports.repository.commit(Replace(replace(export, acknowledged_at=till.world.clock())))


def test_every_difference_is_tried_below() -> None:
    assert {name for _, names in DIFFERENCES for name in names} == set(Difference)


DIFFERENCES: list[tuple[Callable[[Till], None], list[str]]] = [
    (another_value, ["value_differs"]),
    (another_state, ["state_differs"]),
    (another_order, ["redeemed_on_another_order"]),
    (a_change_lost, ["change_missing"]),
    (a_change_too_many, ["change_too_many"]),
    (not_exported, ["not_in_any_export", "unknown_voucher"]),
    (exported_twice, ["in_two_exports"]),
    (not_acknowledged, ["acknowledgement_missing"]),
]


@pytest.mark.parametrize(
    ("happens", "names"), DIFFERENCES, ids=[one.__name__ for one, _ in DIFFERENCES]
)
def test_a_difference_is_named(
    till: Till, happens: Callable[[Till], None], names: list[str]
) -> None:
    with_column_voucher(till)
    happens(till)
    assert sorted({difference for _, difference, _, _ in compared(till)}) == names


def with_column_voucher(till: Till) -> None:
    """Exports as this version writes them, by voucher and not by code."""
    for part in till.world.memory.all(ExportPart):
        if "voucher" in part.columns:
            continue
        ids = {one.code_key: one.voucher_id for one in till.world.memory.all(Voucher)}
        rows = tuple((*row, ids[code]) for code, row in zip(part.codes, part.rows, strict=True))
        columns = (*part.columns, "voucher")
        till.ports.repository.commit(Replace(replace(part, columns=columns, rows=rows)))


def test_a_difference_says_what_each_side_has(till: Till) -> None:
    another_order(till)
    assert compared(till) == [("voucher2", "redeemed_on_another_order", "A9", "A1")]


# --- what is no difference -----------------------------------------------------------------------


def test_a_change_that_waits_for_its_file_is_no_difference(till: Till) -> None:
    till.redeem(first(till).code_key, "A2")
    till.world.clock.advance(hours=1)
    assert compared(till) == []
    [change] = till.world.memory.all(VoucherChange)
    till.ports.repository.commit(Remove(change))
    till.world.clock.advance(days=1)
    assert [difference for _, difference, _, _ in compared(till)] == [
        "change_missing",
        "state_differs",
    ]


def test_a_voucher_that_waits_for_its_export_is_no_difference(till: Till) -> None:
    till.redeem(till.issue(), "A2")
    till.issue()
    till.world.clock.advance(hours=1)
    assert compared(till) == []


def test_a_voucher_of_another_campaign_is_not_compared(till: Till) -> None:
    other = replace(first(till), code_key="K", voucher_id="other", campaign="other", revision=0)
    till.ports.repository.commit(Insert(other))
    assert compared(till) == []


class _Meanwhile(_Wrapped):
    """Something happens while the table is read."""

    def __init__(self, inner: Repository, happens: Callable[[], object]) -> None:
        super().__init__(inner)
        self._happens = happens
        self.every_voucher = self._every_voucher

    def _every_voucher(self, on_failure: OnFailure | None = None) -> Iterator[Voucher]:
        self._happens()
        yield from self._inner.every_voucher(on_failure)


def compared_while(till: Till, happens: Callable[[], object]) -> int:
    """How many differences the day's report has."""
    return till.world.reconciliation(
        wrapped(till.world, lambda inner: _Meanwhile(inner, happens))
    )  # fmt: skip


def test_what_changes_while_the_table_is_read_is_no_difference(till: Till) -> None:
    def busy() -> None:
        key = till.issue()
        till.world.export()
        till.redeem(key, "A2")
        till.redeem(first(till).code_key, "A3")
        write_changes(till.ports, till.world.campaign)

    assert compared_while(till, busy) == 0


def test_a_voucher_put_into_an_open_export_while_the_table_is_read_is_no_difference(
    till: Till,
) -> None:
    [sequence] = till.world.memory.all(ExportSequence)
    opened = Export(
        campaign="demo-vip", number=2, state=ExportState.OPEN, opened_at=till.world.clock()
    )  # fmt: skip
    till.ports.repository.commit(Replace(sequence.following()), Insert(opened))
    till.issue()
    assert compared_while(till, till.world.export) == 0


def test_of_two_comparisons_at_once_the_first_one_stays(till: Till) -> None:
    def another_run() -> None:
        assert till.world.reconciliation() == 0
        another_value(till)

    assert compared_while(till, another_run) == 0
    assert compared(till) == []


class _Lagging(_Wrapped):
    """The index shows vouchers as they were."""

    def __init__(self, inner: Repository, before: list[Voucher]) -> None:
        super().__init__(inner)
        self._vouchers = before
        self.every_voucher = self._as_they_were

    def _as_they_were(self, on_failure: OnFailure | None = None) -> Iterator[Voucher]:
        assert on_failure
        return iter(self._vouchers)


def test_an_index_that_lags_makes_no_difference(till: Till) -> None:
    before = till.world.memory.all(Voucher)
    till.redeem(first(till).code_key, "A2")
    files(till)
    till.world.clock.advance(hours=1)
    ports = wrapped(till.world, lambda inner: _Lagging(inner, before))
    assert till.world.reconciliation(ports) == 0


def test_a_voucher_that_the_index_does_not_show_yet_is_no_difference(till: Till) -> None:
    before = till.world.memory.all(Voucher)
    till.issue()
    files(till)
    ports = wrapped(till.world, lambda inner: _Lagging(inner, before))
    till.world.clock.advance(minutes=4)
    assert till.world.reconciliation(ports) == 0
    till.world.clock.advance(days=1)
    assert till.world.reconciliation(ports) == 1


# --- vouchers that ended before changes were stored ----------------------------------------------


def as_earlier_versions_left_it(till: Till) -> None:
    """The same vouchers, whose changes nobody stored."""
    for voucher in till.world.memory.all(Voucher):
        store(till, replace(voucher, changes=0, changed_at=None))
    for change in till.world.memory.all(VoucherChange):
        till.ports.repository.commit(Remove(change))


def test_what_ended_under_an_earlier_version_gets_its_change_at_the_time_it_happened() -> None:
    till = Till(new_world())
    keys = [till.issue() for _ in range(4)]
    till.world.export()
    till.world.clock.advance(days=1)
    till.redeem(keys[1], "A1")
    till.revoke(keys[2])
    till.expire(keys[3])
    as_earlier_versions_left_it(till)
    till.world.clock.now = end_of(till.world.campaign, "2026-03") + timedelta(minutes=20)
    assert compared(till) == []
    assert write_statements(till.ports, till.world.campaign) == []
    write_changes(till.ports, till.world.campaign)
    [march] = write_statements(till.ports, till.world.campaign)
    assert march.rows == 4
    till.world.clock.advance(days=1)
    assert compared(till) == []
    assert till.world.memory.all(VoucherChange) == []


def test_no_change_is_added_to_a_month_whose_statement_is_written() -> None:
    till = Till(new_world())
    key = till.issue()
    till.world.export()
    till.redeem(key, "A1")
    as_earlier_versions_left_it(till)
    till.world.clock.now = end_of(till.world.campaign, "2026-03") + timedelta(minutes=20)
    write_statements(till.ports, till.world.campaign)
    compared(till)
    [change] = till.world.memory.all(VoucherChange)
    assert change.at == end_of(till.world.campaign, "2026-03")
    write_changes(till.ports, till.world.campaign)
    till.world.clock.advance(days=31)
    assert compared(till) == []


def test_an_index_that_lags_gives_no_voucher_its_change_twice() -> None:
    till = Till(new_world())
    key = till.issue()
    till.world.export()
    till.redeem(key, "A1")
    as_earlier_versions_left_it(till)
    before = till.world.memory.all(Voucher)
    ports = wrapped(till.world, lambda inner: _Lagging(inner, before))
    till.world.reconciliation(ports)
    till.world.clock.advance(days=1)
    till.world.reconciliation(ports)
    assert len(till.world.memory.all(VoucherChange)) == 1


# --- several campaigns ---------------------------------------------------------------------------

NAMES = ("demo-vip", "other", "third")


class _CountedReads(_Wrapped):
    """Counts how often the table is read whole."""

    def __init__(self, inner: Repository) -> None:
        super().__init__(inner)
        self.reads = 0
        self.every_voucher = self._every_voucher

    def _every_voucher(self, on_failure: OnFailure | None = None) -> Iterator[Voucher]:
        self.reads += 1
        return self._inner.every_voucher(on_failure)


def three_campaigns(till: Till) -> list[Campaign]:
    """In each a voucher that is exported, by its item, and in no export."""
    for name in NAMES[1:]:
        copy = replace(
            first(till), code_key=name, voucher_id=f"of {name}", campaign=name, revision=0
        )
        [export] = till.world.memory.all(Export)[:1]
        till.ports.repository.commit(
            Insert(copy),
            Insert(replace(export, campaign=name, revision=0)),
            Insert(ExportSequence(campaign=name, number=1)),
        )
    return [till.world.campaign.model_copy(update={"id": name}) for name in NAMES]


def _five_issued(campaign: str) -> dict[date, dict[str, int]]:
    assert campaign in NAMES
    return {date(2026, 3, 1): {"vouchers_issued": 3}, date(2026, 3, 2): {"vouchers_issued": 2}}


def found_in(ports: Ports, campaigns: list[Campaign]) -> dict[str, int]:
    return {one.id: found for one, found in write_reconciliations(ports, campaigns)}


def test_campaigns_share_one_read_of_the_table_a_day(till: Till) -> None:
    campaigns = three_campaigns(till)
    counted = _CountedReads(till.world.repository)
    ports = replace(till.ports, repository=counted)
    expected = {"demo-vip": 0, "other": 1, "third": 1}
    assert found_in(ports, campaigns) == expected
    assert counted.reads == 1
    assert found_in(ports, campaigns) == expected
    assert counted.reads == 1
    assert (
        "of third,not_in_any_export"
        in till.world.files.content[
            f"out/third/reports/reconciliation-{till.world.clock():%Y-%m-%d}.csv"
        ].decode()
    )


@pytest.mark.parametrize(("vouchers", "reads"), [(4, 3), (9, 3), (10, 2), (15, 1)])
def test_no_more_vouchers_than_fit_are_compared_at_once(
    till: Till, monkeypatch: pytest.MonkeyPatch, vouchers: int, reads: int
) -> None:
    monkeypatch.setattr(reconciliation, "VOUCHERS_AT_ONCE", vouchers)
    campaigns = three_campaigns(till)
    counted = _CountedReads(till.world.repository)
    counted.counts = _five_issued
    found = found_in(replace(till.ports, repository=counted), campaigns)
    assert found == {"demo-vip": 0, "other": 1, "third": 1}
    assert counted.reads == reads


class _Broken(_Wrapped):
    """The exports of one campaign cannot be read."""

    def __init__(self, inner: Repository, campaign: str) -> None:
        super().__init__(inner)
        self._campaign = campaign
        self.within = self._within

    def _within(
        self, kind: type[E], on_failure: OnFailure | None = None, /, **key: str | int
    ) -> Iterator[E]:
        if key.get("campaign") == self._campaign:
            raise LookupError
        return self._inner.within(kind, on_failure, **key)


def test_a_campaign_that_fails_keeps_no_other_from_its_report(till: Till) -> None:
    campaigns = three_campaigns(till)
    failures: list[str] = []

    @contextmanager
    def apart(campaign: Campaign) -> Iterator[None]:
        try:
            yield
        except LookupError:
            failures.append(campaign.id)

    broken = replace(till.ports, repository=_Broken(till.world.repository, "other"))
    written = write_reconciliations(broken, campaigns, apart)
    assert {one.id: found for one, found in written} == {"demo-vip": 0, "third": 1}
    assert failures == ["other"]


def test_a_voucher_that_cannot_be_read_is_named_and_keeps_no_other_from_being_compared(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "VOUCHERS_AT_ONCE", 0)
    campaigns = three_campaigns(till)
    another_order(till)
    till.world.memory.unreadable.add(_pair(schema.key_of(first(till))))
    failures: list[Failure] = []
    found = write_reconciliations(till.ports, campaigns, on_failure=failures.append)
    # In each of the three reads of the table, and named once; nor does the table lack it.
    assert {one.id: number for one, number in found} == {"demo-vip": 1, "other": 1, "third": 1}
    assert [(one.kind, one.name) for one in failures] == [("VOUCHER", "voucher1")]
    day = till.world.campaign.local_date(till.world.clock()).isoformat()
    report = till.world.files.content[f"{OUT}reports/reconciliation-{day}.csv"].decode()
    assert "voucher2,redeemed_on_another_order" in report


def test_killed_at_every_step_and_run_again_it_still_says_how_many() -> None:
    def begin() -> Till:
        world = Till(new_world())
        world.issue()
        files(world)
        world.world.clock.advance(hours=1)
        another_value(world)
        return world

    def run(killed: Till, ports: Ports) -> None:
        killed.world.reconciliation(ports)

    worlds = killed_everywhere(begin, run, lambda one: one.ports)
    assert len(worlds) > 10
    assert [one.world.reconciliation() for one in worlds] == [1] * len(worlds)
