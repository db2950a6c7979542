"""The state of every voucher by the client's files alone, to be compared with the table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from chalicelib.domain.statements import AccountState, Row, folded
from chalicelib.domain.vouchers import VoucherState

_ACK = re.compile(r"acks/([0-9]{8})\.ack")
_ENDED = {
    AccountState.REDEEMED: VoucherState.REDEEMED,
    AccountState.REVOKED: VoucherState.REVOKED,
    AccountState.EXPIRED: VoucherState.EXPIRED,
}


def rebuild(
    exports: Mapping[int, Iterable[Row]], changes: Iterable[Row], receipts: Iterable[Row]
) -> dict[str, VoucherState]:
    """The state of every exported voucher from files alone: exports by number, changes in their
    order, and the receipts of acknowledgements in any.
    """
    loaded = {
        int(found[1])
        for receipt in receipts
        if receipt["status"] == "accepted" and (found := _ACK.fullmatch(receipt["file"]))
    }
    rows = {number: list(of_export) for number, of_export in exports.items()}
    known = {row["voucher"] for number in loaded for row in rows.get(number, ())}
    books = folded((row for number in sorted(rows) for row in rows[number]), changes)
    return {
        voucher: _ENDED.get(
            account.state,
            VoucherState.ACKNOWLEDGED if voucher in known else VoucherState.EXPORTED,
        )
        for voucher, account in books.accounts.items()
    }
