"""Sessions: opened by the token of a mailed link, used as a bearer, ended by their sponsor."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain import tokens
from chalicelib.domain.first_names import require_not_the_brand
from chalicelib.domain.people import Contact, Session, Sponsor, Token, TokenPurpose, used
from chalicelib.domain.sign_ins import SignInLink, is_current
from chalicelib.services.digests import find_sponsor
from chalicelib.services.errors import UnauthorisedError
from chalicelib.services.list_ports import ListUnavailableError
from chalicelib.services.lookups import current_campaign, known_sponsor, sponsor_contact
from chalicelib.services.ports import Change, Insert, Key, Ports, Remove, Replace
from chalicelib.services.retry import retry_on_conflict


@retry_on_conflict
def open_session(
    ports: Ports, campaign_id: str, token_text: str, name: str | None, *, is_kept: bool = False
) -> tuple[str, Session]:
    """Exchange a sign-in token for a session, once. Returns the bearer text and the session.

    `name` will sign the sponsor's invitations; `is_kept`: she stays signed in on her device.
    `UnauthorisedError` when the token is unknown, of another campaign, used or expired, or another
    link was mailed since; `FirstNameError` on a name that cannot be used in a mail.
    """
    now = ports.clock()
    token = ports.repository.get(Token, token_hash=tokens.hashed(token_text))
    if not tokens.is_usable(token, TokenPurpose.SIGN_IN, now) or token.campaign != campaign_id:
        raise UnauthorisedError("token")
    found = ports.repository.read(
        link_key := Key.of(SignInLink, sponsor_id=token.sponsor_id),
        sponsor_key := Key.of(Sponsor, sponsor_id=token.sponsor_id),
    )
    link, sponsor = found.get(link_key), found.get(sponsor_key)
    if sponsor is None or sponsor.is_erased or not is_current(token, link):
        raise UnauthorisedError("token")
    is_vip = _is_vip(ports, sponsor)
    if is_vip is False:
        raise UnauthorisedError("token")
    if name:
        require_not_the_brand(name, current_campaign(ports, campaign_id).brand.name)
    bearer = ports.codes.token()
    campaign = current_campaign(ports, campaign_id)
    ends_at = tokens.session_end(campaign, now, is_kept=is_kept)
    session = tokens.new_session(bearer, token, ends_at, vip_checked_at=now if is_vip else None)
    changes: list[Change] = [Replace(used(token, now)), Insert(session)]
    if link:
        changes.append(Remove(link))
    ports.repository.commit(*changes, *_reachable(ports, sponsor, token, name))
    return bearer, session


def _reachable(ports: Ports, sponsor: Sponsor, token: Token, name: str | None) -> list[Change]:
    """The sponsor with an address that is kept from now on as long as the campaign keeps any: the
    one that is known, else the one that the link was mailed to.
    """
    known = [sponsor.contact_id, *([token.contact_id] if token.contact_id else [])]
    contacts = (ports.repository.get(Contact, contact_id=each) for each in known)
    contact = next(filter(None, contacts), None)
    if contact is None:
        return []
    ends_at = current_campaign(ports, token.campaign).contact_ends_at()
    kept = replace(
        contact,
        ends_at=max(contact.ends_at, ends_at),
        first_name=name or contact.first_name,
    )
    changes: list[Change] = [Replace(kept)] if kept != contact else []
    if contact.contact_id != sponsor.contact_id:
        changes.append(Replace(replace(sponsor, contact_id=contact.contact_id)))
    return changes


@retry_on_conflict
def give_name(ports: Ports, session: Session, name: str) -> None:
    """Sign the sponsor's further invitations with `name`. `UnauthorisedError` when the sponsor is
    erased; `FirstNameError` when it is the brand's.
    """
    require_not_the_brand(name, current_campaign(ports, session.campaign).brand.name)
    contact = sponsor_contact(ports, session.sponsor_id)
    if contact is None:
        raise UnauthorisedError("session")
    ports.repository.commit(Replace(replace(contact, first_name=name)))


def _is_vip(ports: Ports, sponsor: Sponsor) -> bool | None:
    """Whether the VIP list in force has the sponsor; None when no list can be trusted to say so."""
    campaign = current_campaign(ports, sponsor.campaign)
    try:
        return find_sponsor(ports, campaign, sponsor).found is not None
    except ListUnavailableError:
        return None


@retry_on_conflict
def signed_in(ports: Ports, bearer: str) -> Session:
    """The session of a bearer text. `UnauthorisedError`, also for who has left the VIP list: it is
    asked from time to time. A list that says nothing ends no session.
    """
    session = ports.repository.get(Session, session_hash=tokens.hashed(bearer))
    if session is None:  # or past its end: the repository gives none then
        raise UnauthorisedError("session")
    now = ports.clock()
    if not tokens.is_to_be_checked(session, now):
        return session
    sponsor = known_sponsor(ports, session.sponsor_id)
    is_vip = _is_vip(ports, sponsor) if sponsor else False
    if is_vip is False:
        ports.repository.commit(Remove(session))
        raise UnauthorisedError("session")
    if is_vip is None:
        return session
    checked = replace(session, vip_checked_at=now)
    ports.repository.commit(Replace(checked))
    return replace(checked, revision=session.revision + 1)


@retry_on_conflict
def end_session(ports: Ports, bearer: str) -> None:
    """End the session of a bearer text; one that has ended already stays so."""
    session = ports.repository.get(Session, session_hash=tokens.hashed(bearer))
    if session:
        ports.repository.commit(Remove(session))
