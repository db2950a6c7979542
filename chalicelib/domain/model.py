"""The things Tandem keeps: frozen values, one class a kind, each with the revision it was read at.

Every change to one of them is made by `dataclasses.replace` and committed on condition that the
stored revision is still the one read (`ports.Replace`), so a change always leaves the state it
decided on. Where they are stored is `adapters.dynamodb.schema`'s business; what may change when, is
decided by the modules beside this one. Money is in minor units; times are aware and in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.campaign import Campaign, HolderRole, Release
from chalicelib.domain.eligibility import Verdict, verdict_on


class InvitationState(StrEnum):
    """`received → refused | sent → confirmed | declined | bounced | expired`."""

    RECEIVED = "received"
    REFUSED = "refused"
    SENT = "sent"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    BOUNCED = "bounced"
    EXPIRED = "expired"


class VoucherState(StrEnum):
    """`issued → exported → acknowledged → redeemed`, or `expired`, `revoked`."""

    ISSUED = "issued"
    EXPORTED = "exported"
    ACKNOWLEDGED = "acknowledged"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    REVOKED = "revoked"


class OrderStatus(StrEnum):
    """What the client says of an order."""

    PLACED = "placed"
    KEPT = "kept"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class MailState(StrEnum):
    """`leased` before the sender is called; `sent` once it is known to have taken the mail."""

    LEASED = "leased"
    SENT = "sent"
    FAILED = "failed"


class TokenPurpose(StrEnum):
    """What the bearer of a mailed token may do."""

    SIGN_IN = "sign_in"
    INVITATION = "invitation"
    UNSUBSCRIBE = "unsubscribe"


class Channel(StrEnum):
    """How an invitation came in."""

    EMAIL = "email"
    LINK = "link"


class ExportState(StrEnum):
    """`open` takes vouchers in; `sealed` takes none; `written` stands in `out/` for good."""

    OPEN = "open"
    SEALED = "sealed"
    WRITTEN = "written"


@dataclass(frozen=True, kw_only=True)
class Entity:
    """Anything stored. `revision` is 0 until it is."""

    revision: int = 0


@dataclass(frozen=True, kw_only=True)
class CampaignVersion(Entity):
    """One version of a campaign file, never changed once put."""

    campaign: str
    version: int
    put_at: datetime
    document: Campaign


@dataclass(frozen=True, kw_only=True)
class CampaignInForce(CampaignVersion):
    """The version of the campaign file that decides now.

    `rekeyed_for` are the key ids under which every referral is known, in their order; empty until
    that has been looked at.
    """

    rekeyed_for: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Contact(Entity):
    """The only kind of item with a plain address; it ends at `ends_at` (law 9)."""

    contact_id: str
    campaign: str
    address: str
    first_name: str | None = None
    locale: str
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class Sponsor(Entity):
    """A VIP customer who has signed in at least once."""

    sponsor_id: str
    campaign: str
    contact_id: str
    digests: AddressDigests
    link_code: str
    locale: str
    created_at: datetime
    vip_list_version: int
    invited: int = 0
    sign_ups: int = 0
    rewards: int = 0
    sign_ins: int = 0
    sign_ins_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class SponsorClaim(Entity):
    """From a digest to the sponsor it belongs to."""

    campaign: str
    digest: str
    sponsor_id: str


@dataclass(frozen=True, kw_only=True)
class RefereeClaim(Entity):
    """From a digest to the one invitation it may have in a campaign (laws 1 and 2)."""

    campaign: str
    digest: str
    sponsor_id: str
    invitation_id: str


@dataclass(frozen=True, kw_only=True)
class Opposition(Entity):
    """A person's word that this brand must not write to them."""

    brand: str
    digest: str
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class Link(Entity):
    """From the code of a shared link to its sponsor."""

    link_code: str
    campaign: str
    sponsor_id: str


@dataclass(frozen=True, kw_only=True)
class Token(Entity):
    """What a mailed token stands for; the token itself is not kept, only its SHA-256."""

    token_hash: str
    purpose: TokenPurpose
    campaign: str
    sponsor_id: str
    invitation_id: str | None = None
    digests: AddressDigests | None = None
    ends_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Session(Entity):
    """A sponsor's session, by the SHA-256 of its bearer token."""

    session_hash: str
    campaign: str
    sponsor_id: str
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class Decision:
    """An eligibility decision: its named reason and what it was made with."""

    reason: str
    decided_at: datetime
    campaign_version: int
    customers_version: int | None = None

    @property
    def verdict(self) -> Verdict:
        """What the reason comes to."""
        return verdict_on(self.reason)


