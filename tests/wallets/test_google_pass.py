"""A link for Google Wallet: signed with a test key, verified by OpenSSL; what it has, how long."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.campaign.brand import Picture
from chalicelib.domain.locales import LOCALES
from chalicelib.domain.vouchers import Voucher
from chalicelib.wallets.google import google_pass
from chalicelib.wallets.messages import GooglePass
from chalicelib.wallets.signing import SAVE, CredentialsError, GoogleCredentials, signed_link
from tests.fakes.campaign import campaign, templates
from tests.wallets.certificates import ACCOUNT, ISSUER, new_key, pem, service_account
from tests.wallets.samples import NOW, VOUCHER
from tests.wallets.verifying import decoded, is_good_token

ORIGIN = "https://vip.maison-demo.test"
USE = {"shop": True, "symbology": "code128"}
CREDENTIALS = GoogleCredentials.of(ISSUER, service_account())
SAFE = 1800  # characters, as Google has it
LOGO = Picture(sha256="c" * 64, kind="png", width=320, height=66)


def made(
    voucher: Voucher = VOUCHER, locale: str = "fr", use: dict[str, Any] = USE, **changes: Any
) -> GooglePass:
    """The pass of the voucher, in a campaign with those changes."""
    shop = campaign(templates=templates(welcome={"use": use, "codes": "client"}), **changes)
    return google_pass(shop, voucher, locale, ORIGIN)


def link(one: GooglePass | None = None) -> str:
    return signed_link(one or made(), CREDENTIALS, NOW)


def test_a_link_is_a_token_that_openssl_verifies(tmp_path: Path) -> None:
    address = link()
    assert address.startswith(SAVE)
    token = address.removeprefix(SAVE)
    assert is_good_token(token, service_account(), tmp_path)
    head, body, _ = token.split(".")
    assert json.loads(decoded(head)) == {"alg": "RS256", "typ": "JWT"}
    claims = json.loads(decoded(body))
    payload = claims.pop("payload")
    assert claims == {
        "iss": ACCOUNT, "aud": "google", "typ": "savetowallet",
        "iat": int(NOW.timestamp()), "origins": [ORIGIN],
    }  # fmt: skip
    [offer], [held] = payload["offerClasses"], payload["offerObjects"]
    assert offer["id"].startswith(f"{ISSUER}.demo-vip.")
    assert (held["classId"], held["id"]) == (offer["id"], f"{ISSUER}.{VOUCHER.voucher_id}")


@pytest.mark.parametrize("at", [10, -10])
def test_one_character_changed_and_a_link_is_not_good_any_more(at: int, tmp_path: Path) -> None:
    token = list(link().removeprefix(SAVE))
    token[at] = "A" if token[at] != "A" else "B"
    assert not is_good_token("".join(token), service_account(), tmp_path)


def test_a_pass_has_what_the_ticket_on_the_page_has() -> None:
    one = made()
    assert one.offer_class["title"] == "Bon d’achat de 10\u00a0€ chez Maison Demo"
    assert one.offer_class["provider"] == "Maison Demo"
    assert one.offer_class["finePrint"] == "Minimum d’achat 40\u00a0€"
    assert one.offer_class["redemptionChannel"] == "BOTH"
    assert one.offer_object["validTimeInterval"]["end"]["date"] == "2026-06-30T23:59:59+02:00"
    assert one.offer_object["barcode"] == {
        "type": "CODE_128", "value": VOUCHER.code, "alternateText": VOUCHER.code,
    }  # fmt: skip
    assert made(use={}).offer_class["redemptionChannel"] == "ONLINE"
    assert made(locale="en").offer_class["title"] == "€10 voucher at Maison Demo"


@pytest.mark.parametrize(
    ("symbology", "code", "kind"),
    [
        ("qr", VOUCHER.code, "QR_CODE"),
        ("ean13", "4006381333931", "EAN_13"),
        ("ean13", "4006381333932", "TEXT_ONLY"),
        ("code128", "WE-É", "TEXT_ONLY"),
        (None, VOUCHER.code, "TEXT_ONLY"),
    ],
)
def test_the_bar_code_is_the_one_that_tills_read(
    symbology: str | None, code: str, kind: str
) -> None:
    use = {"shop": True, **({"symbology": symbology} if symbology else {})}
    assert made(replace(VOUCHER, code=code), use=use).offer_object["barcode"]["type"] == kind


def test_a_voucher_for_the_online_shop_or_of_a_template_that_is_gone_has_none() -> None:
    for one in (made(use={}), made(replace(VOUCHER, template="gone"))):
        assert one.offer_object["barcode"]["type"] == "TEXT_ONLY"


def test_a_pass_names_nobody() -> None:
    one = made()
    everything = json.dumps(one.message())
    held = (VOUCHER.holder_id, VOUCHER.holder_digest, VOUCHER.contact_id, VOUCHER.referral_id)
    assert not [text for text in held if text in everything]
    assert VOUCHER.code not in repr(one)


def test_what_differs_is_another_class_and_what_is_alike_the_same() -> None:
    same = made(replace(VOUCHER, voucher_id="f" * 32, code="WE-OTHER"))
    assert same.offer_class == made().offer_class
    dearer = made(replace(VOUCHER, value_minor=2000))
    assert dearer.offer_class["id"] != made().offer_class["id"]
    assert made(locale="en").offer_class["id"] != made().offer_class["id"]


def with_logo(**changes: Any) -> dict[str, Any]:
    brand = {"id": "demo", "contact": "c@demo.test", "logo": "logo.png", "name": "Maison Demo"}
    return {"brand": brand | changes, "pictures": {"logo.png": LOGO.model_dump()}}


def test_the_logo_is_at_the_pages_address() -> None:
    image = made(**with_logo()).offer_class["titleImage"]
    assert image == {"sourceUri": {"uri": f"{ORIGIN}/pictures/demo-vip/{'c' * 32}.png"}}
    assert "titleImage" not in made().offer_class


@pytest.mark.parametrize("locale", LOCALES)
def test_a_link_is_of_a_length_that_is_safe_in_every_language(locale: str) -> None:
    texts = dict.fromkeys(LOCALES, "text")
    privacy = campaign().model_dump()["privacy"] | {"authority": texts, "summary": texts}
    own: dict[str, Any] = {
        "locales": [locale], "title": texts, "offer": {}, "sponsor_offer": {}, "privacy": privacy,
    }  # fmt: skip
    how = {**USE, "how": {locale: "À présenter en caisse. " * 8}}
    for name in ("Maison Demo", "Ś" * 60):
        one = made(VOUCHER, locale, how, **own, **with_logo(name=name))
        assert len(link(one).removeprefix(SAVE)) <= SAFE
    assert "finePrint" in made(VOUCHER, locale, USE, **own).offer_class


def test_what_fits_is_said_and_what_does_not_is_left_out() -> None:
    short = {**USE, "how": {"fr": "En caisse.", "en": "At the till."}}
    assert made(use=short).offer_class["details"] == "En caisse."
    long = {**USE, "how": {"fr": "En caisse. " * 18, "en": "At the till."}}
    assert "details" not in made(use=long, **with_logo()).offer_class


@pytest.mark.parametrize(
    "account",
    [
        "-",
        "[]",
        json.dumps({"client_email": ACCOUNT}),
        json.dumps({"client_email": ACCOUNT, "private_key": "-"}),
        json.dumps({"private_key": pem(new_key())}),
    ],
    ids=["no JSON", "a list", "no key", "no PEM", "no address"],
)
def test_what_is_no_service_accounts_key_is_refused(account: str) -> None:
    with pytest.raises(CredentialsError):
        GoogleCredentials.of(ISSUER, account)
