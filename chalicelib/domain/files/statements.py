"""A statement and its manifest, as files.

A statement is read back too: the next month is folded from it.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.domain.exports import export_name
from chalicelib.domain.files.writing import Encrypted, csv_gz
from chalicelib.domain.money import decimal_text
from chalicelib.domain.statements import (
    Account,
    AccountState,
    Statement,
    Totals,
)


def _moment(at: datetime | None) -> str:
    return at.isoformat() if at else ""


# A new column is a line at the end, with a default for statements without it in
# `statement_accounts`.
STATEMENT_CELLS: Mapping[str, Callable[[Account], str]] = {
    "voucher": lambda account: account.voucher,
    "template": lambda account: account.template,
    "holder": lambda account: account.holder,
    "state": lambda account: account.state.value,
    "value": lambda account: decimal_text(account.value_minor),
    "value_minor": lambda account: str(account.value_minor),
    "currency": lambda account: account.currency,
    "issued_at": lambda account: account.issued_at.isoformat(),
    "valid_until": lambda account: account.valid_until.isoformat(),
    "redeemed_at": lambda account: _moment(account.redeemed_at),
    "order_id": lambda account: account.order_id,
    "revoked_at": lambda account: _moment(account.revoked_at),
    "expired_at": lambda account: _moment(account.expired_at),
    "changes": lambda account: str(account.changes),
}
STATEMENT_COLUMNS = tuple(STATEMENT_CELLS)


def statement_path(campaign: str, month: str) -> str:
    """The path of a statement, without its suffix."""
    return f"out/{campaign}/statements/{month}"


def statement_file(accounts: Iterable[Account]) -> bytes:
    """The gzipped CSV of a statement, the vouchers in the order of their issue."""
    in_order = sorted(accounts, key=lambda account: (account.issued_at, account.voucher))
    cells = STATEMENT_CELLS.values()
    return csv_gz(STATEMENT_COLUMNS, ([cell(account) for cell in cells] for account in in_order))


def statement_accounts(content: bytes) -> Iterator[Account]:
    """The accounts in a statement, as they are in its file."""
    with gzip.open(io.BytesIO(content), "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield Account(
                voucher=row["voucher"],
                template=row["template"],
                holder=row["holder"],
                state=AccountState(row["state"]),
                value_minor=int(row["value_minor"]),
                currency=row["currency"],
                issued_at=datetime.fromisoformat(row["issued_at"]),
                valid_until=datetime.fromisoformat(row["valid_until"]),
                redeemed_at=_time(row["redeemed_at"]),
                order_id=row["order_id"],
                revoked_at=_time(row["revoked_at"]),
                expired_at=_time(row["expired_at"]),
                changes=int(row["changes"]),
            )


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def statement_manifest(
    statement: Statement,
    *,
    as_of: datetime,
    totals: Sequence[Totals],
    outstanding: Sequence[tuple[str, str, int]],
    encrypted: Encrypted | None = None,
) -> bytes:
    """The manifest beside a statement. It holds no time at which it was made: the same rows give
    the same manifest.
    """
    members = {
        "month": statement.month,
        "as_of": as_of.isoformat(),
        "rows": statement.rows,
        "sha256": statement.sha256,
        "exports": export_name(statement.exports),
        "changes": export_name(statement.changes),
        "totals": [_totals(one) for one in totals],
        "outstanding_by_expiry": [
            {"month": month, "currency": currency, "value_minor": value}
            for month, currency, value in outstanding
        ],
        **(encrypted.members() if encrypted else {}),
    }
    return json.dumps(members, indent=1).encode() + b"\n"


def _totals(one: Totals) -> dict[str, Any]:
    return {
        "template": one.template,
        "currency": one.currency,
        "opening": one.opening,
        "issued": one.issued,
        "redeemed": one.redeemed,
        "revoked": one.revoked,
        "expired": one.expired,
        "closing": one.closing,
        "states": {
            state.value: {"vouchers": one.vouchers[state], "value_minor": one.values[state]}
            for state in AccountState
        },
    }
