"""Deciding on invitations, behind the queue: eligibility, the claim on the referee, and the fact.

The claim (one item per digest of the referee and campaign) enforces laws 1 and 2: it is inserted if
its key is free, in the transaction that accepts the invitation. A sponsor who has left the VIP list
invites nobody any more. Without trustworthy lists nothing is decided; the invitation stays on the
agenda until the next accepted list queues it again.

Whether the domain accepts mail is asked for every referee: the operator of a domain's DNS sees
the query, and must not learn from it, or from its absence, who was invited, who has opposed or who
is on the list (law 8). Only a definite no refuses an invitation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from chalicelib.domain import invitations
from chalicelib.domain.addresses import Address, AddressDigests
from chalicelib.domain.campaign.file import Campaign, is_past
from chalicelib.domain.eligibility import (
    Evidence,
    Reason,
    problem_before_lists,
    problem_on_lists,
)
from chalicelib.domain.fact_bodies import InvitationReceived, body_as, invitation_decided
from chalicelib.domain.facts import Fact
from chalicelib.domain.invitations import Invitation, is_undecided, new_decision
from chalicelib.domain.people import Contact, Sponsor, referee_claims
from chalicelib.services.digests import digests_of, find_sponsor
from chalicelib.services.evidence import domain_changes, traces_for
from chalicelib.services.facts import invitation_fact
from chalicelib.services.list_ports import ListUnavailableError
from chalicelib.services.lookups import (
    claims_on,
    current_campaign,
    find_customer,
    is_opposed,
    known_sponsor,
)
from chalicelib.services.ports import Insert, Ports, Remove, Replace
from chalicelib.services.retry import retry_on_conflict

DECIDED_ALREADY = "decided_already"
WAITING = "waiting"


@retry_on_conflict
def decide_invitation(ports: Ports, fact: Fact) -> str:
    """Decide once; returns the named outcome (`waiting` without a trustworthy list).

    `ListUnavailableError` only for a failed read: a later attempt may succeed.
    """
    received = body_as(fact, InvitationReceived)
    invitation = ports.repository.get(
        Invitation, sponsor_id=received.sponsor_id, invitation_id=received.invitation_id
    )
    if invitation is None or not is_undecided(invitation):
        return DECIDED_ALREADY
    contact = ports.repository.get(Contact, contact_id=invitation.contact_id)
    sponsor = known_sponsor(ports, invitation.sponsor_id)
    campaign = current_campaign(ports, invitation.campaign)
    if contact is None or sponsor is None:
        return _refuse(ports, campaign, invitation, contact, Reason.ERASED)
    digests = digests_of(ports, campaign, contact.address)
    problem = problem_before_lists(
        _evidence(ports, campaign, sponsor, contact, invitation, digests)
    )
    if problem:
        return _refuse(ports, campaign, invitation, contact, problem)
    try:
        vips = find_sponsor(ports, campaign, sponsor)
        customers = find_customer(ports, campaign, digests)
    except ListUnavailableError as error:
        if error.is_transient:
            raise
        return WAITING
    lists = _Lists(customers.version, vips.version)
    problem = problem_on_lists(vips.found, customers.found)
    if problem:
        return _refuse(ports, campaign, invitation, contact, problem, lists)
    return _accept(ports, campaign, invitation, contact.address, digests, lists)


@dataclass(frozen=True)
class _Lists:
    """The versions of the lists that a decision was made with, if any."""

    customers_version: int | None = None
    vips_version: int | None = None


def _evidence(
    ports: Ports,
    campaign: Campaign,
    sponsor: Sponsor,
    contact: Contact,
    invitation: Invitation,
    digests: AddressDigests,
) -> Evidence:
    now = ports.clock()
    quality, domain = contact.address.quality_problem, contact.address.domain
    return Evidence(
        campaign_open=campaign.is_open(now),
        quality_problem=quality,
        takes_mail=None if quality else ports.mail_domains.takes_mail(domain),
        sponsor=sponsor.digests,
        referee=digests,
        already_invited=bool(claims_on(ports, campaign.id, digests.values)),
        opposed=is_opposed(ports, campaign, digests.values),
        past_closing=is_past(invitation.closes_at, now),
    )


def _refuse(
    ports: Ports,
    campaign: Campaign,
    invitation: Invitation,
    contact: Contact | None,
    reason: Reason,
    lists: _Lists = _Lists(),
) -> str:
    now = ports.clock()
    decision = new_decision(campaign, reason, **vars(lists), now=now)
    refused = invitations.refused(invitation, decision, now)
    # Nothing will be sent to a refused address: it is erased.
    erased = [Remove(contact)] if contact else []
    ports.repository.commit(Replace(refused), *erased, facts=[_decided_fact(ports, refused)])
    return reason


def _accept(
    ports: Ports,
    campaign: Campaign,
    invitation: Invitation,
    address: Address,
    digests: AddressDigests,
    lists: _Lists,
) -> str:
    decision = new_decision(campaign, Reason.ELIGIBLE, **vars(lists), now=ports.clock())
    traces = traces_for(ports, campaign, address)
    number, counted = domain_changes(ports, campaign, traces)
    accepted = invitations.accepted(invitation, decision)
    accepted = replace(accepted, traces=traces, domain_number=number)
    claims = referee_claims(
        campaign.id, invitation.sponsor_id, invitation.invitation_id, digests.values
    )
    ports.repository.commit(
        Replace(accepted),
        *map(Insert, claims),
        *counted,
        facts=[_decided_fact(ports, accepted)],
    )
    return Reason.ELIGIBLE


def _decided_fact(ports: Ports, invitation: Invitation) -> Fact:
    return invitation_fact(ports, invitation, invitation_decided(invitation))
