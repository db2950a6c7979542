"""A campaign like the demo's, with a `return_window_days` and lists of a size for tests."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.addresses import Address, AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.lists import DigestKeys
from tests.fakes.ports import MemoryKeys

CAMPAIGN = "demo-vip"
CANARY = "canary@demo.test"
_KEYS = DigestKeys(key_ids=("k1",))


def digests(address: str) -> AddressDigests:
    """The digests of an address, as the client has them."""
    return AddressDigests.of(Address.parse(address), MemoryKeys().in_force(_KEYS))


def digest(address: str) -> str:
    """The digest of an address as it stands."""
    return digests(address).pairs[0].exact


def templates(**changes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The campaign's voucher templates, with fields of some changed: `thank_you={…}`."""
    named = campaign().model_dump(by_alias=True)["templates"]
    changed = {name.replace("_", "-"): fields for name, fields in changes.items()}
    return {name: template | changed.get(name, {}) for name, template in named.items()}


def campaign(**changes: Any) -> Campaign:
    """The campaign, with fields of the file changed."""
    document: dict[str, Any] = {
        "campaign": CAMPAIGN,
        "brand": {"id": "demo", "name": "Maison Demo", "contact": "contact@demo.test"},
        "title": {"fr": "Faites découvrir", "en": "Share"},
        "offer": {"fr": "10 € offerts", "en": "€10 off"},
        "sponsor_offer": {"fr": "15 € pour vous", "en": "€15 for you"},
        "country": "FR",
        "time_zone": "Europe/Paris",
        "currency": "EUR",
        "locales": ["fr", "en"],
        "starts_on": "2026-01-01",
        "ends_on": "2026-12-31",
        "terms": {"version": "1", "url": "https://demo.test/terms"},
        "controller": {"name": "Maison Demo SAS", "address": "1 rue de la Demo, 75002 Paris"},
        "privacy": {
            "version": "1",
            "url": "https://demo.test/privacy",
            "dpo": "dpo@demo.test",
            "authority": {"fr": "la CNIL", "en": "the CNIL"},
            "summary": {"fr": "Votre adresse sert au parrainage.", "en": "Only for referrals."},
        },
        "digests": {"key_ids": ["k1"]},
        "lists": {
            "customers": {
                "max_age_days": 30,
                "max_shrink_percent": 50,
                "canaries": [digest(CANARY)],
            },
            "vips": {"max_age_days": 90},
        },
        "templates": {
            "welcome": {"prefix": "WE", "value": "10.00", "minimum_basket": "40.00",
                        "valid_days": 60},
            "second-order": {"prefix": "SE", "value": "5.00", "valid_days": 45},
            "third-order": {"prefix": "TH", "value": "7.50", "valid_days": 45},
            "fourth-order": {"prefix": "FO", "value": "10.00", "valid_days": 60},
            "thank-you": {"prefix": "TY", "value": "15.00", "valid_days": 90},
        },
        "rules": [
            {"id": "welcome", "when": "referral_confirmed", "issue": "welcome", "to": "referee"},
            {"id": "ladder-first", "when": "order_kept", "if": {"order": 1},
             "issue": "second-order", "to": "referee"},
            {"id": "ladder-second", "when": "order_kept", "if": {"order": 2},
             "issue": "third-order", "to": "referee"},
            {"id": "ladder-third", "when": "order_kept", "if": {"order": 3},
             "issue": "fourth-order", "to": "referee"},
            {"id": "sponsor-reward", "when": "order_kept", "if": {"order": 1},
             "issue": "thank-you", "to": "sponsor"},
        ],
    }  # fmt: skip
    return Campaign.model_validate(document | changes)
