"""The sponsor's space: entering, sharing, inviting, and being signed out."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from .answers import QR, SPACE, VOUCHERS
from .conftest import OpenPage, Watch
from .front import PKPASS, Pass, ScriptedApi
from .test_every_page import FAULTS_OF_CONTRAST, preview

pytestmark = pytest.mark.browser

SESSIONS = "POST /v1/campaigns/demo-vip/sessions"
NAME = "POST /v1/sponsor/first-name"
INVITE = "POST /v1/sponsor/invitations"
LINK = "/sponsor/?campaign=demo-vip#token=t0k-en_1"


@pytest.fixture
def space(api: ScriptedApi, open_page: OpenPage) -> Page:
    """A sponsor's space, entered."""
    api.answers(SESSIONS, 201, {"session": "s3ssion", "expires_at": "2099-01-01T00:00:00Z"})
    api.answers("GET /v1/sponsor", 200, SPACE)
    page = open_page(LINK)
    page.get_by_role("button", name="Open my space").click()
    expect(page.get_by_role("heading", name="Hello Camille")).to_be_visible()
    return page


def enter(page: Page, text: str) -> None:
    """Types into the field for addresses, and ends the entry."""
    field = page.get_by_role("textbox", name="E-mail addresses")
    field.fill(text)
    field.press("Enter")


def chips(page: Page) -> list[str]:
    return page.locator(".chip-text").all_inner_texts()


def open_new_link(page: Page) -> None:
    button = page.get_by_role("button", name="Create a new link", exact=True)
    if not button.is_visible():
        page.get_by_text("Trouble with your link?").click()
    button.click()


def send(page: Page) -> None:
    page.locator("#send").click()


PASS = "/v1/sponsor/vouchers/voucher-available/apple-pass"


def test_a_voucher_goes_into_a_wallet_by_a_press_and_not_before(
    api: ScriptedApi, space: Page
) -> None:
    api.answers(f"GET {PASS}", 200, Pass(b"PK a pass"))
    ticket = space.locator("#vouchers li").first
    expect(ticket).to_contain_text("reaches Apple or Google only if you press here")
    assert not api.made(f"GET {PASS}")
    with space.expect_download() as download:
        ticket.get_by_role("button", name="Add to Apple Wallet").click()
    assert download.value.path().read_bytes() == b"PK a pass"
    [asked] = api.made(f"GET {PASS}")
    assert (asked.headers["accept"], asked.headers["authorization"]) == (PKPASS, "Bearer s3ssion")
    link = ticket.get_by_role("link", name="Add to Apple Wallet")
    expect(link).to_be_focused()
    assert str(link.get_attribute("href")).startswith("blob:")
    with space.expect_download() as again:  # where a browser follows no link by itself
        link.click()
    assert again.value.path().read_bytes() == b"PK a pass"
    assert len(api.made(f"GET {PASS}")) == 1


def test_a_voucher_goes_to_google_by_a_link_that_is_followed_by_a_press(
    api: ScriptedApi, space: Page, watch: Watch
) -> None:
    """The one address of another origin that a page has, and none asks for it by itself."""
    address = "https://pay.google.com/gp/v/save/a.b.c"
    space.route("https://pay.google.com/**", lambda route: route.fulfill(body="saved"))
    asked = PASS.replace("apple", "google")
    api.answers(f"GET {asked}", 200, {"url": address})
    space.get_by_role("button", name="Add to Google Wallet").click()
    space.wait_for_url(address)
    [call] = api.made(f"GET {asked}")
    assert (call.headers["accept-language"], call.headers["authorization"]) == (
        "en", "Bearer s3ssion"
    )  # fmt: skip
    assert watch.faults == [f"request to another origin: {address}"]
    watch.faults.clear()


def test_a_pass_that_cannot_be_had_is_said_beside_its_button(api: ScriptedApi, space: Page) -> None:
    api.refuses(f"GET {PASS}", 503, "unavailable")
    ticket = space.locator("#vouchers li").first
    ticket.get_by_role("button", name="Add to Apple Wallet").click()
    expect(ticket.get_by_role("alert")).to_contain_text("temporarily unavailable")
    expect(ticket.get_by_role("button", name="Add to Apple Wallet")).to_be_enabled()


