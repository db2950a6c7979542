"""The people: contacts, sponsors, and what leads to them: claims, links, tokens, sessions.

A person is found by digests, which are stored as claims; the plain address is only in `Contact`,
which expires (law 9). What a token may be used for is decided in tokens.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from chalicelib.domain.addresses import Address, AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.entity import Entity, require
from chalicelib.domain.traces import NO_TRACES, Traces


class TokenPurpose(StrEnum):
    """What the bearer of a mailed token may do."""

    SIGN_IN = "sign_in"
    INVITATION = "invitation"
    UNSUBSCRIBE = "unsubscribe"
    SIGN_IN_STOP = "sign_in_stop"
    PRIVACY_FILE = "privacy_file"
    PRIVACY_ERASURE = "privacy_erasure"
    PRIVACY_STOP = "privacy_stop"


class OppositionScope(StrEnum):
    """What a person no longer wants of a brand. The values are stored and part of the API."""

    INVITATIONS = "invitations"
    """no invitations and no news; mails about vouchers that were earned still come"""
    ALL = "all"
    """no mail at all, not even a sign-in link"""


@dataclass(frozen=True, kw_only=True)
class Contact(Entity):
    """The only kind of item with a plain address; deleted at `ends_at` (law 9).

    Of who asked for her data on the privacy page: when the work on it was queued, and the file, as
    `privacy.packed` has it.
    """

    contact_id: str
    campaign: str
    address: Address  # stored as typed
    first_name: str | None = None
    locale: str
    ends_at: datetime
    file_asked_at: datetime | None = None
    file: str | None = None


@dataclass(frozen=True, kw_only=True)
class Sponsor(Entity):
    """A VIP customer who has signed in at least once.

    `rewards` counts those that stand, for the cap; earlier versions left revoked ones in it, which
    `counts_revoked` says until they are taken off.
    """

    sponsor_id: str
    campaign: str
    contact_id: str
    digests: AddressDigests
    link_code: str
    locale: str
    created_at: datetime
    vip_list_version: int
    invited: int = 0
    rewards: int = 0
    counts_revoked: bool = True
    link_problems: int = 0
    """hard bounces and complaints of those who came by the link, since they are counted"""
    link_confirmed: int = 0
    """those who came by a link and confirmed, since they are counted"""
    link_made_at: datetime | None = None
    """when the link replaced an earlier one, if it did"""
    links_made: int = 0
    links_made_on: date | None = None
    traces: Traces = NO_TRACES
    """of the address of the first sign-in, in a campaign with a review"""

    @property
    def has_invited(self) -> bool:
        """Whether she invited somebody by e-mail, or somebody has confirmed by her link."""
        return self.invited > 0 or self.link_confirmed > 0

    @property
    def is_erased(self) -> bool:
        """Whether she asked to be forgotten: what her referees have stands, and she has no more."""
        return self.digests.is_erased


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
    """A person's objection to mails of this brand.

    `rewards` and `invited`: what a sponsor who was forgotten had used up of the cap and the quota,
    by campaign. It counts if she signs in again.
    """

    brand: str
    digest: str
    recorded_at: datetime
    scope: OppositionScope = OppositionScope.INVITATIONS
    rewards: Mapping[str, int] = field(default_factory=dict)
    invited: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Link(Entity):
    """From the code of a shared link to its sponsor."""

    link_code: str
    campaign: str
    sponsor_id: str


@dataclass(frozen=True, kw_only=True)
class Token(Entity):
    """What a mailed token is for; only its SHA-256 is stored.

    `contact_id`: the request that its mail answers; earlier versions did not store it. `sponsor_id`
    is empty where no sponsor has to do with it. `referral_id` is the holder of the voucher whose
    mail it was in, where that is a referee.
    """

    token_hash: str
    purpose: TokenPurpose
    campaign: str
    sponsor_id: str = ""
    invitation_id: str | None = None
    contact_id: str | None = None
    digests: AddressDigests | None = None
    ends_at: datetime
    used_at: datetime | None = None
    referral_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Session(Entity):
    """A sponsor's session, by the SHA-256 of its bearer token. `vip_checked_at`: when the VIP list
    in force was last seen to have the sponsor.
    """

    session_hash: str
    campaign: str
    sponsor_id: str
    ends_at: datetime
    vip_checked_at: datetime | None = None


def new_contact(
    campaign: Campaign,
    address: Address,
    *,
    contact_id: str,
    locale: str | None,
    ends_at: datetime,
    first_name: str | None = None,
) -> Contact:
    """A contact; `locale` where the campaign has it, else the campaign's first."""
    return Contact(
        contact_id=contact_id,
        campaign=campaign.id,
        address=address,
        first_name=first_name,
        locale=campaign.locale_for(locale),
        ends_at=ends_at,
    )


