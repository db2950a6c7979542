"""“This was not me”: who gets mails with links that she did not ask for, to sign in or to her data,
stops them, and lets them through again, from a link in the mail.

For a token that is unknown or for something else there is nothing to do, and the answers are the
same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from chalicelib.domain import tokens
from chalicelib.domain.consents import own_digest
from chalicelib.domain.fact_bodies import (
    PrivacyMailsResumed,
    PrivacyMailsStopped,
    SignInsResumed,
    SignInsStopped,
)
from chalicelib.domain.facts import FactBody
from chalicelib.domain.mailed_links import MailedLink, StopReason
from chalicelib.domain.people import Token, TokenPurpose
from chalicelib.domain.privacy import stop_of_privacy_mails
from chalicelib.domain.sign_ins import SignInLink, stop_of_mails
from chalicelib.services.facts import new_fact
from chalicelib.services.lookups import current_campaign, privacy_link
from chalicelib.services.moves import ended_request, stored_stop
from chalicelib.services.ports import Change, Ports, Remove, Replace
from chalicelib.services.retry import retry_on_conflict


@dataclass(frozen=True)
class _Mails:
    """The mails that a token stops: the link that was last mailed, what stops them, and the facts
    about a subject that say so. `ended`: what ends with the last link.
    """

    token: Token
    last: MailedLink | None
    stop: MailedLink
    subject: str
    stopped: FactBody
    resumed: FactBody
    ended: tuple[Change, ...] = ()


@retry_on_conflict
def stop_links(ports: Ports, token_text: str) -> None:
    """Mail no such link to the bearer for some time; the last one ends. A repeat changes
    nothing.
    """
    mails = _mails_of(ports, token_text)
    if mails is None or (mails.last and mails.last.is_stop):
        return
    # The bearer can let mails through again for as long as they are stopped.
    kept = replace(mails.token, ends_at=max(mails.token.ends_at, mails.stop.ends_at))
    _commit(ports, mails, mails.stopped, Replace(kept), stored_stop(mails.stop), *mails.ended)


@retry_on_conflict
def resume_links(ports: Ports, token_text: str) -> None:
    """Mail such links to the bearer again. A repeat changes nothing."""
    mails = _mails_of(ports, token_text)
    if mails and mails.last and mails.last.is_stop:
        _commit(ports, mails, mails.resumed, Remove(mails.last))


def _mails_of(ports: Ports, token_text: str) -> _Mails | None:
    token = ports.repository.get(Token, token_hash=tokens.hashed(token_text))
    if tokens.is_usable(token, TokenPurpose.SIGN_IN_STOP, ports.clock()):
        return _sign_in_mails(ports, token)
    if tokens.is_usable(token, TokenPurpose.PRIVACY_STOP, ports.clock()):
        return _privacy_mails(ports, token)
    return None


def _sign_in_mails(ports: Ports, token: Token) -> _Mails:
    last = ports.repository.get(SignInLink, sponsor_id=token.sponsor_id)
    return _Mails(
        token,
        last,
        stop_of_mails(token.campaign, token.sponsor_id, last, ports.clock()),
        token.sponsor_id,
        SignInsStopped(sponsor_id=token.sponsor_id, reason=StopReason.NOT_ME),
        SignInsResumed(sponsor_id=token.sponsor_id),
    )


def _privacy_mails(ports: Ports, token: Token) -> _Mails | None:
    if token.digests is None or token.contact_id is None:
        return None
    campaign = current_campaign(ports, token.campaign)
    digest = own_digest(token.digests)
    last = privacy_link(ports, campaign, digest)
    return _Mails(
        token,
        last,
        stop_of_privacy_mails(campaign.id, campaign.brand.id, digest, last, ports.clock()),
        token.contact_id,
        PrivacyMailsStopped(contact_id=token.contact_id, reason=StopReason.NOT_ME),
        PrivacyMailsResumed(contact_id=token.contact_id),
        tuple(ended_request(ports, last)),
    )


def _commit(ports: Ports, mails: _Mails, body: FactBody, *changes: Change) -> None:
    fact = new_fact(
        ports,
        body,
        campaign=mails.token.campaign,
        subject=mails.subject,
        correlation=ports.codes.identifier(),
    )
    ports.repository.commit(*changes, facts=[fact])
