"""The campaign file as a whole: one programme of one brand in one country."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from chalicelib.domain.campaign.brand import Brand, Picture, PostalAddress
from chalicelib.domain.campaign.checks import campaign_problems
from chalicelib.domain.campaign.fields import (
    Currency,
    Day,
    FileModel,
    Flag,
    HttpsUrl,
    Locale,
    OneLine,
    Slug,
    Text,
    Texts,
    TimeZone,
)
from chalicelib.domain.campaign.layouts import Dropped, FileLayouts, layout_of
from chalicelib.domain.campaign.lists import DigestKeys, Lists
from chalicelib.domain.campaign.promises import Promise, promises, unkept_amounts
from chalicelib.domain.campaign.review import Review
from chalicelib.domain.campaign.rules import MOST_RULES, Caps, HolderRole, Release, Rule
from chalicelib.domain.campaign.templates import VoucherTemplate
from chalicelib.domain.campaign.wording import Mails, Share
from chalicelib.domain.files.layouts import Layout

# Three years after a programme's last day nobody claims anything from it any more.
RECORDS_DAYS = 1_096


class Terms(FileModel):
    """The terms a referee accepts; `version` is stored with each confirmation."""

    version: Annotated[str, Field(min_length=1, max_length=40)]
    url: HttpsUrl


class Controller(FileModel):
    """Who decides on the use of the addresses (GDPR 13, 14): the brand's company."""

    name: OneLine
    address: PostalAddress


class Privacy(FileModel):
    """The privacy notice: where it is, which version, whom to write to, and in a few sentences.

    `authority` is where people may complain, as a text that can follow "to".
    """

    version: Annotated[str, Field(min_length=1, max_length=40)]
    url: HttpsUrl
    dpo: Annotated[
        str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254, description="an e-mail address")
    ]
    authority: Texts
    summary: Texts


class Quotas(FileModel):
    """What one sponsor may do: limits what the public can make us spend."""

    invitations_per_sponsor: Annotated[int, Field(ge=1, le=1000)] = 20
    referees_per_call: Annotated[int, Field(ge=1, le=20)] = 10
    sign_ups_per_link: Annotated[int, Field(ge=0, le=1000)] = 50
    sign_ups_per_day: Annotated[int, Field(ge=1, le=1000)] = 20
    problems_per_link: Annotated[int, Field(ge=1, le=1000)] = 5
    sign_in_mails_per_day: Annotated[int, Field(ge=1, le=50)] = 5


class EarlierZone(FileModel):
    """The time zone of earlier versions, and the instant until which their days were its days."""

    time_zone: TimeZone
    until: datetime


# Not in the file: noted when it is put in force. Zones are in the order of time.
NOTED = ("version", "earlier_zones")
# Nor is this, which follows from the files that are named.
ASSIGNED = (*NOTED, "pictures")


