"""Sessions: opened by the token of a mailed link, used as a bearer, ended by their sponsor."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain import tokens
from chalicelib.domain.first_names import require_not_the_brand
from chalicelib.domain.people import Contact, Session, Sponsor, Token, TokenPurpose, used
from chalicelib.services.errors import UnauthorisedError
from chalicelib.services.lookups import current_campaign
from chalicelib.services.ports import Change, ConflictError, Insert, Ports, Remove, Replace
from chalicelib.services.retry import retry_on_conflict


def open_session(
    ports: Ports, campaign_id: str, token_text: str, name: str | None
) -> tuple[str, Session]:
    """Exchange a sign-in token for a session, once. Returns the bearer text and the session.

    `name` will sign the sponsor's invitations. `UnauthorisedError` when the token is unknown, of
    another campaign, used or expired; `FirstNameError` on a name that cannot be used in a mail.
    """
    now = ports.clock()
    token = ports.repository.get(Token, token_hash=tokens.hashed(token_text))
    if not tokens.is_usable(token, TokenPurpose.SIGN_IN, now) or token.campaign != campaign_id:
        raise UnauthorisedError("token")
    if name:
        require_not_the_brand(name, current_campaign(ports, campaign_id).brand.name)
    bearer = ports.codes.token()
    session = tokens.new_session(bearer, token, now)
    changes: list[Change] = [Replace(used(token, now)), Insert(session)]
    try:
        ports.repository.commit(*changes, *_renamed(ports, token.sponsor_id, name))
    except ConflictError as error:
        # Another call with this token came first.
        raise UnauthorisedError("token") from error
    return bearer, session


def _renamed(ports: Ports, sponsor_id: str, name: str | None) -> list[Replace]:
    if not name:
        return []
    sponsor = ports.repository.get(Sponsor, sponsor_id=sponsor_id)
    contact = ports.repository.get(Contact, contact_id=sponsor.contact_id) if sponsor else None
    return [Replace(replace(contact, first_name=name))] if contact else []


@retry_on_conflict
def give_name(ports: Ports, session: Session, name: str) -> None:
    """Sign the sponsor's further invitations with `name`. `UnauthorisedError` when the sponsor is
    erased; `FirstNameError` when it is the brand's.
    """
    require_not_the_brand(name, current_campaign(ports, session.campaign).brand.name)
    renamed = _renamed(ports, session.sponsor_id, name)
    if not renamed:
        raise UnauthorisedError("session")
    ports.repository.commit(*renamed)


def signed_in(ports: Ports, bearer: str) -> Session:
    """The session of a bearer text. `UnauthorisedError`."""
    session = ports.repository.get(Session, session_hash=tokens.hashed(bearer))
    if session is None:  # or past its end: the repository gives none then
        raise UnauthorisedError("session")
    return session


@retry_on_conflict
def end_session(ports: Ports, bearer: str) -> None:
    """End the session of a bearer text; one that has ended already stays so."""
    session = ports.repository.get(Session, session_hash=tokens.hashed(bearer))
    if session:
        ports.repository.commit(Remove(session))
