"""A campaign in answers: its brand, what it promises, its terms. Filled in `campaigns.py`."""

from __future__ import annotations

from typing import Annotated, Literal

from chalicelib.api.fields import (
    ChannelName,
    Colour,
    Count,
    Currency,
    Day,
    DecimalText,
    Line,
    Locale,
    MailAddress,
    Slug,
    Template,
    TimeZone,
    Url,
    described,
)
from chalicelib.api.model_bases import Answer, Texts


class PictureAnswer(Answer):
    """A picture of a campaign, on the pages' own address; its size in pixels."""

    path: Annotated[str, described("/campaigns/demo-vip/logo.svg", format="uri-reference")]
    width: Annotated[int, described(160, minimum=1)]
    height: Annotated[int, described(48, minimum=1)]


class LegalAnswer(Answer):
    """The company behind the brand, as the law has it named."""

    name: Line
    address: Annotated[str, described("12 rue de la Paix, 75002 Paris")]
    registration: Annotated[str, described("RCS Paris 123 456 789")] | None


class BrandAnswer(Answer):
    """Whose programme it is. `support_url`: where the brand says that the programme is its own."""

    name: Line
    colour: Colour
    contact: MailAddress
    logo: PictureAnswer | None
    picture: PictureAnswer | None
    shop_url: Url | None
    support_url: Url | None
    legal: LegalAnswer | None


class WhenAnswer(Answer):
    """What a voucher is granted for: a trigger; `order`: which of the referee's orders, None for
    each; `minimum_amount`: what that order must come to.
    """

    trigger: Literal[
        "referral_confirmed", "order_placed", "order_kept", "order_returned", "voucher_redeemed"
    ]
    order: Annotated[int, described(1, minimum=1)] | None
    minimum_amount: DecimalText


class BenefitAnswer(Answer):
    """A voucher that the campaign's rules grant, in its currency, and for what. `valid_days` are
    counted from the day of issue.
    """

    value: DecimalText
    minimum_basket: DecimalText
    valid_days: Count
    template: Template
    when: WhenAnswer


class BenefitsAnswer(Answer):
    """What the rules grant, to whom, in the order in which one gets it, and all that a page may
    promise: empty for somebody whom no rule gives anything.
    """

    sponsor: list[BenefitAnswer]
    referee: list[BenefitAnswer]


class UseAnswer(Answer):
    """How vouchers of a template are used: the address online, whether tills take them, with which
    bar code, and the retailer's own words by language.
    """

    online: Url | None
    shop: bool
    symbology: Literal["code128", "qr", "ean13"] | None
    how: Texts


class TermsAnswer(Answer):
    """The terms in force."""

    version: Annotated[str, described("2026-01")]
    url: Url


class ControllerAnswer(Answer):
    """Who is responsible for the addresses."""

    name: Line
    address: Annotated[str, described("12 rue de la Paix, 75002 Paris")]


class PrivacyAnswer(Answer):
    """The privacy notice; `authority` and `summary` by language."""

    version: Annotated[str, described("2026-01")]
    url: Url
    dpo: MailAddress
    authority: Texts
    summary: Texts


class CampaignAnswer(Answer):
    """A campaign, as the pages need it. `offer` and `sponsor_offer` have no text where no rule
    grants anything, or where the campaign leaves the words to `benefits`. The texts of `share` have
    the places {brand}, {value} and {minimum_basket}: of the referee's first benefit. `use` is by
    template.
    """

    campaign: Slug
    version: Count
    brand: BrandAnswer
    title: Texts
    offer: Texts
    sponsor_offer: Texts
    benefits: BenefitsAnswer
    share: Texts
    use: dict[str, UseAnswer]
    release: Literal["at_once", "on_acknowledgement"]
    acknowledge_within: Annotated[int, described(48, minimum=0)]
    channels: list[ChannelName]
    locales: list[Locale]
    starts_on: Day
    ends_on: Day
    open: bool
    terms: TermsAnswer
    controller: ControllerAnswer | None
    privacy: PrivacyAnswer | None
    currency: Currency
    time_zone: TimeZone
