"""A pass of a voucher for its holder's phone: composed here, signed by `wallet_ports.Wallets`.

Nothing is written: who has a pass is on no record of ours. A voucher that is another holder's, that
has no code to show or that ended is no more there than one that never was.
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.vouchers import Voucher
from chalicelib.domain.wallets import may_have_pass
from chalicelib.services.errors import UnavailableError, UnknownError
from chalicelib.services.pictures import logo_of
from chalicelib.services.ports import Ports
from chalicelib.services.wallet_ports import PassNotSignedError
from chalicelib.wallets.apple import apple_pass
from chalicelib.wallets.google import google_pass


def sign_apple_pass(
    ports: Ports, campaign: Campaign, held: Sequence[Voucher], voucher_id: str
) -> bytes:
    """The pass of that one of the vouchers `held`. `UnknownError`, `UnavailableError`."""
    voucher = _usable(ports, held, voucher_id)
    try:
        return ports.wallets.sign_apple(apple_pass(campaign, voucher, logo_of(ports, campaign)))
    except PassNotSignedError as error:
        raise UnavailableError("pass") from error


def google_link(
    ports: Ports,
    campaign: Campaign,
    held: Sequence[Voucher],
    voucher_id: str,
    locale: str,
    origin: str,
) -> str:
    """The link that adds that one of the vouchers `held` to Google Wallet, in one of the campaign's
    languages. `UnknownError`, `UnavailableError`.
    """
    voucher = _usable(ports, held, voucher_id)
    try:
        return ports.wallets.sign_google(google_pass(campaign, voucher, locale, origin))
    except PassNotSignedError as error:
        raise UnavailableError("pass") from error


def _usable(ports: Ports, held: Sequence[Voucher], voucher_id: str) -> Voucher:
    now = ports.clock()
    for voucher in held:
        if voucher.voucher_id == voucher_id and may_have_pass(voucher, now):
            return voucher
    raise UnknownError("voucher")
