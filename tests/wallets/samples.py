"""A voucher that may be put into a wallet."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chalicelib.domain.campaign.rules import Release
from chalicelib.domain.vouchers import Voucher, VoucherState
from tests.contract.entities import ENTITIES

NOW = datetime(2026, 5, 4, 10, tzinfo=UTC)
[STORED] = [one for one in ENTITIES if isinstance(one, Voucher)][:1]
VOUCHER = replace(
    STORED,
    voucher_id="0123456789abcdef0123456789abcdef",
    holder_id="holder-of-it",
    holder_digest="digest-of-it",
    contact_id="contact-of-it",
    referral_id="referral-of-it",
    release=Release.ON_ACKNOWLEDGEMENT,
    template="welcome",
    code="WE-K7QM-2AAA",
    value_minor=1000,
    minimum_basket_minor=4000,
    currency="EUR",
    valid_from=NOW - timedelta(days=1),
    valid_until=datetime(2026, 6, 30, 21, 59, 59, tzinfo=UTC),
    state=VoucherState.ACKNOWLEDGED,
    acknowledged_at=NOW,
    refused_reason=None,
)