def new_sponsor(
    campaign: Campaign,
    contact: Contact,
    digests: AddressDigests,
    *,
    sponsor_id: str,
    link_code: str,
    vip_list_version: int,
    now: datetime,
    traces: Traces = NO_TRACES,
) -> Sponsor:
    """A sponsor at the first sign-in."""
    return Sponsor(
        traces=traces,
        counts_revoked=False,
        sponsor_id=sponsor_id,
        campaign=campaign.id,
        contact_id=contact.contact_id,
        digests=digests,
        link_code=link_code,
        locale=contact.locale,
        created_at=now,
        vip_list_version=vip_list_version,
    )


def sponsor_claims(sponsor: Sponsor, digests: Iterable[str]) -> list[SponsorClaim]:
    """The claims that lead from each of the digests to the sponsor."""
    return [
        SponsorClaim(campaign=sponsor.campaign, digest=digest, sponsor_id=sponsor.sponsor_id)
        for digest in digests
    ]


def referee_claims(
    campaign: str, sponsor_id: str, invitation_id: str, digests: Iterable[str]
) -> list[RefereeClaim]:
    """The claims that reserve the referee with those digests for one invitation (laws 1, 2)."""
    return [
        RefereeClaim(
            campaign=campaign, digest=digest, sponsor_id=sponsor_id, invitation_id=invitation_id
        )
        for digest in digests
    ]


def link_of(sponsor: Sponsor) -> Link:
    """The link that the sponsor shares."""
    return Link(
        link_code=sponsor.link_code, campaign=sponsor.campaign, sponsor_id=sponsor.sponsor_id
    )


def oppositions(
    brand: str,
    digests: Iterable[str],
    recorded: Iterable[Opposition],
    now: datetime,
    scope: OppositionScope = OppositionScope.INVITATIONS,
) -> list[Opposition]:
    """The oppositions that are missing or narrower than `scope`, as they must be stored, so that a
    person who opposed is found under every digest. None gets narrower.
    """
    known = {opposition.digest: opposition for opposition in recorded}
    new = [
        Opposition(brand=brand, digest=digest, recorded_at=now, scope=scope)
        for digest in digests
        if digest not in known
    ]
    narrower = [one for one in known.values() if widest([one.scope, scope]) is not one.scope]
    return new + [replace(one, scope=scope) for one in narrower]


def with_used_up(opposition: Opposition, sponsors: Iterable[Sponsor]) -> Opposition:
    """The opposition, with what these sponsors, who are forgotten, have used up."""
    rewards, invited = dict(opposition.rewards), dict(opposition.invited)
    for one in sponsors:
        rewards[one.campaign] = max(one.rewards, rewards.get(one.campaign, 0))
        invited[one.campaign] = max(one.invited, invited.get(one.campaign, 0))
    return replace(opposition, rewards=rewards, invited=invited)


def with_used_up_before(sponsor: Sponsor, recorded: Iterable[Opposition]) -> Sponsor:
    """A new sponsor, who may be one that was forgotten: what she used up then counts."""
    known = [(one.rewards, one.invited) for one in recorded]
    return replace(
        sponsor,
        rewards=max((rewards.get(sponsor.campaign, 0) for rewards, _ in known), default=0),
        invited=max((invited.get(sponsor.campaign, 0) for _, invited in known), default=0),
    )


def widest(scopes: Iterable[OppositionScope]) -> OppositionScope | None:
    """The scope that includes all the others, None without any."""
    return max(scopes, key=list(OppositionScope).index, default=None)


def is_link_stopped(sponsor: Sponsor, campaign: Campaign) -> bool:
    """Whether the link takes nobody in any more, for what became of its mails."""
    return sponsor.link_problems >= campaign.quotas.problems_per_link


def used(token: Token, now: datetime) -> Token:
    """The token, spent."""
    require(token.used_at is None, "using a token twice")
    return replace(token, used_at=now)


def erased(sponsor: Sponsor) -> Sponsor:
    """The sponsor, forgotten: what is counted stays, under her random id."""
    digests = AddressDigests.erased(sponsor.sponsor_id)
    return replace(sponsor, digests=digests, traces=NO_TRACES)
