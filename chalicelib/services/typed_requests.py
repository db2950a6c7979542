"""A request that anybody may make with any address: what is stored is the same for all (law 8).

The public call writes one contact and one fact, in one transaction. Whether anything follows is
decided behind the queue of the fact; where nothing does, the address is removed at once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from chalicelib.domain.addresses import Address
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.facts import Fact, FactBody
from chalicelib.domain.people import Contact, new_contact
from chalicelib.services.facts import contact_fact
from chalicelib.services.ports import Insert, Ports, Remove


def record_request(
    ports: Ports,
    campaign: Campaign,
    address: Address,
    locale: str | None,
    kept_for: timedelta,
    requested: Callable[[str], FactBody],
) -> None:
    """Keep the address for `kept_for`, with the fact that `requested` makes of the contact's id."""
    contact = new_contact(
        campaign,
        address,
        contact_id=ports.codes.identifier(),
        locale=locale,
        ends_at=ports.clock() + kept_for,
    )
    body = requested(contact.contact_id)
    fact = contact_fact(ports, contact, ports.codes.identifier(), body)
    ports.repository.commit(Insert(contact), facts=[fact])


def end_request(ports: Ports, requested: Fact, contact: Contact, refused: FactBody) -> None:
    """Remove the address of a request that is refused, with the fact of why."""
    fact = contact_fact(ports, contact, requested.correlation, refused)
    ports.repository.commit(Remove(contact), facts=[fact])
