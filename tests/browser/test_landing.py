"""The landing page: sign-in, its neutral answer, the suggestion, and the campaign's states."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .answers import CAMPAIGN
from .conftest import OpenPage
from .front import ScriptedApi

pytestmark = pytest.mark.browser

SIGN_IN = "POST /v1/campaigns/demo-vip/sign-in"


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("Your e-mail address").fill(email)
    page.get_by_role("button", name="Send me my link").click()


def test_sign_in_sends_the_address_and_says_to_check_the_inbox(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.answers(SIGN_IN, 202, {"status": "accepted"})
    page = open_page("/")
    sign_in(page, " camille@example.fr ")
    heading = page.get_by_role("heading", name="Check your inbox")
    expect(heading).to_be_focused()
    assert [call.body for call in api.made(SIGN_IN)] == [
        {"email": "camille@example.fr", "locale": "en"}
    ]
    expect(page.get_by_text("Address you gave: camille@example.fr")).to_be_visible()


def test_what_others_are_given_is_said_of_them_to_the_sponsor_who_reads_it(
    open_page: OpenPage,
) -> None:
    page = open_page("/")
    expect(page.locator("#give-ladder span")).to_have_text([
        "As soon as someone accepts",
        "After someone’s first order (of €30 or more)",
        "After their order no. 2 (of €30 or more)",
    ])  # fmt: skip


def test_a_typo_is_corrected_with_one_tap(api: ScriptedApi, open_page: OpenPage) -> None:
    error = {"field": "email", "reason": "probably_mistyped", "suggestion": "jeanne@gmail.com"}
    api.refuses(SIGN_IN, 422, "invalid-address", errors=[error])
    api.answers(SIGN_IN, 202, {"status": "accepted"})
    page = open_page("/")
    sign_in(page, "jeanne@gmial.com")
    field = page.get_by_label("Your e-mail address")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(
        "There may be a typo in this address. If it is correct, send it again as it is."
        " Use jeanne@gmail.com"
    )
    page.get_by_role("button", name="Use jeanne@gmail.com").click()
    expect(field).to_have_value("jeanne@gmail.com")
    expect(field).not_to_have_attribute("aria-invalid", "true")
    page.keyboard.press("Enter")  # The correction leaves the focus on the send button.
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    assert api.made(SIGN_IN)[-1].body == {"email": "jeanne@gmail.com", "locale": "en"}


def test_an_address_doubted_is_insisted_on_by_sending_it_again(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    error = {"field": "email", "reason": "probably_mistyped", "suggestion": "jeanne@gmail.com"}
    api.refuses(SIGN_IN, 422, "invalid-address", errors=[error])
    api.answers(SIGN_IN, 202, {"status": "accepted"})
    page = open_page("/")
    sign_in(page, "jeanne@gmial.com")
    expect(page.get_by_role("button", name="Use jeanne@gmail.com")).to_be_visible()
    page.get_by_role("button", name="Send me my link").click()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    assert [call.body for call in api.made(SIGN_IN)] == [
        {"email": "jeanne@gmial.com", "locale": "en"},
        {"email": "jeanne@gmial.com", "as_typed": True, "locale": "en"},
    ]


def test_the_suggestion_beside_the_errors_is_offered_too(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.refuses(
        SIGN_IN,
        422,
        "invalid-address",
        errors=[{"field": "email", "reason": "never heard of"}],
        suggestion="jeanne@orange.fr",
    )
    page = open_page("/")
    sign_in(page, "jeanne@ornage.fr")
    expect(page.get_by_role("button", name="Use jeanne@orange.fr")).to_be_visible()
    expect(page.get_by_text("This does not look like a valid e-mail address")).to_be_visible()


def test_a_wrong_address_is_explained_by_its_reason(api: ScriptedApi, open_page: OpenPage) -> None:
    errors = [{"field": "email", "reason": "no_at_sign"}]
    api.refuses(SIGN_IN, 422, "invalid-address", errors=errors)
    page = open_page("/")
    sign_in(page, "jeanne")
    expect(page.get_by_label("Your e-mail address")).to_have_accessible_description(
        "The @ is missing from this address."
    )


def test_an_empty_address_is_not_sent(api: ScriptedApi, open_page: OpenPage) -> None:
    page = open_page("/")
    sign_in(page, "  ")
    expect(page.get_by_text("Please enter an e-mail address.")).to_be_visible()
    assert api.made(SIGN_IN) == []


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (429, "slow-down", "Too many requests"),
        (503, "unavailable", "temporarily unavailable"),
        (500, "about", "temporarily unavailable"),
    ],
)
def test_a_failed_sign_in_says_so_and_keeps_the_address(
    api: ScriptedApi, open_page: OpenPage, status: int, kind: str, message: str
) -> None:
    api.refuses(SIGN_IN, status, kind)
    page = open_page("/")
    sign_in(page, "camille@example.fr")
    expect(page.get_by_role("alert").filter(has_text=message)).to_be_visible()
    expect(page.get_by_label("Your e-mail address")).to_have_value("camille@example.fr")


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "message"),
    [
        ("2099-01-01", "2099-12-31", "opens on 1 January 2099"),
        ("2020-01-01", "2020-12-31", "ended on 31 December 2020"),
        ("2020-01-01", "2099-12-31", "is not open at the moment"),
    ],
)
def test_a_closed_campaign_says_when(
    api: ScriptedApi, open_page: OpenPage, starts_on: str, ends_on: str, message: str
) -> None:
    api.answers(
        "GET /v1/campaigns/spring",
        200,
        {**CAMPAIGN, "open": False, "starts_on": starts_on, "ends_on": ends_on},
    )
    page = open_page("/?campaign=spring")
    expect(page.get_by_text(message)).to_be_visible()
    expect(page.get_by_label("Your e-mail address")).to_be_hidden()


@pytest.mark.parametrize("campaign", ["nowhere", "..", "a/b?c=d"])
def test_an_unknown_campaign_says_so_kindly(open_page: OpenPage, campaign: str) -> None:
    page = open_page(f"/?campaign={campaign}")
    expect(page.get_by_role("heading", name="This programme does not exist")).to_be_visible()


def test_a_campaign_that_cannot_be_read_is_tried_again(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.refuses("GET /v1/campaigns/summer", 503, "unavailable")
    api.answers("GET /v1/campaigns/summer", 200, CAMPAIGN)
    page = open_page("/?campaign=summer")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Give €10, get €15")).to_be_visible()


def test_the_language_follows_the_browser_and_the_switch(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    error = {"field": "email", "reason": "bad_domain"}
    api.refuses(SIGN_IN, 422, "invalid-address", errors=[error])
    page = open_page("/", locale="fr-FR")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.get_by_role("heading", name="Offrez 10 €, recevez 15 €")).to_be_visible()
    page.get_by_label("Votre adresse e-mail").fill("jeanne@gmial.com")
    page.get_by_role("button", name="Recevoir mon lien").click()
    expect(page.get_by_text("La partie après le @ ne semble pas correcte")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page).to_have_title("Referral programme")
    expect(page.get_by_role("heading", name="Give €10, get €15")).to_be_visible()
    expect(page.get_by_text("The part after the @ does not look right.")).to_be_visible()
    expect(page.get_by_role("button", name="English")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Send me my link").click()
    expect(page.get_by_label("Your e-mail address")).to_be_focused()
    assert [call.body for call in api.made(SIGN_IN)] == [
        {"email": "jeanne@gmial.com", "locale": locale} for locale in ("fr", "en")
    ]
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_without_a_campaign_nobody_is_asked_for_one_and_the_page_says_which_link_to_open(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    page = open_page("/", campaign=False)
    expect(page.get_by_role("heading", name="Which programme are you looking for?")).to_be_visible()
    expect(page.locator("#brand")).to_have_text("Tandem")
    assert api.calls == []
    page = open_page("/sponsor/", campaign=False)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert api.calls == []
