"""Doing what people confirmed about their data, behind a queue: a file is made, or all is erased.

Both read the whole table, because tokens, sessions and addresses that somebody typed have no other
way to a person. Until it is done her address must be there, whatever kills the work: what was typed
for the request is kept so long with its links, out of sight of the work itself, and goes last. The
file is kept with it: the one kind of item that may hold an address, which ends with the link.
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
