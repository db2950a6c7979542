"""The page of a shared link as the API makes it: the sign-up at once, and what goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from chalicelib.mails.cards import card_of, page_without_card, share_page
from tests.api.world import campaign_like_demo

from .answers import CAMPAIGN, SHARED_LINK
from .conftest import OpenPage
from .front import Front, ScriptedApi

pytestmark = pytest.mark.browser

PATH = "/p/K7QM2"
SIGN_UP = "POST /v1/campaigns/demo-vip/links/K7QM2/sign-up"
GIVEN = {
    "link": "K7QM2",
    "shared": {"sponsor": SHARED_LINK["sponsor"], "open": True},
    "campaign": CAMPAIGN,
}


@pytest.fixture
def published(pages: Path) -> str:
    return (pages / "referee/index.html").read_text("utf-8")


def made(published: str | None, language: str = "en") -> str:
    card = card_of(
        campaign_like_demo(), "K7QM2", "Camille", language=language,
        origin="https://tandem.example", is_open=True,
    )  # fmt: skip
    return share_page(published, card, GIVEN)


def test_it_is_the_sign_up_and_asks_nobody_for_what_came_with_it(
    api: ScriptedApi, open_page: OpenPage, published: str
) -> None:
    api.link_pages[PATH] = (200, made(published))
    api.answers(SIGN_UP, 202, {"status": "accepted"})
    page = open_page(PATH)
    expect(page.get_by_role("heading", name="Camille invites you to discover")).to_be_visible()
    expect(page.get_by_role("img", name="Maison Verte")).to_be_visible()
    assert api.calls == []
    page.get_by_label("E-mail address").fill("jeanne@example.fr")
    page.get_by_role("button", name="Receive the offer").click()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_focused()
    [call] = api.calls
    assert call.body == {"email": "jeanne@example.fr", "locale": "en"}
    page.reload()
    expect(page.get_by_role("button", name="Receive the offer")).to_be_visible()


def test_its_texts_are_fetched_once(api: ScriptedApi, open_page: OpenPage, published: str) -> None:
    api.link_pages[PATH] = (200, made(published))
    page = open_page(PATH)
    expect(page.get_by_role("heading", name="Camille invites you to discover")).to_be_visible()
    fetched = page.evaluate(
        "performance.getEntriesByType('resource').map((one) => one.name)"
        ".filter((name) => name.endsWith('.json'))"
    )
    assert len(fetched) == 1


def test_a_link_that_there_is_not_says_so(
    api: ScriptedApi, open_page: OpenPage, published: str
) -> None:
    api.link_pages[PATH] = (200, page_without_card(published, {"link": "K7QM2", "status": 404}))
    page = open_page(PATH)
    expect(page.get_by_role("heading", name="We do not recognise this link")).to_be_visible()
    assert api.calls == []


def test_a_failure_is_said_and_trying_again_asks_for_the_page_anew(
    api: ScriptedApi, open_page: OpenPage, published: str
) -> None:
    api.link_pages[PATH] = (200, page_without_card(published, {"link": "K7QM2", "status": 503}))
    page = open_page(PATH)
    expect(page.locator("#failure-reason")).not_to_be_empty()
    api.link_pages[PATH] = (200, made(published))
    page.locator("#retry").click()
    expect(page.get_by_role("button", name="Receive the offer")).to_be_visible()


def test_without_the_published_page_a_link_without_scripts_leads_to_it(
    api: ScriptedApi, browser: Browser, front: Front
) -> None:
    api.link_pages[PATH] = (200, made(None))
    context = browser.new_context(base_url=front.origin, java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(PATH)
        expect(page.get_by_role("link", name="See the invitation")).to_have_attribute(
            "href", "/referee/?campaign=demo-vip#link=K7QM2"
        )
    finally:
        context.close()
