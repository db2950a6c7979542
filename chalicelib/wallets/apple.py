"""A voucher as Apple Wallet is given it: what is in `pass.json`, its pictures, its translations.

Apple calls this style of pass a coupon. Whose pass it is, is not said here: the signer takes that
from the certificate it signs with, so the two cannot differ. Texts stand in the campaign's first
language, and each language has a file of what takes their place (`{locale}.lproj`): also the first,
or a phone of that language would take the next one it has a file for. Nothing is updated later: the
pass ends by itself with the voucher, and the till decides in any case.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.templates import Symbology
from chalicelib.domain.vouchers import Voucher
from chalicelib.mails.barcodes import is_ean13
from chalicelib.mails.contexts import Logo
from chalicelib.mails.formats import ink_on, one_line, readable
from chalicelib.wallets.images import ticket_icon
from chalicelib.wallets.messages import ApplePass
from chalicelib.wallets.texts import PassTexts, texts_by_locale

# Apple Wallet draws no EAN. Scanners hand on the same 13 figures from a Code 128.
_FORMATS: Final = {
    Symbology.CODE128: "PKBarcodeFormatCode128",
    Symbology.EAN13: "PKBarcodeFormatCode128",
    Symbology.QR: "PKBarcodeFormatQR",
}
_WHITE: Final = "#ffffff"
_INK: Final = "#1c1c1a"
_LOGO_POINTS: Final = (160, 50)  # the most that Apple shows of a logo


def apple_pass(campaign: Campaign, voucher: Voucher, logo: Logo | None) -> ApplePass:
    """The pass of a voucher whose holder may have one."""
    texts = texts_by_locale(campaign, voucher)
    first = campaign.locales[0]
    content = {
        "formatVersion": 1,
        "serialNumber": voucher.voucher_id,
        "organizationName": one_line(campaign.brand.name),
        "description": texts[first].title,
        **({} if logo else {"logoText": one_line(campaign.brand.name)}),
        **_colours(campaign.brand.colour, has_logo=logo is not None),
        "expirationDate": voucher.valid_until.astimezone(campaign.zone).isoformat(),
        "sharingProhibited": True,
        "barcodes": _barcodes(campaign, voucher),
        "coupon": _fields(campaign, voucher, texts[first]),
    }
    files = {
        **{_scaled("icon", scale): _icon(campaign, scale) for scale in (1, 2, 3)},
        **({_scaled("logo", _scale_of(logo)): logo.png} if logo else {}),
        **{f"{each}.lproj/pass.strings": _strings(texts[first], texts[each]) for each in texts},
    }
    return ApplePass(content, files)


def _fields(campaign: Campaign, voucher: Voucher, texts: PassTexts) -> dict[str, Any]:
    brand = campaign.brand
    last_day = _field("last_day", texts.last_day_label, texts.last_day)
    conditions = [last_day]
    if texts.minimum:
        conditions.insert(0, _field("minimum", texts.minimum_label, texts.minimum))
    back = [
        _field("use", texts.use_label, texts.use),
        _field("note", texts.note_label, texts.note),
        _field("terms", texts.terms_label, str(campaign.terms.url)),
        _field("contact", texts.contact_label, brand.contact),
    ]
    if brand.shop_url:
        back.insert(1, _field("shop", texts.shop_label, brand.shop_url))
    return {
        "primaryFields": [_field("value", texts.value_label, texts.value)],
        "secondaryFields": conditions,
        # For tills without a scanner, and for codes that no bar code holds.
        "auxiliaryFields": [_field("code", texts.code_label, voucher.code)],
        "backFields": back,
    }


def _field(key: str, label: str, value: str) -> dict[str, str]:
    return {"key": key, "label": label, "value": value}


def _barcodes(campaign: Campaign, voucher: Voucher) -> list[dict[str, str]]:
    template = campaign.templates.get(voucher.template)
    use = template.use if template else None
    symbology = use.symbology if use and use.shop else None
    if symbology is None or not _can_be_read(voucher.code, symbology):
        return []
    return [
        {
            "format": _FORMATS[symbology],
            "message": voucher.code,
            "messageEncoding": "iso-8859-1",
            "altText": voucher.code,
        }
    ]


def _can_be_read(code: str, symbology: Symbology) -> bool:
    return is_ean13(code) if symbology is Symbology.EAN13 else code.isascii()


def _colours(colour: str, *, has_logo: bool) -> dict[str, str]:
    """White behind a logo, as in mails and on pages; otherwise the brand's colour."""
    if has_logo:
        ground, ink, label = _WHITE, _INK, readable(colour, _WHITE)
    else:
        ground, ink, label = colour, ink_on(colour), ink_on(colour)
    named = {"backgroundColor": ground, "foregroundColor": ink, "labelColor": label}
    return {name: _rgb(each) for name, each in named.items()}


def _rgb(colour: str) -> str:
    return "rgb({}, {}, {})".format(*bytes.fromhex(colour[1:]))


def _icon(campaign: Campaign, scale: int) -> bytes:
    return ticket_icon(campaign.brand.colour, ink_on(campaign.brand.colour), scale)


def _scaled(name: str, scale: int) -> str:
    return f"{name}.png" if scale == 1 else f"{name}@{scale}x.png"


def _scale_of(logo: Logo) -> int:
    """How many of its pixels are a point, so that it fits; three at most."""
    width, height = _LOGO_POINTS
    return min(3, max(-(-logo.width // width), -(-logo.height // height)))


def _strings(first: PassTexts, other: PassTexts) -> bytes:
    """What takes the place of each text, in the form of Apple's string files."""
    pairs = {
        getattr(first, field.name): getattr(other, field.name)
        for field in fields(PassTexts)
        if getattr(first, field.name)
    }
    return "".join(f"{_quoted(a)} = {_quoted(b)};\n" for a, b in pairs.items()).encode()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
