"""The bodies of requests and answers, one model each. The OpenAPI document is generated from them.

Requests are strict: a wrong type is an error that names the field, and so is an unknown field.
Models are built at first use: one call needs two or three of them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.api.campaign_models import BrandAnswer, ControllerAnswer, PrivacyAnswer, TermsAnswer
from chalicelib.api.fields import (
    Code,
    Count,
    Currency,
    Day,
    DecimalText,
    FieldReason,
    FirstName,
    Id,
    LinkCode,
    Locale,
    MailAddress,
    Masked,
    Moment,
    ProblemType,
    Slug,
    StateReason,
    Svg,
    Template,
    Token,
    Url,
    described,
)
from chalicelib.api.model_bases import Answer, Request, Texts

Address = Annotated[str, Field(min_length=1, max_length=320, examples=["jeanne@example.fr"])]
Name = Annotated[str, Field(max_length=100, examples=["Jeanne"])]
LocaleTag = Annotated[str, Field(pattern=r"^[a-z]{2}$", examples=["fr"])]


class SignInRequest(Request):
    """`as_typed` accepts an address for which a correction was suggested."""

    email: Address
    as_typed: bool = False
    locale: LocaleTag | None = None


class Accepted(Answer):
    """The request was accepted. The same answer for everybody."""

    status: Literal["accepted"] = "accepted"


class PrivacyRequestBody(Request):
    """Somebody asks for her data (`export`) or for their erasure (`erase`)."""

    campaign: Annotated[str, Field(max_length=100, examples=["demo-vip"])]
    email: Address
    wish: Literal["export", "erase"]
    as_typed: bool = False
    locale: LocaleTag | None = None


class SessionRequest(Request):
    """`first_name` signs the sponsor's invitations. `stay_signed_in`: on her own device, for a
    month.
    """

    token: Annotated[str, Field(max_length=100, examples=["kT5v0Yw3Qm8ZpR1sXa7LbN2c"])]
    first_name: Name | None = None
    stay_signed_in: bool = False


class SessionAnswer(Answer):
    """The bearer token of a session, and when it expires."""

    session: Token
    expires_at: Moment


class RefereeRequest(Request):
    """Somebody to invite."""

    email: Address
    first_name: Name | None = None
    as_typed: bool = False


class FirstNameRequest(Request):
    """`first_name` signs the sponsor's invitations from now on."""

    first_name: Name


class InvitationsRequest(Request):
    """The people a sponsor invites in one call; `locale`: the language of the mails to them, else
    the sponsor's.
    """

    referees: Annotated[list[RefereeRequest], Field(min_length=1, max_length=100)]
    locale: LocaleTag | None = None


class PreviewRequest(Request):
    """To whom, and in which language, a mail would be written; else in the sponsor's."""

    first_name: Name | None = None
    locale: LocaleTag | None = None


class PreviewAnswer(Answer):
    """A mail as it would leave, without its token; `locale` is the language that it is in."""

    locale: Locale
    sender_name: Annotated[str, described("Maison Tandem")]
    sender: MailAddress
    subject: Annotated[str, described("Jeanne vous offre 10 €")]
    text: Annotated[str, described("Bonjour,")]
    html: Annotated[str, described("<p>Bonjour,</p>")]


class InvitationTaken(Answer):
    """One received invitation: the same answer whatever is decided later."""

    id: Id
    state: Literal["received"] = "received"


class InvitationsAnswer(Answer):
    """The invitations, in the order of the request."""

    invitations: list[InvitationTaken]


class SignUpRequest(Request):
    """A referee who signs up by a shared link."""

    email: Address
    first_name: Name | None = None
    as_typed: bool = False
    locale: LocaleTag | None = None


class ConfirmationRequest(Request):
    """The referee's confirmation: the accepted terms, and consent to marketing mails."""

    terms_version: Annotated[str, Field(max_length=100, examples=["2026-01"])]
    marketing_consent: Annotated[bool, Field(examples=[False])]


class ConfirmationAnswer(Answer):
    """The referral; a repeated call gets the same body."""

    referral: Id
    state: Literal["confirmed"] = "confirmed"
    confirmed_at: Moment


