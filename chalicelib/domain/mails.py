"""Mails as they are kept: leased, then sent (law 2).

What they say is in `chalicelib.mails`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.entity import Entity


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
