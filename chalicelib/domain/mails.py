"""Mails as they are kept (law 2). What they say is in `chalicelib.mails`.

leased ──► sent            the sender took it
   │ └───► failed          the sender refused it for good, or nobody will ever know
   └─────► leased          a lease that ran out is taken again, where a mail must arrive
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.entity import Entity, require_move


class MailState(StrEnum):
    """`leased` before the sender is called; `sent` once it is known to have taken the mail."""

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
    provider_id: str | None = None


# Sent at most once: a lease that was not answered is never sent again (law 2).
AT_MOST_ONCE = frozenset({"invitation", "sign_up"})

_MOVES = {MailState.LEASED: {MailState.LEASED, MailState.SENT, MailState.FAILED}}


def leased_again(stored: Mail, mail: Mail) -> Mail:
    """`mail`, in the place of one whose lease ran out."""
    return replace(
        mail,
        state=require_move(stored.state, MailState.LEASED, _MOVES),
        revision=stored.revision,
    )


def sent(mail: Mail, provider_id: str, now: datetime) -> Mail:
    """The mail, which the sender took under an id of its own."""
    state = require_move(mail.state, MailState.SENT, _MOVES)
    return replace(mail, state=state, sent_at=now, provider_id=provider_id)


def failed(mail: Mail) -> Mail:
    """The mail, which will not be sent."""
    return replace(mail, state=require_move(mail.state, MailState.FAILED, _MOVES))
