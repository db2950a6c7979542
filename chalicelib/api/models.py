"""The bodies of requests and answers, one model each. The OpenAPI document is generated from them.

Requests are strict: a wrong type is an error that names the field, and so is an unknown field.
Models are built at first use: one call needs two or three of them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from chalicelib.api.campaign_models import BrandAnswer, ControllerAnswer, PrivacyAnswer, TermsAnswer
from chalicelib.api.model_bases import Answer, Request, Texts

Short = Annotated[str, Field(max_length=100)]
Address = Annotated[str, Field(min_length=1, max_length=320, examples=["jeanne@example.fr"])]
Name = Annotated[str, Field(max_length=100)]
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

    campaign: Short
    email: Address
    wish: Literal["export", "erase"]
    as_typed: bool = False
    locale: LocaleTag | None = None


class SessionRequest(Request):
    """`first_name` signs the sponsor's invitations."""

    token: Short
    first_name: Name | None = None


class SessionAnswer(Answer):
    """The bearer token of a session, and when it expires."""

    session: str
    expires_at: str


class RefereeRequest(Request):
    """Somebody to invite."""

    email: Address
    first_name: Name | None = None
    as_typed: bool = False


class FirstNameRequest(Request):
    """`first_name` signs the sponsor's invitations from now on."""

    first_name: Name


class InvitationsRequest(Request):
    """The people a sponsor invites in one call."""

    referees: Annotated[list[RefereeRequest], Field(min_length=1, max_length=100)]


class InvitationTaken(Answer):
    """One received invitation: the same answer whatever is decided later."""

    id: str
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

    terms_version: Short
    marketing_consent: bool


class ConfirmationAnswer(Answer):
    """The referral; a repeated call gets the same body."""

    referral: str
    state: Literal["confirmed"] = "confirmed"
    confirmed_at: str


class UnsubscribeAnswer(Answer):
    """The same answer for every token."""

    status: Literal["unsubscribed"] = "unsubscribed"


class PrivacyRequestAnswer(Answer):
    """What a link is for, and until when: `address` is masked. `started`: the erasure is confirmed
    and under way.
    """

    campaign: str
    wish: Literal["export", "erase"]
    state: Literal["open", "started"]
    address: str
    brand: BrandAnswer
    controller: ControllerAnswer | None
    privacy: PrivacyAnswer | None
    ends_at: str


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

    first_name: str | None


class SponsorVoucher(Answer):
    """A voucher as its holder sees it. `code` is set once it may be used, `bar_code_svg` where
    tills read one.
    """

    id: str
    template: str
    value: str
    currency: str
    minimum_basket: str
    valid_until: str
    state: Literal["preparing", "available", "redeemed", "ended"]
    code: str | None
    bar_code_svg: str | None


class OfferAnswer(Answer):
    """What the referee's page shows; after the confirmation also whether the consent to marketing
    mails stands, and the referee's vouchers.
    """

    campaign: str
    sponsor: SponsorName
    state: Literal["pending", "confirmed"]
    brand: BrandAnswer
    title: Texts
    offer: Texts
    terms: TermsAnswer
    controller: ControllerAnswer | None
    privacy: PrivacyAnswer | None
    closes_on: str
    locale: str
    marketing_consent: bool
    vouchers: list[SponsorVoucher]


class LinkAnswer(Answer):
    """The sponsor's own link, and its QR code as SVG.

    `stopped`: it takes nobody in any more, because too many mails of those who came by it failed.
    """

    url: str
    code: str
    qr_svg: str
    stopped: bool


class QuotaAnswer(Answer):
    """How many invitations a sponsor may send in total and per call, and how many are left."""

    limit: int
    per_call: int
    left: int


class InvitationAnswer(Answer):
    """An invitation as its sponsor sees it."""

    id: str
    address: str
    state: Literal["pending", "confirmed", "closed"]
    invited_at: str
    closes_on: str


class SponsorAnswer(Answer):
    """The sponsor's space."""

    campaign: str
    first_name: str | None
    link: LinkAnswer
    quota: QuotaAnswer
    invitations: list[InvitationAnswer]
    vouchers: list[SponsorVoucher]


class VoucherAnswer(Answer):
    """Whether the voucher would be accepted now, and if not, why; and what it asks of an order.

    `not_with`: not on one order with a voucher of these templates.
    """

    code: str
    acceptable: bool
    reason: str | None
    state: str
    template: str
    holder: Literal["sponsor", "referee"]
    value: str
    currency: str
    minimum_basket: str
    valid_from: str
    valid_until: str
    holder_bound: bool
    not_with: list[str]


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

    order_id: str
    ordered_at: str
    amount: AmountField
    currency: str
    email_digest: str | None = None


