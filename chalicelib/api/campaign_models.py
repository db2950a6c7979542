"""A campaign in answers: its brand, what it promises, its terms. Filled in `campaigns.py`."""

from __future__ import annotations

from typing import Literal

from chalicelib.api.model_bases import Answer, Texts


class PictureAnswer(Answer):
    """A picture of a campaign, on the pages' own address; its size in pixels."""

    path: str
    width: int
    height: int


class LegalAnswer(Answer):
    """The company behind the brand, as the law has it named."""

    name: str
    address: str
    registration: str | None


class BrandAnswer(Answer):
    """Whose programme it is. `support_url`: where the brand says that the programme is its own."""

    name: str
    colour: str
    contact: str
    logo: PictureAnswer | None
    picture: PictureAnswer | None
    shop_url: str | None
    support_url: str | None
    legal: LegalAnswer | None


class WhenAnswer(Answer):
    """What a voucher is granted for: a trigger; `order`: which of the referee's orders, None for
    each; `minimum_amount`: what that order must come to.
    """

    trigger: Literal[
        "referral_confirmed", "order_placed", "order_kept", "order_returned", "voucher_redeemed"
    ]
    order: int | None
    minimum_amount: str


class BenefitAnswer(Answer):
    """A voucher that the campaign's rules grant, in its currency, and for what. `valid_days` are
    counted from the day of issue.
    """

    value: str
    minimum_basket: str
    valid_days: int
    template: str
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

    online: str | None
    shop: bool
    symbology: Literal["code128", "qr", "ean13"] | None
    how: Texts


class TermsAnswer(Answer):
    """The terms in force."""

    version: str
    url: str


class ControllerAnswer(Answer):
    """Who is responsible for the addresses."""

    name: str
    address: str


class PrivacyAnswer(Answer):
    """The privacy notice; `authority` and `summary` by language."""

    version: str
    url: str
    dpo: str
    authority: dict[str, str]
    summary: dict[str, str]


class CampaignAnswer(Answer):
    """A campaign, as the pages need it. `offer` and `sponsor_offer` have no text where no rule
    grants anything, or where the campaign leaves the words to `benefits`. The texts of `share` have
    the places {brand}, {value} and {minimum_basket}: of the referee's first benefit. `use` is by
    template.
    """

    campaign: str
    version: int
    brand: BrandAnswer
    title: Texts
    offer: Texts
    sponsor_offer: Texts
    benefits: BenefitsAnswer
    share: Texts
    use: dict[str, UseAnswer]
    release: Literal["at_once", "on_acknowledgement"]
    acknowledge_within: int
    channels: list[str]
    locales: list[str]
    starts_on: str
    ends_on: str
    open: bool
    terms: TermsAnswer
    controller: ControllerAnswer | None
    privacy: PrivacyAnswer | None
    currency: str
    time_zone: str
