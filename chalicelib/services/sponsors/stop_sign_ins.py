"""“This was not me”: who gets sign-in mails that she did not ask for stops them, and lets them
through again, from a link in the mail.

For a token that is unknown or for something else there is nothing to do, and the answers are the
same.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain import tokens
from chalicelib.domain.fact_bodies import SignInsResumed, SignInsStopped
from chalicelib.domain.facts import FactBody
from chalicelib.domain.mailed_links import StopReason
from chalicelib.domain.people import Token, TokenPurpose
from chalicelib.domain.sign_ins import SignInLink, stop_of_mails
from chalicelib.services.facts import new_fact
from chalicelib.services.moves import sign_in_stop
from chalicelib.services.ports import Change, Ports, Remove, Replace
from chalicelib.services.retry import retry_on_conflict


@retry_on_conflict
def stop_sign_ins(ports: Ports, token_text: str) -> None:
    """Mail no sign-in link to the bearer for some time; the last one ends. A repeat changes
    nothing.
    """
    token = _token(ports, token_text)
    link = _link(ports, token)
    if token is None or (link and link.is_stop):
        return
    stop = stop_of_mails(token.campaign, token.sponsor_id, link, ports.clock())
    # The bearer can let mails through again for as long as they are stopped.
    kept = replace(token, ends_at=max(token.ends_at, stop.ends_at))
    body = SignInsStopped(sponsor_id=token.sponsor_id, reason=StopReason.NOT_ME)
    _commit(ports, token, body, Replace(kept), sign_in_stop(stop))


@retry_on_conflict
def resume_sign_ins(ports: Ports, token_text: str) -> None:
    """Mail sign-in links to the bearer again. A repeat changes nothing."""
    token = _token(ports, token_text)
    link = _link(ports, token)
    if token and link and link.is_stop:
        _commit(ports, token, SignInsResumed(sponsor_id=token.sponsor_id), Remove(link))


def _token(ports: Ports, text: str) -> Token | None:
    token = ports.repository.get(Token, token_hash=tokens.hashed(text))
    return token if tokens.is_usable(token, TokenPurpose.SIGN_IN_STOP, ports.clock()) else None


def _link(ports: Ports, token: Token | None) -> SignInLink | None:
    return ports.repository.get(SignInLink, sponsor_id=token.sponsor_id) if token else None


def _commit(ports: Ports, token: Token, body: FactBody, *changes: Change) -> None:
    fact = new_fact(
        ports,
        body,
        campaign=token.campaign,
        subject=token.sponsor_id,
        correlation=ports.codes.identifier(),
    )
    ports.repository.commit(*changes, facts=[fact])