class RedemptionAnswer(Answer):
    """A redemption; a repeated call gets the same body."""

    code: str
    order_id: str
    state: Literal["redeemed"] = "redeemed"
    value: str
    currency: str
    redeemed_at: str


class OrderItem(Request):
    """One order, with the columns of the order file."""

    order_id: str
    ordered_at: str
    email_digest: str | None = None
    voucher_code: str | None = None
    amount: AmountField
    currency: str
    status: str


class OrdersRequest(Request):
    """Orders in a call. Each is checked separately."""

    orders: Annotated[list[object], Field(min_length=1, max_length=500)]


class FieldProblemAnswer(Answer):
    """One wrong field."""

    field: str
    reason: str
    suggestion: str | None = None


class OrderResult(Answer):
    """The result of one order of a call: 200 accepted, 422 rejected, 503 send it again. `voucher`
    is what is wrong with its code, which does not cost the order.
    """

    order_id: str | None
    status: int
    effect: str | None = None
    voucher: str | None = None
    errors: list[FieldProblemAnswer] = Field(default=[])


class OrdersAnswer(Answer):
    """One result per order, in the order of the request."""

    results: list[OrderResult]


class ListAnswer(Answer):
    """The status of a digest list; version 0: there is none. It is in force for `max_age_days`;
    `rows_before`: those of the version before it.
    """

    version: int
    rows: int
    accepted_at: str | None
    in_force: bool
    max_age_days: int
    rows_before: int | None


class WatchAnswer(Answer):
    """What the client is expected to do, and whether it is overdue.

    `since`: when the oldest export without an acknowledgement was written (null: there is none),
    when the last order file was dropped (null: none yet), or when the own codes of `template` were
    counted, of which `left` were there. `invitations` is there only while bounces or complaints
    have stopped them, `since` then.
    """

    watch: Literal["acknowledgements", "orders", "codes", "invitations"]
    overdue: bool
    since: str | None
    template: str | None
    left: int | None


class SignalAnswer(Answer):
    """What speaks against a reward: how much of it was seen, and the points it adds."""

    signal: str
    seen: int
    points: int


class HeldRewardAnswer(Answer):
    """A reward that waits for a decision. `reward` names it; the score is the sum of the points;
    after `ends_at` time decides.
    """

    reward: str
    referral: str
    rule: str
    rung: int
    holder: str
    value: str
    currency: str
    score: int
    signals: list[SignalAnswer]
    held_at: str
    ends_at: str


class HeldRewardsAnswer(Answer):
    """What is held in a campaign, what ends first before the others; at most 1,000."""

    held: list[HeldRewardAnswer]


class HeldSumAnswer(Answer):
    """How many rewards are held now, and what they are worth together."""

    rewards: int
    value: str
    currency: str


class SurvivalPointAnswer(Answer):
    """The share that still bought after that many days, with its 95 % band."""

    days: int
    share: float
    low: float
    high: float


class DifferenceAnswer(Answer):
    """By how many points more of ours still bought after that many days, with its 95 % band."""

    days: int
    points: float
    low: float
    high: float


class ComparisonAnswer(Answer):
    """Ours beside another cohort. `p`: how probable curves so far apart are if both bought alike
    (log-rank test); null where too little is known, and a day that too few are known for is left
    out.
    """

    p: float | None
    differences: list[DifferenceAnswer]


class CohortAnswer(Answer):
    """The newcomers of one source: `referred` are ours, `others` all of the client's together.

    `curve` is Kaplan and Meier's, with a point for each day on which somebody bought for the last
    time; `compared` is missing with ours, and where there are none of ours.
    """

    source: str
    as_of: str
    people: int
    known_days: int
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

    campaign: str
    version: int
    as_of: str
    counted_until: str | None
    lag_s: int
    time_zone: str
    currency: str
    starts_on: str
    ends_on: str
    figures: dict[str, int]
    funnel: dict[str, int]
    refused_by_reason: dict[str, int]
    orders_by_buyer: dict[str, int]
    held_rewards: HeldSumAnswer
    days: list[dict[str, str | int]]
    lists: dict[str, ListAnswer]
    watched: list[WatchAnswer]
    cohorts: list[CohortAnswer]


class DescriptionAnswer(Answer, extra="allow"):
    """An OpenAPI document."""

    openapi: str


class Problem(Answer):
    """RFC 9457 problem details. `type` is stable."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldProblemAnswer] | None = None
    suggestion: str | None = None
    reason: str | None = None
