"""Deciding on invitations, behind the queue: eligibility, the claim on the referee, and its fact.

The claim (one item per digest of the referee and campaign) is what makes laws 1 and 2 hold: it is
inserted if its key is free, in the transaction that accepts the invitation. When no trustworthy
customer list is in force nothing is decided; the invitation waits on the agenda and is taken up
again by the next accepted list.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from chalicelib.domain.addresses import AddressDigests, quality_problem
from chalicelib.domain.campaign.file import Campaign, is_past
from chalicelib.domain.eligibility import (
    ELIGIBLE,
    Evidence,
    all_digests,
    problem_before_lists,
    problem_on_list,
)
from chalicelib.domain.facts import Fact, FactName, Queue
from chalicelib.domain.invitations import Decision, Invitation, InvitationState, ended
from chalicelib.domain.people import Contact, RefereeClaim, Sponsor
from chalicelib.services.facts import invitation_fact
from chalicelib.services.lookups import (
    claims_on,
    current_campaign,
    digests_of,
    find_customer,
    oppositions_to,
)
from chalicelib.services.ports import Agenda, Insert, ListUnavailableError, Ports, Remove, Replace
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.sponsors.sign_in import TRANSIENT


@retry_on_conflict
def decide_invitation(ports: Ports, fact: Fact) -> str:
    """Decide once; returns the named outcome (`waiting` when no trustworthy list is in force).

    `ListUnavailableError` only for a failed read, which a later attempt may mend.
    """
    invitation = ports.repository.get(
        Invitation, sponsor_id=fact.ids["sponsor"], invitation_id=fact.ids["invitation"]
    )
    if (
        invitation is None
        or invitation.state is not InvitationState.RECEIVED
        or invitation.decision
    ):
        return "decided_already"
    contact = ports.repository.get(Contact, contact_id=invitation.contact_id)
    sponsor = ports.repository.get(Sponsor, sponsor_id=invitation.sponsor_id)
    campaign = current_campaign(ports, invitation.campaign)
    if contact is None or sponsor is None:
        return _refuse(ports, campaign, invitation, contact, "erased", None)
    digests = digests_of(ports, campaign, contact.address)
    problem = problem_before_lists(_evidence(ports, campaign, sponsor, contact, digests))
    if problem is None and is_past(invitation.closes_at, ports.clock()):
        problem = "too_late"  # it waited for a list all that time: nobody could answer it now
    if problem:
        return _refuse(ports, campaign, invitation, contact, problem, None)
    try:
        customers = find_customer(ports, campaign, digests)
    except ListUnavailableError as error:
        if error.reason == TRANSIENT:
            raise
        return "waiting"
    problem = problem_on_list(customers.found)
    if problem:
        return _refuse(ports, campaign, invitation, contact, problem, customers.version)
    return _accept(ports, campaign, invitation, digests, customers.version)


def requeue_undecided(ports: Ports, campaign_id: str) -> int:
    """Queue the invitations that waited for a list; returns how many."""
    waiting = ports.repository.agenda(Invitation, Agenda.UNDECIDED, campaign_id)
    received = (fact for invitation in waiting if (fact := _received(ports, invitation)))
    taken_up = 0
    # Ten by ten as they are read: killed in between, it has done what it has done.
    while some := list(islice(received, 10)):
        ports.queues.put(Queue.DECIDE, some)
        taken_up += len(some)
    return taken_up


def _received(ports: Ports, invitation: Invitation) -> Fact | None:
    facts = ports.repository.facts_of(invitation.invitation_id)
    return next((fact for fact in facts if fact.name == FactName.INVITATION_RECEIVED), None)


def _evidence(
    ports: Ports, campaign: Campaign, sponsor: Sponsor, contact: Contact, digests: AddressDigests
) -> Evidence:
    known = all_digests(digests)
    return Evidence(
        campaign_open=campaign.is_open(ports.clock()),
        quality_problem=quality_problem(contact.address),
        sponsor=sponsor.digests,
        referee=digests,
        already_invited=bool(claims_on(ports, campaign.id, known)),
        opposed=bool(oppositions_to(ports, campaign.brand.id, known)),
    )


def _decision(
    ports: Ports, campaign: Campaign, reason: str, customers_version: int | None
) -> Decision:
    return Decision(
        reason=reason,
        decided_at=ports.clock(),
        campaign_version=campaign.version,
        customers_version=customers_version,
    )


def _decided(ports: Ports, name: FactName, invitation: Invitation, decision: Decision) -> Fact:
    return invitation_fact(
        ports,
        name,
        invitation,
        verdict=decision.verdict,
        reason=decision.reason,
        channel=invitation.channel.value,
        campaign_version=decision.campaign_version,
        customers_version=decision.customers_version,
    )


def _refuse(
    ports: Ports,
    campaign: Campaign,
    invitation: Invitation,
    contact: Contact | None,
    reason: str,
    customers_version: int | None,
) -> str:
    decision = _decision(ports, campaign, reason, customers_version)
    refused = replace(ended(invitation, InvitationState.REFUSED, ports.clock()), decision=decision)
    # Nobody will write to a refused address: it is not kept.
    erased = [Remove(contact)] if contact else []
    fact = _decided(ports, FactName.INVITATION_REFUSED, refused, decision)
    ports.repository.commit(Replace(refused), *erased, facts=[fact])
    return reason


def _accept(
    ports: Ports,
    campaign: Campaign,
    invitation: Invitation,
    digests: AddressDigests,
    customers_version: int,
) -> str:
    decision = _decision(ports, campaign, ELIGIBLE, customers_version)
    accepted = replace(invitation, decision=decision)
    claims = [
        Insert(
            RefereeClaim(
                campaign=invitation.campaign,
                digest=digest,
                sponsor_id=invitation.sponsor_id,
                invitation_id=invitation.invitation_id,
            )
        )
        for digest in all_digests(digests)
    ]
    fact = _decided(ports, FactName.INVITATION_ACCEPTED, accepted, decision)
    ports.repository.commit(Replace(accepted), *claims, facts=[fact])
    return ELIGIBLE
