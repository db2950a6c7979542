"""What facts about requests for one's own data did, where the address that was typed is there.

A link that was mailed after the moment is lost with its token: who asks again gets another one. An
erasure that was confirmed is done again by whoever finds its work undone
(`operations/check_facts.py`).
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.consents import own_digest
from chalicelib.domain.fact_bodies import (
    ErasureConfirmed,
    PrivacyFileAsked,
    PrivacyFileGiven,
    PrivacyLinkGranted,
    PrivacyLinkRefused,
    PrivacyMailsResumed,
    PrivacyMailsStopped,
)
from chalicelib.domain.facts import Fact, FactBody
from chalicelib.domain.people import Contact
from chalicelib.domain.privacy import ERASED_WITHIN, PrivacyLink, stop_of_privacy_mails
from chalicelib.services.lookups import privacy_link
from chalicelib.services.moves import stored_stop
from chalicelib.services.ports import Change, Remove, Replace
from chalicelib.services.restoring.work import Work


def privacy_changes(work: Work, fact: Fact, body: FactBody) -> list[Change] | None:
    """What such a fact did, as far as it is not there; None for any other fact."""
    match body:
        case PrivacyLinkGranted() | PrivacyFileAsked() | PrivacyFileGiven():
            return []
        case PrivacyLinkRefused():
            contact = _contact(work, fact)
            return [Remove(contact)] if contact else []
        case ErasureConfirmed():
            contact = _contact(work, fact)
            return [Replace(replace(contact, ends_at=fact.at + ERASED_WITHIN))] if contact else []
        case PrivacyMailsStopped():
            return _stopped(work, fact)
        case PrivacyMailsResumed():
            _, link = _link(work, fact)
            return [Remove(link)] if link and link.is_stop else []
        case _:
            return None


def _contact(work: Work, fact: Fact) -> Contact | None:
    return work.ports.repository.get(Contact, contact_id=fact.subject)


def _link(work: Work, fact: Fact) -> tuple[str | None, PrivacyLink | None]:
    """The digest of the person's mailbox and her link, as far as they are known."""
    contact = _contact(work, fact)
    if contact is None:
        return None, None
    digest = own_digest(AddressDigests.of(contact.address, [work.ports.keys.own()]))
    return digest, privacy_link(work.ports, work.campaign, digest)


def _stopped(work: Work, fact: Fact) -> list[Change]:
    digest, link = _link(work, fact)
    if digest is None:
        return []
    brand = work.campaign.brand.id
    return [stored_stop(stop_of_privacy_mails(fact.campaign, brand, digest, link, fact.at))]
