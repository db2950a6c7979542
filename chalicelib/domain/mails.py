"""Mails as stored (law 2). Their texts are in `chalicelib.mails`.

leased ──► sent            the sender accepted it
   │ │ └──► failed         the sender refused it permanently, or the result stayed unknown
   │ └────► leased         an expired lease is renewed, for a mail that must arrive
failed ───► sent           an event of the sender proves after all that it was sent
sent, failed ──► waiting   ops have it sent again; leased next. Only for a voucher's mail

A mail that did not arrive has a `problem`, whether the sender accepted it or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.entity import Entity, require, require_move


class MailState(StrEnum):
    """`leased` before the sender is called; `sent` once it has accepted the mail; `waiting` to be
    sent again.
    """

    LEASED = "leased"
    SENT = "sent"
    FAILED = "failed"
    WAITING = "waiting"


class MailProblem(StrEnum):
    """Why a mail did not arrive. The values are stored and published."""

    REFUSED = "refused"
    """the sender did not take it"""
    REJECTED = "rejected"
    """the sender took it and then stopped it, for what it holds"""
    BOUNCED = "bounced"
    SUPPRESSED = "suppressed"
    """not delivered, because the account's suppression list has the address"""
    BOUNCED_FOR_NOW = "bounced_for_now"
    """a mailbox that is full, a server that is down: another attempt may succeed"""
    UNCONFIRMED = "unconfirmed"
    """the sender did not answer, and no event of it came within a day"""


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
    caused_at: datetime | None = None  # when the fact happened; 0.2.0 did not store it
    provider_id: str | None = None
    problem: MailProblem | None = None
    problem_at: datetime | None = None
    earlier_ids: tuple[str, ...] = ()
    """the sender's ids of what it accepted before the mail was sent again"""

    @property
    def voucher_id(self) -> str | None:
        """The voucher whose code it is about; None for what else is said of a voucher, which is
        never sent again.
        """
        voucher_id = self.ids.get("voucher")
        return voucher_id if voucher_id and self.mail_id == voucher_mail(voucher_id) else None


SIGN_IN = "sign_in"
PRIVACY_LINK = "privacy_link"
CONFIRMED, REVOKED, ENDS_SOON = "confirmed", "revoked", "ends_soon"
# Sent at most once: a mail whose send got no answer is never sent again (law 2).
AT_MOST_ONCE = frozenset({"invitation", "sign_up"})


def sign_in_mail(contact_id: str) -> str:
    """The id of the mail to who asked to sign in: made of what it is about, so there is one."""
    return f"{SIGN_IN}-{contact_id}"


def privacy_mail(contact_id: str) -> str:
    """The id of the mail to who asked for her data or for their erasure."""
    return f"{PRIVACY_LINK}-{contact_id}"


def invitation_mail(invitation_id: str) -> str:
    """The id of an invitation's mail."""
    return f"invitation-{invitation_id}"


def voucher_mail(voucher_id: str) -> str:
    """The id of a voucher's mail, whichever fact releases it."""
    return f"voucher-{voucher_id}"


def confirmed_mail(contact_id: str) -> str:
    """The id of the mail that says that a confirmation was received."""
    return f"{CONFIRMED}-{contact_id}"


def revoked_mail(voucher_id: str) -> str:
    """The id of the mail that says that a voucher is not valid any more."""
    return f"{REVOKED}-{voucher_id}"


def ends_soon_mail(voucher_id: str) -> str:
    """The id of the mail that says that a voucher ends soon."""
    return f"{ENDS_SOON}-{voucher_id}"


# A mail of which it is still open whether it leaves.
UNSETTLED = frozenset({MailState.LEASED, MailState.WAITING})
# An event of a sender that did not answer settles a mail; without one, its age does.
SETTLED_AFTER = timedelta(days=1)

_MOVES = {
    MailState.LEASED: {MailState.LEASED, MailState.SENT, MailState.FAILED},
    MailState.WAITING: {MailState.LEASED, MailState.SENT, MailState.FAILED},
    MailState.FAILED: {MailState.SENT, MailState.WAITING},
    MailState.SENT: {MailState.WAITING},
}


