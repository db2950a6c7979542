"""Facts: what happened, written in the transaction in which it happens.

A fact is outbox entry, journal line and source of the counts at once. It is stored as two flat
mappings, `ids` and `details`; use cases write and match typed bodies (`fact_bodies`), and only
this module converts between the two. What each fact triggers is in `effects.py`, how facts are
chained in `journal.py`. A fact contains random ids, numbers and names of rules, never an address, a
name, a code or a token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Self, get_args, get_type_hints

YES, NO = "yes", "no"
_ID = "_id"

StoredIds = Mapping[str, str]
StoredDetails = Mapping[str, str | int | None]


class FactName(StrEnum):
    """Everything that can happen. The values are stored and published: they never change."""

    CAMPAIGN_PUT = "campaign_put"
    SIGN_IN_REQUESTED = "sign_in_requested"
    SIGN_IN_GRANTED = "sign_in_granted"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGN_INS_STOPPED = "sign_ins_stopped"
    SIGN_INS_RESUMED = "sign_ins_resumed"
    PRIVACY_REQUESTED = "privacy_requested"
    PRIVACY_LINK_GRANTED = "privacy_link_granted"
    PRIVACY_LINK_REFUSED = "privacy_link_refused"
    PRIVACY_FILE_ASKED = "privacy_file_asked"
    PRIVACY_FILE_GIVEN = "privacy_file_given"
    ERASURE_CONFIRMED = "erasure_confirmed"
    PRIVACY_MAILS_STOPPED = "privacy_mails_stopped"
    PRIVACY_MAILS_RESUMED = "privacy_mails_resumed"
    INVITATION_RECEIVED = "invitation_received"
    INVITATION_ACCEPTED = "invitation_accepted"
    INVITATION_REFUSED = "invitation_refused"
    INVITATION_SENT = "invitation_sent"
    INVITATION_DECLINED = "invitation_declined"
    INVITATION_BOUNCED = "invitation_bounced"
    INVITATION_EXPIRED = "invitation_expired"
    REFERRAL_CONFIRMED = "referral_confirmed"
    OPPOSITION_RECORDED = "opposition_recorded"
    CONSENT_GIVEN = "consent_given"
    CONSENT_WITHDRAWAL = "consent_withdrawn"
    VOUCHER_ISSUED = "voucher_issued"
    VOUCHERS_EXPORTED = "vouchers_exported"
    VOUCHER_ACKNOWLEDGED = "voucher_acknowledged"
    VOUCHER_REFUSED = "voucher_refused"
    VOUCHER_REFUSED_REPEATEDLY = "voucher_refused_repeatedly"
    VOUCHER_REDEEMED = "voucher_redeemed"
    VOUCHER_ROLLED_BACK = "voucher_rolled_back"
    VOUCHER_ENDS_SOON = "voucher_ends_soon"
    VOUCHER_EXPIRED = "voucher_expired"
    VOUCHER_UNDELIVERED = "voucher_undelivered"
    REDEMPTION_REFUSED = "redemption_refused"
    EXPORT_WRITTEN = "export_written"
    CHANGES_WRITTEN = "changes_written"
    CONSENTS_WRITTEN = "consents_written"
    STATEMENT_WRITTEN = "statement_written"
    ORDER_PLACED = "order_placed"
    ORDER_KEPT = "order_kept"
    ORDER_RETURNED = "order_returned"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_CORRECTED = "order_corrected"
    REWARD_REFUSED = "reward_refused"
    REWARD_REVOKED = "reward_taken_back"
    REWARD_HELD = "reward_held"
    REWARD_RELEASED = "reward_released"
    REWARD_HOLD_ENDED = "reward_hold_ended"
    LIST_ACCEPTED = "list_accepted"
    LIST_CONFIRMED = "list_confirmed"
    LIST_WAITS = "list_waits"
    LIST_REFUSED = "list_refused"
    LIST_HELD = "list_held"
    LIST_APPROVED = "list_released"
    LIST_REJECTED = "list_turned_down"
    LIST_ROLLED_BACK = "list_rolled_back"
    MAIL_SENT = "mail_sent"
    MAIL_FAILED = "mail_failed"
    MAIL_BOUNCED = "mail_bounced"
    MAIL_BOUNCED_FOR_NOW = "mail_bounced_for_now"
    MAIL_TO_SEND_AGAIN = "mail_to_send_again"
    LINK_STOPPED = "link_stopped"
    LINK_RENEWED = "link_renewed"
    INVITATIONS_STOPPED = "invitations_stopped"
    INVITATIONS_RESUMED = "invitations_resumed"
    MAIL_COMPLAINED = "mail_complained"
    PERSON_ERASED = "person_erased"
    WALL_LINK_MADE = "wall_link_made"
    WALL_LINK_REVOKED = "wall_link_revoked"


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One thing that happened, as it is stored; `fact_bodies.body_of` gives what code reads.

    `subject` is the id of the thing it is about; facts of one subject and one hour are stored
    together, in the order of `at`. `by_subject`: it is stored as 0.2.0 and versions before did, by
    its subject alone. Its key says so, so this is never stored itself.
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
    by_subject: bool = False

    @classmethod
    def of(
        cls, body: FactBody, *, fact_id: str, campaign: str, subject: str, at: datetime,
        correlation: str,
    ) -> Fact:  # fmt: skip
        """The fact that `body` happened `at` (aware)."""
        ids, details = body.stored()
        return cls(
            fact_id=fact_id,
            name=body.name.value,
            campaign=campaign,
            subject=subject,
            at=at,
            correlation=correlation,
            ids=ids,
            details=details,
        )


BODIES: dict[FactName, type[FactBody]] = {}


@dataclass(frozen=True, kw_only=True)
class FactBody:
    """What happened, as typed fields; one subclass per name, given as `class X(FactBody, name=…)`.

    A field whose name ends in `_id` is stored among the fact's ids, under its name without that
    ending; any other among its details, under its name or the one that `detail_stored_as` gives.
    None is omitted. A flag is stored as `yes` or omitted; one without a default as `yes` or `no`. A
    field added later has a default, so that older facts stay readable.
    """

    name: ClassVar[FactName]

    def __init_subclass__(cls, name: FactName | None = None, **others: Any) -> None:
        super().__init_subclass__(**others)
        if name is not None:
            cls.name = name
            BODIES[FactName(name)] = cls

    @property
    def quantity(self) -> int:
        """How many things it reports."""
        return 1

    @property
    def excluded(self) -> bool:
        """Whether the counters of its effect leave it out."""
        return False

    def stored(self) -> tuple[dict[str, str], dict[str, str | int | None]]:
        """The ids and details that a fact stores."""
        ids: dict[str, str] = {}
        details: dict[str, str | int | None] = {}
        for column in _columns(type(self)):
            value = column.to_stored(getattr(self, column.attribute))
            if value is None:
                continue
            if column.is_id:
                ids[column.stored] = str(value)
            else:
                details[column.stored] = value
        return ids, details

    @classmethod
    def from_stored(cls, ids: StoredIds, details: StoredDetails) -> Self:
        """The body read from a fact's ids and details; `TypeError` when a field without a default
        is missing.
        """
        values: dict[str, Any] = {}
        for column in _columns(cls):
            value = (ids if column.is_id else details).get(column.stored)
            if value is not None:
                values[column.attribute] = column.from_stored(value)
        return cls(**values)


def detail_stored_as(name: str, **options: Any) -> Any:
    """A field of a body whose stored name is `name`."""
    return field(metadata={"stored": name}, **options)


@dataclass(frozen=True)
class _Column:
    """How one field of a body is stored."""

    attribute: str
    stored: str
    is_id: bool
    type: type
    is_required: bool

    def to_stored(self, value: Any) -> str | int | None:
        if self.type is bool:
            return YES if value else (NO if self.is_required else None)
        plain: str | int | None = value.value if isinstance(value, StrEnum) else value
        return plain

    def from_stored(self, value: str | int) -> object:
        if self.type is bool:
            return value == YES
        try:
            return self.type(value)
        except ValueError:
            # A reason that only a later version knows: its text does, for a journal and a count.
            return value


def _columns(body: type[FactBody]) -> tuple[_Column, ...]:
    if body not in _COLUMNS:
        types = get_type_hints(body)
        _COLUMNS[body] = tuple(_column(each, types[each.name]) for each in fields(body))
    return _COLUMNS[body]


_COLUMNS: dict[type[FactBody], tuple[_Column, ...]] = {}


def _column(spec: Field[Any], hint: Any) -> _Column:
    return _Column(
        attribute=spec.name,
        stored=spec.metadata.get("stored", spec.name.removesuffix(_ID)),
        is_id=spec.name.endswith(_ID),
        type=_plain_type(hint),
        is_required=spec.default is MISSING,
    )


def _plain_type(hint: Any) -> type:
    """`int` of `int | None`, `str` of a literal. None comes last in a union."""
    plain = (get_args(hint) or (hint,))[0]
    if get_args(plain):
        return _plain_type(plain)
    return plain if isinstance(plain, type) else type(plain)
