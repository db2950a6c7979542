"""Facts about mails."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.facts import FactBody, FactName
from chalicelib.domain.mails import Mail


@dataclass(frozen=True, kw_only=True)
class _MailBody(FactBody):
    mail_id: str
    sponsor_id: str | None = None
    invitation_id: str | None = None
    voucher_id: str | None = None


def _mail_ids(mail: Mail) -> dict[str, str]:
    """The mail's id, and the ids of what it is about."""
    return {"mail_id": mail.mail_id, **{f"{name}_id": value for name, value in mail.ids.items()}}


@dataclass(frozen=True, kw_only=True)
class MailSent(_MailBody, name=FactName.MAIL_SENT):
    """A mail was sent."""

    kind: str

    @classmethod
    def of(cls, mail: Mail) -> MailSent:
        return cls(**_mail_ids(mail), kind=mail.mail_kind)


@dataclass(frozen=True, kw_only=True)
class MailFailed(_MailBody, name=FactName.MAIL_FAILED):
    """The sender refused a mail permanently, with this `reason`."""

    reason: str

    @classmethod
    def of(cls, mail: Mail, reason: str) -> MailFailed:
        return cls(**_mail_ids(mail), reason=reason)


@dataclass(frozen=True, kw_only=True)
class MailComplained(_MailBody, name=FactName.MAIL_COMPLAINED):
    """The recipient marked a mail as spam."""

    @classmethod
    def of(cls, mail: Mail) -> MailComplained:
        return cls(**_mail_ids(mail))
