"""The campaign file: everything marketing may change, as validated, frozen values.

The models here are the schema of the YAML file (its JSON Schema is published from them) and what
every use case reads. They refuse unknown fields, references to templates that do not exist and
dates the wrong way round. Reading YAML and naming lines is the command line's work
(`cli.campaign_file`); storing versions is the repository's. Nothing here does I/O.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from chalicelib.domain.addresses import OWN_KEY_ID

# A description completes "must be …", in the refusal of a wrong file and in editors.
Slug = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9-]{1,39}$",
        description="2 to 40 lower-case letters, figures and hyphens, a letter first",
    ),
]
Locale = Annotated[
    str, Field(pattern=r"^(fr|en)$", description="a language that mails are written in: fr or en")
]
Currency = Annotated[
    str, Field(pattern=r"^[A-Z]{3}$", description="a currency code of three capitals, like EUR")
]
_NOT_IN_HUNDREDTHS = frozenset(
    [
        "BHD",
        "BIF",
        "CLF",
        "CLP",
        "DJF",
        "GNF",
        "IQD",
        "ISK",
        "JOD",
        "JPY",
        "KMF",
        "KRW",
        "KWD",
        "LYD",
        "OMR",
        "PYG",
        "RWF",
        "TND",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
DigestHex = Annotated[
    str, Field(pattern=r"^[0-9a-f]{64}$", description="a digest: 64 hex characters in lower case")
]
KeyId = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9-]{1,16}$",
        description="1 to 16 lower-case letters, figures and hyphens",
    ),
]
Text = Annotated[str, Field(min_length=1, max_length=500)]
Texts = Annotated[dict[Locale, Text], Field(min_length=1)]
HttpsUrl = Annotated[
    str,
    Field(
        pattern=r"^https://[^\s<>\"']+$",
        max_length=500,
        description="an https:// address without spaces or quotes",
    ),
]


def _known_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone: {name}") from error
    return name


TimeZone = Annotated[str, AfterValidator(_known_time_zone)]


def _written_as_a_day(value: object) -> object:
    # Pydantic also takes a number of seconds for a date: 2026 would be a day of 1970.
    if isinstance(value, str | date) and re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
        return value
    raise ValueError("must be a day like 2026-01-31")


Day = Annotated[date, BeforeValidator(_written_as_a_day)]


def _two_decimals(amount: Decimal) -> Decimal:
    if amount != amount.quantize(Decimal("0.01")):
        raise ValueError("at most two decimals")
    return amount


Amount = Annotated[Decimal, Field(ge=0, le=100_000), AfterValidator(_two_decimals)]


LAST_YEAR = 2100


class HolderRole(StrEnum):
    """Who a voucher is issued to."""

    SPONSOR = "sponsor"
    REFEREE = "referee"


class Event(StrEnum):
    """What a rule may wait for."""

    REFERRAL_CONFIRMED = "referral_confirmed"
    ORDER_KEPT = "order_kept"


class Release(StrEnum):
    """When a voucher's mail may leave."""

    AT_ONCE = "at_once"
    ON_ACKNOWLEDGEMENT = "on_acknowledgement"


class _Model(BaseModel):
    # Built when it is first used, not whenever a function starts.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Brand(_Model):
    """Whose programme it is, and whom a person writes to about it."""

    id: Slug
    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=60,
            pattern=r"^[^\r\n<>]+$",
            description="a name on one line, without < or >",
        ),
    ]
    colour: Annotated[
        str, Field(pattern=r"^#[0-9a-fA-F]{6}$", description='a colour in quotes, like "#1f4e3d"')
    ] = "#1f4e3d"
    contact: Annotated[
        str,
        Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254, description="an e-mail address"),
    ]


class Terms(_Model):
    """The terms a referee accepts; `version` is kept with each confirmation."""

    version: Annotated[str, Field(min_length=1, max_length=40)]
    url: HttpsUrl


