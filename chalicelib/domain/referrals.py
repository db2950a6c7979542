"""The sponsor–referee link, created when the referee confirms, and its ladder of kept orders."""

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

    `kept_orders` are the ids of the orders that count for the ladder, in the order they were kept;
    a returned order leaves its place empty. `newcomer`: whether the referee was missing from the
    customer list in force at the first order (None before it); later lists prove nothing, because
    they contain the referee as a customer (law 3). `found_on_later_list` is set with the first
    reward refused because the referee is a customer. `address_gone`: no further digests can be
    made.
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
    found_on_later_list: bool = False
    address_gone: bool = False
    rewards: int = 0

    @property
    def referee_digest(self) -> str:
        """The referee as the client knows them: exact, under the first key."""
        return self.referee.for_client


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


def rung_of(referral: Referral, order_id: str) -> int | None:
    """The rung of a kept order, counted from 1; None when the order does not count (any more)."""
    kept = referral.kept_orders
    return kept.index(order_id) + 1 if order_id in kept else None


def with_kept_order(referral: Referral, order_id: str) -> Referral:
    """The referral with one more rung."""
    return replace(referral, kept_orders=(*referral.kept_orders, order_id))


def without_kept_order(referral: Referral, order_id: str) -> Referral:
    """The referral without the rung of a returned or cancelled order.

    Its place stays empty, so that the rungs of other orders never change.
    """
    kept = tuple("" if kept_id == order_id else kept_id for kept_id in referral.kept_orders)
    return replace(referral, kept_orders=kept)


def with_newcomer_check(referral: Referral, *, newcomer: bool, list_version: int) -> Referral:
    """The referral with the result of the customer list as of the first order (law 3)."""
    return replace(referral, newcomer=newcomer, newcomer_list_version=list_version)


def with_reward(referral: Referral) -> Referral:
    """The referral with one more reward."""
    return replace(referral, rewards=referral.rewards + 1)


def found_on_later_list(referral: Referral) -> Referral:
    """The referral, whose referee was found on a customer list after the confirmation (law 3)."""
    return replace(referral, found_on_later_list=True)
