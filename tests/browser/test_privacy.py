"""“Your data”: a request that says the same to everyone, and a link whose buttons alone do
anything.
"""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from .answers import PRIVACY_REQUEST
from .conftest import OpenPage
from .front import ScriptedApi

pytestmark = pytest.mark.browser

PAGE = "/privacy/?campaign=demo-vip"
LINK = f"{PAGE}#token=t0k-en_1"
ASK, GET = "POST /v1/privacy/requests", "GET /v1/privacy/t0k-en_1"
FILE, ERASE = "POST /v1/privacy/t0k-en_1/file", "POST /v1/privacy/t0k-en_1/erasure"


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1, name=text)).to_be_focused()


@pytest.mark.parametrize(
    ("wish", "label"), [("export", "Get a copy of my data"), ("erase", "Have my data erased")]
)
def test_a_request_names_the_wish_and_is_answered_honestly(
    api: ScriptedApi, open_page: OpenPage, wish: str, label: str
) -> None:
    api.answers(ASK, 202, {"status": "accepted"})
    page = open_page(PAGE)
    expect(page.get_by_text("programmes of Maison Verte")).to_be_visible()
    page.get_by_label(label).check()
    page.get_by_label("E-mail address").fill("jeanne@example.fr")
    page.get_by_role("button", name="Send my request").click()
    heading(page, "We have your request")
    expect(page.get_by_text("If we keep anything about this address")).to_be_visible()
    [made] = api.made(ASK)
    assert made.body == {
        "campaign": "demo-vip", "wish": wish, "email": "jeanne@example.fr", "locale": "en",
    }  # fmt: skip


def test_the_file_is_saved_once_it_is_made(api: ScriptedApi, open_page: OpenPage) -> None:
    api.answers(GET, 200, PRIVACY_REQUEST)
    api.answers(FILE, 202, {"status": "preparing"})
    api.answers(FILE, 200, {"address": "jeanne@example.fr", "campaigns": []})
    page = open_page(LINK)
    button = page.get_by_role("button", name="Download my data")
    expect(button).to_be_visible()
    assert "#" not in page.url
    assert api.made(FILE) == []
    with page.expect_download(timeout=15_000) as saved:
        button.click()
        expect(page.get_by_text("Your file is being prepared")).to_be_visible()
    assert saved.value.suggested_filename == "my-data.json"
    file = json.loads(saved.value.path().read_text("utf-8"))
    assert file == {"address": "jeanne@example.fr", "campaigns": []}
    expect(page.get_by_text("Your file is downloaded")).to_be_visible()
    assert len(api.made(FILE)) == 2


def test_the_page_says_what_an_erasure_does_before_and_after_the_press(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.answers(GET, 200, PRIVACY_REQUEST | {"wish": "erase"})
    api.answers(ERASE, 202, {"status": "started"})
    page = open_page(LINK)
    for said in ("j•••@e•••.fr", "It cannot be undone", "for whoever has the code", "35 days"):
        expect(page.locator("[data-state=erasure]").get_by_text(said).first).to_be_visible()
    assert [f"{call.method} {call.path}" for call in api.own] == [GET]
    page.get_by_role("button", name="Erase for good").click()
    heading(page, "Your data are being erased")
    for said in ("an hour at most", "for whoever has the code", "35 days"):
        expect(page.locator("[data-state=started]").get_by_text(said).first).to_be_visible()
    assert len(api.made(ERASE)) == 1


def test_a_copy_can_be_taken_before_an_erasure(api: ScriptedApi, open_page: OpenPage) -> None:
    api.answers(GET, 200, PRIVACY_REQUEST | {"wish": "erase"})
    api.answers(FILE, 200, {"address": "jeanne@example.fr"})
    page = open_page(LINK)
    with page.expect_download():
        page.get_by_role("button", name="Download a copy first").click()
    expect(page.get_by_role("button", name="Erase for good")).to_be_visible()


def test_an_erasure_under_way_is_shown_as_such(api: ScriptedApi, open_page: OpenPage) -> None:
    api.answers(GET, 200, PRIVACY_REQUEST | {"wish": "erase", "state": "started"})
    page = open_page(LINK)
    expect(page.get_by_role("heading", name="Your data are being erased")).to_be_visible()


@pytest.mark.parametrize("call", [GET, FILE, ERASE])
def test_a_link_that_is_over_leads_to_a_new_request(
    api: ScriptedApi, open_page: OpenPage, call: str
) -> None:
    if call != GET:
        api.answers(GET, 200, PRIVACY_REQUEST | {"wish": "erase" if call == ERASE else "export"})
    api.refuses(call, 410, "over")
    page = open_page(LINK)
    if call == FILE:
        page.get_by_role("button", name="Download my data").click()
    if call == ERASE:
        page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("heading", name="This link no longer works")).to_be_visible()
    page.get_by_role("button", name="Make a new request").click()
    heading(page, "Your data")


@pytest.mark.parametrize(
    ("call", "button"), [(FILE, "Download my data"), (ERASE, "Erase for good")]
)
def test_a_failure_is_reported_and_nothing_is_lost(
    api: ScriptedApi, open_page: OpenPage, call: str, button: str
) -> None:
    api.answers(GET, 200, PRIVACY_REQUEST | {"wish": "erase" if call == ERASE else "export"})
    api.refuses(call, 503, "unavailable")
    page = open_page(LINK)
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("alert").filter(has_text="nothing has been lost")).to_be_visible()


def test_a_page_that_could_not_be_loaded_can_be_tried_again(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.refuses(GET, 503, "unavailable")
    api.answers(GET, 200, PRIVACY_REQUEST)
    page = open_page(LINK)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Download my data")).to_be_visible()


def test_a_campaign_that_does_not_exist_is_said_so(open_page: OpenPage) -> None:
    page = open_page("/privacy/?campaign=nowhere")
    expect(page.get_by_role("heading", name="This programme does not exist")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/sponsor/", "/referee/", "/404.html", "/unsubscribe/"])
def test_every_page_leads_to_it_for_its_campaign(open_page: OpenPage, path: str) -> None:
    page = open_page(f"{path}?campaign=demo-vip")
    link = page.get_by_role("link", name="Your data")
    expect(link).to_have_attribute("href", "/privacy/?campaign=demo-vip")
