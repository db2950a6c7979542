"""The wallets of phones that a voucher may be put into, and when it may."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from chalicelib.domain.vouchers import Voucher, is_code_released, problem_at


class Wallet(StrEnum):
    """A wallet. The values are published."""

    APPLE = "apple"
    GOOGLE = "google"


def may_have_pass(voucher: Voucher, at: datetime) -> bool:
    """Whether its holder may have a pass of it: one whose code she sees, and can use now."""
    return is_code_released(voucher) and problem_at(voucher, at) is None
