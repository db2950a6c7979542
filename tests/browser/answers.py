"""Answers of the API as the pages get them: one of each shape."""

from __future__ import annotations

from typing import Final

BRAND: Final = {"name": "Maison Verte", "colour": "#1f4e3d"}
OFFER: Final = {"fr": "10 € offerts dès 40 € d’achat.", "en": "€10 off an order of €40 or more."}
TERMS: Final = {"version": "2025-1", "url": "https://www.example.com/terms"}
QR: Final = (
    '<svg viewBox="0 0 21 21">'
    '<path fill="#fff" d="M0 0h21v21H0z"/>'
    '<path d="M1 1h7v7H1zM13 1h7v7h-7zM1 13h7v7H1zM10 10h3v3h-3z"/></svg>'
)

CAMPAIGN: Final[dict[str, object]] = {
    "campaign": "demo-vip",
    "version": 3,
    "brand": BRAND,
    "title": {"fr": "Parrainez vos proches", "en": "Invite people you know"},
    "offer": OFFER,
    "sponsor_offer": {
        "fr": "10 € pour vous à leur première commande.",
        "en": "€10 for you on their first order.",
    },
    "channels": ["email", "link"],
    "locales": ["fr", "en"],
    "starts_on": "2025-01-01",
    "ends_on": "2099-12-31",
    "open": True,
    "terms": TERMS,
    "currency": "EUR",
    "time_zone": "Europe/Paris",
}

SPACE: Final[dict[str, object]] = {
    "campaign": "demo-vip",
    "first_name": "Camille",
    "link": {
        "url": "https://tandem.example/referee/?campaign=demo-vip#link=K7QM2",
        "code": "K7QM2",
        "qr_svg": QR,
        "stopped": False,
    },
    "quota": {"limit": 20, "per_call": 10, "left": 17},
    "invitations": [
        {
            "id": f"invitation-{state}",
            "address": address,
            "state": state,
            "invited_at": "2025-10-02T08:15:00Z",
            "closes_on": "2025-10-16",
        }
        for state, address in (
            ("pending", "j•••@e•••.fr"),
            ("confirmed", "p•••@e•••.fr"),
            ("closed", "l•••@e•••.fr"),
        )
    ],
    "vouchers": [
        {
            "id": f"voucher-{state}",
            "template": "sponsor-reward",
            "value": "10.00",
            "currency": "EUR",
            "valid_until": "2025-12-31",
            "state": state,
            "code": code,
        }
        for state, code in (
            ("available", "SP-7K4M-9QRT-2XWB-HJ"),
            ("preparing", None),
            ("redeemed", None),
        )
    ],
}

INVITATION: Final[dict[str, object]] = {
    "campaign": "demo-vip",
    "sponsor": {"first_name": "Camille"},
    "state": "pending",
    "brand": BRAND,
    "offer": OFFER,
    "terms": TERMS,
    "closes_on": "2025-10-16",
    "locale": "fr",
    "marketing_consent": False,
    "vouchers": [],
}

PRIVACY_REQUEST: Final[dict[str, object]] = {
    "campaign": "demo-vip",
    "wish": "export",
    "state": "open",
    "address": "j•••@e•••.fr",
    "brand": BRAND,
    "controller": None,
    "privacy": None,
    "ends_at": "2025-10-03T08:15:00Z",
}

COUNTS: Final = {
    "invited": 1240,
    "refused": 310,
    "sent": 930,
    "confirmed": 412,
    "declined": 38,
    "bounced": 12,
    "expired": 90,
    "vouchers_issued": 520,
    "vouchers_replaced": 4,
    "vouchers_exported": 512,
    "vouchers_acknowledged": 500,
    "vouchers_redeemed": 201,
    "orders_kept": 188,
    "rewards": 164,
    "rewards_taken_back": 3,
    "rewards_refused": 1,
    "found_on_later_list": 5,
}


def watch(name: str, **known: object) -> dict[str, object]:
    """One thing that is watched, on time unless it says otherwise."""
    unknown = {"overdue": False, "since": None, "template": None, "left": None}
    return {"watch": name, **unknown, **known}


def dashboard(**changed: int) -> dict[str, object]:
    """The dashboard's answer, with some counts changed."""
    return {
        "campaign": "demo-vip",
        "version": 3,
        "as_of": "2025-10-02T08:15:30Z",
        "time_zone": "Europe/Paris",
        "funnel": {**COUNTS, **changed},
        "refused_by_reason": {"customer": 200, "already_invited": 80, "a_new_reason": 30},
        "orders_by_buyer": {"referee": 180, "none": 6, "sponsor": 2},
        "held_rewards": {"rewards": 3, "value": "45.00", "currency": "EUR"},
        "days": [
            {"date": f"2025-10-{day:02}", **{key: value // 2 for key, value in COUNTS.items()}}
            for day in (1, 2)
        ],
        "lists": {
            "customers": {
                "version": 7,
                "rows": 200_000,
                "accepted_at": "2025-10-02T04:00:00Z",
                "in_force": True,
            },
            "vips": {"version": 0, "rows": 0, "accepted_at": None, "in_force": False},
        },
        "watched": [
            watch("acknowledgements", since="2025-09-30T04:00:00Z", overdue=True),
            watch("orders", since="2025-10-02T04:00:00Z"),
            watch("codes", since="2025-10-02T08:00:00Z", template="welcome", left=12_000),
        ],
    }
