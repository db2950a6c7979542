"""The referee's page: the offer, its confirmation and refusal, and the sign-up of a shared link."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .answers import BAR_CODE, CAMPAIGN, INVITATION
from .answers import SHARED_LINK as SHARER
from .conftest import OpenPage, Watch
from .front import PKPASS, Pass, ScriptedApi

pytestmark = pytest.mark.browser

OPEN = "GET /v1/invitations/t0k-en_1"
CONFIRM = "POST /v1/invitations/t0k-en_1/confirmation"
DECLINE = "POST /v1/invitations/t0k-en_1/decline"
SIGN_UP = "POST /v1/campaigns/demo-vip/links/K7QM2/sign-up"
INVITATION_LINK = "/referee/?campaign=demo-vip#token=t0k-en_1"
SHARED_LINK = "/referee/?campaign=demo-vip#link=K7QM2"


@pytest.fixture
def offer(api: ScriptedApi, open_page: OpenPage) -> Page:
    """An invitation, opened."""
    api.answers(OPEN, 200, INVITATION)
    page = open_page(INVITATION_LINK)
    expect(
        page.get_by_role("heading", name="Camille invites you to discover Maison Verte")
    ).to_be_visible()
    return page


def test_each_step_is_said_to_the_person_who_is_invited(offer: Page) -> None:
    expect(offer.locator("#ladder span")).to_have_text([
        "As soon as you accept",
        "After your first order (of €30 or more)",
        "After your second order (of €30 or more)",
    ])  # fmt: skip


def test_opening_an_invitation_changes_nothing(api: ScriptedApi, offer: Page) -> None:
    expect(offer.get_by_text("€10 off an order of €40 or more.")).to_be_visible()
    expect(offer.get_by_role("link", name="version 2025-1")).to_have_attribute(
        "href", "https://www.example.com/terms"
    )
    assert offer.url.endswith("/referee/?campaign=demo-vip")
    assert {call.method for call in api.calls} == {"GET"}


def test_a_consent_ends_with_one_press_and_the_vouchers_stay(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    voucher = {
        "id": "v", "template": "welcome", "value": "10.00", "currency": "EUR",
        "minimum_basket": "40.00", "valid_until": "2025-12-01", "state": "available",
        "code": "WE-22222-22222-229B", "bar_code_svg": None,
    }  # fmt: skip
    confirmed = {"state": "confirmed", "marketing_consent": True, "vouchers": [voucher]}
    api.answers(OPEN, 200, {**INVITATION, **confirmed})
    api.answers(f"{OPEN.replace('GET', 'POST')}/consent-withdrawal", 204)
    page = open_page(INVITATION_LINK)
    page.get_by_role("button", name="Receive no more news").click()
    expect(page.get_by_text("You will receive no more news")).to_be_visible()
    expect(page.get_by_role("button", name="Receive no more news")).to_be_hidden()
    expect(page.get_by_text("WE-22222-22222-229B").first).to_be_visible()


@pytest.mark.parametrize("consents", [False, True])
def test_confirming_sends_the_terms_and_the_consent_given(
    api: ScriptedApi, offer: Page, consents: bool
) -> None:
    api.answers(
        CONFIRM,
        201,
        {"referral": "r", "state": "confirmed", "confirmed_at": "2025-10-02T08:15:00Z"},
    )
    box = offer.get_by_role("checkbox")
    expect(box).not_to_be_checked()
    if consents:
        box.check()
    offer.get_by_role("button", name="I accept").click()
    expect(offer.get_by_role("heading", name="Thank you, you have accepted")).to_be_focused()
    (call,) = api.made(CONFIRM)
    assert call.body == {"terms_version": "2025-1", "marketing_consent": consents}
    expect(offer.get_by_role("button", name="Receive no more news")).to_be_visible(visible=consents)


@pytest.fixture
def timed_offer(api: ScriptedApi, open_page: OpenPage) -> Page:
    """An invitation, opened on a page whose time the test moves."""
    api.answers(OPEN, 200, INVITATION)
    page = open_page(INVITATION_LINK, clock=True)
    expect(page.get_by_role("button", name="No, thank you")).to_be_visible()
    return page


def test_declining_is_one_press_and_can_be_undone_for_ten_seconds(
    api: ScriptedApi, timed_offer: Page
) -> None:
    api.answers(DECLINE, 204)
    timed_offer.get_by_role("button", name="No, thank you").click()
    expect(timed_offer.get_by_role("heading", name="Noted")).to_be_focused()
    timed_offer.clock.run_for(9_000)
    expect(timed_offer.get_by_text("1 second left")).to_be_visible()
    timed_offer.get_by_role("button", name="Undo").click()
    expect(timed_offer.get_by_role("button", name="I accept")).to_be_visible()
    timed_offer.clock.run_for(20_000)
    assert api.made(DECLINE) == []
    timed_offer.get_by_role("button", name="No, thank you").click()
    timed_offer.clock.run_for(10_000)
    expect(timed_offer.get_by_role("heading", name="Invitation declined")).to_be_focused()
    assert len(api.made(DECLINE)) == 1
    assert timed_offer.evaluate("sessionStorage.length") == 0


def test_who_leaves_the_page_before_has_declined(api: ScriptedApi, offer: Page) -> None:
    api.answers(DECLINE, 204)
    offer.get_by_role("button", name="No, thank you").click()
    expect(offer.get_by_role("button", name="Undo")).to_be_visible()
    offer.goto("/404.html")
    for _ in range(100):
        if api.made(DECLINE):
            break
        offer.evaluate("new Promise(requestAnimationFrame)")
    assert len(api.made(DECLINE)) == 1


def test_a_decline_that_fails_says_so_and_is_sent_again_or_undone(
    api: ScriptedApi, timed_offer: Page
) -> None:
    api.refuses(DECLINE, 503, "unavailable")
    api.answers(DECLINE, 204)
    timed_offer.get_by_role("button", name="No, thank you").click()
    timed_offer.clock.run_for(10_000)
    failed = timed_offer.get_by_role("alert").filter(has_text="nothing has been lost")
    expect(failed).to_be_visible()
    timed_offer.get_by_role("button", name="Undo").click()
    expect(timed_offer.get_by_role("button", name="I accept")).to_be_visible()
    timed_offer.get_by_role("button", name="No, thank you").click()
    timed_offer.clock.run_for(10_000)
    expect(timed_offer.get_by_role("heading", name="Invitation declined")).to_be_visible()


@pytest.mark.parametrize(
    "address",
    [
        "/referee/?campaign=demo-vip%23token=t0k-en_1",
        "/referee/?campaign=demo-vip%2523token%3Dt0k-en_1",
        "/referee/?campaign=demo-vip&token=t0k-en_1",
    ],
)
def test_a_link_that_a_filter_has_rewritten_works_and_leaves_no_token_in_the_address(
    api: ScriptedApi, open_page: OpenPage, address: str
) -> None:
    api.answers(OPEN, 200, INVITATION)
    page = open_page(address)
    expect(page.get_by_role("button", name="I accept")).to_be_visible()
    assert "t0k" not in page.url
    assert page.url.endswith("/referee/?campaign=demo-vip")


def test_a_link_whose_path_a_filter_has_rewritten_leads_to_its_page(
    api: ScriptedApi, open_page: OpenPage, watch: Watch
) -> None:
    api.answers(OPEN, 200, INVITATION)
    page = open_page("/referee/%23token=t0k-en_1", campaign=False)
    expect(page.get_by_role("button", name="I accept")).to_be_visible()
    assert page.url.endswith("/referee/")
    [not_found] = watch.faults
    assert "404" in not_found
    watch.faults.clear()


def test_the_link_of_the_mail_later_shows_the_voucher_and_the_next_step(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    voucher = {
        "id": "v", "template": "sponsor-reward", "value": "10.00", "currency": "EUR",
        "minimum_basket": "40.00", "valid_until": "2099-12-01", "state": "available",
        "code": "WE-22222-22222-229B", "bar_code_svg": BAR_CODE, "passes": [],
    }  # fmt: skip
    preparing = voucher | {"state": "preparing", "code": None, "bar_code_svg": None}
    api.answers(OPEN, 200, {**INVITATION, "state": "confirmed", "vouchers": [preparing]})
    api.answers(OPEN, 200, {**INVITATION, "state": "confirmed", "vouchers": [voucher]})
    page = open_page(INVITATION_LINK)
    expect(page.get_by_text("On its way to the tills")).to_be_visible()
    page.reload()
    ticket = page.locator("#vouchers li")
    expect(ticket).to_contain_text(["WE-22222-22222-229B"])
    expect(ticket).to_contain_text(["when you spend €40 or more"])
    expect(page.get_by_text("Your code is here")).to_be_visible()
    expect(page.locator("#next")).to_contain_text("After your second order")
    expect(ticket).not_to_contain_text(["Wallet"])
    page.get_by_role("button", name="At the till").click()
    sheet = page.get_by_role("dialog", name="€10 voucher")
    expect(sheet).to_be_visible()
    expect(sheet.get_by_text("WE-22222-22222-229B")).to_be_visible()
    code = sheet.locator("img")
    assert code.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="At the till")).to_be_focused()


def test_the_voucher_goes_into_a_wallet_by_the_link_of_the_mail(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    voucher = {
        "id": "v", "template": "sponsor-reward", "value": "10.00", "currency": "EUR",
        "minimum_basket": "40.00", "valid_until": "2099-12-01", "state": "available",
        "code": "WE-22222-22222-229B", "bar_code_svg": BAR_CODE, "passes": ["apple"],
    }  # fmt: skip
    api.answers(OPEN, 200, {**INVITATION, "state": "confirmed", "vouchers": [voucher]})
    asked = f"{OPEN}/vouchers/v/apple-pass"
    api.answers(asked, 200, Pass(b"PK a pass"))
    page = open_page(INVITATION_LINK)
    with page.expect_download() as download:
        page.get_by_role("button", name="Add to Apple Wallet").click()
    assert download.value.path().read_bytes() == b"PK a pass"
    assert api.made(asked)[0].headers["accept"] == PKPASS


def test_an_invitation_already_confirmed_says_so(api: ScriptedApi, open_page: OpenPage) -> None:
    api.answers(OPEN, 200, {**INVITATION, "state": "confirmed"})
    page = open_page(INVITATION_LINK)
    expect(page.get_by_role("heading", name="Thank you, you have accepted")).to_be_visible()


def test_an_invitation_without_a_first_name_is_still_one(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.answers(OPEN, 200, {**INVITATION, "sponsor": {"first_name": None}})
    page = open_page(INVITATION_LINK)
    expect(
        page.get_by_role("heading", name="You are invited to discover Maison Verte")
    ).to_be_visible()


def test_an_invitation_that_has_ended_says_so_kindly(api: ScriptedApi, open_page: OpenPage) -> None:
    api.refuses(OPEN, 410, "over")
    page = open_page(INVITATION_LINK)
    expect(page.get_by_role("heading", name="This invitation is no longer open")).to_be_visible()


@pytest.mark.parametrize(("button", "call"), [("I accept", CONFIRM), ("No, thank you", DECLINE)])
def test_an_invitation_that_ends_meanwhile_says_so_kindly(
    api: ScriptedApi, timed_offer: Page, button: str, call: str
) -> None:
    api.refuses(call, 410, "over")
    timed_offer.get_by_role("button", name=button).click()
    timed_offer.clock.run_for(10_000)
    expect(
        timed_offer.get_by_role("heading", name="This invitation is no longer open")
    ).to_be_visible()


def test_a_confirmation_that_must_wait_loses_nothing(api: ScriptedApi, offer: Page) -> None:
    api.refuses(CONFIRM, 503, "unavailable")
    api.answers(
        CONFIRM,
        201,
        {"referral": "r", "state": "confirmed", "confirmed_at": "2025-10-02T08:15:00Z"},
    )
    offer.get_by_role("checkbox").check()
    offer.get_by_role("button", name="I accept").click()
    expect(offer.get_by_role("alert").filter(has_text="nothing has been lost")).to_be_visible()
    expect(offer.get_by_role("checkbox")).to_be_checked()
    offer.get_by_role("button", name="I accept").click()
    expect(offer.get_by_role("heading", name="Thank you, you have accepted")).to_be_visible()


def test_terms_that_changed_are_read_again_before_confirming(api: ScriptedApi, offer: Page) -> None:
    api.script.pop(("GET", "/v1/invitations/t0k-en_1"))
    api.answers(
        OPEN,
        200,
        {**INVITATION, "terms": {"version": "2025-2", "url": "https://www.example.com/2"}},
    )
    api.refuses(
        CONFIRM, 422, "invalid-request", errors=[{"field": "terms_version", "reason": "superseded"}]
    )
    offer.get_by_role("button", name="I accept").click()
    expect(offer.get_by_role("alert").filter(has_text="terms have changed")).to_be_visible()
    offer.get_by_role("button", name="I accept").click()
    expect(offer.get_by_role("link", name="version 2025-2")).to_be_visible()
    expect(offer.get_by_role("button", name="I accept")).not_to_have_attribute(
        "aria-disabled", "true"
    )
    assert [call.body for call in api.made(CONFIRM)] == [
        {"terms_version": version, "marketing_consent": False} for version in ("2025-1", "2025-2")
    ]


def test_a_shared_link_takes_an_address_and_says_to_check_the_inbox(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.answers(SIGN_UP, 202, {"status": "accepted"})
    page = open_page(SHARED_LINK)
    page.get_by_label("E-mail address").fill("jeanne@example.fr")
    page.get_by_role("button", name="Receive the offer").click()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_focused()
    assert [call.body for call in api.made(SIGN_UP)] == [
        {"email": "jeanne@example.fr", "locale": "en"}
    ]
    assert page.url.endswith("/referee/?campaign=demo-vip")


def test_the_error_of_a_refused_sign_up_is_beside_its_field(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.refuses(
        SIGN_UP, 422, "invalid-request", errors=[{"field": "email", "reason": "bad_domain"}]
    )
    page = open_page(SHARED_LINK)
    page.get_by_label("E-mail address").fill("jeanne@example.f")
    page.get_by_role("button", name="Receive the offer").click()
    expect(page.get_by_label("E-mail address")).to_be_focused()
    expect(page.get_by_label("E-mail address")).to_have_attribute("aria-invalid", "true")


def test_an_unknown_shared_link_says_so_before_anything_is_typed(open_page: OpenPage) -> None:
    page = open_page("/referee/?campaign=demo-vip#link=N0N3")
    expect(page.get_by_role("heading", name="We do not recognise this link")).to_be_visible()


def test_who_shares_a_link_is_named_and_the_page_works_without(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.script[("GET", "/v1/campaigns/demo-vip/links/K7QM2")] = []
    api.refuses("GET /v1/campaigns/demo-vip/links/K7QM2", 503, "unavailable")
    api.answers("GET /v1/campaigns/demo-vip/links/K7QM2", 200, SHARER)
    page = open_page(SHARED_LINK)
    expect(page.get_by_role("heading", name="You are invited to discover")).to_be_visible()
    page = open_page(SHARED_LINK)
    expect(page.get_by_role("heading", name="Camille invites you to discover")).to_be_visible()


def test_a_shared_link_that_ends_meanwhile_says_so_kindly(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.refuses(SIGN_UP, 404, "not-found")
    page = open_page(SHARED_LINK)
    page.get_by_label("E-mail address").fill("jeanne@example.fr")
    page.get_by_role("button", name="Receive the offer").click()
    expect(page.get_by_role("heading", name="We do not recognise this link")).to_be_visible()


def test_a_shared_link_of_a_closed_campaign_asks_for_nothing(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.answers("GET /v1/campaigns/spring", 200, {**CAMPAIGN, "open": False})
    api.answers("GET /v1/campaigns/spring/links/K7QM2", 200, SHARER)
    page = open_page("/referee/?campaign=spring#link=K7QM2")
    expect(page.get_by_role("heading", name="This offer is not available")).to_be_visible()
    expect(page.get_by_label("E-mail address")).to_be_hidden()


@pytest.mark.usefixtures("api")
def test_a_second_link_in_the_same_tab_is_opened_in_place_of_the_first(offer: Page) -> None:
    offer.evaluate("location.hash = '#link=K7QM2'")
    expect(offer.get_by_role("button", name="Receive the offer")).to_be_visible()
    offer.reload()
    expect(offer.get_by_role("button", name="Receive the offer")).to_be_visible()


def test_without_a_link_the_page_says_how_to_open_it(open_page: OpenPage) -> None:
    page = open_page("/referee/")
    expect(page.get_by_role("heading", name="This address is incomplete")).to_be_visible()


def test_markup_in_a_first_name_stays_text(api: ScriptedApi, open_page: OpenPage) -> None:
    api.answers(
        OPEN, 200, {**INVITATION, "sponsor": {"first_name": "<img src=x onerror=alert(1)>"}}
    )
    page = open_page(INVITATION_LINK)
    expect(
        page.get_by_role("heading", name="<img src=x onerror=alert(1)> invites you")
    ).to_be_visible()
    expect(page.locator("h1 img")).to_have_count(0)
