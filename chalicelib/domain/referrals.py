"""The sponsor–referee link, made when the referee confirms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.entity import Entity


@dataclass(frozen=True, kw_only=True)
class Referral(Entity):
    """The sponsor–referee link, made when the referee confirms.

    `kept_orders` are the ids of the orders that count for the ladder, in the order they were kept;
    an order that was returned leaves its place empty.
    `newcomer` is what the customer list in force said when the first order came in (None before):
    every later list holds the referee, who is a customer by then, and says nothing (law 3).
    `found_on_later_list` is set with the first reward refused to them for being a customer.
    `address_gone` says that they keep the digests they have: no more can be made.
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
