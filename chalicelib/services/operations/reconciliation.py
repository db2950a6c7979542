"""Comparing every voucher in the table with what the client's files report of it, once a day.

The table is read whole while work goes on, so a voucher that seems to differ is read again by its
key, and one that is changing is left to the next day. What remains is a difference that no later
file can explain.

Campaigns share a read of the table: as many as have `VOUCHERS_AT_ONCE` together, whose accounts are
in memory until they are compared. A larger campaign has a read of its own, so no more is in memory
than its vouchers or that number, however many campaigns there are.

A voucher that cannot be read is compared with nothing. It is named, and keeps no other from it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.exports import Export, ExportState
from chalicelib.domain.files.reconciliation import (
    differences_in,
    reconciliation_file,
    reconciliation_path,
)
from chalicelib.domain.reconciliation import Difference, Finding, findings_of, lacks_a_change
from chalicelib.domain.statements import Account, Books
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.accounts import last_opening, read_books
from chalicelib.services.earlier_changes import store_earlier_change
from chalicelib.services.isolation import Isolation, raised
from chalicelib.services.ports import Failure, OnFailure, Ports
from chalicelib.services.waiting_changes import waiting_changes
from chalicelib.services.written_files import content_of

# Longer than a commit takes and clocks differ: what changed before is in the index, and in a file
# or waiting for one.
AT_REST_AFTER = timedelta(minutes=5)
VOUCHERS_AT_ONCE = 300_000
_KEYS_AT_ONCE = 100

# What keeps a failure in the work for one campaign from the others.
Apart = Callable[[Campaign], AbstractContextManager[None]]


@dataclass(frozen=True)
class _Snapshot:
    """What the files report, and what is still on its way to them."""

    books: Books
    exports: Collection[int]  # written ones
    acknowledged: Collection[int]
    waiting: Collection[str]  # vouchers with a change in no file
    at_rest_before: datetime
    stated_until: datetime | None


@dataclass
class _Comparison:
    """One campaign's part of a read of the table, to be written to `path`."""

    campaign: Campaign
    path: str
    snapshot: _Snapshot
    seen: set[str] = field(default_factory=set)
    without_change: list[str] = field(default_factory=list)  # keys of codes, like `suspects`
    suspects: list[str] = field(default_factory=list)

    def take(self, voucher: Voucher) -> None:
        """Note what has to be done about a voucher."""
        self.seen.add(voucher.voucher_id)
        if lacks_a_change(voucher):
            self.without_change.append(voucher.code_key)
        elif _compared(self.snapshot, voucher):
            self.suspects.append(voucher.code_key)


def write_reconciliations(
    ports: Ports,
    campaigns: Iterable[Campaign],
    apart: Apart = lambda _: nullcontext(),
    on_failure: OnFailure = raised,
) -> Iterator[tuple[Campaign, int]]:
    """Write the day's report of every campaign that has none; yields how many differences each
    report has, also those that were there. A voucher that cannot be read goes to `on_failure`.

    Vouchers that ended under an earlier version get the change they lack.
    """
    due: list[tuple[Campaign, str]] = []
    known: list[tuple[Campaign, int]] = []
    for campaign in campaigns:
        with apart(campaign):
            path = reconciliation_path(campaign.id, campaign.local_date(ports.clock()))
            report = content_of(ports.files, path)
            if report is None:
                due.append((campaign, path))
            else:
                known.append((campaign, differences_in(report)))
    yield from known
    isolation = Isolation(on_failure)
    for group in _sharing_a_read(ports, due):
        yield from _compare(ports, group, apart, isolation)


def _sharing_a_read(
    ports: Ports, due: Iterable[tuple[Campaign, str]]
) -> Iterator[list[tuple[Campaign, str]]]:
    group: list[tuple[Campaign, str]] = []
    vouchers = 0
    for campaign, path in due:
        by_day = ports.repository.counts(campaign.id).values()
        issued = sum(counts.get("vouchers_issued", 0) for counts in by_day)
        if group and vouchers + issued > VOUCHERS_AT_ONCE:
            yield group
            group, vouchers = [], 0
        group.append((campaign, path))
        vouchers += issued
    if group:
        yield group


