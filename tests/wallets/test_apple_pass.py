"""A pass of Apple's: signed with a test certificate, verified by OpenSSL; what is in it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from struct import unpack
from typing import Any

import pytest

from chalicelib.domain.locales import LOCALES
from chalicelib.domain.vouchers import VoucherState
from chalicelib.domain.wallets import may_have_pass
from chalicelib.mails.contexts import Logo
from chalicelib.mails.formats import contrast
from chalicelib.wallets.apple import apple_pass
from chalicelib.wallets.messages import ApplePass
from chalicelib.wallets.signing import AppleCredentials, CredentialsError, signed_pass
from chalicelib.wallets.texts import texts_by_locale
from tests.fakes.campaign import campaign, templates
from tests.wallets.certificates import PASS_TYPE, TEAM, Authority, authority, new_key, pem
from tests.wallets.samples import NOW, VOUCHER
from tests.wallets.verifying import BadPassError, files_of, openssl, verify

USE = {"shop": True, "symbology": "code128"}
LOGO = Logo(png=b"\x89PNG a logo", width=320, height=66)


def made(logo: Logo | None = LOGO, use: dict[str, Any] = USE, **changes: Any) -> ApplePass:
    """The pass of the voucher, in a campaign with those changes."""
    return apple_pass(campaign(templates=templates(welcome={"use": use}), **changes), VOUCHER, logo)


def signed(one: ApplePass | None = None, by: Authority | None = None) -> bytes:
    """The pass, signed by a test authority."""
    one, by = one or made(), by or authority()
    return signed_pass(one, by.credentials, datetime.now(UTC))


def changed(pass_file: bytes, name: str, content: bytes) -> bytes:
    """The same pass with another file of that name."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for each, former in files_of(pass_file).items():
            archive.writestr(each, content if each == name else former)
    return written.getvalue()


# --- the signature -------------------------------------------------------------------------------


def test_a_signed_pass_is_one_that_openssl_verifies_up_to_the_root(tmp_path: Path) -> None:
    files = verify(signed(), authority().root, tmp_path)
    assert set(files) == {
        *("pass.json", "icon.png", "icon@2x.png", "icon@3x.png", "logo@2x.png"),
        *("fr.lproj/pass.strings", "en.lproj/pass.strings"),
    }
    content = json.loads(files["pass.json"])
    assert (content["passTypeIdentifier"], content["teamIdentifier"]) == (PASS_TYPE, TEAM)


