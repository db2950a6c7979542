"""Comparing every voucher in the table with what the client's files report of it, once a day.

The table is read whole while work goes on, so a voucher that seems to differ is read again by its
key, and one that is changing is left to the next day. What remains is a difference that no later
file can explain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.changes import VoucherChange
from chalicelib.domain.exports import Export, ExportState
from chalicelib.domain.files.statements import reconciliation_file
from chalicelib.domain.statements import (
    Account,
    Books,
    Difference,
    Finding,
    findings_of,
    lacks_a_change,
)
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.accounts import last_opening, read_books
from chalicelib.services.earlier_changes import store_earlier_change
from chalicelib.services.ports import FileMissingError, Ports

# Longer than a commit takes and clocks differ: what changed before is in the index, and in a file
# or waiting for one.
AT_REST_AFTER = timedelta(minutes=5)
_AT_ONCE = 100


@dataclass(frozen=True)
class _Snapshot:
    """What the files report, and what is still on its way to them."""

    books: Books
    exports: Collection[int]  # written ones
    acknowledged: Collection[int]
    waiting: Collection[str]  # vouchers with a change in no file
    at_rest_before: datetime
    stated_until: datetime | None


def write_reconciliation(ports: Ports, campaign: Campaign) -> int | None:
    """Write the day's report; returns how many differences it has, None when it is there already.

    Vouchers that ended under an earlier version get the change they lack.
    """
    day = campaign.local_date(ports.clock()).isoformat()
    path = f"out/{campaign.id}/reports/reconciliation-{day}.csv"
    if _is_there(ports, path):
        return None
    findings = _findings(ports, campaign)
    ports.files.write_once(path, reconciliation_file(findings))
    return len(findings)


def _is_there(ports: Ports, path: str) -> bool:
    try:
        for _ in ports.files.read(path):
            pass
    except FileMissingError:
        return False
    return True


def _findings(ports: Ports, campaign: Campaign) -> list[Finding]:
    snapshot = _snapshot(ports, campaign)
    seen: set[str] = set()
    suspects: list[str] = []
    for voucher in ports.repository.every_voucher():
        if voucher.campaign != campaign.id:
            continue
        seen.add(voucher.voucher_id)
        if lacks_a_change(voucher):
            store_earlier_change(ports, voucher.code_key, snapshot.stated_until)
        elif _compared(snapshot, voucher):
            suspects.append(voucher.code_key)
    return [
        *_certain(ports, snapshot, suspects),
        *_of_files_alone(snapshot, seen),
    ]


def _snapshot(ports: Ports, campaign: Campaign) -> _Snapshot:
    """The order counts: a change leaves the table for a part that is read after it."""
    at_rest_before = ports.clock() - AT_REST_AFTER
    exports = list(ports.repository.within(Export, campaign=campaign.id))
    waiting = ports.repository.within(VoucherChange, campaign=campaign.id)
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
    while batch := [{"code_key": key} for key in islice(keys, _AT_ONCE)]:
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
