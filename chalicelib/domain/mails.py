"""Mails as stored (law 2). Their texts are in `chalicelib.mails`.

leased ──► sent            the sender accepted it
   │ └───► failed          the sender refused it permanently, or the result stayed unknown
   └─────► leased          an expired lease is renewed, for a mail that must arrive
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.entity import Entity, require, require_move


class MailState(StrEnum):
    """`leased` before the sender is called; `sent` once it has accepted the mail."""

    LEASED = "leased"
    SENT = "sent"
    FAILED = "failed"


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


# Sent at most once: a mail whose send got no answer is never sent again (law 2).
AT_MOST_ONCE = frozenset({"invitation", "sign_up"})


def sign_in_mail(contact_id: str) -> str:
    """The id of the mail to who asked to sign in: made of what it is about, so there is one."""
    return f"sign_in-{contact_id}"


def invitation_mail(invitation_id: str) -> str:
    """The id of an invitation's mail."""
    return f"invitation-{invitation_id}"


def voucher_mail(voucher_id: str) -> str:
    """The id of a voucher's mail, whichever fact releases it."""
    return f"voucher-{voucher_id}"


_MOVES = {MailState.LEASED: {MailState.LEASED, MailState.SENT, MailState.FAILED}}


def leased_again(stored: Mail, mail: Mail) -> Mail:
    """`mail`, replacing one whose lease has expired."""
    return replace(
        mail,
        state=require_move(stored.state, MailState.LEASED, _MOVES),
        revision=stored.revision,
    )


def sent(mail: Mail, provider_id: str, now: datetime) -> Mail:
    """The mail, which the sender accepted under its own id."""
    state = require_move(mail.state, MailState.SENT, _MOVES)
    return replace(mail, state=state, sent_at=now, provider_id=provider_id)


def failed(mail: Mail) -> Mail:
    """The mail, which is not sent again."""
    return replace(mail, state=require_move(mail.state, MailState.FAILED, _MOVES))


def complained(mail: Mail, now: datetime) -> Mail:
    """The mail, which its recipient marked as spam."""
    require(mail.complained_at is None, "a second complaint about one mail")
    return replace(mail, complained_at=now)
