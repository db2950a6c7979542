"""Changes that earlier versions did not store, made from what they did store.

A voucher that ended before changes were stored would stay outstanding in the files for good. It
gets its change once, at the time that its item has; never in a month whose statement is written.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.changes import ChangeKind, with_change
from chalicelib.domain.reconciliation import lacks_a_change, state_of
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.statements import AccountState
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ports import Insert, Ports, Replace
from chalicelib.services.retry import retry_on_conflict

_KINDS = {
    AccountState.REDEEMED: ChangeKind.REDEEMED,
    AccountState.EXPIRED: ChangeKind.EXPIRED,
    AccountState.REVOKED: ChangeKind.REVOKED,
}


@retry_on_conflict
def store_earlier_change(ports: Ports, code_key: str, not_before: datetime | None) -> bool:
    """Store the change that a voucher lacks, at `not_before` at the earliest; whether it did."""
    voucher = ports.repository.get(Voucher, code_key=code_key)
    if voucher is None or not lacks_a_change(voucher):
        return False
    known_at = _ended_at(ports, voucher) or ports.clock()
    changed, change = with_change(
        voucher,
        _KINDS[state_of(voucher)],
        max(known_at, not_before or known_at),
        order_id=voucher.redeemed_by,
    )
    ports.repository.commit(Replace(changed), Insert(change))
    return True


def _ended_at(ports: Ports, voucher: Voucher) -> datetime | None:
    """When the voucher was redeemed, revoked or expired; None when nothing stored says so."""
    if voucher.redeemed_by is None:
        return voucher.revoked_at or voucher.ended_at
    redemption = ports.repository.get(
        Redemption, code_key=voucher.code_key, order_id=voucher.redeemed_by
    )
    return redemption.redeemed_at if redemption else None
