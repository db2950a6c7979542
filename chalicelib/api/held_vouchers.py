"""A voucher as its holder sees it: in the sponsor's space, and on the page of an invitation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.api import models
from chalicelib.api.edge import Call, File
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.templates import Symbology
from chalicelib.domain.money import decimal_text
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ports import Ports
from chalicelib.services.voucher_views import offered_wallets, voucher_view


def held_voucher(ports: Ports, campaign: Campaign, voucher: Voucher) -> models.SponsorVoucher:
    """A voucher as its holder sees it."""
    view = voucher_view(voucher)
    code = voucher.code if view == "available" else None
    use = (
        campaign.templates[voucher.template].use if voucher.template in campaign.templates else None
    )
    symbology = use.symbology if use and use.shop else None
    return models.SponsorVoucher(
        id=voucher.voucher_id,
        template=voucher.template,
        value=decimal_text(voucher.value_minor),
        currency=voucher.currency,
        minimum_basket=decimal_text(voucher.minimum_basket_minor),
        valid_until=campaign.local_date(voucher.valid_until).isoformat(),
        state=view,
        code=code,
        bar_code_svg=_drawn(code, symbology) if code and symbology else None,
        passes=[one.value for one in offered_wallets(ports, voucher)],
    )


class Held(NamedTuple):
    """What a holder has in a campaign."""

    campaign: Campaign
    vouchers: Sequence[Voucher]


def apple_pass(call: Call, held: Held, voucher: str) -> File:
    """A voucher as a file for Apple Wallet."""
    from chalicelib.services.vouchers.passes import sign_apple_pass  # loads what makes passes

    made = sign_apple_pass(call.ports, held.campaign, held.vouchers, voucher)
    return File("voucher.pkpass", made)


def google_pass(call: Call, held: Held, voucher: str, origin: str) -> models.PassLinkAnswer:
    """The link that adds a voucher to Google Wallet, in the language of who asks."""
    from chalicelib.mails.cards import card_language
    from chalicelib.services.vouchers.passes import google_link

    locale = card_language(call.header("accept-language"), held.campaign)
    url = google_link(call.ports, held.campaign, held.vouchers, voucher, locale, origin)
    return models.PassLinkAnswer(url=url)


def _drawn(code: str, symbology: Symbology) -> str | None:
    from chalicelib.mails.barcodes import bar_code_svg  # loads what no other route needs

    return bar_code_svg(code, symbology)
