"""The sponsor's routes, behind a session."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from chalice.app import Blueprint

from chalicelib.api import models, operations
from chalicelib.api.edge import Call, Edge, Reply, address_problem, name_problem, tidy_name
from chalicelib.domain.files.exports import decimal_text
from chalicelib.domain.invitations import Invitation, seen_by_sponsor
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.errors import InvalidError
from chalicelib.services.invitations.invite import Referee, invite
from chalicelib.services.ports import Ports
from chalicelib.services.sponsors.sign_in import signed_in
from chalicelib.services.sponsors.space import SponsorSpace, view_sponsor_space, voucher_view


def sponsor_routes(ports: Callable[[], Ports], origin: Callable[[], str]) -> Blueprint:
    """The blueprint of the sponsor's routes. `origin` is where the pages are."""
    edge = Edge(Blueprint(__name__), ports)

    @edge.serves(operations.GET_SPONSOR)
    def get_sponsor(call: Call) -> Reply:
        session = signed_in(call.ports, call.bearer())
        return _space(call.ports, view_sponsor_space(call.ports, session), origin())

    @edge.serves(operations.INVITE)
    def post_invitations(call: Call) -> Reply:
        session = signed_in(call.ports, call.bearer())
        body = call.body(models.InvitationsRequest)
        referees = _referees(body)
        ids = invite(call.ports, session, referees, call.idempotency_key())
        call.concerns(*ids)
        return models.InvitationsAnswer(invitations=[models.InvitationTaken(id=one) for one in ids])

    return edge.blueprint


def _referees(body: models.InvitationsRequest) -> list[Referee]:
    checks = chain.from_iterable(
        (
            address_problem(f"referees[{at}].email", one.email, as_typed=one.as_typed),
            name_problem(f"referees[{at}].first_name", one.first_name),
        )
        for at, one in enumerate(body.referees)
    )
    problems = [problem for problem in checks if problem]
    if problems:
        raise InvalidError(problems)
    return [Referee(one.email.strip(), tidy_name(one.first_name)) for one in body.referees]


def _space(ports: Ports, space: SponsorSpace, origin: str) -> models.SponsorAnswer:
    campaign = space.campaign
    url = f"{origin}/referee/?campaign={campaign.id}#link={space.sponsor.link_code}"
    return models.SponsorAnswer(
        campaign=campaign.id,
        first_name=space.first_name,
        link=models.LinkAnswer(url=url, code=space.sponsor.link_code, qr_svg=_qr(url)),
        quota=models.QuotaAnswer(
            limit=campaign.quotas.invitations_per_sponsor,
            per_call=campaign.quotas.referees_per_call,
            left=space.invitations_left,
        ),
        invitations=[_invitation(ports, space, one) for one in space.invitations],
        vouchers=[_voucher(space, one) for one in space.vouchers],
    )


def _qr(url: str) -> str:
    import segno  # here alone: no other route draws

    return segno.make(url, error="m").svg_inline(scale=4, border=2, omitsize=True)


def _invitation(ports: Ports, space: SponsorSpace, one: Invitation) -> models.InvitationAnswer:
    return models.InvitationAnswer(
        id=one.invitation_id,
        address=one.masked,
        state=seen_by_sponsor(one, ports.clock()),
        invited_at=one.received_at.isoformat(),
        closes_on=space.campaign.local_date(one.closes_at).isoformat(),
    )


def _voucher(space: SponsorSpace, one: Voucher) -> models.SponsorVoucher:
    view = voucher_view(one)
    return models.SponsorVoucher(
        id=one.voucher_id,
        template=one.template,
        value=decimal_text(one.value_minor),
        currency=one.currency,
        minimum_basket=decimal_text(one.minimum_basket_minor),
        valid_until=space.campaign.local_date(one.valid_until).isoformat(),
        state=view,
        code=one.printed if view == "available" else None,
    )
