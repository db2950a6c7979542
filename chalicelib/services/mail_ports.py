"""The ports to mail: what sends a message, and what knows whether a domain takes any."""

from __future__ import annotations

from typing import Protocol


class MailNotSentError(Exception):
    """The mail was certainly not sent. `final`: another attempt would fail too."""

    def __init__(self, reason: str, *, final: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class MailUncertainError(Exception):
    """The sender did not answer: the mail may have been sent."""


class Mailer(Protocol):
    """Sends one message, once."""

    def send(self, message: bytes, *, recipient: str, mail_id: str) -> str:
        """Send the MIME `message`; returns the sender's id of it.

        `MailNotSentError` when it was certainly not sent, `MailUncertainError` when that is
        unknown.
        """

    def rate(self) -> float | None:
        """How many mails a second the sender takes, None when unknown. It may lag by minutes."""


class MailDomains(Protocol):
    """Whether mail can be delivered to a domain, as the DNS says."""

    def takes_mail(self, domain: str) -> bool | None:
        """False only when the domain certainly accepts no mail; None when unknown in time.

        `domain` is ASCII, as in the normalised form of an address. Never raises for a missing
        answer.
        """
