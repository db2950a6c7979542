"""Facts about mails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from chalicelib.domain.facts import FactBody, FactName
from chalicelib.domain.mails import Mail, MailProblem


@dataclass(frozen=True, kw_only=True)
class _MailBody(FactBody):
    mail_id: str
    sponsor_id: str | None = None
    invitation_id: str | None = None
    voucher_id: str | None = None
    referral_id: str | None = None


def _mail_ids(mail: Mail) -> dict[str, str]:
    """The mail's id, and the ids of what it is about."""
    return {"mail_id": mail.mail_id, **{f"{name}_id": value for name, value in mail.ids.items()}}


@dataclass(frozen=True, kw_only=True)
class _MailOfKind(_MailBody):
    kind: str

    @classmethod
    def of(cls, mail: Mail) -> Self:
        """What happened to a mail."""
        return cls(**_mail_ids(mail), kind=mail.mail_kind)


@dataclass(frozen=True, kw_only=True)
class MailSent(_MailOfKind, name=FactName.MAIL_SENT):
    """A mail was sent."""


@dataclass(frozen=True, kw_only=True)
class MailFailed(_MailBody, name=FactName.MAIL_FAILED):
    """The sender refused a mail permanently, with this `reason`, or nobody knows."""

    reason: str
    kind: str | None = None

    @classmethod
    def of(cls, mail: Mail, reason: str) -> MailFailed:
        return cls(**_mail_ids(mail), reason=reason, kind=mail.mail_kind)


@dataclass(frozen=True, kw_only=True)
class MailBounced(_MailBody, name=FactName.MAIL_BOUNCED):
    """A mail will never be delivered. `reason`: `bounced`, or `suppressed` before it left."""

    reason: MailProblem
    kind: str

    @classmethod
    def of(cls, mail: Mail, reason: MailProblem) -> MailBounced:
        return cls(**_mail_ids(mail), reason=reason, kind=mail.mail_kind)


@dataclass(frozen=True, kw_only=True)
class MailBouncedForNow(_MailOfKind, name=FactName.MAIL_BOUNCED_FOR_NOW):
    """A mail was not delivered, or was answered by a machine; another attempt may succeed."""


@dataclass(frozen=True, kw_only=True)
class MailComplained(_MailBody, name=FactName.MAIL_COMPLAINED):
    """The recipient marked a mail as spam."""

    kind: str | None = None

    @classmethod
    def of(cls, mail: Mail) -> MailComplained:
        return cls(**_mail_ids(mail), kind=mail.mail_kind)


@dataclass(frozen=True, kw_only=True)
class MailToSendAgain(_MailBody, name=FactName.MAIL_TO_SEND_AGAIN):
    """Ops have a voucher's mail that did not arrive sent once more."""

    by: str

    @classmethod
    def of(cls, mail: Mail, by: str) -> MailToSendAgain:
        return cls(**_mail_ids(mail), by=by)


@dataclass(frozen=True, kw_only=True)
class VoucherUndelivered(FactBody, name=FactName.VOUCHER_UNDELIVERED):
    """A voucher's mail did not arrive and will not by itself; its holder may still see it."""

    voucher_id: str
    mail_id: str
    reason: MailProblem
