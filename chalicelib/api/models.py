"""The bodies of requests and answers, one model each. The OpenAPI document is generated from them.

Requests are strict: a wrong type is an error that names the field, and so is an unknown field.
Models are built at first use: one call needs two or three of them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from chalicelib.api.campaign_models import BrandAnswer, ControllerAnswer, PrivacyAnswer, TermsAnswer
from chalicelib.api.fields import (
    Code,
    CodeRefusal,
    Count,
    Currency,
    Day,
    DecimalText,
    Digest,
    Effect,
    FieldReason,
    FirstName,
    Holder,
    Id,
    LinkCode,
    Locale,
    MailAddress,
    Masked,
    Moment,
    OrderId,
    OrderStatus,
    ProblemType,
    Refusal,
    SignalName,
    Slug,
    State,
    StateReason,
    Svg,
    Template,
    TimeZone,
    Token,
    Url,
    described,
)
from chalicelib.api.model_bases import Answer, Request, Texts
from chalicelib.domain.files.orders import MAX_ID

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
    sender_name: Annotated[str, described("Jeanne via Maison Tandem")]
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
    """A sponsor's shared link, as whoever opens it sees it."""

    campaign: Slug
    sponsor: SponsorName


class SponsorVoucher(Answer):
    """A voucher as its holder sees it. `code` is set once it may be used, `bar_code_svg` where
    tills read one.
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


class VoucherAnswer(Answer):
    """Whether the voucher would be accepted now, and if not, why; and what it asks of an order.

    `not_with`: not on one order with a voucher of these templates. `exhausted_since`: when it was
    used, null while it is not, or where that is not known; never on which order or by whom.
    """

    code: Code
    acceptable: Annotated[bool, described(True)]
    reason: Annotated[Refusal | None, described(None)]
    exhausted_since: Annotated[Moment | None, described(None)]
    state: State
    template: Template
    holder: Literal["sponsor", "referee"]
    value: DecimalText
    currency: Currency
    minimum_basket: DecimalText
    valid_from: Moment
    valid_until: Moment
    holder_bound: bool
    not_with: list[Template]


def _as_written(amount: object) -> object:
    """A JSON number as its text; true and false are not numbers."""
    is_number = isinstance(amount, int | Decimal) and not isinstance(amount, bool)
    return str(amount) if is_number else amount


# A decimal string; of a JSON number, its text.
AmountField = Annotated[
    str,
    BeforeValidator(_as_written, json_schema_input_type=str | Decimal),
    Field(examples=["42.50"]),
]


class RedemptionRequest(Request):
    """The order a voucher is used on. `ordered_at` is ISO 8601 with an offset; `email_digest` is
    the buyer, for a voucher that is bound to its holder.
    """

    order_id: OrderId
    ordered_at: Moment
    amount: AmountField
    currency: Currency
    email_digest: Digest | None = None


class RedemptionAnswer(Answer):
    """A redemption; a repeated call gets the same body."""

    code: Code
    order_id: OrderId
    state: Literal["redeemed"] = "redeemed"
    value: DecimalText
    currency: Currency
    redeemed_at: Moment


class OrderItem(Request):
    """One order, with the columns of the order file."""

    order_id: OrderId
    ordered_at: Moment
    email_digest: Digest | None = None
    voucher_code: Code | None = None
    amount: AmountField
    currency: Currency
    status: OrderStatus


# Read one by one, so that a wrong order does not cost the others.
_Item = Annotated[object, WithJsonSchema({"$ref": "#/components/schemas/OrderItem"})]


class OrdersRequest(Request):
    """Orders in a call. Each is checked separately."""

    orders: Annotated[list[_Item], Field(min_length=1, max_length=500)]


class FieldProblemAnswer(Answer):
    """One wrong field."""

    field: Annotated[str, described("email")]
    reason: FieldReason
    suggestion: Annotated[str, described("jeanne@example.fr")] | None = None


class OrderResult(Answer):
    """The result of one order of a call: 200 accepted, 422 rejected, 503 send it again. `voucher`
    is what is wrong with its code, which does not cost the order.
    """

    order_id: Annotated[str, described("20260504-0001", maxLength=MAX_ID)] | None
    status: Literal[200, 422, 503]
    effect: Effect | None = None
    voucher: Annotated[CodeRefusal | None, described(None)] = None
    errors: list[FieldProblemAnswer] = Field(default=[])


class OrdersAnswer(Answer):
    """One result per order, in the order of the request."""

    results: list[OrderResult]


class ListAnswer(Answer):
    """The status of a digest list; version 0: there is none. It is in force for `max_age_days`;
    `rows_before`: those of the version before it.
    """

    version: Count
    rows: Count
    accepted_at: Moment | None
    in_force: bool
    max_age_days: Count
    rows_before: Count | None


class WatchAnswer(Answer):
    """What the client is expected to do, and whether it is overdue.

    `since`: when the oldest export without an acknowledgement was written (null: there is none),
    when the last order file was dropped (null: none yet), or when the own codes of `template` were
    counted. `left`: how many of these there were, of exports how many wait. `invitations` is there
    only while bounces or complaints have stopped them, `since` then.
    """

    watch: Literal["acknowledgements", "orders", "codes", "invitations"]
    overdue: bool
    since: Moment | None
    template: Template | None
    left: Count | None


class SignalAnswer(Answer):
    """What speaks against a reward: how much of it was seen, and the points it adds."""

    signal: SignalName
    seen: Count
    points: Count


class HeldRewardAnswer(Answer):
    """A reward that waits for a decision. `reward` names it; the score is the sum of the points;
    after `ends_at` time decides.
    """

    reward: Id
    referral: Id
    rule: Annotated[str, described("sponsor-first-order")]
    rung: Annotated[int, described(1, minimum=0)]
    holder: Holder
    value: DecimalText
    currency: Currency
    score: Count
    signals: list[SignalAnswer]
    held_at: Moment
    ends_at: Moment


class HeldRewardsAnswer(Answer):
    """What is held in a campaign, what ends first before the others; at most 1,000."""

    held: list[HeldRewardAnswer]


class HeldSumAnswer(Answer):
    """How many rewards are held now, and what they are worth together."""

    rewards: Count
    value: DecimalText
    currency: Currency


class SurvivalPointAnswer(Answer):
    """The share that still bought after that many days, with its 95 % band."""

    days: Count
    share: Annotated[float, described(0.91)]
    low: Annotated[float, described(0.88)]
    high: Annotated[float, described(0.93)]


class DifferenceAnswer(Answer):
    """By how many points more of ours still bought after that many days, with its 95 % band."""

    days: Count
    points: Annotated[float, described(6.1)]
    low: Annotated[float, described(2.4)]
    high: Annotated[float, described(9.8)]


class ComparisonAnswer(Answer):
    """Ours beside another cohort. `p`: how probable curves so far apart are if both bought alike
    (log-rank test); null where too little is known, and a day that too few are known for is left
    out.
    """

    p: Annotated[float, described(0.004)] | None
    differences: list[DifferenceAnswer]


class CohortAnswer(Answer):
    """The newcomers of one source: `referred` are ours, `others` all of the client's together.

    `curve` is Kaplan and Meier's, with a point for each day on which somebody bought for the last
    time; `compared` is missing with ours, and where there are none of ours.
    """

    source: Annotated[str, described("referred")]
    as_of: Day
    people: Count
    known_days: Count
    curve: list[SurvivalPointAnswer]
    compared: ComparisonAnswer | None


class DashboardAnswer(Answer):
    """The live figures of a campaign.

    `funnel` counts what happened, in total and by local day; its `found_on_later_list` counts
    referees, each once, who were found on a later customer list when they confirmed or when a
    first reward was refused for it. `orders_by_buyer` counts each reported order once, by who is
    known to have made it.

    `counted_until`: when the newest fact in the counts happened (null: nothing is counted yet).
    `lag_s`: for how long, at least, something has waited to be counted; 0 where nothing was seen.
    `figures` are further counts in total, and those of a day are among its counts, where they are
    not 0; sums are in minor units of `currency`. docs/operations.md names them.
    """

    campaign: Slug
    version: Count
    as_of: Moment
    counted_until: Moment | None
    lag_s: Count
    time_zone: TimeZone
    currency: Currency
    starts_on: Day
    ends_on: Day
    figures: Annotated[dict[str, int], described({"issued_minor": 4500})]
    funnel: Annotated[dict[str, int], described({"received": 12, "confirmed": 5})]
    refused_by_reason: Annotated[dict[str, int], described({"customer": 2})]
    orders_by_buyer: Annotated[dict[str, int], described({"referee": 4})]
    held_rewards: HeldSumAnswer
    days: Annotated[list[dict[str, str | int]], described([{"date": "2026-05-04", "received": 12}])]
    lists: dict[str, ListAnswer]
    watched: list[WatchAnswer]
    cohorts: list[CohortAnswer]


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