class ListLimits(_Model):
    """When a list drop is trusted, and for how long."""

    max_age_days: Annotated[int, Field(ge=1, le=400)] = 7
    max_shrink_percent: Annotated[int, Field(ge=0, le=100)] = 20
    max_growth_percent: Annotated[int, Field(ge=1, le=10_000)] | None = None
    canaries: tuple[DigestHex, ...] = ()
    canaries_by_key: dict[KeyId, tuple[DigestHex, ...]] = Field(default_factory=dict)

    def canaries_under(self, key_id: str) -> tuple[str, ...]:
        """Those that must be in a list made with that key."""
        return (*self.canaries, *self.canaries_by_key.get(key_id, ()))


class Lists(_Model):
    """The client's two lists."""

    customers: ListLimits = ListLimits()
    vips: ListLimits = ListLimits()


class DigestKeys(_Model):
    """The keys in force; the first one is used for what the client is sent."""

    algorithm: Literal["hmac-sha256", "sha256"] = "hmac-sha256"
    key_ids: Annotated[tuple[KeyId, ...], Field(min_length=1, max_length=2)]


class Quotas(_Model):
    """What one sponsor may do: bounds what the public can make us spend."""

    invitations_per_sponsor: Annotated[int, Field(ge=1, le=1000)] = 20
    referees_per_call: Annotated[int, Field(ge=1, le=20)] = 10
    sign_ups_per_link: Annotated[int, Field(ge=0, le=1000)] = 50
    sign_in_mails_per_day: Annotated[int, Field(ge=1, le=50)] = 5


class VoucherTemplate(_Model):
    """What a voucher of this kind is worth, and under which conditions."""

    prefix: Annotated[str, Field(pattern=r"^[A-Z]{2,4}$", description="two to four capitals")]
    value: Annotated[Decimal, Field(gt=0, le=100_000), AfterValidator(_two_decimals)]
    minimum_basket: Amount = Decimal(0)
    valid_days: Annotated[int, Field(ge=1, le=1000)]
    codes: Literal["minted", "client"] = "minted"

    @property
    def value_minor(self) -> int:
        """The value in minor units (cents)."""
        return int(self.value * 100)

    @property
    def minimum_basket_minor(self) -> int:
        """The smallest basket it may be used on, in minor units."""
        return int(self.minimum_basket * 100)


class Conditions(_Model):
    """When a rule applies: all that are given must hold."""

    order: Annotated[int, Field(ge=1, le=50)] | None = None
    minimum_amount: Amount | None = None


