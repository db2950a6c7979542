"""Tokens: opaque, 256 bits, in the fragment of a link; stored only as SHA-256."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TypeGuard

from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.mailed_links import LEFT_AT_LEAST, STOP_LASTS
from chalicelib.domain.people import Contact, Session, Token, TokenPurpose
from chalicelib.domain.privacy import PURPOSES, Wish
from chalicelib.domain.sign_ins import SignInLink

SESSION_LASTS = timedelta(hours=12)
# On a device of her own, where a sponsor asks for it.
SESSION_KEPT_FOR = timedelta(days=30)
# Who leaves the VIP list is out of the space within this time of the new list.
CHECKED_EVERY = timedelta(minutes=15)
# After an invitation's closing day: who confirmed it sees the voucher for so long.
SEEN_FOR = timedelta(days=90)
# After a mail: an objection from it and a complaint about it are heard for so long, however soon
# the campaign's addresses end.
HEARD_FOR = timedelta(days=60)


def hashed(token: str) -> str:
    """The stored form of a token: its hex SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_usable(token: Token | None, purpose: TokenPurpose, now: datetime) -> TypeGuard[Token]:
    """True when there is such a token, for that purpose, neither used nor expired."""
    return (
        token is not None
        and token.purpose is purpose
        and token.used_at is None
        and now < token.ends_at
    )


def sign_in_token(text: str, link: SignInLink, now: datetime) -> Token:
    """The stored form of a token that opens a session; a mail that is late has a good link too."""
    return Token(
        token_hash=hashed(text),
        purpose=TokenPurpose.SIGN_IN,
        campaign=link.campaign,
        sponsor_id=link.sponsor_id,
        contact_id=link.contact_id,
        ends_at=max(link.valid_until, now + LEFT_AT_LEAST),
    )


def sign_in_stop_token(text: str, link: SignInLink, now: datetime) -> Token:
    """The stored form of a token that stops sign-in mails, and lets them through again."""
    return Token(
        token_hash=hashed(text),
        purpose=TokenPurpose.SIGN_IN_STOP,
        campaign=link.campaign,
        sponsor_id=link.sponsor_id,
        ends_at=now + STOP_LASTS,
    )


def privacy_token(text: str, wish: Wish, contact: Contact, own: AddressDigests) -> Token:
    """The stored form of a token that confirms what somebody asked about her data. `own`: her
    digests under our own key. It ends with the address that was typed.
    """
    return Token(
        token_hash=hashed(text),
        purpose=PURPOSES[wish],
        campaign=contact.campaign,
        contact_id=contact.contact_id,
        digests=own,
        ends_at=contact.ends_at,
    )


def privacy_stop_token(text: str, contact: Contact, own: AddressDigests, now: datetime) -> Token:
    """The stored form of a token that stops such mails, and lets them through again."""
    return Token(
        token_hash=hashed(text),
        purpose=TokenPurpose.PRIVACY_STOP,
        campaign=contact.campaign,
        contact_id=contact.contact_id,
        digests=own,
        ends_at=now + STOP_LASTS,
    )


def invitation_token(text: str, campaign: Campaign, invitation: Invitation) -> Token:
    """The stored form of a token that shows an invitation and answers it. It ends with what it is
    for: some time after the closing day, and with the address at the latest.
    """
    return Token(
        token_hash=hashed(text),
        purpose=TokenPurpose.INVITATION,
        campaign=campaign.id,
        sponsor_id=invitation.sponsor_id,
        invitation_id=invitation.invitation_id,
        ends_at=min(invitation.closes_at + SEEN_FOR, campaign.contact_ends_at()),
    )


def heard_until(campaign: Campaign, now: datetime) -> datetime:
    """Until when the recipient of a mail that leaves now is heard."""
    return max(campaign.contact_ends_at(), now + HEARD_FOR)


def unsubscribe_token(
    text: str,
    campaign: Campaign,
    digests: AddressDigests,
    now: datetime,
    *,
    sponsor_id: str = "",
    invitation_id: str | None = None,
    referral_id: str | None = None,
    contact_id: str | None = None,
) -> Token:
    """The stored form of a token that objects to further mails; every mail has one."""
    return Token(
        token_hash=hashed(text),
        purpose=TokenPurpose.UNSUBSCRIBE,
        campaign=campaign.id,
        sponsor_id=sponsor_id,
        invitation_id=invitation_id,
        referral_id=referral_id,
        contact_id=contact_id,
        digests=digests,
        ends_at=heard_until(campaign, now),
    )


def session_end(campaign: Campaign, now: datetime, *, is_kept: bool) -> datetime:
    """When a session that begins now ends: one that is kept on a device, with the campaign's
    addresses at the latest.
    """
    if not is_kept:
        return now + SESSION_LASTS
    return max(now + SESSION_LASTS, min(now + SESSION_KEPT_FOR, campaign.contact_ends_at()))


def new_session(
    bearer: str, token: Token, ends_at: datetime, *, vip_checked_at: datetime | None
) -> Session:
    """The session that a sign-in token is exchanged for, by its bearer text."""
    return Session(
        session_hash=hashed(bearer),
        campaign=token.campaign,
        sponsor_id=token.sponsor_id,
        ends_at=ends_at,
        vip_checked_at=vip_checked_at,
    )


def is_to_be_checked(session: Session, now: datetime) -> bool:
    """Whether the VIP list is asked again before the session is used."""
    return session.vip_checked_at is None or now - session.vip_checked_at >= CHECKED_EVERY