def leased_again(stored: Mail, mail: Mail) -> Mail:
    """`mail`, replacing one whose lease has expired, or that waits to be sent again."""
    return replace(
        mail,
        state=require_move(stored.state, MailState.LEASED, _MOVES),
        caused_at=stored.caused_at,
        earlier_ids=stored.earlier_ids,
        revision=stored.revision,
    )


def may_be_leased(mail: Mail, lease: timedelta, now: datetime) -> bool:
    """Whether a mail that is stored may be sent: ops asked for it, or its lease has expired."""
    if mail.state is MailState.WAITING:
        return True
    return mail.state is MailState.LEASED and now - mail.leased_at >= lease


def is_proved_sent(mail: Mail) -> bool:
    """Whether the sender is known to have accepted it."""
    return mail.state is MailState.SENT


def sent(mail: Mail, provider_id: str, now: datetime) -> Mail:
    """The mail, which the sender accepted under its own id."""
    state = require_move(mail.state, MailState.SENT, _MOVES)
    return replace(
        mail, state=state, sent_at=now, provider_id=provider_id, problem=None, problem_at=None
    )


def failed(mail: Mail, problem: MailProblem, now: datetime) -> Mail:
    """The mail, which is not sent again by itself."""
    state = require_move(mail.state, MailState.FAILED, _MOVES)
    return replace(mail, state=state, problem=problem, problem_at=now)


def is_overdue(mail: Mail, now: datetime) -> bool:
    """Whether it was leased, or asked for again, so long ago that its age settles it."""
    return mail.state in UNSETTLED and now - mail.leased_at >= SETTLED_AFTER


def is_news(mail: Mail, problem: MailProblem) -> bool:
    """Whether `problem` says more than is known: one for good says more than one for now."""
    return mail.problem is None or (
        mail.problem is MailProblem.BOUNCED_FOR_NOW and problem is not mail.problem
    )


def undelivered(mail: Mail, problem: MailProblem, now: datetime) -> Mail:
    """The mail, which the sender accepted and could not deliver."""
    require(is_proved_sent(mail) and is_news(mail, problem), "a second bounce of one mail")
    return replace(mail, problem=problem, problem_at=now)


def is_to_be_shown(mail: Mail) -> bool:
    """Whether ops are shown it: it did not arrive, and they can do something, or nobody knows."""
    if mail.state not in {MailState.SENT, MailState.FAILED} or mail.problem is None:
        return False
    return mail.voucher_id is not None or mail.problem is MailProblem.UNCONFIRMED


def to_send_again(mail: Mail, now: datetime) -> Mail:
    """A voucher's mail that did not arrive, to be leased and sent once more."""
    require(mail.voucher_id is not None and mail.problem is not None, "sending a mail twice")
    state = require_move(mail.state, MailState.WAITING, _MOVES)
    accepted = (mail.provider_id,) if mail.provider_id else ()
    return replace(
        mail,
        state=state,
        leased_at=now,
        sent_at=None,
        provider_id=None,
        earlier_ids=(*mail.earlier_ids, *accepted),
    )


def complained(mail: Mail, now: datetime) -> Mail:
    """The mail, which its recipient marked as spam."""
    require(mail.complained_at is None, "a second complaint about one mail")
    return replace(mail, complained_at=now)


def with_erased_recipient(mail: Mail) -> Mail:
    """The mail, whose recipient is forgotten: it is not sent, or not again."""
    state = MailState.FAILED if mail.state in UNSETTLED else mail.state
    return replace(mail, digests=None, state=state)


def never_sent(
    mail_id: str, kind: str, campaign: str, ids: Mapping[str, str], *, now: datetime, ends: datetime
) -> Mail:
    """What stands in the place of a mail that must not leave any more: its lease finds it there."""
    return Mail(
        mail_id=mail_id,
        mail_kind=kind,
        campaign=campaign,
        contact_id="",
        state=MailState.FAILED,
        leased_at=now,
        ends_at=ends,
        correlation=mail_id,
        ids=ids,
    )