def test_a_signature_carries_the_intermediate_and_the_time_and_not_what_it_signs(
    tmp_path: Path,
) -> None:
    files = files_of(signed())
    (tmp_path / "s").write_bytes(files["signature"])
    shown = openssl(tmp_path, "cms", "-cmsout", "-print", "-inform", "DER", "-in", "s").stdout
    text = shown.decode()
    assert text.count("subject: ") == 2
    assert "CN=Test Developer Relations" in text
    assert "eContent: <ABSENT>" in text
    [at] = re.findall(r"signingTime.*?UTCTIME:(.*?) GMT", text, re.DOTALL)
    signed_at = datetime.strptime(at, "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - signed_at) < timedelta(minutes=5)


@pytest.mark.parametrize("name", ["pass.json", "icon.png", "manifest.json", "signature"])
def test_one_byte_changed_and_a_pass_is_not_good_any_more(name: str, tmp_path: Path) -> None:
    good = signed()
    content = bytearray(files_of(good)[name])
    content[-2] ^= 1
    with pytest.raises((BadPassError, ValueError)):
        verify(changed(good, name, bytes(content)), authority().root, tmp_path)


def test_a_pass_of_another_authority_is_not_trusted(tmp_path: Path) -> None:
    with pytest.raises(BadPassError, match="certificate"):
        verify(signed(), authority(365, "pass.test.other").root, tmp_path)


def test_nothing_is_signed_with_a_certificate_that_has_ended() -> None:
    by = authority(2).credentials
    last = by.ends_at
    assert signed_pass(ApplePass({}, {}), by, last - timedelta(seconds=1))
    with pytest.raises(CredentialsError, match="has ended"):
        signed_pass(ApplePass({}, {}), by, last)


def test_credentials_that_do_not_belong_together_are_refused() -> None:
    one, other = authority(), authority(365, "pass.test.other")
    for given, words in (
        ((one.certificate, pem(new_key()), one.intermediate), "key is not that"),
        ((one.certificate, one.key, other.intermediate), "not issued"),
        (("-", one.key, one.intermediate), "certificate is not PEM"),
        ((one.certificate, "-", one.intermediate), "key is not PEM"),
    ):
        with pytest.raises(CredentialsError, match=words):
            AppleCredentials.of(*given)


@pytest.mark.parametrize(("pass_type", "team"), [("", TEAM), (PASS_TYPE, "")])
def test_a_certificate_of_no_pass_type_or_team_is_refused(pass_type: str, team: str) -> None:
    with pytest.raises(CredentialsError, match="does not name"):
        _ = authority(365, pass_type, team).credentials


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    curve = ["ecparam", "-name", "prime256v1", "-genkey", "-noout"]
    key = openssl(tmp_path, *curve).stdout.decode()
    one = authority()
    with pytest.raises(CredentialsError, match="not an RSA key"):
        AppleCredentials.of(one.certificate, key, one.intermediate)


# --- what is in it -------------------------------------------------------------------------------


def values(content: Any) -> dict[str, str]:
    """The fields by their keys, which must be unique in a pass."""
    fields = [one for group in content["coupon"].values() for one in group]
    found = {one["key"]: one["value"] for one in fields}
    assert len(found) == len(fields)
    return found


def test_a_pass_has_what_the_ticket_on_the_page_has() -> None:
    content = made().content
    assert content["serialNumber"] == VOUCHER.voucher_id
    assert content["expirationDate"] == "2026-06-30T23:59:59+02:00"
    assert content["sharingProhibited"] is True
    assert content["organizationName"] == "Maison Demo"
    assert content["description"] == "Bon d’achat de 10\u00a0€ chez Maison Demo"
    found = values(content)
    assert found["value"] == "10\u00a0€"
    assert found["minimum"] == "40\u00a0€"
    assert found["last_day"] == "30\u00a0juin\u00a02026"
    assert found["code"] == "WE-K7QM-2AAA"
    assert found["terms"] == "https://demo.test/terms"
    assert "ne se met pas à jour" in found["note"]


def test_a_pass_names_nobody() -> None:
    """Who holds it is in no file: neither name nor address nor digest nor another id of ours."""
    one = made()
    everything = json.dumps(one.content) + repr(one.files)
    for told in (VOUCHER.holder_id, VOUCHER.holder_digest, VOUCHER.contact_id, VOUCHER.referral_id):
        assert told not in everything
    assert VOUCHER.code not in repr(one)


@pytest.mark.parametrize(
    ("symbology", "code", "format_"),
    [
        ("code128", VOUCHER.code, "PKBarcodeFormatCode128"),
        ("ean13", "4006381333931", "PKBarcodeFormatCode128"),
        ("qr", VOUCHER.code, "PKBarcodeFormatQR"),
    ],
)
def test_the_bar_code_is_the_one_that_tills_read(symbology: str, code: str, format_: str) -> None:
    [drawn] = with_code(code, symbology).content["barcodes"]
    assert drawn == {
        "format": format_,
        "message": code,
        "messageEncoding": "iso-8859-1",
        "altText": code,
    }


def with_code(code: str, symbology: str) -> ApplePass:
    use = {"shop": True, "symbology": symbology}
    shop = campaign(templates=templates(welcome={"use": use, "codes": "client"}))
    return apple_pass(shop, replace(VOUCHER, code=code), None)


def test_a_voucher_for_the_online_shop_has_no_bar_code() -> None:
    assert made(use={}).content["barcodes"] == []
    online = {"online": "https://demo.test/basket", "symbology": "qr"}
    assert made(use={"shop": True}).content["barcodes"] == []
    assert made(use=online | {"shop": True}).content["barcodes"]


@pytest.mark.parametrize(("symbology", "code"), [("code128", "WE-É"), ("ean13", "4006381333932")])
def test_a_code_that_no_reader_knows_is_only_written(symbology: str, code: str) -> None:
    one = with_code(code, symbology)
    assert one.content["barcodes"] == []
    assert values(one.content)["code"] == code


def test_a_template_that_is_gone_leaves_a_pass_without_a_bar_code() -> None:
    assert apple_pass(campaign(), replace(VOUCHER, template="gone"), None).content["coupon"]


def test_without_a_minimum_none_is_named() -> None:
    one = apple_pass(campaign(), replace(VOUCHER, minimum_basket_minor=0), None)
    assert "minimum" not in values(one.content)
    assert "40" not in one.files["en.lproj/pass.strings"].decode()


def test_the_shop_is_linked_where_there_is_one() -> None:
    brand = {"id": "demo", "name": "M", "contact": "c@demo.test", "shop_url": "https://demo.test/s"}
    assert values(made(brand=brand).content)["shop"] == "https://demo.test/s"
    assert "shop" not in values(made().content)


def test_the_retailers_own_words_say_how_it_is_used() -> None:
    own = {"shop": True, "how": {"fr": "En caisse « rapide ».", "en": 'At the "fast" till \\.'}}
    one = made(use=own)
    assert values(one.content)["use"] == "En caisse «\u202frapide\u202f»."
    strings = one.files["en.lproj/pass.strings"].decode()
    assert '" = "At the \\"fast\\" till \\\\.";\n' in strings
    assert "au moment de payer" in values(made(use={}).content)["use"]
    assert "en caisse" in values(made(use={"shop": True}).content)["use"]


# --- languages -----------------------------------------------------------------------------------


def in_all_languages() -> Any:
    texts = {locale: f"text {locale}" for locale in LOCALES}
    privacy = campaign().model_dump()["privacy"]
    privacy["authority"] = privacy["summary"] = texts
    return {"locales": list(LOCALES), "title": texts, "offer": {}, "sponsor_offer": {},
            "privacy": privacy}  # fmt: skip


def test_each_language_of_the_campaign_has_its_words() -> None:
    shop = campaign(**in_all_languages())
    one = apple_pass(shop, VOUCHER, None)
    texts = texts_by_locale(shop, VOUCHER)
    assert len(texts) == 5
    first = LOCALES[0]
    for locale in LOCALES:
        strings = one.files[f"{locale}.lproj/pass.strings"].decode()
        pairs = dict(re.findall(r'^"(.*)" = "(.*)";$', strings, re.MULTILINE))
        for name in ("title", "value_label", "value", "last_day", "code_label", "note", "use"):
            assert pairs[getattr(texts[first], name)] == getattr(texts[locale], name)


def test_a_phone_finds_a_translation_of_every_text_it_is_shown() -> None:
    shop = campaign(**in_all_languages())
    one = apple_pass(shop, VOUCHER, None)
    groups: dict[str, list[dict[str, str]]] = one.content["coupon"]
    shown = {field[part] for group in groups.values() for field in group for part in ("label",)}
    shown |= {one.content["description"], values(one.content)["value"]}
    for locale in LOCALES:
        strings = one.files[f"{locale}.lproj/pass.strings"].decode()
        assert all(f'"{text}" = ' in strings for text in shown)


# --- pictures ------------------------------------------------------------------------------------


def test_the_icon_is_a_png_of_each_scale_in_the_brands_colour() -> None:
    for scale, name in ((1, "icon.png"), (2, "icon@2x.png"), (3, "icon@3x.png")):
        png = made().files[name]
        assert png.startswith(b"\x89PNG")
        assert unpack(">II", png[16:24]) == (29 * scale, 29 * scale)
        assert bytes.fromhex(campaign().brand.colour[1:]) in png


@pytest.mark.parametrize(
    ("width", "height", "name"),
    [
        (160, 50, "logo.png"),
        (161, 50, "logo@2x.png"),
        (160, 51, "logo@2x.png"),
        (432, 88, "logo@3x.png"),
        (4000, 88, "logo@3x.png"),
    ],
)
def test_a_logo_is_of_the_scale_at_which_it_fits(width: int, height: int, name: str) -> None:
    files = made(Logo(png=b"png", width=width, height=height)).files
    assert [each for each in files if each.startswith("logo")] == [name]


def test_a_logo_is_on_white_and_without_one_the_name_is_on_the_brands_colour() -> None:
    with_logo, without = made().content, made(None).content
    assert "logoText" not in with_logo
    assert with_logo["backgroundColor"] == "rgb(255, 255, 255)"
    assert without["logoText"] == "Maison Demo"
    assert without["backgroundColor"] == "rgb(31, 78, 61)"
    for content in (with_logo, without):
        ground = _hex(content["backgroundColor"])
        for name in ("foregroundColor", "labelColor"):
            assert contrast(_hex(content[name]), ground) >= 4.5


def _hex(rgb: str) -> str:
    return "#" + bytes(map(int, re.findall(r"\d+", rgb))).hex()


# --- when ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "may"),
    [
        ({}, True),
        ({"acknowledged_at": None, "state": VoucherState.EXPORTED}, False),
        ({"state": VoucherState.REDEEMED, "redeemed_by": "o1"}, False),
        ({"state": VoucherState.REVOKED}, False),
        ({"state": VoucherState.EXPIRED}, False),
        ({"refused_reason": "unknown"}, False),
        ({"valid_until": NOW - timedelta(seconds=1)}, False),
    ],
)
def test_only_a_voucher_that_is_shown_with_its_code_and_good_now_has_a_pass(
    changes: dict[str, Any], may: bool
) -> None:
    assert may_have_pass(replace(VOUCHER, **changes), NOW) is may
