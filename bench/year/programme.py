"""The campaign of the year: two versions of its file, and when each is in force.

In July rules are renamed and their conditions change; what happened before is judged by the first
version. One template has codes of the client's own, which run out again and again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chalicelib.domain.campaign.file import Campaign
from tests.fakes.campaign import campaign

FIRST_DAY = date(2026, 1, 1)
DAYS = 365
RENAMED_ON = date(2026, 7, 8)
EXPIRE_AT = (2 * 60, 12 * 60)  # minutes of the day at which windows and vouchers end
OWN_CODES = "third-order"
SPONSOR_CAP = 4

TEMPLATES: dict[str, dict[str, Any]] = {
    "welcome": {"prefix": "WE", "value": "10.00", "minimum_basket": "40.00", "valid_days": 60},
    "second-order": {"prefix": "SE", "value": "5.00", "valid_days": 45},
    OWN_CODES: {"prefix": "TH", "value": "7.50", "valid_days": 45, "codes": "client"},
    "large-basket": {"prefix": "LB", "value": "3.33", "valid_days": 30, "minimum_basket": "60.00"},
    "sorry": {"prefix": "SO", "value": "2.00", "valid_days": 20, "holder_bound": True},
    "again": {"prefix": "AG", "value": "4.00", "valid_days": 40, "not_with": ["sorry"]},
    "thank-you": {"prefix": "TY", "value": "15.00", "valid_days": 90},
    "thanks-twice": {"prefix": "TT", "value": "1.99", "valid_days": 30},
}

RULES: list[dict[str, Any]] = [
    {"id": "welcome", "when": "referral_confirmed", "issue": "welcome", "to": "referee"},
    {"id": "ladder-first", "when": "order_kept", "if": {"order": 1, "minimum_amount": "20.00"},
     "issue": "second-order", "to": "referee"},
    {"id": "ladder-second", "when": "order_kept", "if": {"order": 2}, "issue": OWN_CODES,
     "to": "referee"},
    {"id": "large-basket", "when": "order_placed",
     "if": {"minimum_amount": "90.00", "maximum_days": 150}, "issue": "large-basket",
     "to": "referee"},
    {"id": "sorry", "when": "order_returned", "if": {"order": 1}, "issue": "sorry",
     "to": "referee"},
    {"id": "used", "when": "voucher_redeemed", "if": {"template": "welcome"}, "issue": "again",
     "to": "referee"},
    {"id": "sponsor-reward", "when": "order_kept", "if": {"order": 1, "minimum_amount": "30.00"},
     "issue": "thank-you", "to": "sponsor"},
    {"id": "sponsor-second", "when": "order_kept",
     "if": {"order": 2, "template": "welcome"}, "issue": "thanks-twice", "to": "sponsor"},
]  # fmt: skip

_RENAMED: dict[str, dict[str, Any]] = {
    "ladder-first": {"id": "first-step"},
    "used": {"id": "used-again"},
    "sponsor-reward": {"id": "sponsor-thanks", "if": {"order": 1, "minimum_amount": "35.00"}},
}
LATER_RULES: list[dict[str, Any]] = [rule | _RENAMED.get(rule["id"], {}) for rule in RULES]


@dataclass(frozen=True)
class Programme:
    """What the campaign file has that scenarios differ in; `budget` in whole units of money."""

    budget: int
    referee_cap: int | None = None
    buyer: str = "referee"
    give_back: tuple[str, ...] = ("cancelled",)

    def file(self, version: int) -> Campaign:
        """The campaign file of a version, 1 or 2."""
        caps: dict[str, Any] = {"sponsor_rewards": SPONSOR_CAP, "budget": f"{self.budget}.00"}
        if self.referee_cap:
            caps["referee_rewards"] = self.referee_cap
        return campaign(
            starts_on=FIRST_DAY.isoformat(),
            ends_on=(FIRST_DAY + timedelta(days=DAYS - 1)).isoformat(),
            orders_expected_every=72,
            buyer=self.buyer,
            give_back_voucher=self.give_back,
            quotas={"invitations_per_sponsor": 20},
            caps=caps,
            templates=TEMPLATES,
            rules=RULES if version == 1 else LATER_RULES,
            lists=_LISTS,
        )


_LISTS: Mapping[str, Any] = campaign().model_dump(by_alias=True)["lists"] | {
    "vips": {"max_age_days": 60}
}
_ZONE = campaign().zone


def local(day: int, minute: float = 0) -> datetime:
    """A local wall-clock time of a day of the year, 0 being the first, in UTC."""
    midnight = datetime.combine(FIRST_DAY + timedelta(days=day), datetime.min.time())
    return campaign_time(midnight + timedelta(minutes=minute))


def campaign_time(wall_clock: datetime) -> datetime:
    """A naive local time in UTC; of a time that the clocks skip or repeat, the first reading."""
    return wall_clock.replace(tzinfo=_ZONE).astimezone(UTC)


def version_at(at: datetime) -> int:
    """The version of the campaign file in force."""
    return 1 if at < local((RENAMED_ON - FIRST_DAY).days) else 2


def rules_of(version: int) -> list[dict[str, Any]]:
    """The rules of a version, as in its file."""
    return RULES if version == 1 else LATER_RULES
