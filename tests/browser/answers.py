"""Answers of the API as the pages get them: one of each shape."""

from __future__ import annotations

from typing import Any, Final

BRAND: Final = {
    "name": "Maison Verte",
    "colour": "#1f4e3d",
    "contact": "contact@maison-verte.example",
    "logo": {"path": "/favicon.svg", "width": 32, "height": 32},
    "picture": None,
    "shop_url": "https://www.example.com/shop",
    "support_url": "https://www.example.com/help",
    "legal": {
        "name": "Maison Verte SAS",
        "address": "1 rue de la Paix, Paris",
        "registration": None,
    },
}
OFFER: Final = {"fr": "10 € offerts dès 40 € d’achat.", "en": "€10 off an order of €40 or more."}
TERMS: Final = {"version": "2025-1", "url": "https://www.example.com/terms"}
BAR_CODE: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 20">'
    '<path fill="#fff" d="M0 0h60v20H0z"/><path d="M10 0h2v20h-2zM13 0h1v20h-1zM16 0h3v20h-3z'
    'M22 0h1v20h-1zM25 0h4v20h-4zM31 0h2v20h-2zM35 0h1v20h-1zM40 0h3v20h-3zM46 0h1v20h-1z"/></svg>'
)
QR: Final = (
    '<svg viewBox="0 0 21 21">'
    '<path fill="#fff" d="M0 0h21v21H0z"/>'
    '<path d="M1 1h7v7H1zM13 1h7v7h-7zM1 13h7v7H1zM10 10h3v3h-3z"/></svg>'
)


