"""What the link in the mail does: it hands out the file of somebody's data, or has them erased.

    link opened ── nothing changes ─┬─ file asked for ── made behind a queue ── handed out
                                    └─ erasure confirmed ── done behind a queue ── the link is over

The token is for what was asked: one for the file erases nothing. The work behind the queue is in
`carry_out.py`; both kinds read the whole table, once for a link.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.domain import tokens
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.consents import own_digest
from chalicelib.domain.fact_bodies import ErasureConfirmed, PrivacyFileAsked, PrivacyFileGiven
from chalicelib.domain.facts import Fact, FactBody
from chalicelib.domain.people import Contact, Token, used
from chalicelib.domain.privacy import (
    ERASED_WITHIN,
    PrivacyLink,
    Wish,
    unpacked,
    wish_of,
)
from chalicelib.services.errors import GoneError
from chalicelib.services.facts import new_fact
from chalicelib.services.lookups import current_campaign, privacy_link
from chalicelib.services.ports import Change, Ports, Remove, Replace
from chalicelib.services.retry import retry_on_conflict


@dataclass(frozen=True)
class PrivacyRequest:
    """What a link is for, and whose data it is about. `is_started`: the erasure is confirmed."""

    token: Token
    wish: Wish
    campaign: Campaign
    contact: Contact
    link: PrivacyLink | None

    @property
    def is_started(self) -> bool:
        """Whether the erasure is confirmed and not done yet."""
        return self.token.used_at is not None

    @property
    def ends_at(self) -> datetime:
        """When the link ends."""
        return self.token.ends_at


def view_request(ports: Ports, token_text: str) -> PrivacyRequest:
    """What the link is for; changes nothing. `GoneError` when it is unknown, of another purpose,
    replaced, past its end, or when the erasure is done.
    """
    token = ports.repository.get(Token, token_hash=tokens.hashed(token_text))
    wish = wish_of(token.purpose) if token else None
    if token is None or wish is None or token.contact_id is None or token.digests is None:
        raise GoneError("link")
    campaign = current_campaign(ports, token.campaign)
    contact = ports.repository.get(Contact, contact_id=token.contact_id)
    link = privacy_link(ports, campaign, own_digest(token.digests))
    if contact is None:  # it goes with a link that is replaced or stopped
        raise GoneError("link")
    return PrivacyRequest(token, wish, campaign, contact, link)


@retry_on_conflict
def take_file(ports: Ports, token_text: str) -> dict[str, Any] | None:
    """Everything that is known of the person, as often as she likes while the link is good, also
    before an erasure; None while it is being made; the first call has it made. `GoneError`.
    """
    asked = view_request(ports, token_text)
    if asked.is_started:
        raise GoneError("link")
    contact = asked.contact
    if contact.file is not None:
        fact = _fact(ports, asked, PrivacyFileGiven(contact_id=contact.contact_id))
        ports.repository.commit(facts=[fact])
        return unpacked(contact.file)
    if contact.file_asked_at is None:
        fact = _fact(ports, asked, PrivacyFileAsked(contact_id=contact.contact_id))
        queued = replace(contact, file_asked_at=ports.clock())
        ports.repository.commit(Replace(queued), facts=[fact])
    return None


@retry_on_conflict
def confirm_erasure(ports: Ports, token_text: str) -> PrivacyRequest:
    """Have the person's data erased; a repeat changes nothing. `GoneError`, also once it is done
    and with a link that is for the file alone.
    """
    asked = view_request(ports, token_text)
    if asked.wish is not Wish.ERASE:
        raise GoneError("link")
    if asked.is_started:
        return asked
    now = ports.clock()
    kept = replace(asked.contact, ends_at=now + ERASED_WITHIN)
    # Without the link, her next request counts as the first, and does not end what this one needs.
    link: list[Change] = [Remove(asked.link)] if asked.link else []
    fact = _fact(ports, asked, ErasureConfirmed(contact_id=asked.contact.contact_id))
    ports.repository.commit(Replace(used(asked.token, now)), Replace(kept), *link, facts=[fact])
    return asked


def _fact(ports: Ports, asked: PrivacyRequest, body: FactBody) -> Fact:
    return new_fact(
        ports,
        body,
        campaign=asked.campaign.id,
        subject=asked.contact.contact_id,
        correlation=ports.codes.identifier(),
    )
