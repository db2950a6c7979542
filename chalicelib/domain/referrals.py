"""The sponsor–referee link, created when the referee confirms, and the orders that count for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.entity import Entity
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.people import Sponsor


@dataclass(frozen=True, kw_only=True)
class Referral(Entity):
    """The sponsor–referee link, created when the referee confirms.

    `known_orders` are the ids of the first orders that count, in any status, `kept_orders` those of
    them that are kept; `further_orders` and `further_kept` count the others (`referral_orders`),
    `orders` all that count. `newcomer`: whether the referee was missing from the
    customer list in force at `newcomer_as_of`, the time of the first order known (None before it);
    later lists prove nothing, because they contain the referee as a customer (law 3).
    `found_on_later_list` is set with the first reward refused because the referee is a customer.
    `address_gone`: no further digests can be made. `rewards` counts those that stand. The first and
    the last order are of those that counted, whatever became of them; None without one, and in
    referrals of earlier versions.
    """

    referral_id: str
    campaign: str
    sponsor_id: str
    invitation_id: str
    contact_id: str
    sponsor_digest: str
    referee: AddressDigests
    confirmed_at: datetime
    campaign_version: int
    customers_version: int
    terms_version: str
    marketing_consent: bool
    correlation: str
    orders: int = 0
    kept_orders: tuple[str, ...] = ()
    newcomer: bool | None = None
    newcomer_list_version: int | None = None
    newcomer_as_of: datetime | None = None
    known_orders: tuple[str, ...] = ()
    found_on_later_list: bool = False
    address_gone: bool = False
    rewards: int = 0
    further_orders: int = 0
    further_kept: int = 0
    first_ordered_at: datetime | None = None
    last_ordered_at: datetime | None = None

    @property
    def referee_digest(self) -> str:
        """The referee as the client knows them: exact, under the first key."""
        return self.referee.for_client

    @property
    def is_erased(self) -> bool:
        """Whether the referee asked to be forgotten."""
        return self.referee.is_erased


@dataclass(frozen=True)
class ReferralMark:
    """What can be known of a referral without reading it: how often it was stored, and under which
    keys it has digests; `key_ids` is empty once no further digests can be made.
    """

    revision: int
    key_ids: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.revision}#{'+'.join(self.key_ids)}"

    @classmethod
    def of(cls, referral: Referral) -> ReferralMark:
        """The mark of a referral as it is stored."""
        key_ids = () if referral.address_gone else referral.referee.key_ids
        return cls(referral.revision, key_ids)

    @classmethod
    def parse(cls, text: str) -> ReferralMark:
        """The mark from its text."""
        revision, _, key_ids = text.partition("#")
        return cls(int(revision), tuple(key_ids.split("+")) if key_ids else ())


def new_referral(
    campaign: Campaign,
    invitation: Invitation,
    sponsor: Sponsor,
    referee: AddressDigests,
    *,
    referral_id: str,
    customers_version: int,
    marketing_consent: bool,
    now: datetime,
) -> Referral:
    """The referral that a confirmed invitation becomes."""
    return Referral(
        referral_id=referral_id,
        campaign=campaign.id,
        sponsor_id=sponsor.sponsor_id,
        invitation_id=invitation.invitation_id,
        contact_id=invitation.contact_id,
        sponsor_digest=sponsor.digests.for_client,
        referee=referee,
        confirmed_at=now,
        campaign_version=campaign.version,
        customers_version=customers_version,
        terms_version=campaign.terms.version,
        marketing_consent=marketing_consent,
        correlation=invitation.correlation,
    )


def known_order_ids(referral: Referral) -> tuple[str, ...]:
    """The ids of the orders that the referral lists, each once."""
    # 0.2.0 knew only the kept ones, and left an empty place for one that was returned.
    return tuple(dict.fromkeys([*filter(None, referral.kept_orders), *referral.known_orders]))


def with_newcomer_check(
    referral: Referral, *, newcomer: bool, list_version: int, first_ordered_at: datetime
) -> Referral:
    """The referral with the answer of the customer list as of the first order (law 3)."""
    return replace(
        referral,
        newcomer=newcomer,
        newcomer_list_version=list_version,
        newcomer_as_of=first_ordered_at,
    )


def with_rewards(referral: Referral, by: int) -> Referral:
    """The referral with more or fewer rewards that stand."""
    return replace(referral, rewards=referral.rewards + by)


def found_on_later_list(referral: Referral) -> Referral:
    """The referral, whose referee was found on a customer list after the confirmation (law 3)."""
    return replace(referral, found_on_later_list=True)


def with_erased_referee(referral: Referral) -> Referral:
    """The referral, whose referee is forgotten: it stays in the books under its random id."""
    return replace(referral, referee=AddressDigests.erased(referral.referral_id), address_gone=True)


def with_erased_sponsor(referral: Referral) -> Referral:
    """The referral, whose sponsor is forgotten."""
    return replace(referral, sponsor_digest=referral.sponsor_id)