def _compare(
    ports: Ports, group: Iterable[tuple[Campaign, str]], apart: Apart, isolation: Isolation
) -> list[tuple[Campaign, int]]:
    comparisons: dict[str, _Comparison] = {}
    for campaign, path in group:
        with apart(campaign):
            comparisons[campaign.id] = _Comparison(campaign, path, _snapshot(ports, campaign))
    unreadable: list[Failure] = []
    for voucher in ports.repository.every_voucher(unreadable.append):
        if comparison := comparisons.get(voucher.campaign):
            comparison.take(voucher)
    for failure in unreadable:
        isolation.note(failure)
    written: list[tuple[Campaign, int]] = []
    for comparison in comparisons.values():
        with apart(comparison.campaign):
            # Nor is it said of one that cannot be read that the table does not have it.
            comparison.seen |= {failure.name for failure in unreadable}
            written.append((comparison.campaign, _write(ports, comparison)))
    return written


def _write(ports: Ports, comparison: _Comparison) -> int:
    """Write the report, unless another run has; returns how many differences it has."""
    snapshot = comparison.snapshot
    for code_key in comparison.without_change:
        store_earlier_change(ports, code_key, snapshot.stated_until)
    report = reconciliation_file([
        *_certain(ports, snapshot, comparison.suspects),
        *_of_files_alone(snapshot, comparison.seen),
    ])  # fmt: skip
    if not ports.files.write_once(comparison.path, report):
        report = content_of(ports.files, comparison.path) or report
    return differences_in(report)


def _snapshot(ports: Ports, campaign: Campaign) -> _Snapshot:
    """The order counts: a change leaves the table for a part that is read after it."""
    at_rest_before = ports.clock() - AT_REST_AFTER
    exports = list(ports.repository.within(Export, campaign=campaign.id))
    waiting = waiting_changes(ports, campaign.id)
    waiting_for = frozenset(change.voucher_id for change in waiting)
    opening = last_opening(ports, campaign)
    return _Snapshot(
        books=read_books(ports, campaign, opening).books,
        exports=frozenset(one.number for one in exports if one.state is ExportState.WRITTEN),
        acknowledged=frozenset(one.number for one in exports if one.acknowledged_at),
        waiting=waiting_for,
        at_rest_before=at_rest_before,
        stated_until=opening.statement.until if opening.statement else None,
    )


def _compared(snapshot: _Snapshot, voucher: Voucher) -> list[Finding]:
    """How a voucher differs from the files; not at all while it is on its way to them."""
    if voucher.export not in snapshot.exports or voucher.voucher_id in snapshot.waiting:
        return []
    if voucher.changed_at and voucher.changed_at >= snapshot.at_rest_before:
        return []
    return findings_of(
        voucher,
        snapshot.books.accounts.get(voucher.voucher_id),
        is_acknowledged=voucher.export in snapshot.acknowledged,
    )


def _certain(ports: Ports, snapshot: _Snapshot, suspects: list[str]) -> Iterator[Finding]:
    """The differences that are there when the voucher is read by its key."""
    keys = iter(suspects)
    while batch := [{"code_key": key} for key in islice(keys, _KEYS_AT_ONCE)]:
        for voucher in ports.repository.get_many(Voucher, batch):
            yield from _compared(snapshot, voucher)


def _of_files_alone(snapshot: _Snapshot, seen: Collection[str]) -> Iterator[Finding]:
    """Vouchers in two exports, and vouchers of the files that the table does not have."""
    for voucher in snapshot.books.repeated:
        yield _finding(voucher, Difference.IN_TWO_EXPORTS)
    for account in snapshot.books.accounts.values():
        if account.voucher not in seen and _is_at_rest(snapshot, account):
            yield _finding(account.voucher, Difference.UNKNOWN_VOUCHER)
    for voucher in snapshot.books.unknown - set(seen):
        yield _finding(voucher, Difference.UNKNOWN_VOUCHER)


def _is_at_rest(snapshot: _Snapshot, account: Account) -> bool:
    return account.issued_at < snapshot.at_rest_before


def _finding(voucher: str, difference: Difference) -> Finding:
    return Finding(voucher=voucher, difference=difference, in_table="", in_files="")
