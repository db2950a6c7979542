"""The routes of a sponsor's shared link: what is behind it, and its page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalice.app import Blueprint

from chalicelib.api import models, operations
from chalicelib.api.campaigns import campaign_answer
from chalicelib.api.edge import Call, Edge, Html, Reply
from chalicelib.observability import count, failed
from chalicelib.services.errors import UnknownError
from chalicelib.services.ports import Ports
from chalicelib.services.sponsors.shared_link import SharedLink, view_link, view_link_in

if TYPE_CHECKING:
    from types import ModuleType


def shared_link_routes(
    ports: Callable[[], Ports], origin: Callable[[], str], origin_key: Callable[[], str]
) -> Blueprint:
    """The blueprint of these routes. `origin` is where the pages are."""
    edge = Edge(Blueprint(__name__), ports, origin_key)

    @edge.serves(operations.GET_LINK)
    def get_link(call: Call, campaign: str, link_code: str) -> Reply:
        return _answer(view_link_in(call.ports, campaign, link_code.lower()))

    @edge.serves(operations.OPEN_LINK)
    def open_link(call: Call, link_code: str) -> Reply:
        from chalicelib.mails import cards  # loads templates, which most routes do not need

        code = link_code.lower()
        try:
            return _with_card(cards, call, view_link(call.ports, code), origin())
        except UnknownError:
            return _without_card(cards, call, code, 404)
        except Exception as error:  # A page that says so, in place of an answer for programs.
            count("RequestNotServed")
            failed(error, "link not shown")
            return _without_card(cards, call, code, 503)

    return edge.blueprint


def _with_card(cards: ModuleType, call: Call, link: SharedLink, origin: str) -> Html:
    campaign = link.campaign
    card = cards.card_of(
        campaign,
        link.code,
        link.sponsor_name,
        language=cards.card_language(call.header("accept-language"), campaign),
        origin=origin,
        is_open=link.is_usable,
    )
    is_open = campaign.is_open(call.ports.clock())
    given = {
        "link": link.code,
        "shared": _answer(link).model_dump(mode="json", include={"sponsor", "open"}),
        "campaign": campaign_answer(campaign, is_open=is_open).model_dump(mode="json"),
    }
    return Html(cards.share_page(call.ports.pages.referee_page(), card, given), scripted=True)


def _without_card(cards: ModuleType, call: Call, code: str, status: int) -> Html:
    given = {"link": code, "status": status}
    published = call.ports.pages.referee_page()
    page = cards.page_without_card(published, given, call.header("accept-language"))
    return Html(page, status=status, scripted=True)


def _answer(link: SharedLink) -> models.SharedLinkAnswer:
    return models.SharedLinkAnswer(
        campaign=link.campaign.id,
        sponsor=models.SponsorName(first_name=link.sponsor_name),
        open=link.is_usable,
    )
