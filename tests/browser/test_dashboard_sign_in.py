"""Signing in to the dashboard: codes, tokens, their end, and a wall on which nobody signs in."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from playwright.sync_api import Locator, Page, expect

from .answers import dashboard
from .conftest import OpenPage, Watch
from .front import SETTINGS, Front, ScriptedApi
from .sign_in import (
    DASHBOARD,
    DRAWN,
    REVOCATION,
    TOKEN,
    asked_for,
    bearers,
    drawn,
    form,
    id_token,
    signed_in,
    stored,
    tokens,
)
from .test_every_page import FAULTS_OF_CONTRAST, FAULTS_OF_STRUCTURE, SCHEMES

pytestmark = pytest.mark.browser

PAGE = "/dashboard/?campaign=demo-vip"
WALL = "GET /v1/campaigns/demo-vip/wall"


def invited(page: Page) -> Locator:
    """The count, also while a wall shows other tables."""
    return page.locator("#funnel-invitations td").first


def notice(page: Page, text: str) -> Locator:
    return page.get_by_role("alert").filter(has_text=text)


@pytest.fixture
def shown(api: ScriptedApi, open_page: OpenPage) -> Page:
    """A dashboard of somebody who has signed in, whose clock the test moves."""
    api.answers(DASHBOARD, 200, dashboard())
    page = open_page(PAGE, width=1280, clock=True, before=signed_in())
    expect(invited(page)).to_have_text("1,240")
    return page


def answer_from_now_on(api: ScriptedApi, call: str, status: int, body: object = None) -> None:
    method, path = call.split(" ")
    api.script.pop((method, path), None)
    api.answers(call, status, body)


def look_again(page: Page) -> None:
    """An hour passes, and the reader comes back to the tab."""
    page.clock.fast_forward(3_600_000)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    # Whatever the page asks now has been sent before this is answered.
    page.evaluate("fetch('/favicon.svg').then(() => {})")


def press_sign_in(page: Page) -> None:
    page.get_by_role("button", name="Sign in").click()


def test_a_reader_signs_in_with_a_code_and_its_verifier(
    api: ScriptedApi, front: Front, open_page: OpenPage
) -> None:
    api.answers(DASHBOARD, 200, dashboard())
    api.answers(TOKEN, 200, tokens(nonce=drawn(2)))
    page = open_page(PAGE, before=DRAWN)
    expect(page.get_by_text("with a second factor")).to_be_visible()
    press_sign_in(page)
    expect(invited(page)).to_have_text("1,240")
    asked, (exchanged,) = asked_for(api), api.made(TOKEN)
    assert {name: asked[name] for name in ("response_type", "client_id", "scope", "lang")} == {
        "response_type": "code",
        "client_id": "cl1ent",
        "scope": "openid",
        "lang": "en",
    }
    sent = form(exchanged)
    verifier = sent.pop("code_verifier")
    assert sent == {
        "grant_type": "authorization_code",
        "client_id": "cl1ent",
        "redirect_uri": f"{front.origin}/dashboard/",
        "code": "c0de",
    }
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode()
    assert (asked["code_challenge"], asked["code_challenge_method"]) == (digest.rstrip("="), "S256")
    assert (asked["state"], asked["nonce"], verifier) == (drawn(1), drawn(2), drawn(3))
    assert page.url == f"{front.origin}{PAGE}"
    assert "tandem.sign-in" not in stored(page)
    assert page.evaluate("localStorage.length + document.cookie.length") == 0
    expect(page.get_by_text("marie@agence.example")).to_be_visible()


def test_a_copied_link_opens_its_view_for_who_has_to_sign_in_first(
    api: ScriptedApi, front: Front, open_page: OpenPage
) -> None:
    api.answers(DASHBOARD, 200, dashboard())
    api.answers(TOKEN, 200, tokens(nonce=drawn(2)))
    view = f"{PAGE}&period=7&channel=link"
    page = open_page(view, before=DRAWN)
    press_sign_in(page)
    expect(page.locator("#channel")).to_have_value("link")
    expect(page.get_by_role("button", name="7 days")).to_have_attribute("aria-pressed", "true")
    assert page.url == f"{front.origin}{view}"


def test_another_campaign_than_the_addresss_has_no_view_of_its_own(
    api: ScriptedApi, front: Front, open_page: OpenPage
) -> None:
    api.answers("GET /v1/ops/campaigns/other/dashboard", 200, dashboard())
    api.answers(TOKEN, 200, tokens(nonce=drawn(2)))
    page = open_page(f"{PAGE}&period=7&channel=link", before=DRAWN)
    page.locator("#campaign").fill("other")
    press_sign_in(page)
    expect(invited(page)).to_have_text("1,240")
    expect(page.locator("#channel")).to_have_value("")
    assert page.url == f"{front.origin}/dashboard/?campaign=other"


def test_no_two_attempts_have_a_secret_in_common(api: ScriptedApi, open_page: OpenPage) -> None:
    api.answers(TOKEN, 400, {"error": "invalid_grant"})
    page = open_page(PAGE)
    seen = []
    for _ in range(2):
        with page.expect_response("**/oauth2/token"):
            press_sign_in(page)
        expect(notice(page, "not signed in")).to_be_visible()
        seen.append(asked_for(api))
    for name in ("state", "nonce", "code_challenge"):
        assert seen[0][name] != seen[1][name]
        assert len(seen[0][name]) == 43


@pytest.mark.parametrize(
    ("sent", "exchanged"),
    [
        ({"state": "somebody-elses"}, 0),
        ({"code": ""}, 0),
        ({"code": "", "error": "access_denied"}, 0),
        ({}, 1),  # a token without the nonce
    ],
    ids=["state", "no code", "error", "nonce"],
)
def test_what_is_no_answer_to_this_tab_signs_nobody_in(
    api: ScriptedApi, open_page: OpenPage, sent: dict[str, str], exchanged: int
) -> None:
    api.answers(TOKEN, 200, tokens(nonce="another"))
    api.sent = sent | ({"error": "x"} if sent.get("code") == "" and "error" not in sent else {})
    page = open_page(PAGE)
    press_sign_in(page)
    expect(notice(page, "not signed in")).to_be_visible()
    assert len(api.made(TOKEN)) == exchanged
    assert api.made(DASHBOARD) == []
    assert stored(page) == {}
    assert "code" not in page.url
    assert "state" not in page.url
    expect(page.get_by_role("combobox", name="Campaign")).to_have_value("demo-vip")


def test_a_code_that_nobody_here_asked_for_is_not_exchanged(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    """Somebody else's would sign the reader in as somebody else."""
    page = open_page("/dashboard/?code=theirs&state=theirs")
    expect(notice(page, "not signed in")).to_be_visible()
    assert api.made(TOKEN) == []
    assert "theirs" not in page.url


