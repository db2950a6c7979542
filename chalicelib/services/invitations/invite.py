"""Receiving invitations: by a sponsor who enters addresses, or by a referee from a shared link.

Both write the invitation, the contact and one fact in one transaction, and answer before anything
is decided: neither the answer nor its timing reveals anything about the address (law 8). The
counters of a sponsor and of a link's day limit what the public can make us do (law 12).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from chalicelib.domain.addresses import Address
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.fact_bodies import InvitationReceived
from chalicelib.domain.facts import Fact
from chalicelib.domain.first_names import FirstNameError, require_not_the_brand
from chalicelib.domain.invitations import Channel, Invitation, Submission, new_invitation
from chalicelib.domain.links import LinkDay, day_of, is_day_full, is_used_up, with_sign_up
from chalicelib.domain.people import (
    Contact,
    Link,
    Session,
    Sponsor,
    is_link_stopped,
    new_contact,
)
from chalicelib.domain.tokens import hashed
from chalicelib.services.errors import (
    ClosedError,
    FieldProblem,
    InvalidError,
    QuotaError,
    UnauthorisedError,
    UnknownError,
)
from chalicelib.services.evidence import network_changes, network_key, read_sponsor
from chalicelib.services.facts import invitation_fact
from chalicelib.services.lookups import (
    campaign_with_channel,
    has_name,
    known_sponsor,
    open_campaign,
)
from chalicelib.services.ports import Change, Insert, Key, Ports, Replace
from chalicelib.services.retry import retry_on_conflict

SUBMISSION_KEPT_FOR = timedelta(days=2)


@dataclass(frozen=True)
class Referee:
    """Somebody to invite."""

    address: Address
    first_name: str | None = None
    locale: str | None = None


@retry_on_conflict
def invite(
    ports: Ports,
    session: Session,
    referees: Sequence[Referee],
    idempotency_key: str | None,
    network: str | None = None,
) -> tuple[str, ...]:
    """Receive a sponsor's invitations, all or none; returns their ids. `network` is the caller's.

    A repeat with the same `idempotency_key` and the same referees returns the ids of the first
    call; with other referees it raises `InvalidError`. `QuotaError`, `ClosedError`.
    """
    campaign = campaign_with_channel(ports, session.campaign, "email")
    if len(referees) > campaign.quotas.referees_per_call:
        raise InvalidError([FieldProblem("referees", "too_many")])
    earlier = _earlier(ports, session, referees, idempotency_key)
    if earlier:
        return earlier.invitation_ids
    at_network = network_key(ports, campaign, session.sponsor_id, network)
    sponsor, before = read_sponsor(ports, session.sponsor_id, at_network)
    if sponsor is None or sponsor.is_erased:
        raise UnauthorisedError("session")
    _require_names(ports, campaign, sponsor, referees)
    if sponsor.invited + len(referees) > campaign.quotas.invitations_per_sponsor:
        raise QuotaError("invitations_per_sponsor")
    _, answered = network_changes(ports, before, at_network, sponsor)
    counted = [Replace(replace(sponsor, invited=sponsor.invited + len(referees))), *answered]
    return _receive(ports, campaign, sponsor, counted, referees, Channel.EMAIL, idempotency_key)


@retry_on_conflict
def sign_up(ports: Ports, campaign_id: str, link_code: str, referee: Referee) -> tuple[str, ...]:
    """Receive a sign-up by a sponsor's shared link; returns the invitation's id.

    It counts for the day whatever is decided later, so that the answers say nothing of the address.
    `UnknownError`, `ClosedError`, `QuotaError`.
    """
    campaign = open_campaign(ports, campaign_id)
    link, day = _link(ports, campaign, link_code)
    sponsor = known_sponsor(ports, link.sponsor_id) if link else None
    if sponsor is None or link is None or sponsor.campaign != campaign.id:
        raise UnknownError("link")
    if "link" not in campaign.channels:
        raise ClosedError("channel")
    if is_link_stopped(sponsor, campaign):
        raise QuotaError("problems_per_link")
    if not has_name(ports, sponsor):
        raise ClosedError("link")
    if is_used_up(campaign, sponsor):
        raise QuotaError("sign_ups_per_link")
    today = day or day_of(campaign, link, ports.clock())
    if is_day_full(campaign, today):
        raise QuotaError("sign_ups_per_day")
    counted = [Replace(with_sign_up(today)) if day else Insert(with_sign_up(today))]
    return _receive(ports, campaign, sponsor, counted, [referee], Channel.LINK, None)


def _link(ports: Ports, campaign: Campaign, link_code: str) -> tuple[Link | None, LinkDay | None]:
    """The link of a code, and its sign-ups of today, in one read."""
    today = campaign.local_date(ports.clock()).isoformat()
    link = Key.of(Link, link_code=link_code)
    day = Key.of(LinkDay, link_code=link_code, day=today)
    found = ports.repository.read(link, day)
    return found.get(link), found.get(day)


def _require_names(
    ports: Ports, campaign: Campaign, sponsor: Sponsor, referees: Sequence[Referee]
) -> None:
    """`InvalidError` when the mails could not name the sponsor (law 2), or would greet somebody by
    the name of the brand.
    """
    problems = [] if has_name(ports, sponsor) else [FieldProblem("first_name", "missing")]
    for at, referee in enumerate(referees):
        try:
            require_not_the_brand(referee.first_name or "", campaign.brand.name)
        except FirstNameError as error:
            problems.append(FieldProblem(f"referees[{at}].first_name", error.reason))
    if problems:
        raise InvalidError(problems)


def _request_hash(referees: Sequence[Referee], idempotency_key: str = "") -> str:
    """Which call it was. With the key, which is stored nowhere: otherwise whoever reads the table
    could try addresses. Earlier versions left it out.
    """
    typed = [
        [each.address.typed, each.first_name, *([each.locale] if each.locale else [])]
        for each in referees
    ]
    return hashed(idempotency_key + json.dumps(typed))


def _earlier(
    ports: Ports, session: Session, referees: Sequence[Referee], idempotency_key: str | None
) -> Submission | None:
    if idempotency_key is None:
        return None
    earlier = ports.repository.get(
        Submission, sponsor_id=session.sponsor_id, key_hash=hashed(idempotency_key)
    )
    same = {_request_hash(referees, idempotency_key), _request_hash(referees)}
    if earlier and earlier.request_hash not in same:
        raise InvalidError([FieldProblem("Idempotency-Key", "used_for_another_request")])
    return earlier


def _receive(
    ports: Ports,
    campaign: Campaign,
    sponsor: Sponsor,
    counted: Sequence[Change],
    referees: Sequence[Referee],
    channel: Channel,
    idempotency_key: str | None,
) -> tuple[str, ...]:
    changes: list[Change] = [*counted]
    facts: list[Fact] = []
    ids: list[str] = []
    # By a link she is one once somebody has confirmed: a sign-up is anybody's.
    is_first = channel is Channel.EMAIL and not sponsor.has_invited
    for referee in referees:
        contact, invitation = _invitation(ports, campaign, sponsor, referee, channel)
        changes += [Insert(contact), Insert(invitation)]
        body = InvitationReceived.of(invitation, is_first=is_first and not facts)
        facts.append(invitation_fact(ports, invitation, body))
        ids.append(invitation.invitation_id)
    if idempotency_key is not None:
        submission = Submission(
            sponsor_id=sponsor.sponsor_id,
            key_hash=hashed(idempotency_key),
            request_hash=_request_hash(referees, idempotency_key),
            invitation_ids=tuple(ids),
            ends_at=ports.clock() + SUBMISSION_KEPT_FOR,
        )
        changes.append(Insert(submission))
    ports.repository.commit(*changes, facts=facts)
    return tuple(ids)


def _invitation(
    ports: Ports, campaign: Campaign, sponsor: Sponsor, referee: Referee, channel: Channel
) -> tuple[Contact, Invitation]:
    contact = new_contact(
        campaign,
        referee.address,
        contact_id=ports.codes.identifier(),
        locale=referee.locale or sponsor.locale,
        ends_at=campaign.contact_ends_at(),
        first_name=referee.first_name,
    )
    invitation = new_invitation(
        campaign,
        sponsor,
        contact,
        channel,
        invitation_id=ports.codes.identifier(),
        masked=referee.address.masked,
        now=ports.clock(),
    )
    return contact, invitation