class Campaign(FileModel):
    """The rules, dates and offers of one programme of one brand in one country.

    `starts_on` and `ends_on` are local days, both inclusive. `version` is not in the file: it
    is assigned when the file is put in force, and 0 until then. So are the `pictures`, by the name
    of their file. `offer` and `sponsor_offer` say in the campaign's own words what its rules grant;
    without them the words are made of the rules.
    """

    id: Annotated[Slug, Field(alias="campaign")]
    version: Annotated[int, Field(ge=0)] = 0
    earlier_zones: tuple[EarlierZone, ...] = ()
    pictures: dict[str, Picture] = Field(default_factory=dict)
    brand: Brand
    title: Texts
    offer: dict[Locale, Text] = Field(default_factory=dict)
    sponsor_offer: dict[Locale, Text] = Field(default_factory=dict)
    country: Annotated[
        str, Field(pattern=r"^[A-Z]{2}$", description="a country code of two capitals, like FR")
    ]
    time_zone: TimeZone
    currency: Currency
    locales: Annotated[tuple[Locale, ...], Field(min_length=1)]
    starts_on: Day
    ends_on: Day
    terms: Terms
    controller: Controller | None = None
    privacy: Privacy | None = None
    digests: DigestKeys
    lists: Lists = Lists.model_construct()
    channels: Annotated[tuple[Literal["email", "link"], ...], Field(min_length=1)] = (
        "email",
        "link",
    )
    quotas: Quotas = Quotas.model_construct()
    invitation_days: Annotated[int, Field(ge=1, le=90)] = 14
    retention_days: Annotated[int, Field(ge=1, le=1100)] = 90
    return_window_days: Annotated[int, Field(ge=0, le=365)] = 14
    buyer: Literal["referee", "anyone"] = "referee"
    give_back_voucher: tuple[Literal["cancelled", "returned"], ...] = ("cancelled",)
    release: Release = Release.ON_ACKNOWLEDGEMENT
    acknowledge_within: Annotated[int, Field(ge=1, le=720)] = 24
    orders_expected_every: Annotated[int, Field(ge=1, le=720)] | None = None
    templates: Annotated[dict[Slug, VoucherTemplate], Field(min_length=1)]
    rules: Annotated[
        tuple[Rule, ...], Field(min_length=1, json_schema_extra={"maxItems": MOST_RULES})
    ]
    caps: Caps = Caps.model_construct()
    review: Review | None = None
    files: FileLayouts | None = None
    mails: Mails = Field(default_factory=Mails)
    share: Share | None = None
    mail_confirmations: Flag = False
    ends_soon_days: Annotated[int, Field(ge=1, le=30)] | None = None

    @model_validator(mode="after")
    def _require_consistency(self) -> Self:
        if problems := campaign_problems(self):
            raise ValueError("; ".join(problems))
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The campaign's time zone."""
        return ZoneInfo(self.time_zone)

    def local_date(self, now: datetime) -> date:
        """The campaign's calendar day at `now` (aware)."""
        return now.astimezone(self.zone).date()

    def counted_on(self, at: datetime) -> date:
        """The day that what happened at `at` is counted on."""
        return self.counted_at(at).date()

    def counted_at(self, at: datetime) -> datetime:
        """The local time that what happened at `at` is counted under: a version with another time
        zone leaves what was before it as it was.
        """
        earlier = (zone.time_zone for zone in self.earlier_zones if at < zone.until)
        return at.astimezone(ZoneInfo(next(earlier, self.time_zone)))

    def days_between(self, earlier: datetime, later: datetime) -> int:
        """Local days from one instant to another: 0 within one day."""
        return (self.local_date(later) - self.local_date(earlier)).days

    def is_open(self, now: datetime) -> bool:
        """True from the first moment of `starts_on` to the last of `ends_on`, local time."""
        return self.starts_on <= self.local_date(now) <= self.ends_on

    def start_of_day(self, day: date) -> datetime:
        """The first moment of the local `day`, in UTC, daylight saving included."""
        midnight = datetime.combine(day, time.min, tzinfo=self.zone)
        return midnight.astimezone(UTC)

    def end_of_day(self, day: date) -> datetime:
        """The last second of the local `day`, in UTC, daylight saving included (law 11)."""
        return self.start_of_day(day + timedelta(days=1)) - timedelta(seconds=1)

    @property
    def last_second(self) -> datetime:
        """The last second of its last day."""
        return self.end_of_day(self.ends_on)

    def closes_at(self, invited_at: datetime) -> datetime:
        """When an invitation received at `invited_at` closes."""
        day = self.local_date(invited_at) + timedelta(days=self.invitation_days)
        return self.end_of_day(min(day, self.ends_on))

    def contact_ends_at(self) -> datetime:
        """When the plain address of anyone in this campaign is deleted (law 9)."""
        return self.end_of_day(self.ends_on + timedelta(days=self.retention_days))

    def records_end_at(self) -> datetime:
        """When all else that the table has of this campaign is removed, if nothing is open."""
        days = max(RECORDS_DAYS, self.retention_days)
        return self.end_of_day(self.ends_on + timedelta(days=days))

    @property
    def ends(self) -> tuple[datetime, datetime]:
        """When its last invitations close, and when its addresses are deleted."""
        return self.last_second, self.contact_ends_at()

    def locale_for(self, locale: str | None) -> str:
        """`locale` if the campaign has texts in it, else its first one."""
        return locale if locale in self.locales else self.locales[0]

    def promises(self, role: HolderRole) -> tuple[Promise, ...]:
        """What its rules grant to that holder."""
        return promises(self, role)

    def offer_to(self, role: HolderRole) -> dict[str, str]:
        """What the campaign itself says that holder is granted, by language: nothing where no rule
        grants anything, nor where a text has an amount that no rule knows.
        """
        texts = self.sponsor_offer if role is HolderRole.SPONSOR else self.offer
        kept = self.promises(role)
        return {
            locale: text
            for locale, text in texts.items()
            if kept and not unkept_amounts(self, text, kept)
        }

    def layout_of(self, kind: Dropped) -> Layout:
        """How the client's files of that kind are laid out."""
        return layout_of(self.files, kind)

    @property
    def encrypt_to(self) -> str | None:
        """The armoured key that what is written for the client is encrypted to, if any."""
        return self.files.encrypt_to if self.files else None

    def picture_path(self, name: str | None) -> str | None:
        """Where the picture of that file name is in the bucket, and below the pages' address."""
        picture = self.picture(name)
        return picture.path(self.id) if picture else None

    def picture(self, name: str | None) -> Picture | None:
        """The stored picture of that file name, if there is one."""
        return self.pictures.get(name) if name else None

    def text(self, texts: dict[str, str], locale: str) -> str:
        """The text in `locale`, else in the campaign's first locale."""
        return texts.get(locale) or texts[self.locales[0]]


def is_past(last_second: datetime, at: datetime) -> bool:
    """True once the whole last second of a day has passed (law 11)."""
    return at >= last_second + timedelta(seconds=1)
