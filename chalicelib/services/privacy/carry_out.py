"""Doing what people confirmed about their data, behind a queue: making a file, or erasing all.

Both read the whole table, because nothing leads from a person to tokens, sessions and addresses
that somebody typed. The work may be killed at any moment, and needs her address to go on: so the
contact of the request and its links are left out of it, and removed last. The file is kept in that
contact: no other kind of item may hold an address, and it ends with the link.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.facts import Fact
from chalicelib.domain.people import Contact
from chalicelib.domain.privacy import packed
from chalicelib.services.lookups import campaigns_of_brand, current_campaign
from chalicelib.services.persons.access import export_person
from chalicelib.services.persons.erase import erase_person
from chalicelib.services.ports import Ports, Replace
from chalicelib.services.retry import retry_on_conflict


def make_file(ports: Ports, fact: Fact) -> str:
    """Make the file of everything that is known of a person; returns the named outcome."""
    contact = ports.repository.get(Contact, contact_id=fact.subject)
    if contact is None or contact.file is not None:
        return "made_already"
    campaigns = campaigns_of_brand(ports, current_campaign(ports, fact.campaign).brand.id)
    file = export_person(ports, campaigns, contact.address, request=contact.contact_id)
    return _keep_file(ports, contact.contact_id, packed(file.as_json()))


@retry_on_conflict
def _keep_file(ports: Ports, contact_id: str, file: str) -> str:
    contact = ports.repository.get(Contact, contact_id=contact_id)
    if contact is None:
        return "ended"
    ports.repository.commit(Replace(replace(contact, file=file)))
    return "made"


def erase_confirmed(ports: Ports, fact: Fact) -> str:
    """Erase everything that is known of a person; returns the named outcome. Safe to repeat."""
    contact = ports.repository.get(Contact, contact_id=fact.subject)
    if contact is None:
        return "erased_already"
    campaigns = campaigns_of_brand(ports, current_campaign(ports, fact.campaign).brand.id)
    erase_person(ports, campaigns, contact.address, request=contact.contact_id)
    return "erased"