class UnsubscribeAnswer(Answer):
    """The same answer for every token."""

    status: Literal["unsubscribed"] = "unsubscribed"


class PrivacyRequestAnswer(Answer):
    """What a link is for, and until when: `address` is masked. `started`: the erasure is confirmed
    and under way.
    """

    campaign: Slug
    wish: Literal["export", "erase"]
    state: Literal["open", "started"]
    address: Masked
    brand: BrandAnswer
    controller: ControllerAnswer | None
    privacy: PrivacyAnswer | None
    ends_at: Moment


class ErasureAnswer(Answer):
    """The erasure is under way; a repeated call gets the same body."""

    status: Literal["started"] = "started"


class PreparingAnswer(Answer):
    """The file is being made: call again in a few seconds."""

    status: Literal["preparing"] = "preparing"


class PersonFileAnswer(Answer, extra="allow"):
    """Everything that is known of a person, as a file."""


class SponsorName(Answer):
    """The sponsor, as referees see them; without a name where an earlier version allowed that."""

    first_name: FirstName | None


class SharedLinkAnswer(Answer):
    """A sponsor's shared link, as the person who opens it sees it. `open`: whether anybody can sign
    up by it now.
    """

    campaign: Slug
    sponsor: SponsorName
    open: bool


class SponsorVoucher(Answer):
    """A voucher as its holder sees it. `code` is set once it may be used, `bar_code_svg` where
    tills read one. `passes`: the wallets of phones that it may be put into now.
    """

    id: Id
    template: Template
    value: DecimalText
    currency: Currency
    minimum_basket: DecimalText
    valid_until: Day
    state: Literal["preparing", "available", "redeemed", "ended"]
    code: Code | None
    bar_code_svg: Svg | None
    passes: list[Literal["apple", "google"]]


class PassLinkAnswer(Answer):
    """Where a voucher is added to Google Wallet. The link has the voucher's code in it: it is for
    its holder to follow, and for nobody to keep.
    """

    url: Url


class OfferAnswer(Answer):
    """What the referee's page shows; after the confirmation also whether the consent to marketing
    mails stands, and the referee's vouchers.
    """

    campaign: Slug
    sponsor: SponsorName
    state: Literal["pending", "confirmed"]
    brand: BrandAnswer
    title: Texts
    offer: Texts
    terms: TermsAnswer
    controller: ControllerAnswer | None
    privacy: PrivacyAnswer | None
    closes_on: Day
    locale: Locale
    marketing_consent: bool
    vouchers: list[SponsorVoucher]


class LinkAnswer(Answer):
    """The sponsor's own link, and its QR code as SVG.

    `stopped`: it takes nobody in any more, because too many mails of those who came by it failed.
    """

    url: Url
    code: LinkCode
    qr_svg: Svg
    stopped: bool


class QuotaAnswer(Answer):
    """How many invitations a sponsor may send in total and per call, and how many are left."""

    limit: Count
    per_call: Count
    left: Count


class InvitationAnswer(Answer):
    """An invitation as its sponsor sees it."""

    id: Id
    address: Masked
    state: Literal["pending", "confirmed", "closed"]
    invited_at: Moment
    closes_on: Day


class SponsorAnswer(Answer):
    """The sponsor's space."""

    campaign: Slug
    first_name: FirstName | None
    link: LinkAnswer
    quota: QuotaAnswer
    invitations: list[InvitationAnswer]
    vouchers: list[SponsorVoucher]


class FieldProblemAnswer(Answer):
    """One wrong field."""

    field: Annotated[str, described("email")]
    reason: FieldReason
    suggestion: Annotated[str, described("jeanne@example.fr")] | None = None


class DescriptionAnswer(Answer, extra="allow"):
    """An OpenAPI document."""

    openapi: Annotated[str, described("3.1.0")]


class Problem(Answer):
    """RFC 9457 problem details. `type` is stable."""

    type: ProblemType
    title: Annotated[str, described("Invalid request")]
    status: Annotated[int, described(422)]
    detail: Annotated[str, described("email: no_at_sign")] | None = None
    errors: list[FieldProblemAnswer] | None = None
    suggestion: Annotated[str, described("jeanne@example.fr")] | None = None
    reason: StateReason | None = None
