"""Objecting to further mails, by the token that every mail has.

An objection is to a brand, in all its campaigns, and withdraws any consent to its news. It holds
for every mail that leaves after it: it is looked up when an invitation is decided, and once more
just before a mail is sent (`services/mails/compose.py`). Nothing here lifts an objection or makes
it narrower. The answer is the same for any token, and for every repeat.
"""

from __future__ import annotations

from chalicelib.domain import tokens
from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.consents import ConsentSource
from chalicelib.domain.fact_bodies import InvitationDeclined, OppositionRecorded
from chalicelib.domain.facts import Fact
from chalicelib.domain.invitations import (
    Invitation,
    InvitationState,
    is_answerable,
    within_campaign,
)
from chalicelib.domain.people import OppositionScope, Token, TokenPurpose
from chalicelib.services.consent_words import Person, consent_withdrawal
from chalicelib.services.digests import new_oppositions
from chalicelib.services.facts import invitation_fact, new_fact
from chalicelib.services.lookups import current_campaign
from chalicelib.services.moves import close_invitation
from chalicelib.services.ports import Ports
from chalicelib.services.retry import retry_on_conflict


def campaign_behind(ports: Ports, token_text: str) -> Campaign | None:
    """The campaign whose mail had the token; None for one that is unknown or has ended."""
    token = _token(ports, token_text)
    return ports.campaigns.get(token.campaign) if token else None


@retry_on_conflict
def unsubscribe(
    ports: Ports, token_text: str, scope: OppositionScope = OppositionScope.INVITATIONS
) -> None:
    """Record what the bearer no longer wants; an unanswered invitation is declined with it."""
    token = _token(ports, token_text)
    if token is None or token.digests is None:
        return
    campaign = current_campaign(ports, token.campaign)
    changes = new_oppositions(ports, campaign, token.digests, scope)
    facts = [_opposition_fact(ports, token, scope)] if changes else []
    withdrawal, more = consent_withdrawal(
        ports, campaign, _person(token, token.digests), ConsentSource.UNSUBSCRIBE
    )
    changes += withdrawal
    facts += more
    invitation = _unanswered(ports, campaign, token)
    if invitation:
        changes += close_invitation(ports, invitation, InvitationState.DECLINED)
        body = InvitationDeclined.of(invitation)
        facts.append(invitation_fact(ports, invitation, body))
    if changes:
        ports.repository.commit(*changes, facts=facts)


def _token(ports: Ports, token_text: str) -> Token | None:
    token = ports.repository.get(Token, token_hash=tokens.hashed(token_text))
    return token if token and token.purpose is TokenPurpose.UNSUBSCRIBE else None


def _person(token: Token, digests: AddressDigests) -> Person:
    return Person(digests, token.sponsor_id or None, token.invitation_id, token.referral_id)


def _unanswered(ports: Ports, campaign: Campaign, token: Token) -> Invitation | None:
    if token.invitation_id is None:
        return None
    invitation = ports.repository.get(
        Invitation, sponsor_id=token.sponsor_id, invitation_id=token.invitation_id
    )
    if invitation is None:
        return None
    open_until = within_campaign(campaign, invitation)
    return open_until if is_answerable(open_until, ports.clock()) else None


def _opposition_fact(ports: Ports, token: Token, scope: OppositionScope) -> Fact:
    return new_fact(
        ports,
        OppositionRecorded(sponsor_id=token.sponsor_id or None, scope=scope),
        campaign=token.campaign,
        subject=token.invitation_id or token.sponsor_id or str(token.contact_id),
        correlation=ports.codes.identifier(),
    )
