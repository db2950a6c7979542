"""Signing in: anybody may ask, a VIP gets a mail, and nobody can tell the difference (law 8).

The public call writes one contact and one fact, whoever asks. Whether the address is on the VIP
list is decided behind the queue, where no caller can watch the time it takes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from chalicelib.domain import tokens
from chalicelib.domain.addresses import AddressDigests, first_name
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.eligibility import ELIGIBLE, REFUSED, all_digests
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.people import (
    Contact,
    Link,
    Session,
    Sponsor,
    SponsorClaim,
    Token,
    TokenPurpose,
)
from chalicelib.services.errors import UnauthorisedError
from chalicelib.services.facts import new_fact
from chalicelib.services.lookups import (
    current_campaign,
    digests_of,
    find_vip,
    open_campaign,
    sponsor_claims_on,
)
from chalicelib.services.operations.rekey import completed_sponsor
from chalicelib.services.ports import (
    Change,
    ConflictError,
    Insert,
    ListUnavailableError,
    Membership,
    Ports,
    Remove,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict

REQUEST_KEPT_FOR = timedelta(days=1)
TRANSIENT = "read_failed"


def request_sign_in(
    ports: Ports, campaign_id: str, address: str, locale: str | None = None
) -> None:
    """Take a request in. `UnknownError`, `ClosedError`."""
    campaign = open_campaign(ports, campaign_id)
    contact = Contact(
        contact_id=ports.codes.identifier(),
        campaign=campaign.id,
        address=address,
        locale=campaign.spoken(locale),
        ends_at=ports.clock() + REQUEST_KEPT_FOR,
    )
    requested = new_fact(
        ports,
        FactName.SIGN_IN_REQUESTED,
        campaign=campaign.id,
        subject=contact.contact_id,
        correlation=ports.codes.identifier(),
        ids={"contact": contact.contact_id},
    )
    ports.repository.commit(Insert(contact), facts=[requested])


@retry_on_conflict
def decide_sign_in(ports: Ports, fact: Fact) -> str:
    """Grant a request if the address is on the VIP list; returns the named outcome.

    A request decided already is left as it is. Without a trustworthy list nothing is granted.
    `ListUnavailableError` only for a failed read, which a later attempt may mend.
    """
    contact = ports.repository.get(Contact, contact_id=fact.ids["contact"])
    if contact is None or _is_granted(ports, contact):
        return "decided_already"
    campaign = current_campaign(ports, fact.campaign)
    digests = digests_of(ports, campaign, contact.address)
    try:
        vip = find_vip(ports, campaign, digests)
    except ListUnavailableError as error:
        if error.reason == TRANSIENT:
            raise
        return _refuse(ports, fact, contact, "list_unavailable")
    if vip.found is None:
        return _refuse(ports, fact, contact, "not_on_vip_list", vip)
    return _grant(ports, fact, campaign, contact, digests, vip)


def _is_granted(ports: Ports, contact: Contact) -> bool:
    # A sponsor's first request is the sponsor's contact: refused on a repeat, it would be erased.
    facts = ports.repository.facts_of(contact.contact_id)
    return any(fact.name == FactName.SIGN_IN_GRANTED for fact in facts)


def _refuse(
    ports: Ports, fact: Fact, contact: Contact, reason: str, vip: Membership | None = None
) -> str:
    refused = new_fact(
        ports,
        FactName.SIGN_IN_REFUSED,
        campaign=fact.campaign,
        subject=contact.contact_id,
        correlation=fact.correlation,
        verdict=REFUSED,
        reason=reason,
        list_version=vip.version if vip else None,
    )
    ports.repository.commit(Remove(contact), facts=[refused])
    return reason


def _grant(
    ports: Ports,
    fact: Fact,
    campaign: Campaign,
    contact: Contact,
    digests: AddressDigests,
    vip: Membership,
) -> str:
    sponsor = _sponsor_of(ports, campaign, digests)
    today = campaign.local_date(ports.clock())
    granted = new_fact(
        ports,
        FactName.SIGN_IN_GRANTED,
        campaign=campaign.id,
        subject=contact.contact_id,
        correlation=fact.correlation,
        ids={"contact": contact.contact_id, "sponsor": sponsor.sponsor_id if sponsor else ""},
        verdict=ELIGIBLE,
        reason="on_vip_list",
        list_version=vip.version,
    )
    if sponsor is None:
        return _welcome(ports, campaign, contact, digests, vip, granted)
    asked = sponsor.sign_ins if sponsor.sign_ins_on == today else 0
    if asked >= campaign.quotas.sign_in_mails_per_day:
        return _refuse(ports, fact, contact, "too_many_sign_in_mails", vip)
    whole, beside = completed_sponsor(ports, campaign, sponsor)
    counted = replace(whole, sign_ins=asked + 1, sign_ins_on=today)
    reachable = _kept_reachable(ports, campaign, counted, contact)
    ports.repository.commit(*reachable, *beside, facts=[granted])
    return "granted"


def _kept_reachable(
    ports: Ports, campaign: Campaign, sponsor: Sponsor, typed: Contact
) -> list[Change]:
    """The sponsor with a contact that lasts as long as the campaign, even a prolonged one."""
    ends_at = campaign.contact_ends_at()
    contact = ports.repository.get(Contact, contact_id=sponsor.contact_id)
    if contact is None:
        adopted = replace(sponsor, contact_id=typed.contact_id)
        return [Replace(adopted), Replace(replace(typed, ends_at=ends_at))]
    if contact.ends_at < ends_at:
        return [Replace(sponsor), Replace(replace(contact, ends_at=ends_at))]
    return [Replace(sponsor)]


def _sponsor_of(ports: Ports, campaign: Campaign, digests: AddressDigests) -> Sponsor | None:
    known = all_digests(digests)
    claims = sponsor_claims_on(ports, campaign.id, known)
    # The form as typed before the alias form, whatever order they were read in.
    nearest = min(claims, key=lambda claim: known.index(claim.digest), default=None)
    return ports.repository.get(Sponsor, sponsor_id=nearest.sponsor_id) if nearest else None


def _welcome(
    ports: Ports,
    campaign: Campaign,
    contact: Contact,
    digests: AddressDigests,
    vip: Membership,
    granted: Fact,
) -> str:
    now = ports.clock()
    sponsor = Sponsor(
        sponsor_id=ports.codes.identifier(),
        campaign=campaign.id,
        contact_id=contact.contact_id,
        digests=digests,
        link_code=ports.codes.link_code(),
        locale=contact.locale,
        created_at=now,
        vip_list_version=vip.version,
        sign_ins=1,
        sign_ins_on=campaign.local_date(now),
    )
    claims = [
        Insert(SponsorClaim(campaign=campaign.id, digest=digest, sponsor_id=sponsor.sponsor_id))
        for digest in all_digests(digests)
    ]
    link = Link(link_code=sponsor.link_code, campaign=campaign.id, sponsor_id=sponsor.sponsor_id)
    kept = replace(contact, ends_at=campaign.contact_ends_at())
    named = replace(granted, ids={**granted.ids, "sponsor": sponsor.sponsor_id})
    ports.repository.commit(Insert(sponsor), *claims, Insert(link), Replace(kept), facts=[named])
    return "granted"


def open_session(
    ports: Ports, campaign_id: str, token_text: str, name: str | None
) -> tuple[str, Session]:
    """Trade a sign-in token for a session, once. Returns the bearer text and the session.

    `name` is what the sponsor's invitations will be signed with. `UnauthorisedError` when the token
    is unknown, of another campaign, used or over; `FirstNameError` on a name that cannot stand in a
    mail.
    """
    now = ports.clock()
    token = ports.repository.get(Token, token_hash=tokens.hashed(token_text))
    if token is None or token.campaign != campaign_id:
        raise UnauthorisedError("token")
    if not tokens.is_usable(token, TokenPurpose.SIGN_IN, now):
        raise UnauthorisedError("token")
    bearer = ports.codes.token()
    session = Session(
        session_hash=tokens.hashed(bearer),
        campaign=token.campaign,
        sponsor_id=token.sponsor_id,
        ends_at=now + tokens.SESSION_LASTS,
    )
    changes: list[Change] = [Replace(replace(token, used_at=now)), Insert(session)]
    try:
        ports.repository.commit(*changes, *_renamed(ports, token.sponsor_id, name))
    except ConflictError as error:
        # Two calls with one token: the other one was first.
        raise UnauthorisedError("token") from error
    return bearer, session


def _renamed(ports: Ports, sponsor_id: str, name: str | None) -> list[Replace]:
    if not name:
        return []
    sponsor = ports.repository.get(Sponsor, sponsor_id=sponsor_id)
    contact = ports.repository.get(Contact, contact_id=sponsor.contact_id) if sponsor else None
    return [Replace(replace(contact, first_name=first_name(name)))] if contact else []


def signed_in(ports: Ports, bearer: str) -> Session:
    """The session of a bearer text. `UnauthorisedError`."""
    session = ports.repository.get(Session, session_hash=tokens.hashed(bearer))
    if session is None or ports.clock() >= session.ends_at:
        raise UnauthorisedError("session")
    return session
