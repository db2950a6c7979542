"""The public routes: campaigns, sign-in, a referee's response. They reveal nothing (law 8)."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import parse_qsl, quote

from chalice.app import Blueprint

from chalicelib.api import held_vouchers, models, operations
from chalicelib.api.campaigns import brand, campaign_answer, controller, privacy, terms
from chalicelib.api.edge import (
    Call,
    Download,
    Edge,
    Html,
    Redirect,
    Reply,
    accepted,
    address_in,
    name_problem,
    not_handled,
    tidy_name,
)
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.people import OppositionScope
from chalicelib.domain.privacy import Wish
from chalicelib.domain.wallets import Wallet
from chalicelib.observability import failed
from chalicelib.services.errors import InvalidError
from chalicelib.services.invitations import respond
from chalicelib.services.invitations.invite import Referee, sign_up
from chalicelib.services.lookups import current_campaign
from chalicelib.services.mails.stop_links import resume_links, stop_links
from chalicelib.services.objections import unsubscribe as objections
from chalicelib.services.ports import Ports
from chalicelib.services.privacy import confirm as confirm_privacy
from chalicelib.services.privacy.request import request_privacy
from chalicelib.services.sponsors.sessions import open_session
from chalicelib.services.sponsors.sign_in import request_sign_in
from chalicelib.services.voucher_views import require_wallet


def public_routes(
    ports: Callable[[], Ports], origin: Callable[[], str], origin_key: Callable[[], str]
) -> Blueprint:
    """The blueprint of the public routes. `origin` is where the pages are."""
    edge = Edge(Blueprint(__name__), ports, origin_key)

    @edge.serves(operations.GET_CAMPAIGN)
    def get_campaign(call: Call, campaign: str) -> Reply:
        found = current_campaign(call.ports, campaign)
        return campaign_answer(found, is_open=found.is_open(call.ports.clock()))

    @edge.serves(operations.SIGN_IN)
    def sign_in(call: Call, campaign: str) -> Reply:
        body = call.body(models.SignInRequest)
        address = accepted(address_in("email", body.email, as_typed=body.as_typed))
        request_sign_in(call.ports, campaign, address, body.locale)
        return models.Accepted()

    @edge.serves(operations.OPEN_SESSION)
    def sessions(call: Call, campaign: str) -> Reply:
        body = call.body(models.SessionRequest)
        problem = name_problem("first_name", body.first_name)
        if problem:
            raise InvalidError([problem])
        name = tidy_name(body.first_name)
        bearer, session = open_session(
            call.ports, campaign, body.token, name, is_kept=body.stay_signed_in
        )
        return models.SessionAnswer(session=bearer, expires_at=session.ends_at.isoformat())

    @edge.serves(operations.SIGN_UP)
    def link_sign_up(call: Call, campaign: str, link_code: str) -> Reply:
        body = call.body(models.SignUpRequest)
        address = accepted(
            address_in("email", body.email, as_typed=body.as_typed),
            name_problem("first_name", body.first_name),
        )
        # The name may have been typed by a stranger: no mail uses it.
        referee = Referee(address, locale=body.locale)
        call.concerns(*sign_up(call.ports, campaign, link_code.lower(), referee))
        return models.Accepted()

    @edge.serves(operations.GET_INVITATION)
    def get_invitation(call: Call, token: str) -> Reply:
        offer = respond.view_offer(call.ports, token, not_handled)
        call.concerns(offer.invitation.correlation)
        return _offer(call.ports, offer)

    @edge.serves(operations.REFEREES_APPLE_PASS)
    def apple_pass(call: Call, token: str, voucher: str) -> Reply:
        return held_vouchers.apple_pass(call, held(call, token, Wallet.APPLE), voucher)

    @edge.serves(operations.REFEREES_GOOGLE_PASS)
    def google_pass(call: Call, token: str, voucher: str) -> Reply:
        return held_vouchers.google_pass(call, held(call, token, Wallet.GOOGLE), voucher, origin())

    def held(call: Call, token: str, wallet: Wallet) -> held_vouchers.Held:
        require_wallet(call.ports, wallet)
        offer = respond.view_offer(call.ports, token, not_handled)
        call.concerns(offer.invitation.correlation)
        return held_vouchers.Held(offer.campaign, offer.vouchers)

    @edge.serves(operations.CONFIRM)
    def confirm(call: Call, token: str) -> Reply:
        body = call.body(models.ConfirmationRequest)
        referral, is_new = respond.confirm(
            call.ports, token, body.terms_version, body.marketing_consent, call.network()
        )
        call.concerns(referral.correlation)
        confirmation = models.ConfirmationAnswer(
            referral=referral.referral_id, confirmed_at=referral.confirmed_at.isoformat()
        )
        return (201 if is_new else 200), confirmation

    @edge.serves(operations.DECLINE)
    def decline(call: Call, token: str) -> Reply:
        call.concerns(respond.decline(call.ports, token))
        return None

    @edge.serves(operations.END_CONSENT)
    def end_consent(call: Call, token: str) -> Reply:
        call.concerns(respond.end_consent(call.ports, token))
        return None

    @edge.serves(operations.UNSUBSCRIBE)
    def unsubscribe(call: Call, token: str) -> Reply:
        scope = _scope_in(call.raw_body())
        objections.unsubscribe(call.ports, token, scope)
        if "text/html" not in call.header("accept"):
            return models.UnsubscribeAnswer()
        from chalicelib.mails import pages  # loads templates, which no other route needs

        try:
            campaign = objections.campaign_behind(call.ports, token)
        except Exception as error:  # The objection is recorded: the answer says so without a brand.
            failed(error, "campaign of an objection not read")
            campaign = None
        locale = pages.locale_for(call.header("accept-language"), campaign)
        return Html(pages.refused_page(campaign, scope, locale))

    @edge.serves(operations.OPEN_UNSUBSCRIBE)
    def open_unsubscribe(_: Call, token: str) -> Reply:
        return Redirect(f"./{quote(token, safe='')}/page")

    @edge.serves(operations.UNSUBSCRIBE_PAGE)
    def unsubscribe_page(call: Call, token: str) -> Reply:
        from chalicelib.mails import pages

        campaign = objections.campaign_behind(call.ports, token)
        locale = pages.locale_for(call.header("accept-language"), campaign)
        return Html(pages.unsubscribe_page(campaign, locale, f"../{quote(token, safe='')}"))

    @edge.serves(operations.MAKE_PRIVACY_REQUEST)
    def make_privacy_request(call: Call) -> Reply:
        body = call.body(models.PrivacyRequestBody)
        address = accepted(address_in("email", body.email, as_typed=body.as_typed))
        request_privacy(call.ports, body.campaign, address, Wish(body.wish), body.locale)
        return models.Accepted()

    @edge.serves(operations.GET_PRIVACY_REQUEST)
    def get_privacy_request(call: Call, token: str) -> Reply:
        return _privacy_request(confirm_privacy.view_request(call.ports, token))

    @edge.serves(operations.TAKE_FILE)
    def take_file(call: Call, token: str) -> Reply:
        file = confirm_privacy.take_file(call.ports, token)
        return (202, models.PreparingAnswer()) if file is None else Download("my-data.json", file)

    @edge.serves(operations.CONFIRM_ERASURE)
    def confirm_erasure(call: Call, token: str) -> Reply:
        confirm_privacy.confirm_erasure(call.ports, token)
        return models.ErasureAnswer()

    @edge.serves(operations.STOP_SIGN_INS)
    def post_sign_in_stop(call: Call, token: str) -> Reply:
        stop_links(call.ports, token)
        return None

    @edge.serves(operations.RESUME_SIGN_INS)
    def delete_sign_in_stop(call: Call, token: str) -> Reply:
        resume_links(call.ports, token)
        return None

    return edge.blueprint


def _scope_in(body: bytes) -> OppositionScope:
    """What a body asks for: JSON, the page's form, or whatever a mail program posts, which is the
    narrower scope.
    """
    text = body.decode("utf-8", errors="replace")
    try:
        asked = json.loads(text)
        scope = asked.get("scope") if isinstance(asked, dict) else None
    except (ValueError, RecursionError):
        scope = dict(parse_qsl(text)).get("scope")
    return OppositionScope.ALL if scope == OppositionScope.ALL else OppositionScope.INVITATIONS


def _offer(ports: Ports, offer: respond.Offer) -> models.OfferAnswer:
    campaign, invitation = offer.campaign, offer.invitation
    return models.OfferAnswer(
        campaign=campaign.id,
        sponsor=models.SponsorName(first_name=offer.sponsor_name),
        state="confirmed" if invitation.referral_id else "pending",
        brand=brand(campaign),
        title=campaign.title,
        offer=campaign.offer_to(HolderRole.REFEREE),
        terms=terms(campaign),
        controller=controller(campaign),
        privacy=privacy(campaign),
        closes_on=campaign.local_date(invitation.closes_at).isoformat(),
        locale=invitation.locale,
        marketing_consent=offer.has_consented,
        vouchers=[
            held_vouchers.held_voucher(ports, campaign, voucher) for voucher in offer.vouchers
        ],
    )


def _privacy_request(asked: confirm_privacy.PrivacyRequest) -> models.PrivacyRequestAnswer:
    campaign = asked.campaign
    return models.PrivacyRequestAnswer(
        campaign=campaign.id,
        wish=asked.wish.value,
        state="started" if asked.is_started else "open",
        address=asked.contact.address.masked,
        brand=brand(campaign),
        controller=controller(campaign),
        privacy=privacy(campaign),
        ends_at=asked.ends_at.isoformat(),
    )