class Rule(_Model):
    """`when` an event, `if` conditions hold, `issue` a template `to` a holder."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: Slug
    when: Event
    conditions: Conditions = Field(default=Conditions(), alias="if")
    issue: Slug
    to: HolderRole


class Caps(_Model):
    """The most one sponsor may be granted."""

    sponsor_rewards: Annotated[int, Field(ge=1, le=10_000)] = 20


class Campaign(_Model):
    """The rules, dates and offers of one programme of one brand in one country.

    `starts_on` and `ends_on` are local days, both inclusive. `version` is not in the file: it
    is given when the file is put in force, and 0 before.
    """

    campaign: Slug
    version: Annotated[int, Field(ge=0)] = 0
    brand: Brand
    title: Texts
    offer: Texts
    sponsor_offer: Texts
    country: Annotated[
        str, Field(pattern=r"^[A-Z]{2}$", description="a country code of two capitals, like FR")
    ]
    time_zone: TimeZone
    currency: Currency
    locales: Annotated[tuple[Locale, ...], Field(min_length=1)]
    starts_on: Day
    ends_on: Day
    terms: Terms
    digests: DigestKeys
    lists: Lists = Lists()
    channels: Annotated[tuple[Literal["email", "link"], ...], Field(min_length=1)] = (
        "email",
        "link",
    )
    quotas: Quotas = Quotas()
    invitation_days: Annotated[int, Field(ge=1, le=90)] = 14
    retention_days: Annotated[int, Field(ge=1, le=1100)] = 90
    return_window_days: Annotated[int, Field(ge=0, le=365)] = 14
    release: Release = Release.ON_ACKNOWLEDGEMENT
    templates: Annotated[dict[Slug, VoucherTemplate], Field(min_length=1)]
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]
    caps: Caps = Caps()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        problems = [
            *_date_problems(self),
            *_currency_problems(self),
            *_repeated(self),
            *_key_problems(self),
            *_rule_problems(self),
            *_text_problems(self),
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The campaign's time zone."""
        return ZoneInfo(self.time_zone)

    def local_date(self, now: datetime) -> date:
        """The campaign's calendar day at `now` (aware)."""
        return now.astimezone(self.zone).date()

    def is_open(self, now: datetime) -> bool:
        """True from the first moment of `starts_on` to the last of `ends_on`, local time."""
        return self.starts_on <= self.local_date(now) <= self.ends_on

    def end_of_day(self, day: date) -> datetime:
        """The last second of the local `day`, in UTC, whatever daylight saving does (law 11)."""
        midnight_after = datetime.combine(day + timedelta(days=1), time.min, tzinfo=self.zone)
        return midnight_after.astimezone(UTC) - timedelta(seconds=1)

    def closes_at(self, invited_at: datetime) -> datetime:
        """When an invitation taken in at `invited_at` is over."""
        day = self.local_date(invited_at) + timedelta(days=self.invitation_days)
        return self.end_of_day(min(day, self.ends_on))

    def contact_ends_at(self) -> datetime:
        """When the plain address of anyone in this campaign is no longer kept (law 9)."""
        return self.end_of_day(self.ends_on + timedelta(days=self.retention_days))

    def spoken(self, locale: str | None) -> str:
        """`locale` if the campaign speaks it, else its first one."""
        return locale if locale in self.locales else self.locales[0]

    def text(self, texts: dict[str, str], locale: str) -> str:
        """The text in `locale`, else in the campaign's first locale."""
        return texts.get(locale) or texts[self.locales[0]]


def is_past(last_second: datetime, at: datetime) -> bool:
    """True once the whole of a day's last second has gone by (law 11)."""
    return at >= last_second + timedelta(seconds=1)


def _date_problems(campaign: Campaign) -> list[str]:
    if campaign.ends_on < campaign.starts_on:
        return ["ends_on: must not be before starts_on"]
    if campaign.ends_on.year > LAST_YEAR:
        return [f"ends_on: must not be after the year {LAST_YEAR}"]
    return []


def _rule_problems(campaign: Campaign) -> list[str]:
    problems = [
        f"rules.{position}.issue: no voucher template named {rule.issue}"
        for position, rule in enumerate(campaign.rules)
        if rule.issue not in campaign.templates
    ]
    names = [rule.id for rule in campaign.rules]
    problems += [
        f"rules.{position}.id: {name} stands twice"
        for position, name in enumerate(names)
        if name in names[:position]
    ]
    problems += [
        f"rules.{position}.if: only a rule for order_kept takes conditions"
        for position, rule in enumerate(campaign.rules)
        if rule.when is Event.REFERRAL_CONFIRMED and rule.conditions != Conditions()
    ]
    return problems


def _repeated(campaign: Campaign) -> list[str]:
    named = {
        "locales": campaign.locales,
        "channels": campaign.channels,
        "digests.key_ids": campaign.digests.key_ids,
    }
    return [
        f"{field}: {value} stands twice"
        for field, values in named.items()
        for value in dict.fromkeys(values)
        if values.count(value) > 1
    ]


def _key_problems(campaign: Campaign) -> list[str]:
    if OWN_KEY_ID in campaign.digests.key_ids:
        return [f"digests.key_ids: {OWN_KEY_ID} is reserved"]
    return []


def _currency_problems(campaign: Campaign) -> list[str]:
    if campaign.currency in _NOT_IN_HUNDREDTHS:
        return ["currency: amounts are kept in hundredths, which this currency has not"]
    return []


def _text_problems(campaign: Campaign) -> list[str]:
    return [
        f"{field}: no text for locale {locale}"
        for field in ("title", "offer", "sponsor_offer")
        for locale in campaign.locales
        if locale not in getattr(campaign, field)
    ]
