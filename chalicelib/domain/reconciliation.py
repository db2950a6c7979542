"""Comparing a voucher in the table with its account in the client's files.

How an account comes about is in `statements.py`; the daily report, in `files/reconciliation.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.statements import Account, AccountState
from chalicelib.domain.vouchers import Voucher, VoucherState, state_for_client


class Difference(StrEnum):
    """How a voucher in the table and its account in the files differ. The values are published."""

    NOT_IN_ANY_EXPORT = "not_in_any_export"
    IN_TWO_EXPORTS = "in_two_exports"
    UNKNOWN_VOUCHER = "unknown_voucher"
    VALUE_DIFFERS = "value_differs"
    CHANGE_MISSING = "change_missing"
    CHANGE_TOO_MANY = "change_too_many"
    STATE_DIFFERS = "state_differs"
    REDEEMED_ON_ANOTHER_ORDER = "redeemed_on_another_order"
    ACKNOWLEDGEMENT_MISSING = "acknowledgement_missing"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One difference, with what the table and the files have, as text."""

    voucher: str
    difference: Difference
    in_table: str
    in_files: str


def state_of(voucher: Voucher) -> AccountState:
    """The state that the account of a stored voucher should have."""
    match state_for_client(voucher):
        case VoucherState.REDEEMED:
            return AccountState.REDEEMED
        case VoucherState.REVOKED:
            return AccountState.REVOKED
        case VoucherState.EXPIRED:
            return AccountState.EXPIRED
        case VoucherState.ISSUED | VoucherState.EXPORTED | VoucherState.ACKNOWLEDGED:
            return AccountState.OUTSTANDING


def lacks_a_change(voucher: Voucher) -> bool:
    """Whether an earlier version ended the voucher: those stored no change for the client."""
    return voucher.changes == 0 and state_of(voucher) is not AccountState.OUTSTANDING


def findings_of(
    voucher: Voucher, account: Account | None, *, is_acknowledged: bool
) -> list[Finding]:
    """How an exported voucher differs from its account; whether its export is acknowledged."""
    if account is None:
        return [_finding(voucher, Difference.NOT_IN_ANY_EXPORT, voucher.export, None)]
    value = f"{voucher.value_minor} {voucher.currency}"
    stated = f"{account.value_minor} {account.currency}"
    compared: list[tuple[bool, Difference, object, object]] = [
        (value != stated, Difference.VALUE_DIFFERS, value, stated),
        (
            voucher.changes > account.changes,
            Difference.CHANGE_MISSING,
            voucher.changes,
            account.changes,
        ),
        (
            voucher.changes < account.changes,
            Difference.CHANGE_TOO_MANY,
            voucher.changes,
            account.changes,
        ),
        (
            state_of(voucher) is not account.state,
            Difference.STATE_DIFFERS,
            state_of(voucher),
            account.state,
        ),
        (
            state_of(voucher) is account.state and _is_on_another_order(voucher, account),
            Difference.REDEEMED_ON_ANOTHER_ORDER,
            voucher.redeemed_by,
            account.order_id,
        ),
        (
            is_acknowledged and not (voucher.acknowledged_at or voucher.refused_reason is not None),
            Difference.ACKNOWLEDGEMENT_MISSING,
            "",
            voucher.export,
        ),
    ]
    return [
        _finding(voucher, difference, in_table, in_files)
        for differs, difference, in_table, in_files in compared
        if differs
    ]


def _finding(
    voucher: Voucher, difference: Difference, in_table: object, in_files: object
) -> Finding:
    return Finding(
        voucher=voucher.voucher_id,
        difference=difference,
        in_table=_text(in_table),
        in_files=_text(in_files),
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _is_on_another_order(voucher: Voucher, account: Account) -> bool:
    # After a restore a row may not name the order, which is known again only later.
    return account.order_id not in {"", voucher.redeemed_by or ""}