def test_a_session_that_ended_before_the_press_leads_to_signing_in(
    api: ScriptedApi, space: Page
) -> None:
    api.refuses(f"GET {PASS}", 401, "unauthorised")
    space.get_by_role("button", name="Add to Apple Wallet").click()
    expect(space.get_by_role("textbox", name="E-mail address")).to_be_visible()


def test_without_certificates_there_is_no_wallet_on_the_page(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    plain = [voucher | {"passes": []} for voucher in VOUCHERS]
    api.answers(SESSIONS, 201, {"session": "s3ssion", "expires_at": "2099-01-01T00:00:00Z"})
    api.answers("GET /v1/sponsor", 200, SPACE | {"vouchers": plain})
    page = open_page(LINK)
    page.get_by_role("button", name="Open my space").click()
    expect(page.get_by_role("button", name="Copy the code").first).to_be_visible()
    expect(page.locator("#vouchers")).not_to_contain_text("Wallet")


def test_opening_the_mailed_link_uses_nothing_and_leaves_no_token_in_the_address(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    page = open_page(LINK)
    expect(page.get_by_role("button", name="Open my space")).to_be_visible()
    assert page.url.endswith("/sponsor/?campaign=demo-vip")
    assert {call.method for call in api.calls} == {"GET"}
    page.reload()  # As a phone does with a page it had put away.
    expect(page.get_by_role("button", name="Open my space")).to_be_visible()


def test_the_button_trades_the_token_for_a_session_kept_in_this_tab(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.answers(SESSIONS, 201, {"session": "s3ssion", "expires_at": "2099-01-01T00:00:00Z"})
    api.answers("GET /v1/sponsor", 200, SPACE)
    page = open_page(LINK)
    page.get_by_label("Your first name").fill(" Camille ")
    page.get_by_role("button", name="Open my space").click()
    expect(page.get_by_role("heading", name="Hello Camille")).to_be_focused()
    assert [call.body for call in api.made(SESSIONS)] == [
        {"token": "t0k-en_1", "first_name": "Camille"}
    ]
    assert api.made("GET /v1/sponsor")[0].headers["authorization"] == "Bearer s3ssion"
    kept = page.evaluate(
        "[JSON.stringify(localStorage) + document.cookie, JSON.stringify(sessionStorage)]"
    )
    assert "s3ssion" not in kept[0]
    assert "s3ssion" in kept[1]
    assert "t0k-en_1" not in "".join(kept)
    page.reload()
    expect(page.get_by_role("heading", name="Hello Camille")).to_be_visible()
    assert len(api.made(SESSIONS)) == 1


def test_a_refused_first_name_has_its_error_beside_it_and_the_link_still_works(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    errors = [{"field": "first_name", "reason": "looks_like_a_link"}]
    api.refuses(SESSIONS, 422, "invalid-request", errors=errors)
    api.answers(SESSIONS, 201, {"session": "s3ssion", "expires_at": "2099-01-01T00:00:00Z"})
    api.answers("GET /v1/sponsor", 200, SPACE)
    page = open_page(LINK)
    field = page.get_by_label("Your first name")
    field.fill("www.example.com")
    page.get_by_role("button", name="Open my space").click()
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description(
        "The people you invite will see it. Leave it empty to keep the one you gave before."
        " This first name cannot be used. Please enter a first name only."
    )
    field.fill("Camille")
    page.get_by_role("button", name="Open my space").click()
    expect(page.get_by_role("heading", name="Hello Camille")).to_be_visible()


def test_without_a_name_nobody_can_be_invited_until_one_is_given(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.answers(SESSIONS, 201, {"session": "s3ssion", "expires_at": "2099-01-01T00:00:00Z"})
    api.answers("GET /v1/sponsor", 200, {**SPACE, "first_name": None})
    api.answers("GET /v1/sponsor", 200, SPACE)
    api.refuses(NAME, 422, "invalid-request", errors=[{"field": "first_name", "reason": "empty"}])
    api.answers(NAME, 204, None)
    page = open_page(LINK)
    page.get_by_role("button", name="Open my space").click()
    expect(page.get_by_role("heading", name="How shall we sign your invitations?")).to_be_visible()
    expect(page.get_by_role("heading", name="Share your link")).to_be_hidden()
    expect(page.locator("#send")).to_be_hidden()
    field = page.locator("#own-first-name")
    page.get_by_role("button", name="Save").click()
    expect(field).to_be_focused()
    field.fill("Camille")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Hello Camille")).to_be_visible()
    expect(page.get_by_role("heading", name="How shall we sign your invitations?")).to_be_hidden()
    expect(page.get_by_role("heading", name="Share your link")).to_be_visible()
    assert [call.body for call in api.made(NAME)] == [{"first_name": ""}, {"first_name": "Camille"}]


def test_a_used_link_leads_to_the_sign_in_form(api: ScriptedApi, open_page: OpenPage) -> None:
    api.refuses(SESSIONS, 401, "unauthorised")
    api.answers("POST /v1/campaigns/demo-vip/sign-in", 202, {"status": "accepted"})
    page = open_page(LINK)
    page.get_by_role("button", name="Open my space").click()
    expect(page.get_by_text("already used")).to_be_visible()
    page.get_by_role("textbox", name="E-mail address").fill("camille@example.fr")
    page.get_by_role("button", name="Send me my link").click()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()


def test_the_link_can_be_copied_scanned_and_sent_by_whatsapp(space: Page) -> None:
    url = "https://tandem.example/p/K7QM2"
    space.get_by_role("button", name="Copy the link").click()
    expect(space.get_by_text("Copied.")).to_be_visible()
    assert space.evaluate("navigator.clipboard.readText()") == url
    space.get_by_role("button", name="Show my QR code").click()
    code = space.get_by_role("img", name="QR code of your personal link")
    expect(code).to_be_in_viewport(ratio=1)
    assert code.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
    space.get_by_role("button", name="Close").click()
    address = space.get_by_role("link", name="WhatsApp").get_attribute("href")
    assert address is not None
    assert address.startswith("https://wa.me/?text=I%20shop%20at%20Maison%20Verte")
    assert address.endswith("%2Fp%2FK7QM2")
    space.get_by_role("button", name="Français").click()
    expect(space.get_by_role("link", name="WhatsApp")).to_have_attribute(
        "href", re.compile("mes%20courses")
    )


def test_the_share_sheet_is_offered_where_the_device_has_one(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.answers(SESSIONS, 201, {"session": "s3ssion", "expires_at": "2099-01-01T00:00:00Z"})
    api.answers("GET /v1/sponsor", 200, SPACE)
    page = open_page(
        LINK, before="navigator.share = async (shared) => { globalThis.shared = shared.text; };"
    )
    page.get_by_role("button", name="Open my space").click()
    message = page.get_by_label("Your message")
    expect(message).to_have_value(
        "I shop at Maison Verte. With my link you get €10 off when you spend €40"
    )
    message.fill("Come and see!")
    page.get_by_role("button", name="Share my link").click()
    assert page.evaluate("globalThis.shared").startswith("Come and see! https://")
    assert "/p/K7QM2" in page.evaluate("globalThis.shared")
    expect(page.get_by_role("link", name="WhatsApp")).to_be_hidden()


def test_the_share_sheet_is_not_offered_elsewhere(api: ScriptedApi, open_page: OpenPage) -> None:
    api.answers(SESSIONS, 201, {"session": "s3ssion", "expires_at": "2099-01-01T00:00:00Z"})
    api.answers("GET /v1/sponsor", 200, SPACE)
    page = open_page(LINK, before="delete Navigator.prototype.share;")
    page.get_by_role("button", name="Open my space").click()
    expect(page.get_by_role("button", name="Copy the link")).to_be_visible()
    expect(page.get_by_role("button", name="Share my link")).to_be_hidden()


def test_invitations_and_vouchers_are_listed_with_their_state(space: Page) -> None:
    invitations = space.get_by_role("region", name="My invitations").get_by_role("listitem")
    expect(invitations).to_contain_text(["j•••@e•••.fr", "p•••@e•••.fr", "l•••@e•••.fr"])
    headings = space.get_by_role("region", name="My invitations").get_by_role("heading", level=3)
    expect(headings).to_have_text(["Pending · 1", "Said yes · 1", "Closed · 1"])
    expect(invitations.first).to_contain_text("j•••@e•••.fr")
    expect(space.locator(".stats")).to_contain_text("€30")
    vouchers = space.get_by_role("region", name="My vouchers").get_by_role("listitem")
    expect(vouchers).to_contain_text(["Available", "Being prepared", "Used"])
    expect(vouchers.first).to_contain_text("€10")
    expect(vouchers.first).to_contain_text("31 December 2025")
    expect(vouchers.first).to_contain_text("SP-7K4M-9QRT-2XWB-HJ")
    expect(vouchers.first).to_contain_text("Show it at the till.")
    vouchers.first.get_by_role("button", name="Copy the code").click()
    expect(space.get_by_text("Copied.")).to_be_visible()
    assert space.evaluate("navigator.clipboard.readText()") == "SP-7K4M-9QRT-2XWB-HJ"


def test_several_people_are_invited_at_once(api: ScriptedApi, space: Page) -> None:
    api.answers(INVITE, 202, {"invitations": [{"id": "a", "state": "received"}]})
    enter(space, "Jeanne <jeanne@example.fr>")
    enter(space, "paul@example.fr; ")
    assert chips(space) == ["Jeanne · jeanne@example.fr", "paul@example.fr"]
    expect(space.locator("#send")).to_have_text("Send 2 invitations")
    send(space)
    expect(space.get_by_text("We have received your 2 invitations.")).to_be_visible()
    (call,) = api.made(INVITE)
    assert call.body == {
        "referees": [
            {"email": "jeanne@example.fr", "first_name": "Jeanne"},
            {"email": "paul@example.fr"},
        ],
        "locale": "en",
    }
    assert chips(space) == []
    expect(space.locator("#send")).to_have_text("Send the invitations")


SVG = "image/svg+xml"
MAIL = (
    '<html><head><style>.x { color: red }</style></head><body style="margin:0">'
    '<table role="presentation" width="100%"><tr><td style="color:#123456;padding:9px">'
    '<img src="/pictures/demo-vip/a.png" alt="Maison Verte" width="20" height="20">'
    '<img src="https://elsewhere.example/x.png" alt="not fetched">'
    '<h1 style="margin:0">Camille vous invite</h1><script>document.title = "run"</script>'
    '<form action="/x"><button>Press</button></form>'
    '<a href="https://elsewhere.example/" onclick="x()">Voir l’offre</a></td></tr></table>'
    "</body></html>"
)
PREVIEW = "POST /v1/sponsor/invitation-preview"
PREVIEWED = {
    "locale": "fr", "sender_name": "Maison Verte", "sender": "no-reply@maison-verte.example",
    "subject": "Camille vous invite", "text": "Bonjour Jeanne,\n\nCamille", "html": MAIL,
}  # fmt: skip


def test_the_mail_that_will_leave_is_shown_in_the_language_chosen_for_it(
    api: ScriptedApi, space: Page
) -> None:
    api.answers(PREVIEW, 200, PREVIEWED)
    space.route("**/pictures/**", lambda route: route.fulfill(body=QR, content_type=SVG))
    enter(space, "Jeanne <jeanne@example.fr>")
    space.get_by_label("Language of the message").select_option("fr")
    space.get_by_role("button", name="See the message that will be sent").click()
    sheet = space.get_by_role("dialog")
    expect(sheet.get_by_role("heading", name="Camille vous invite")).to_be_visible()
    expect(sheet.get_by_text("From Maison Verte <no-reply@maison-verte.example>")).to_be_visible()
    drawn = space.locator("#preview-mail")
    expect(drawn.locator("td")).to_have_css("color", "rgb(18, 52, 86)")
    expect(drawn.locator("a")).to_have_text("Voir l’offre")
    assert drawn.locator("a").get_attribute("href") is None
    assert drawn.locator("a").get_attribute("onclick") is None
    assert drawn.locator("script, form, button, style, h1").count() == 0
    assert drawn.locator("img").first.get_attribute("src") == "/pictures/demo-vip/a.png"
    assert drawn.locator("img").last.get_attribute("src") is None
    sheet.get_by_text("The plain text version").click()
    expect(space.locator("#preview-text")).to_contain_text("Bonjour Jeanne,")
    [call] = api.made(PREVIEW)
    assert call.body == {"first_name": "Jeanne", "locale": "fr"}
    sheet.get_by_role("button", name="Close").click()
    assert chips(space) == ["Jeanne · jeanne@example.fr"]
    assert api.made(INVITE) == []


@pytest.mark.parametrize(
    ("scheme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(35, 35, 32)")]
)
def test_the_mail_is_shown_whole_and_in_the_scheme_of_who_looks_at_it(
    api: ScriptedApi, space: Page, scheme: Literal["light", "dark"], ground: str
) -> None:
    mail = preview()
    api.answers(PREVIEW, 200, mail)
    space.emulate_media(color_scheme=scheme)
    space.get_by_role("button", name="See the message that will be sent").click()
    drawn = space.locator("#preview-mail")
    expect(drawn.locator(".card")).to_have_css("background-color", ground)
    program = space.context.new_page()
    program.emulate_media(color_scheme=scheme)
    program.set_content(mail["html"])
    expect(program.locator(".card")).to_have_css("background-color", ground)
    read, shown = program.inner_text("body").split(), drawn.locator("> table").inner_text().split()
    assert shown == read
    assert "7,50" in read


def test_a_preview_that_fails_says_so_beside_its_button(api: ScriptedApi, space: Page) -> None:
    api.refuses(PREVIEW, 503, "unavailable")
    space.get_by_role("button", name="See the message that will be sent").click()
    expect(space.locator("#preview-notice")).not_to_be_empty()


def test_what_was_sent_without_an_answer_is_sent_again_with_the_same_key_after_a_reload(
    api: ScriptedApi, space: Page
) -> None:
    api.refuses(INVITE, 503, "unavailable")
    api.answers(INVITE, 202, {"invitations": [{"id": "a", "state": "received"}]})
    enter(space, "Jeanne <jeanne@example.fr>")
    send(space)
    expect(space.locator("#invite-notice")).not_to_be_empty()
    space.reload()
    expect(space.locator(".chip")).to_have_count(1)
    send(space)
    expect(space.get_by_text("We have received your invitation.")).to_be_visible()
    first, again = api.made(INVITE)
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"]
    enter(space, "Jeanne <jeanne@example.fr>")
    send(space)
    expect(space.locator(".chip")).to_have_count(0)
    assert api.made(INVITE)[2].headers["idempotency-key"] != again.headers["idempotency-key"]


def test_the_address_that_was_typed_to_sign_in_is_said_to_be_ones_own(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.answers("POST /v1/campaigns/demo-vip/sign-in", 202, {"status": "accepted"})
    api.answers(SESSIONS, 201, {"session": "s3ssion", "expires_at": "2099-01-01T00:00:00Z"})
    api.answers("GET /v1/sponsor", 200, SPACE)
    api.answers("DELETE /v1/sponsor/session", 204)
    page = open_page("/")
    page.get_by_label("E-mail address").fill("Camille@example.fr")
    page.locator("#sign-in button").click()
    expect(page.get_by_text("camille@example.fr", exact=False)).to_be_visible()
    page.goto("/sponsor/?campaign=demo-vip#token=t0k")
    page.get_by_role("button", name="Open my space").click()
    expect(page.get_by_role("heading", name="Hello Camille")).to_be_visible()
    enter(page, "jeanne@example.fr, camille@EXAMPLE.fr")
    expect(page.locator(".chip.wrong")).to_have_count(1)
    own = page.get_by_text("This is your own address")
    expect(own).to_be_visible()
    wrong = {"field": "referees[0].email", "reason": "invalid"}
    api.refuses(INVITE, 422, "invalid-address", errors=[wrong])
    page.get_by_role("button", name="Send 2 invitations").click()
    expect(page.locator(".chip.wrong")).to_have_count(2)
    expect(own).to_be_visible()
    field, words = page.locator("#chips").bounding_box(), own.bounding_box()
    assert field
    assert words
    assert words["y"] >= field["y"] + field["height"] + 5  # below the ring round the field
    stored = page.evaluate("JSON.stringify(localStorage)").lower()
    assert "own-address" in stored
    assert "camille@example" not in stored
    with page.expect_response("**/v1/sponsor/session"):
        page.get_by_role("button", name="Sign out").click()
    assert "own-address" not in page.evaluate("JSON.stringify(localStorage)")


def test_people_are_shown_by_the_name_that_was_typed_until_who_typed_it_signs_out(
    api: ScriptedApi, space: Page
) -> None:
    taken = {"invitations": [{"id": "invitation-pending"}, {"id": "invitation-closed"}]}
    api.answers(INVITE, 202, taken)
    api.answers("DELETE /v1/sponsor/session", 204)
    enter(space, "Jeanne <jeanne@example.fr>, Léo <leo@example.fr>")
    send(space)
    people = space.locator(".people li strong")
    expect(people).to_have_text(["Jeanne", "p•••@e•••.fr", "Léo"])
    space.reload()
    expect(people).to_have_text(["Jeanne", "p•••@e•••.fr", "Léo"])
    with space.expect_response("**/v1/sponsor/session"):
        space.get_by_role("button", name="Sign out").click()
    assert "Jeanne" not in space.evaluate("JSON.stringify([localStorage, sessionStorage])")


def test_a_pasted_column_makes_a_chip_a_person_and_doubles_are_folded(space: Page) -> None:
    enter(space, "Jeanne\tjeanne@example.fr\nPaul\tpaul@example.fr\nJEANNE@example.fr\n")
    assert chips(space) == ["Jeanne · jeanne@example.fr", "Paul · paul@example.fr"]
    expect(
        space.get_by_text("One address that was in the list already is kept once.")
    ).to_be_visible()
    space.get_by_role("button", name="Remove Jeanne · jeanne@example.fr").click()
    assert chips(space) == ["Paul · paul@example.fr"]
    space.get_by_role("button", name="Change Paul · paul@example.fr").click()
    field = space.get_by_role("textbox", name="E-mail addresses")
    expect(field).to_have_value("Paul <paul@example.fr>")
    expect(field).to_be_focused()


def test_what_was_entered_outlives_a_reload_and_the_end_of_the_session(
    api: ScriptedApi, space: Page
) -> None:
    enter(space, "Jeanne <jeanne@example.fr>")
    space.reload()
    expect(space.locator(".chip-text")).to_have_text(["Jeanne · jeanne@example.fr"])
    api.refuses(INVITE, 401, "unauthorised")
    send(space)
    expect(space.get_by_role("heading", name="Sign in")).to_be_focused()
    space.evaluate("location.hash = '#token=n3w'")
    space.get_by_role("button", name="Open my space").click()
    expect(space.locator(".chip-text")).to_have_text(["Jeanne · jeanne@example.fr"])


def signs_in_after(api: ScriptedApi, page: Page, code: str) -> None:
    """The session ends; then somebody with that link opens her space in this tab."""
    api.refuses(INVITE, 401, "unauthorised")
    send(page)
    expect(page.get_by_role("heading", name="Sign in")).to_be_focused()
    api.script[("GET", "/v1/sponsor")] = []
    link = {**SPACE["link"], "code": code}  # type: ignore[dict-item]
    api.answers("GET /v1/sponsor", 200, {**SPACE, "link": link})
    api.script[tuple(SESSIONS.split(" "))] = []  # type: ignore[index]
    api.answers(SESSIONS, 201, {"session": "n3xt", "expires_at": "2099-02-02T00:00:00Z"})
    page.evaluate("location.hash = '#token=n3w'")
    page.get_by_role("button", name="Open my space").click()
    expect(page.get_by_role("heading", name="Hello Camille")).to_be_visible()


def test_what_somebody_entered_is_not_there_for_who_signs_in_after_her(
    api: ScriptedApi, space: Page
) -> None:
    space.locator("#message").fill("Come and see, Jeanne!")
    enter(space, "Jeanne <jeanne@example.fr>")
    signs_in_after(api, space, "OTHER")
    expect(space.locator(".chip-text")).to_have_count(0)
    assert "Jeanne" not in space.locator("#message").input_value()
    assert "eanne" not in space.evaluate("JSON.stringify(sessionStorage)")


def test_it_is_there_for_herself_with_another_session(api: ScriptedApi, space: Page) -> None:
    space.locator("#message").fill("Come and see, Jeanne!")
    enter(space, "Jeanne <jeanne@example.fr>")
    signs_in_after(api, space, str(SPACE["link"]["code"]))  # type: ignore[index]
    expect(space.locator(".chip-text")).to_have_text(["Jeanne · jeanne@example.fr"])
    expect(space.locator("#message")).to_have_value("Come and see, Jeanne!")


def test_words_without_an_address_stay_in_the_field_and_are_named(
    api: ScriptedApi, space: Page
) -> None:
    enter(space, "jeanne")
    send(space)
    alert = space.get_by_role("alert").filter(has_text="There is no e-mail address in “jeanne”.")
    expect(alert).to_be_visible()
    expect(space.get_by_role("textbox", name="E-mail addresses")).to_be_focused()
    assert api.made(INVITE) == []


def test_a_refused_address_is_marked_and_put_right_with_one_tap(
    api: ScriptedApi, space: Page
) -> None:
    error = {
        "field": "referees[1].email",
        "reason": "probably_mistyped",
        "suggestion": "paul@gmail.com",
    }
    api.refuses(INVITE, 422, "invalid-address", errors=[error])
    enter(space, "jeanne@example.fr, Paul <paul@gmial.com>")
    send(space)
    wrong = space.get_by_role("button", name="Change Paul · paul@gmial.com")
    expect(wrong).to_be_focused()
    expect(wrong).to_have_accessible_description(re.compile("There may be a typo"))
    expect(space.get_by_text("There may be a typo")).to_have_count(1)
    expect(space.get_by_role("alert").filter(has_text="check the entry marked")).to_be_visible()
    space.get_by_role("button", name="Use paul@gmail.com").click()
    assert chips(space) == ["jeanne@example.fr", "Paul · paul@gmail.com"]
    expect(space.get_by_text("There may be a typo")).to_have_count(0)


def test_an_address_doubted_is_kept_with_one_tap(api: ScriptedApi, space: Page) -> None:
    error = {"reason": "probably_mistyped", "suggestion": "paul@gmail.com"}
    errors = [{"field": "referees[0].email", **error}]
    api.refuses(INVITE, 422, "invalid-address", errors=errors)
    api.answers(INVITE, 202, {"invitations": [{"id": "a", "state": "received"}]})
    enter(space, "paul@gmial.com")
    send(space)
    space.get_by_role("button", name="Keep paul@gmial.com").click()
    send(space)
    expect(space.get_by_text("We have received your invitation.")).to_be_visible()
    first, again = api.made(INVITE)
    referees = [{"email": "paul@gmial.com", "as_typed": True}]
    assert again.body == {"referees": referees, "locale": "en"}
    assert first.headers["idempotency-key"] != again.headers["idempotency-key"]


def test_a_submission_sent_again_keeps_its_key_and_a_changed_one_does_not(
    api: ScriptedApi, space: Page
) -> None:
    api.refuses(INVITE, 503, "unavailable")
    api.refuses(INVITE, 503, "unavailable")
    api.refuses(INVITE, 503, "unavailable")
    api.answers(INVITE, 202, {"invitations": []})
    enter(space, "jeanne@example.fr")
    for made in (1, 2):
        with space.expect_response("**/v1/sponsor/invitations"):
            send(space)
        expect(space.locator("#send")).not_to_have_attribute("aria-disabled", "true")
        assert len(api.made(INVITE)) == made
    expect(space.get_by_role("alert").filter(has_text="nothing has been lost")).to_be_visible()
    enter(space, "paul@example.fr")
    with space.expect_response("**/v1/sponsor/invitations"):
        send(space)
    expect(space.locator("#send")).not_to_have_attribute("aria-disabled", "true")
    send(space)
    expect(space.get_by_text("We have received your 2 invitations.")).to_be_visible()
    first, again, changed, changed_again = (
        call.headers["idempotency-key"] for call in api.made(INVITE)
    )
    assert first == again
    assert changed == changed_again
    assert first != changed


def test_reaching_the_quota_is_reported_and_nothing_typed_is_lost(
    api: ScriptedApi, space: Page
) -> None:
    api.refuses(INVITE, 429, "over-quota")
    enter(space, "jeanne@example.fr")
    send(space)
    expect(
        space.get_by_role("alert").filter(has_text="all the invitations you can send")
    ).to_be_visible()
    assert chips(space) == ["jeanne@example.fr"]


def test_too_many_people_at_once_are_counted_before_anything_is_sent(
    api: ScriptedApi, space: Page
) -> None:
    enter(space, ",".join(f"person{number}@example.fr" for number in range(11)))
    send(space)
    alert = space.get_by_role("alert").filter(has_text="No more than 10 people at once")
    expect(alert).to_be_visible()
    assert api.made(INVITE) == []


def test_without_quota_left_there_is_no_form(api: ScriptedApi, open_page: OpenPage) -> None:
    api.answers(SESSIONS, 201, {"session": "s3ssion", "expires_at": "2099-01-01T00:00:00Z"})
    api.answers(
        "GET /v1/sponsor", 200, {**SPACE, "quota": {"limit": 20, "per_call": 10, "left": 0}}
    )
    page = open_page(LINK)
    page.get_by_role("button", name="Open my space").click()
    expect(page.get_by_text("You have sent all your invitations.")).to_be_visible()
    expect(page.locator("#send")).to_be_hidden()


def test_a_session_that_has_ended_leads_back_to_the_sign_in_form(
    api: ScriptedApi, space: Page
) -> None:
    api.refuses(INVITE, 401, "unauthorised")
    enter(space, "jeanne@example.fr")
    send(space)
    expect(space.get_by_role("heading", name="Sign in")).to_be_focused()
    # What was entered, and the key by which sending it again is no second time.
    assert space.evaluate("Object.keys(sessionStorage).sort()") == [
        "tandem.draft.demo-vip",
        "tandem.draft.demo-vip.submission",
        "tandem.owner.demo-vip",
    ]


def test_a_new_link_is_asked_for_twice_and_takes_the_place_of_the_old_one(
    api: ScriptedApi, space: Page
) -> None:
    new = {**SPACE["link"], "url": "https://tandem.example/referee/#link=NEW"}  # type: ignore[dict-item]
    api.answers("POST /v1/sponsor/link", 201, new)
    open_new_link(space)
    space.get_by_role("button", name="Keep my link").click()
    assert api.made("POST /v1/sponsor/link") == []
    open_new_link(space)
    space.get_by_role("button", name="Yes, create a new link").click()
    expect(space.get_by_text("Here is your new link.")).to_be_visible()
    expect(space.get_by_label("Your personal link")).to_have_value(str(new["url"]))
    [asked] = api.made("POST /v1/sponsor/link")
    assert asked.headers["authorization"] == "Bearer s3ssion"


def test_after_several_new_links_in_a_day_the_page_says_when_there_is_another(
    api: ScriptedApi, space: Page
) -> None:
    api.refuses("POST /v1/sponsor/link", 429, "over-quota")
    open_new_link(space)
    space.get_by_role("button", name="Yes, create a new link").click()
    expect(space.get_by_text("You can create another one tomorrow.")).to_be_visible()
    expect(space.get_by_label("Your personal link")).to_have_value(SPACE["link"]["url"])  # type: ignore[index]


def test_signing_out_ends_the_session(api: ScriptedApi, space: Page) -> None:
    api.answers("DELETE /v1/sponsor/session", 204, None)
    with space.expect_response("**/v1/sponsor/session"):
        space.get_by_role("button", name="Sign out").click()
    expect(space.get_by_role("heading", name="Sign in")).to_be_visible()
    [ended] = api.made("DELETE /v1/sponsor/session")
    assert ended.headers["authorization"] == "Bearer s3ssion"
    space.reload()
    expect(space.get_by_role("heading", name="Sign in")).to_be_visible()
    assert space.evaluate("sessionStorage.length") == 0


def test_a_printed_ticket_has_its_codes_to_read_and_to_scan_and_nothing_to_press(
    space: Page,
) -> None:
    ticket = space.locator("#vouchers li").first
    bar_code = ticket.locator(".bar-code")
    expect(bar_code).to_be_hidden()
    space.emulate_media(media="print", color_scheme="dark")
    expect(ticket.get_by_text("SP-7K4M-9QRT-2XWB-HJ")).to_be_visible()
    expect(bar_code).to_be_visible()
    assert bar_code.evaluate("picture => picture.naturalWidth > 0")
    assert space.evaluate(FAULTS_OF_CONTRAST) == []
    for words in ("Add to Apple Wallet", "reaches Apple or Google"):
        expect(ticket.get_by_text(words)).to_be_hidden()
