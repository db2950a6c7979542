"""A voucher as its holder sees it: in the sponsor's space, and on the page of an invitation."""

from __future__ import annotations

from chalicelib.api import models
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.money import decimal_text
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.voucher_views import voucher_view


def held_voucher(campaign: Campaign, voucher: Voucher) -> models.SponsorVoucher:
    """A voucher as its holder sees it."""
    view = voucher_view(voucher)
    return models.SponsorVoucher(
        id=voucher.voucher_id,
        template=voucher.template,
        value=decimal_text(voucher.value_minor),
        currency=voucher.currency,
        minimum_basket=decimal_text(voucher.minimum_basket_minor),
        valid_until=campaign.local_date(voucher.valid_until).isoformat(),
        state=view,
        code=voucher.code if view == "available" else None,
    )