@dataclass(frozen=True, kw_only=True)
class Invitation(Entity):
    """A sponsor's offer to one referee."""

    invitation_id: str
    campaign: str
    sponsor_id: str
    contact_id: str
    channel: Channel
    masked: str
    locale: str
    state: InvitationState
    received_at: datetime
    closes_at: datetime
    campaign_version: int
    correlation: str
    decision: Decision | None = None
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    referral_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Submission(Entity):
    """What an `Idempotency-Key` was answered, so that a repeat answers the same."""

    sponsor_id: str
    key_hash: str
    request_hash: str
    invitation_ids: tuple[str, ...]
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class Referral(Entity):
    """The sponsor–referee link, made when the referee confirms.

    `kept_orders` are the ids of the orders that count for the ladder, in the order they were kept;
    an order that was returned leaves its place empty.
    `newcomer` is what the customer list in force said when the first order came in (None before):
    every later list holds the referee, who is a customer by then, and says nothing (law 3).
    `found_on_later_list` is set with the first reward refused to them for being a customer.
    `address_gone` says that they keep the digests they have: no more can be made.
    """

    referral_id: str
    campaign: str
    sponsor_id: str
    invitation_id: str
    contact_id: str
    sponsor_digest: str
    referee: AddressDigests
    confirmed_at: datetime
    campaign_version: int
    customers_version: int
    terms_version: str
    marketing_consent: bool
    correlation: str
    orders: int = 0
    kept_orders: tuple[str, ...] = ()
    newcomer: bool | None = None
    newcomer_list_version: int | None = None
    found_on_later_list: bool = False
    address_gone: bool = False
    rewards: int = 0

    @property
    def referee_digest(self) -> str:
        """The referee as the client knows them: exact, under the first key."""
        return self.referee.for_client


@dataclass(frozen=True, kw_only=True)
class Reward(Entity):
    """What one rule granted, or refused, for one rung of one referral: decided once (law 4)."""

    referral_id: str
    rule: str
    rung: int
    campaign: str
    order_id: str | None = None
    code: str | None = None
    granted_at: datetime | None = None
    refused_reason: str | None = None
    customers_version: int | None = None
    taken_back_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Order(Entity):
    """A purchase of a referee, as the client reports it."""

    campaign: str
    order_id: str
    referral_id: str
    status: OrderStatus
    ordered_at: datetime
    amount_minor: int
    currency: str
    return_window_ends_at: datetime
    kept_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Voucher(Entity):
    """A coded, single-use instrument issued to a holder.

    `code` is the key (no prefix, spaces or hyphens); `printed` is what people and tills see.
    `export` is the number of the one export it is in (law 5); `redeemed_by` the order that used it
    (law 6).
    """

    code: str
    voucher_id: str
    printed: str
    campaign: str
    campaign_version: int
    template: str
    holder: HolderRole
    holder_id: str
    holder_digest: str
    contact_id: str
    referral_id: str
    rule: str
    rung: int
    value_minor: int
    currency: str
    minimum_basket_minor: int
    valid_from: datetime
    valid_until: datetime
    issued_at: datetime
    state: VoucherState
    release: Release
    correlation: str
    export: int | None = None
    acknowledged_at: datetime | None = None
    refused_reason: str | None = None
    redeemed_by: str | None = None
    withdrawn_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Redemption(Entity):
    """The recorded use of a voucher on an order, and its rollback."""

    code: str
    order_id: str
    ordered_at: datetime
    amount_minor: int
    currency: str
    redeemed_at: datetime
    rolled_back_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class SpareCode(Entity):
    """A code of the client's own, waiting to be issued."""

    campaign: str
    template: str
    code: str
    printed: str


@dataclass(frozen=True, kw_only=True)
class ExportSequence(Entity):
    """The number of the export that takes vouchers in now."""

    campaign: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Export(Entity):
    """A numbered voucher file, from its first voucher to the client's acknowledgement."""

    campaign: str
    number: int
    state: ExportState
    opened_at: datetime
    parts: int = 0
    rows: int = 0
    sealed_at: datetime | None = None
    sha256: str | None = None
    written_at: datetime | None = None
    acknowledged_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ExportPart(Entity):
    """Rows of an export as the cells that they print, fixed when their vouchers were taken in; the
    file is made from these alone.
    """

    campaign: str
    number: int
    part: int
    codes: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class FileRecord(Entity):
    """A file already taken in, by what is in it: a second delivery has no second effect (law 7).

    `order` is that of its earliest drop, `as_of` the instant it spoke of when it last counted.
    """

    campaign: str
    area: str
    sha256: str
    file: str
    taken_at: datetime
    version: int
    order: str
    as_of: datetime


@dataclass(frozen=True, kw_only=True)
class Mail(Entity):
    """One mail to one person for one fact: leased, then sent (law 2)."""

    mail_id: str
    mail_kind: str
    campaign: str
    contact_id: str
    digests: AddressDigests | None = None
    state: MailState
    leased_at: datetime
    ends_at: datetime
    correlation: str
    ids: Mapping[str, str] = field(default_factory=dict)
    sent_at: datetime | None = None
    complained_at: datetime | None = None
    provider_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class JournalHead(Entity):
    """The last segment of a campaign's journal: its number and the hash the next one chains to."""

    campaign: str
    number: int
    hash: str


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One thing that happened: outbox, journal line and source of the counts at once.

    It holds random ids, numbers and names of rules, never an address, a name, a code or a token.
    `subject` is the id of what it is about; facts of one subject are stored together, in the order
    of `at`.
    """

    fact_id: str
    name: str
    campaign: str
    subject: str
    at: datetime
    correlation: str
    ids: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str | int | None] = field(default_factory=dict)
    counted: bool = False
