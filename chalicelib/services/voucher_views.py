"""What holders see of their vouchers: a sponsor in her space, a referee on the invitation's page.

A code is shown once its mail may be sent, so never before the tills may know it; also to a holder
who wants no mails. A voucher that the client refused is shown as being prepared until another one
replaces it, and then the other one alone.
"""

from __future__ import annotations

from typing import Literal

from chalicelib.domain.vouchers import Voucher, VoucherState, awaits_replacement, is_code_released
from chalicelib.domain.wallets import Wallet, may_have_pass
from chalicelib.services.errors import UnknownError
from chalicelib.services.ports import OnFailure, Ports

VoucherView = Literal["preparing", "available", "redeemed", "ended"]


def shown_vouchers(ports: Ports, holder_id: str, on_failure: OnFailure) -> tuple[Voucher, ...]:
    """The vouchers of a holder, newest first. One that cannot be read goes to `on_failure`."""
    held = ports.repository.held_by(holder_id, on_failure)
    shown = (voucher for voucher in held if voucher.replaced_by is None)
    return tuple(sorted(shown, key=lambda voucher: voucher.issued_at, reverse=True))


def voucher_view(voucher: Voucher) -> VoucherView:
    """The state of a voucher as shown to its holder."""
    if voucher.state is VoucherState.REDEEMED:
        return "redeemed"
    if voucher.state in {VoucherState.EXPIRED, VoucherState.REVOKED}:
        return "ended"
    if awaits_replacement(voucher):
        return "preparing"
    return "available" if is_code_released(voucher) else "preparing"


def require_wallet(ports: Ports, wallet: Wallet) -> None:
    """`UnknownError` where this stage has nothing to sign with for that wallet."""
    if wallet not in ports.wallets.offered:
        raise UnknownError("pass")


def offered_wallets(ports: Ports, voucher: Voucher) -> tuple[Wallet, ...]:
    """The wallets that a holder may put the voucher into now."""
    return ports.wallets.offered if may_have_pass(voucher, ports.clock()) else ()