def test_a_code_is_exchanged_once_however_often_the_page_is_loaded(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.answers(TOKEN, 503)
    page = open_page(PAGE)
    press_sign_in(page)
    expect(page.get_by_role("alert").filter(has_text="try again")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert len(api.made(TOKEN)) == 1


def test_at_its_other_address_the_page_first_goes_to_the_one_people_are_sent_back_to(
    api: ScriptedApi, front: Front, open_page: OpenPage, watch: Watch
) -> None:
    settings = {
        "sign_in": f"{front.origin}/pool",
        "client": "cl1ent",
        "callback": f"{front.origin.replace('127.0.0.1', 'localhost')}/dashboard/",
    }
    answer_from_now_on(api, f"GET {SETTINGS}", 200, settings)
    page = open_page(PAGE)
    page.route("http://localhost:*/**", lambda route: route.fulfill(body="there"))
    with page.expect_request("http://localhost:*/dashboard/?campaign=demo-vip"):
        press_sign_in(page)
    assert not [call for call in api.calls if call.path.startswith("/pool/")]
    watch.faults.clear()


# --- tokens run out -------------------------------------------------------------------------------


def test_a_token_is_renewed_before_it_runs_out(api: ScriptedApi, shown: Page) -> None:
    api.answers(TOKEN, 200, tokens(2, refresh=False))
    answer_from_now_on(api, DASHBOARD, 200, dashboard(invited=1241))
    shown.clock.fast_forward(841_000)
    expect(invited(shown)).to_have_text("1,241")
    (renewed,) = api.made(TOKEN)
    assert form(renewed) == {
        "grant_type": "refresh_token",
        "client_id": "cl1ent",
        "refresh_token": "refresh-1",
    }
    assert bearers(api)[-1] == id_token(2)
    assert json.loads(stored(shown)["tandem.session"])["refreshToken"] == "refresh-1"


def test_a_token_that_the_api_does_not_take_is_renewed_once_since_clocks_differ(
    api: ScriptedApi, shown: Page
) -> None:
    before = len(bearers(api))
    answer_from_now_on(api, DASHBOARD, 401, {"type": "urn:tandem:problem:unauthorised"})
    api.answers(DASHBOARD, 200, dashboard(invited=1242))
    api.answers(TOKEN, 200, tokens(2))
    shown.clock.fast_forward(5_000)
    expect(invited(shown)).to_have_text("1,242")
    assert bearers(api)[before:] == [id_token(), id_token(2)]


@pytest.mark.parametrize("refused", ["by the pool", "by the api, however new"])
def test_a_session_that_is_over_leaves_the_numbers_with_their_time_and_waits(
    api: ScriptedApi, shown: Page, refused: str
) -> None:
    answer_from_now_on(api, DASHBOARD, 401, {"type": "urn:tandem:problem:unauthorised"})
    if refused == "by the pool":
        api.answers(TOKEN, 400, {"error": "invalid_grant"})
    else:
        api.answers(TOKEN, 200, tokens(2))
    shown.clock.fast_forward(5_000)
    expect(notice(shown, "has ended: numbers of 2 Oct 2025, 10:15:30")).to_be_visible()
    expect(shown.locator("#lag")).to_have_text("Offline")
    expect(invited(shown)).to_have_text("1,240")
    expect(shown.get_by_text("As of 2 Oct 2025, 10:15:30 (Europe/Paris)")).to_be_visible()
    expect(shown.locator("#numbers")).to_have_class("outdated")
    expect(shown.locator("#chart-time")).to_have_css("filter", "grayscale(1)")
    assert "tandem.session" not in stored(shown)
    for scheme in SCHEMES:
        shown.emulate_media(color_scheme=scheme)
        assert shown.evaluate(FAULTS_OF_CONTRAST) == [], scheme
    assert shown.evaluate(FAULTS_OF_STRUCTURE) == []
    # It asks nobody and goes nowhere by itself.
    calls = len(api.calls)
    look_again(shown)
    assert len(api.calls) == calls
    shown.get_by_role("button", name="Sign in again").click()
    expect(notice(shown, "not signed in")).to_be_visible()
    assert len(api.made("GET /pool/oauth2/authorize")) == 1


def test_a_pool_that_does_not_answer_ends_no_session(api: ScriptedApi, shown: Page) -> None:
    api.answers(TOKEN, 503)
    shown.clock.fast_forward(841_000)
    expect(notice(shown, "could not be refreshed")).to_be_visible()
    assert "tandem.session" in stored(shown)
    answer_from_now_on(api, TOKEN, 200, tokens(2))
    answer_from_now_on(api, DASHBOARD, 200, dashboard(invited=1243))
    shown.clock.fast_forward(5_000)
    expect(invited(shown)).to_have_text("1,243")
    expect(notice(shown, "could not be refreshed")).to_have_count(0)


def test_an_account_without_a_role_is_told_whom_to_ask(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.refuses(DASHBOARD, 403, "no-role")
    page = open_page(PAGE, before=signed_in())
    expect(notice(page, "role “marketing”")).to_be_visible()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert len(api.made(DASHBOARD)) == 1


# --- signing out ----------------------------------------------------------------------------------


def test_signing_out_revokes_forgets_and_ends_the_sign_in_pages_own_session(
    api: ScriptedApi, front: Front, shown: Page
) -> None:
    api.answers(REVOCATION, 200)
    shown.get_by_role("button", name="Sign out").click()
    expect(shown.get_by_role("button", name="Sign in")).to_be_visible()
    (revoked,) = api.made(REVOCATION)
    assert form(revoked) == {"token": "refresh-1", "client_id": "cl1ent"}
    (left,) = api.made("GET /pool/logout")
    assert left.body == {"client_id": "cl1ent", "logout_uri": f"{front.origin}/dashboard/"}
    expect(shown.locator("#numbers")).to_be_hidden()


def test_signing_out_forgets_whatever_the_pool_answers(api: ScriptedApi, shown: Page) -> None:
    api.answers(REVOCATION, 503)
    shown.route("**/pool/logout**", lambda route: route.abort())
    with shown.expect_request("**/pool/logout**"):
        shown.get_by_role("button", name="Sign out").click()
    shown.goto(PAGE)
    expect(shown.get_by_role("button", name="Sign in")).to_be_visible()
    assert "tandem.session" not in stored(shown)
    assert len(api.made(REVOCATION)) == 1


def test_another_campaign_is_shown_without_signing_in_again(api: ScriptedApi, shown: Page) -> None:
    api.answers("GET /v1/ops/campaigns/other/dashboard", 200, dashboard(invited=7))
    shown.get_by_role("button", name="Another campaign").click()
    expect(shown.locator("#numbers")).to_be_hidden()
    shown.get_by_role("combobox", name="Campaign").fill("other")
    shown.get_by_role("button", name="Show").click()
    expect(invited(shown)).to_have_text("7")
    assert shown.url.endswith("/dashboard/?campaign=other")
    shown.go_back()
    expect(invited(shown)).to_have_text("1,240")
    shown.go_forward()
    expect(invited(shown)).to_have_text("7")
    assert not [call for call in api.calls if call.path.startswith("/pool/")]


@pytest.mark.parametrize("typed", ["", "   "])
def test_nothing_is_asked_without_a_campaign(
    api: ScriptedApi, open_page: OpenPage, typed: str
) -> None:
    page = open_page("/dashboard/")
    page.get_by_role("combobox", name="Campaign").fill(typed)
    press_sign_in(page)
    expect(page.get_by_role("combobox", name="Campaign")).to_have_attribute("aria-invalid", "true")
    assert api.calls == []


def test_nothing_is_shown_to_who_has_not_signed_in(api: ScriptedApi, open_page: OpenPage) -> None:
    page = open_page(PAGE)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.locator("#numbers")).to_be_hidden()
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    assert api.calls == []


# --- on a wall ------------------------------------------------------------------------------------


@pytest.fixture
def wall(api: ScriptedApi, open_page: OpenPage) -> Page:
    api.answers(WALL, 200, dashboard())
    page = open_page(f"{PAGE}#wall=w4ll", width=1920, clock=True)
    expect(invited(page)).to_have_text("1,240")
    return page


def test_a_wall_shows_its_campaign_with_its_link_and_nothing_to_press(
    api: ScriptedApi, wall: Page
) -> None:
    assert api.made(WALL)[0].headers["authorization"] == "Bearer w4ll"
    assert "w4ll" not in wall.url
    for name in ("Sign in", "Sign in again", "Sign out", "Another campaign", "Show"):
        expect(wall.get_by_role("button", name=name, exact=True)).to_have_count(0)
    answer_from_now_on(api, WALL, 200, dashboard(invited=1250))
    wall.clock.fast_forward(5_000)
    expect(invited(wall)).to_have_text("1,250")
    wall.reload()
    expect(invited(wall)).to_have_text("1,250")
    assert {call.path for call in api.own} == set()
    assert "/v1/ops/campaigns/demo-vip/dashboard" not in {call.path for call in api.calls}


def test_a_link_that_is_over_leaves_the_numbers_with_their_time_and_asks_no_more(
    api: ScriptedApi, wall: Page
) -> None:
    answer_from_now_on(api, WALL, 401, {"type": "urn:tandem:problem:unauthorised"})
    wall.clock.fast_forward(5_000)
    expect(notice(wall, "shows nothing new any more")).to_be_visible()
    expect(invited(wall)).to_have_text("1,240")
    expect(wall.locator("#numbers")).to_have_class("outdated")
    expect(wall.get_by_text("As of 2 Oct 2025")).to_be_visible()
    calls = len(api.calls)
    look_again(wall)
    assert len(api.calls) == calls
