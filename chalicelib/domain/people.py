"""Who takes part: contacts, sponsors, and what leads to them: claims, links, tokens, sessions.

A person is found by digests, which are kept as claims; the plain address is in `Contact` alone,
which has an end (law 9). What a token may be used for is decided in tokens.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.entity import Entity


class TokenPurpose(StrEnum):
    """What the bearer of a mailed token may do."""

    SIGN_IN = "sign_in"
    INVITATION = "invitation"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, kw_only=True)
class Contact(Entity):
    """The only kind of item with a plain address; it ends at `ends_at` (law 9)."""

    contact_id: str
    campaign: str
    address: str
    first_name: str | None = None
    locale: str
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class Sponsor(Entity):
    """A VIP customer who has signed in at least once."""

    sponsor_id: str
    campaign: str
    contact_id: str
    digests: AddressDigests
    link_code: str
    locale: str
    created_at: datetime
    vip_list_version: int
    invited: int = 0
    sign_ups: int = 0
    rewards: int = 0
    sign_ins: int = 0
    sign_ins_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class SponsorClaim(Entity):
    """From a digest to the sponsor it belongs to."""

    campaign: str
    digest: str
    sponsor_id: str


@dataclass(frozen=True, kw_only=True)
class RefereeClaim(Entity):
    """From a digest to the one invitation it may have in a campaign (laws 1 and 2)."""

    campaign: str
    digest: str
    sponsor_id: str
    invitation_id: str


@dataclass(frozen=True, kw_only=True)
class Opposition(Entity):
    """A person's word that this brand must not write to them."""

    brand: str
    digest: str
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class Link(Entity):
    """From the code of a shared link to its sponsor."""

    link_code: str
    campaign: str
    sponsor_id: str


@dataclass(frozen=True, kw_only=True)
class Token(Entity):
    """What a mailed token stands for; the token itself is not kept, only its SHA-256."""

    token_hash: str
    purpose: TokenPurpose
    campaign: str
    sponsor_id: str
    invitation_id: str | None = None
    digests: AddressDigests | None = None
    ends_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Session(Entity):
    """A sponsor's session, by the SHA-256 of its bearer token."""

    session_hash: str
    campaign: str
    sponsor_id: str
    ends_at: datetime
