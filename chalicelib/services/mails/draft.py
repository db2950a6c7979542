"""What a draft of a mail is: its key, its content, and the token by which one objects to more."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain import tokens
from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.people import Contact, Sponsor, Token
from chalicelib.domain.referrals import Referral
from chalicelib.mails.contexts import AnyMail


@dataclass(frozen=True)
class Sender:
    """Where mails come from and where their links lead. `origin` without a trailing slash."""

    address: str
    origin: str


@dataclass(frozen=True)
class Draft:
    """A mail about to be leased: its key, its content, and the tokens its links carry."""

    mail_id: str
    contact: Contact
    campaign: Campaign
    content: AnyMail
    correlation: str
    tokens: tuple[Token, ...]
    unsubscribe_url: str
    digests: AddressDigests
    invitation: Invitation | None = None
    ids: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Objection:
    """The text of the token by which a mail's recipient objects to further ones."""

    text: str
    origin: str

    @property
    def url(self) -> str:
        """For a mail program: RFC 8058."""
        return f"{self.origin}/v1/unsubscribe/{self.text}"

    @property
    def link(self) -> str:
        """For the person: the page."""
        return f"{self.url}/page"


def objection_of(
    holder: Sponsor | Referral,
    text: str,
    campaign: Campaign,
    digests: AddressDigests,
    now: datetime,
) -> Token:
    """The token by which a voucher's holder objects to further mails."""
    if isinstance(holder, Sponsor):
        return tokens.unsubscribe_token(text, campaign, digests, now, sponsor_id=holder.sponsor_id)
    return tokens.unsubscribe_token(
        text,
        campaign,
        digests,
        now,
        sponsor_id=holder.sponsor_id,
        invitation_id=holder.invitation_id,
        referral_id=holder.referral_id,
    )
