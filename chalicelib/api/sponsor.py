"""The sponsor's routes, behind a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from chalice.app import Blueprint

from chalicelib.api import held_vouchers, models, operations
from chalicelib.api.edge import (
    Call,
    Edge,
    Reply,
    address_in,
    name_problem,
    not_handled,
    tidy_name,
)
from chalicelib.api.operations import SHORT_LINK
from chalicelib.domain.addresses import Address
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.first_names import first_name
from chalicelib.domain.invitations import Invitation, seen_by_sponsor
from chalicelib.domain.people import Sponsor, is_link_stopped
from chalicelib.domain.wallets import Wallet
from chalicelib.services.errors import FieldProblem, InvalidError
from chalicelib.services.invitations.invite import Referee, invite
from chalicelib.services.lookups import current_campaign
from chalicelib.services.ports import Ports
from chalicelib.services.sponsors.renew_link import renew_link
from chalicelib.services.sponsors.sessions import end_session, give_name, signed_in
from chalicelib.services.sponsors.space import SponsorSpace, view_sponsor_space
from chalicelib.services.voucher_views import require_wallet, shown_vouchers

if TYPE_CHECKING:
    from chalicelib.services.mails.draft import Sender


def sponsor_routes(
    ports: Callable[[], Ports],
    origin: Callable[[], str],
    origin_key: Callable[[], str],
    sender: Callable[[], Sender],
) -> Blueprint:
    """The blueprint of the sponsor's routes. `origin` is where the pages are, `sender` where mails
    come from.
    """
    edge = Edge(Blueprint(__name__), ports, origin_key)

    @edge.serves(operations.GET_SPONSOR)
    def get_sponsor(call: Call) -> Reply:
        session = signed_in(call.ports, call.bearer())
        space = view_sponsor_space(call.ports, session, not_handled)
        return _space(call.ports, space, origin())

    @edge.serves(operations.SPONSORS_APPLE_PASS)
    def apple_pass(call: Call, voucher: str) -> Reply:
        return held_vouchers.apple_pass(call, held(call, Wallet.APPLE), voucher)

    @edge.serves(operations.SPONSORS_GOOGLE_PASS)
    def google_pass(call: Call, voucher: str) -> Reply:
        return held_vouchers.google_pass(call, held(call, Wallet.GOOGLE), voucher, origin())

    def held(call: Call, wallet: Wallet) -> held_vouchers.Held:
        require_wallet(call.ports, wallet)
        session = signed_in(call.ports, call.bearer())
        campaign = current_campaign(call.ports, session.campaign)
        vouchers = shown_vouchers(call.ports, session.sponsor_id, not_handled)
        return held_vouchers.Held(campaign, vouchers)

    @edge.serves(operations.NAME_SPONSOR)
    def name_sponsor(call: Call) -> Reply:
        session = signed_in(call.ports, call.bearer())
        give_name(call.ports, session, first_name(call.body(models.FirstNameRequest).first_name))
        return None

    @edge.serves(operations.INVITE)
    def post_invitations(call: Call) -> Reply:
        session = signed_in(call.ports, call.bearer())
        body = call.body(models.InvitationsRequest)
        referees = _referees(body)
        ids = invite(call.ports, session, referees, call.idempotency_key(), call.network())
        call.concerns(*ids)
        return models.InvitationsAnswer(
            invitations=[models.InvitationTaken(id=each) for each in ids]
        )

    @edge.serves(operations.PREVIEW_INVITATION)
    def preview(call: Call) -> Reply:
        from chalicelib.services.mails.preview import preview_invitation  # loads the mails

        session = signed_in(call.ports, call.bearer())
        body = call.body(models.PreviewRequest)
        problem = name_problem("first_name", body.first_name)
        if problem:
            raise InvalidError([problem])
        name = tidy_name(body.first_name)
        made = preview_invitation(call.ports, sender(), session, body.locale, name)
        return models.PreviewAnswer(**asdict(made))

    @edge.serves(operations.RENEW_LINK)
    def post_link(call: Call) -> Reply:
        campaign, sponsor = renew_link(call.ports, signed_in(call.ports, call.bearer()))
        return _link(campaign, sponsor, origin())

    @edge.serves(operations.END_SESSION)
    def delete_session(call: Call) -> Reply:
        end_session(call.ports, call.bearer())
        return None

    return edge.blueprint


def _referees(body: models.InvitationsRequest) -> list[Referee]:
    referees: list[Referee] = []
    problems: list[FieldProblem] = []
    for at, given in enumerate(body.referees):
        address = address_in(f"referees[{at}].email", given.email, as_typed=given.as_typed)
        wrong_name = name_problem(f"referees[{at}].first_name", given.first_name)
        problems += [it for it in (address, wrong_name) if isinstance(it, FieldProblem)]
        if isinstance(address, Address) and wrong_name is None:
            referees.append(Referee(address, tidy_name(given.first_name), body.locale))
    if problems:
        raise InvalidError(problems)
    return referees


def _space(ports: Ports, space: SponsorSpace, origin: str) -> models.SponsorAnswer:
    campaign = space.campaign
    return models.SponsorAnswer(
        campaign=campaign.id,
        first_name=space.first_name,
        link=_link(campaign, space.sponsor, origin),
        quota=models.QuotaAnswer(
            limit=campaign.quotas.invitations_per_sponsor,
            per_call=campaign.quotas.referees_per_call,
            left=space.invitations_left,
        ),
        invitations=[_invitation(ports, space, each) for each in space.invitations],
        vouchers=[
            held_vouchers.held_voucher(ports, space.campaign, each) for each in space.vouchers
        ],
    )


def _link(campaign: Campaign, sponsor: Sponsor, origin: str) -> models.LinkAnswer:
    url = f"{origin}{SHORT_LINK}{sponsor.link_code}"
    return models.LinkAnswer(
        url=url,
        code=sponsor.link_code,
        qr_svg=_qr(url),
        stopped=is_link_stopped(sponsor, campaign),
    )


def _qr(url: str) -> str:
    import segno  # imported here: no other route needs it

    return segno.make(url, error="m").svg_inline(scale=4, border=2, omitsize=True)


def _invitation(
    ports: Ports, space: SponsorSpace, invitation: Invitation
) -> models.InvitationAnswer:
    return models.InvitationAnswer(
        id=invitation.invitation_id,
        address=invitation.masked,
        state=seen_by_sponsor(invitation, ports.clock()),
        invited_at=invitation.received_at.isoformat(),
        closes_on=space.campaign.local_date(invitation.closes_at).isoformat(),
    )