def benefit(
    value: str,
    trigger: str,
    *,
    order: int | None = None,
    minimum: str = "0.00",
    least: str = "0.00",
) -> dict[str, object]:
    """A voucher that a rule grants."""
    return {
        "value": value,
        "minimum_basket": minimum,
        "valid_days": 60,
        "template": "welcome" if order is None else f"order-{order}",
        "when": {"trigger": trigger, "order": order, "minimum_amount": least},
    }


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
    "benefits": {
        "sponsor": [benefit("15.00", "order_kept", order=1, least="30.00")],
        "referee": [
            benefit("10.00", "referral_confirmed", minimum="40.00"),
            benefit("5.00", "order_kept", order=1, least="30.00"),
            benefit("7.50", "order_kept", order=2, least="30.00"),
        ],
    },
    "share": {
        "fr": "Je fais mes courses chez {brand}. Avec mon lien, tu as {value} dès {minimum_basket}",
        "en": "I shop at {brand}. With my link you get {value} off when you spend {minimum_basket}",
    },
    "use": {
        "sponsor-reward": {
            "online": "https://www.example.com/basket",
            "shop": True,
            "symbology": "code128",
            "how": {"fr": "À présenter en caisse.", "en": "Show it at the till."},
        }
    },
    "release": "on_acknowledgement",
    "acknowledge_within": 24,
    "controller": {"name": "Maison Verte SAS", "address": "1 rue de la Paix, Paris"},
    "privacy": {
        "version": "1",
        "url": "https://www.example.com/privacy",
        "dpo": "dpo@maison-verte.example",
        "authority": {},
        "summary": {
            "fr": "Maison Verte utilise votre adresse pour ce programme seulement.",
            "en": "Maison Verte uses your address for this programme only.",
        },
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

VOUCHERS: Final[list[dict[str, object]]] = [
    {
        "id": f"voucher-{state}",
        "template": "sponsor-reward",
        "value": "10.00",
        "currency": "EUR",
        "minimum_basket": "0.00",
        "valid_until": "2025-12-31",
        "state": state,
        "code": code,
        "bar_code_svg": code and BAR_CODE,
        "passes": ["apple", "google"] if code else [],
    }
    for state, code in (
        ("available", "SP-7K4M-9QRT-2XWB-HJ"),
        ("preparing", None),
        ("redeemed", None),
    )
]

SPACE: Final[dict[str, object]] = {
    "campaign": "demo-vip",
    "first_name": "Camille",
    "link": {
        "url": "https://tandem.example/p/K7QM2",
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
    "vouchers": VOUCHERS,
}

SHARED_LINK: Final = {
    "campaign": "demo-vip", "sponsor": {"first_name": "Camille"}, "open": True,
}  # fmt: skip

INVITATION: Final[dict[str, object]] = {
    "campaign": "demo-vip",
    "sponsor": {"first_name": "Camille"},
    "state": "pending",
    "brand": BRAND,
    "offer": OFFER,
    "terms": TERMS,
    "closes_on": "2025-10-16",
    "locale": "fr",
    "controller": {"name": "Maison Verte SAS", "address": "1 rue de la Paix, Paris"},
    "privacy": CAMPAIGN["privacy"],
    "marketing_consent": False,
    "vouchers": [],
}

CONFIRMED: Final[dict[str, object]] = {
    **INVITATION,
    "state": "confirmed",
    "marketing_consent": True,
    "vouchers": [VOUCHERS[0] | {"minimum_basket": "40.00", "valid_until": "2099-12-31"}],
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


FIGURES: dict[str, int] = {
    "channel.email.invited": 1_000,
    "channel.email.sent": 620,
    "channel.email.confirmed": 260,
    "channel.link.invited": 240,
    "channel.link.sent": 180,
    "channel.link.confirmed": 120,
    "consents": 150,
    "due.2025-11": 300_000,
    "issued.welcome": 380,
    "kept.1.12": 90,
    "kept.2.30": 30,
    "mails.bounced": 14,
    "mails.complained": 2,
    "mails.failed": 1,
    "mails.sent": 1_400,
    "money.issued.welcome": 380_000,
    "money.redeemed.welcome": 80_000,
    "oppositions": 8,
    "revenue": 1_250_000,
    "rule.granted.thank-you.1": 40,
    "rule.granted.welcome.0": 400,
    "rule.redeemed.welcome.0": 140,
    "rule.refused.thank-you.1": 5,
    "rule.replaced.welcome.0": 3,
    "rule_money.granted.thank-you.1": 60_000,
    "rule_money.granted.welcome.0": 400_000,
    "rule_money.redeemed.welcome.0": 140_000,
    "sponsors.active": 120,
    "sponsors.signed_in": 180,
    "till.below_minimum_basket": 4,
    "within.1": 200,
    "within.24": 180,
}


def act(name: str, second: int, channel: str | None = None) -> dict[str, object]:
    """Something that happened in the last minute."""
    return {"at": f"2025-10-02T08:15:{second:02}.5+00:00", "act": name, "channel": channel}


def cohort(source: str, share: float, points: float | None = None) -> dict[str, object]:
    """A cohort whose curve falls once."""
    curve = [
        {"days": 0, "share": 1.0, "low": 1.0, "high": 1.0},
        {"days": 20, "share": share, "low": share - 0.05, "high": share + 0.04},
    ]
    difference = {"days": 30, "points": points, "low": 1.0, "high": 13.0}
    return {
        "source": source,
        "as_of": "2025-10-02",
        "people": 400,
        "known_days": 80,
        "curve": curve,
        "compared": {"p": 0.012, "differences": [difference]} if points else None,
    }


REASONS: dict[str, int] = {"customer": 200, "already_invited": 80, "a_new_reason": 30}
BUYERS: dict[str, int] = {"referee": 180, "none": 6, "sponsor": 2}


def days_of(counts: dict[str, int]) -> list[dict[str, object]]:
    """Two days that add up to the counts, the second with all figures."""
    first = {key: value // 2 for key, value in counts.items()}
    rest = {key: value - first[key] for key, value in counts.items()}
    reasons = {f"refused.{reason}": by for reason, by in REASONS.items()}
    buyers = {f"buyer.{buyer}": by for buyer, by in BUYERS.items()}
    figures = {name: by for name, by in FIGURES.items() if not name.startswith("due.")}
    return [
        {"date": "2025-10-01", **first},
        {"date": "2025-10-02", **rest, **figures, **reasons, **buyers},
    ]


def by_day(days: list[dict[str, Any]]) -> dict[str, object]:
    """The days as the API answers them: the figures beside, each a run of numbers."""
    counts = [{name: of for name, of in day.items() if name in {"date", *COUNTS}} for day in days]
    names = sorted({name for day in days for name in day} - {"date", *COUNTS})
    return {
        "days": counts,
        "figures_by_day": {name: [0, *(day.get(name, 0) for day in days)] for name in names},
    }


def dashboard(**changed: int) -> dict[str, object]:
    """The dashboard's answer, with some counts changed."""
    return {
        "campaign": "demo-vip",
        "version": 3,
        "as_of": "2025-10-02T08:15:30Z",
        "counted_until": "2025-10-02T08:15:24Z",
        "lag_s": 0,
        "currency": "EUR",
        "starts_on": "2025-09-01",
        "ends_on": "2025-12-31",
        "figures": FIGURES,
        "time_zone": "Europe/Paris",
        "funnel": {**COUNTS, **changed},
        "refused_by_reason": REASONS,
        "orders_by_buyer": BUYERS,
        "held_rewards": {"rewards": 3, "value": "45.00", "currency": "EUR"},
        **by_day(days_of({**COUNTS, **changed})),
        "lists": {
            "customers": {
                "version": 7,
                "rows": 200_000,
                "accepted_at": "2025-10-02T04:00:00Z",
                "in_force": True,
                "max_age_days": 30,
                "rows_before": 198_000,
            },
            "vips": {
                "version": 0,
                "rows": 0,
                "accepted_at": None,
                "in_force": False,
                "max_age_days": 90,
                "rows_before": None,
            },
        },
        "watched": [
            watch("acknowledgements", since="2025-09-30T04:00:00Z", overdue=True, left=2),
            watch("orders", since="2025-10-02T04:00:00Z"),
            watch("codes", since="2025-10-02T08:00:00Z", template="welcome", left=12_000),
        ],
        "acts": [
            act("referral_confirmed", 24, "link"),
            act("invitation_received", 20, "email"),
            act("list_accepted", 3),
        ],
        "cohorts": [
            cohort("referred", 0.82),
            cohort("search", 0.75, points=7.0),
        ],
    }
