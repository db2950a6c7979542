"""Staying signed in on a device: by choice alone, in every tab, until it ends or one signs out."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .answers import SPACE
from .conftest import OpenPage
from .front import ScriptedApi

pytestmark = pytest.mark.browser

SESSIONS = "POST /v1/campaigns/demo-vip/sessions"
LINK = "/sponsor/?campaign=demo-vip#token=t0k"
SPACE_PAGE = "/sponsor/?campaign=demo-vip"


def entered(api: ScriptedApi, open_page: OpenPage, *, stays: bool, until: str) -> Page:
    api.answers(SESSIONS, 201, {"session": "s3ssion", "expires_at": until})
    api.answers("GET /v1/sponsor", 200, SPACE)
    page = open_page(LINK)
    box = page.get_by_label("Stay signed in on this device")
    expect(box).not_to_be_checked()
    if stays:
        box.check()
    page.get_by_role("button", name="Open my space").click()
    expect(page.get_by_role("heading", name="Hello Camille")).to_be_visible()
    return page


def another_tab(page: Page) -> Page:
    other = page.context.new_page()
    other.goto(SPACE_PAGE)
    return other


def test_who_chooses_it_is_signed_in_in_every_tab(api: ScriptedApi, open_page: OpenPage) -> None:
    page = entered(api, open_page, stays=True, until="2099-01-01T00:00:00Z")
    [call] = api.made(SESSIONS)
    assert call.body == {"token": "t0k", "stay_signed_in": True}
    other = another_tab(page)
    expect(other.get_by_role("heading", name="Hello Camille")).to_be_visible()
    other.goto("/?campaign=demo-vip")
    expect(other.get_by_role("link", name="Open my space")).to_be_visible()


def test_who_does_not_is_signed_in_in_this_tab_alone(api: ScriptedApi, open_page: OpenPage) -> None:
    page = entered(api, open_page, stays=False, until="2099-01-01T00:00:00Z")
    [call] = api.made(SESSIONS)
    assert call.body == {"token": "t0k"}
    assert "s3ssion" not in page.evaluate("JSON.stringify(localStorage)")
    expect(another_tab(page).get_by_role("button", name="Send me my link")).to_be_visible()


def test_signing_out_ends_it_on_the_server_and_on_the_device(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.answers("DELETE /v1/sponsor/session", 204)
    page = entered(api, open_page, stays=True, until="2099-01-01T00:00:00Z")
    page.locator("#addresses").fill("Jeanne <jeanne@example.fr>, ")
    expect(page.locator(".chip")).to_have_count(1)
    page.locator("#message").fill("For Jeanne")
    assert "Jeanne" in page.evaluate("JSON.stringify(sessionStorage)")
    with page.expect_response("**/v1/sponsor/session"):
        page.get_by_role("button", name="Sign out").click()
    assert "Jeanne" not in page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    [call] = api.made("DELETE /v1/sponsor/session")
    assert call.headers["authorization"] == "Bearer s3ssion"
    assert "s3ssion" not in page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    expect(another_tab(page).get_by_role("button", name="Send me my link")).to_be_visible()


def test_one_that_the_server_has_ended_is_forgotten(api: ScriptedApi, open_page: OpenPage) -> None:
    page = entered(api, open_page, stays=True, until="2099-01-01T00:00:00Z")
    api.script[("GET", "/v1/sponsor")] = []
    api.refuses("GET /v1/sponsor", 401, "unauthorised")
    other = another_tab(page)
    expect(other.get_by_role("button", name="Send me my link")).to_be_visible()
    assert "s3ssion" not in other.evaluate("JSON.stringify(localStorage)")


def test_one_past_its_time_is_not_used(api: ScriptedApi, open_page: OpenPage) -> None:
    page = entered(api, open_page, stays=True, until="2020-01-01T00:00:00Z")
    asked = len(api.made("GET /v1/sponsor"))
    expect(another_tab(page).get_by_role("button", name="Send me my link")).to_be_visible()
    assert len(api.made("GET /v1/sponsor")) == asked


def stored(page: Page, session: str, *, in_tab: bool) -> None:
    """As if the page had stored it earlier."""
    place = "sessionStorage" if in_tab else "localStorage"
    value = f'{{"session": "{session}", "expires_at": "2099-01-01T00:00:00Z"}}'
    page.evaluate(f"value => {place}.setItem('tandem.session.demo-vip', value)", value)


def test_a_tab_whose_session_has_ended_goes_on_with_that_of_the_device(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    page = entered(api, open_page, stays=False, until="2099-01-01T00:00:00Z")
    stored(page, "kept", in_tab=False)
    api.script[("GET", "/v1/sponsor")] = []
    api.refuses("GET /v1/sponsor", 401, "unauthorised")
    api.answers("GET /v1/sponsor", 200, SPACE)
    page.goto(SPACE_PAGE)
    expect(page.get_by_role("heading", name="Hello Camille")).to_be_visible()
    bearers = [call.headers["authorization"] for call in api.made("GET /v1/sponsor")[-2:]]
    assert bearers == ["Bearer s3ssion", "Bearer kept"]
    assert "kept" in page.evaluate("JSON.stringify(localStorage)")


def test_what_one_sponsor_entered_is_not_sent_as_the_one_who_stays_signed_in(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    page = entered(api, open_page, stays=False, until="2099-02-02T00:00:00Z")
    page.get_by_role("textbox", name="E-mail addresses").fill("jeanne@example.fr,")
    stored(page, "another", in_tab=False)
    api.refuses("POST /v1/sponsor/invitations", 401, "unauthorised")
    api.script[("GET", "/v1/sponsor")] = []
    link = {**SPACE["link"], "code": "ANOTHER2"}  # type: ignore[dict-item]
    api.answers("GET /v1/sponsor", 200, {**SPACE, "first_name": "Bernard", "link": link})
    page.locator("#send").click()
    expect(page.get_by_role("heading", name="Hello Bernard")).to_be_visible()
    [sent] = api.made("POST /v1/sponsor/invitations")
    assert sent.headers["authorization"] == "Bearer s3ssion"
    assert "jeanne" not in page.evaluate("JSON.stringify(sessionStorage)")
    expect(page.locator(".chip")).to_have_count(0)


def test_signing_out_forgets_what_was_typed_on_any_page(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.answers("DELETE /v1/sponsor/session", 204)
    page = entered(api, open_page, stays=False, until="2099-01-01T00:00:00Z")
    page.goto("/?campaign=demo-vip")
    page.locator("#sign-in-email").fill("anne@example.fr")
    page.goto("/sponsor/?campaign=demo-vip#token=an0ther")
    page.get_by_label("Your first name").fill("Anne")
    assert "Anne" in page.evaluate("JSON.stringify(sessionStorage)")
    page.goto(SPACE_PAGE)
    page.evaluate("sessionStorage.removeItem('tandem.fragment./sponsor/')")
    page.reload()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.evaluate("Object.keys(sessionStorage)") == []


def test_a_first_name_goes_with_the_link_that_it_was_typed_for(open_page: OpenPage) -> None:
    page = open_page("/sponsor/?campaign=demo-vip#token=f1rst")
    page.get_by_label("Your first name").fill("Anne")
    page.reload()
    expect(page.get_by_label("Your first name")).to_have_value("Anne")
    page.goto("/sponsor/?campaign=demo-vip#token=s3cond")
    expect(page.get_by_label("Your first name")).to_have_value("")


def test_signing_out_ends_the_tabs_session_and_that_of_the_device(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.answers("DELETE /v1/sponsor/session", 204)
    page = entered(api, open_page, stays=False, until="2099-01-01T00:00:00Z")
    stored(page, "kept", in_tab=False)
    with page.expect_response(lambda one: one.request.headers["authorization"] == "Bearer kept"):
        page.get_by_role("button", name="Sign out").click()
    ended = [call.headers["authorization"] for call in api.made("DELETE /v1/sponsor/session")]
    assert ended == ["Bearer s3ssion", "Bearer kept"]
    assert "kept" not in page.evaluate("JSON.stringify(localStorage)")


def test_a_session_that_another_takes_the_place_of_is_ended(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.answers("DELETE /v1/sponsor/session", 204)
    page = open_page("/?campaign=demo-vip")
    stored(page, "former", in_tab=False)
    api.answers(SESSIONS, 201, {"session": "s3ssion", "expires_at": "2099-01-01T00:00:00Z"})
    api.answers("GET /v1/sponsor", 200, SPACE)
    page.goto(LINK)
    page.get_by_label("Stay signed in on this device").check()
    with page.expect_response("**/v1/sponsor/session"):
        page.get_by_role("button", name="Open my space").click()
    [call] = api.made("DELETE /v1/sponsor/session")
    assert call.headers["authorization"] == "Bearer former"
    assert "s3ssion" in page.evaluate("JSON.stringify(localStorage)")
