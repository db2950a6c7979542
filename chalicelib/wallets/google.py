"""A voucher as Google Wallet is given it: in a link that its holder presses, which holds all of it.

Google calls it an offer: a class, which vouchers alike share, and an object. The link makes both on
Google's side when it is followed, and a class that is there stays as it was: so its id follows from
what is in it. Whose pass it is, is added by the signer. Google takes links of up to some 1,800
characters for safe, so there is one language, and of what is left out on a small screen only what
fits.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.templates import Symbology, Use
from chalicelib.domain.vouchers import Voucher
from chalicelib.mails.barcodes import is_ean13
from chalicelib.mails.formats import one_line
from chalicelib.wallets.messages import GooglePass
from chalicelib.wallets.texts import pass_texts

# Of 1,800 characters the signature and its head take 380; the signer's part and what JSON and
# base64 add are the rest.
ROOM: Final = 760  # bytes of JSON
BRAND, TITLE = 20, 60  # characters, which Google shows on small screens
_FORMATS: Final = {
    Symbology.CODE128: "CODE_128",
    Symbology.EAN13: "EAN_13",
    Symbology.QR: "QR_CODE",
}


def google_pass(campaign: Campaign, voucher: Voucher, locale: str, origin: str) -> GooglePass:
    """The pass of a voucher whose holder may have one, in one of the campaign's languages. `origin`
    is where the pages are, and the logo.
    """
    template = campaign.templates.get(voucher.template)
    use = template.use if template else None
    made = _made(campaign, voucher, locale, use, {})
    for optional in _optional(campaign, voucher, locale, origin):
        larger = _made(campaign, voucher, locale, use, {**made.optional, **optional})
        if larger.size <= ROOM:
            made = larger
    return GooglePass(made.offer_class, made.offer_object, origin)


class _Offer:
    """Class and object, with those optional fields of the class."""

    def __init__(
        self, optional: dict[str, Any], offer_class: dict[str, Any], offer_object: dict[str, Any]
    ) -> None:
        self.optional = optional
        self.offer_class = offer_class
        self.offer_object = offer_object

    @property
    def size(self) -> int:
        """How many bytes they take in a link."""
        return len(json.dumps([self.offer_class, self.offer_object], ensure_ascii=False).encode())


def _made(
    campaign: Campaign, voucher: Voucher, locale: str, use: Use | None, optional: dict[str, Any]
) -> _Offer:
    brand = _cut(one_line(campaign.brand.name), BRAND)
    content = {
        "issuerName": brand,
        "provider": brand,
        "title": _cut(pass_texts(campaign, voucher, locale).title, TITLE),
        "redemptionChannel": "BOTH" if use and use.shop else "ONLINE",
        "reviewStatus": "UNDER_REVIEW",
        "hexBackgroundColor": campaign.brand.colour,
        "multipleDevicesAndHoldersAllowedStatus": "ONE_USER_ALL_DEVICES",
        **optional,
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    class_id = f"{campaign.id}.{digest[:16]}"
    offer_object = {
        "id": voucher.voucher_id,
        "classId": class_id,
        "state": "ACTIVE",
        "barcode": _barcode(voucher, use),
        "validTimeInterval": {
            "end": {"date": voucher.valid_until.astimezone(campaign.zone).isoformat()}
        },
    }
    return _Offer(optional, {"id": class_id, **content}, offer_object)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _barcode(voucher: Voucher, use: Use | None) -> dict[str, str]:
    """The bar code; of a code that none is read from, the text alone."""
    symbology = use.symbology if use and use.shop else None
    if symbology is Symbology.EAN13 and not is_ean13(voucher.code):
        symbology = None
    if symbology is Symbology.CODE128 and not voucher.code.isascii():
        symbology = None
    kind = _FORMATS[symbology] if symbology else "TEXT_ONLY"
    return {"type": kind, "value": voucher.code, "alternateText": voucher.code}


def _optional(
    campaign: Campaign, voucher: Voucher, locale: str, origin: str
) -> list[dict[str, Any]]:
    """What may be left out, the most important first."""
    texts = pass_texts(campaign, voucher, locale)
    parts: list[dict[str, Any]] = []
    if texts.minimum:
        parts.append({"finePrint": f"{texts.minimum_label} {texts.minimum}"})
    if path := campaign.picture_path(campaign.brand.logo_for_mails):
        parts.append({"titleImage": {"sourceUri": {"uri": f"{origin}/{path}"}}})
    return [*parts, {"details": texts.use}]
