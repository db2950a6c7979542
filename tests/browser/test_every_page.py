"""What holds on every page: policy, language, keyboard, small screens, contrast, names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.mails.samples import INVITATION as INVITATION_MAIL
from tests.mails.samples import rendered

from .answers import CAMPAIGN, CONFIRMED, INVITATION, PRIVACY_REQUEST, SHARED_LINK, SPACE, dashboard
from .conftest import OpenPage, Watch
from .front import ScriptedApi
from .sign_in import signed_in

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class View:
    """A page in one of its states: where it is, what is pressed, and what then is there; `before`
    is what this tab has done.
    """

    path: str
    ready: str
    press: tuple[str, ...] = ()
    before: str = ""


# What this tab keeps of people who were typed and not sent: one good, one that the API refused.
DRAFT = """sessionStorage.setItem("tandem.draft.demo-vip", JSON.stringify([
  { email: "lea@example.fr", first_name: "Léa" },
  { email: "paul@gmial.com", error: { field: "email", reason: "probably_mistyped",
    suggestion: "paul@gmail.com" } }]))"""
TYPED = """addEventListener("load", () => {
  const input = document.querySelector("#sign-in-email");
  if (input) input.value = "camille@example.fr";
})"""

VIEWS = {
    "landing": View("/", "#sign-in"),
    "landing, nothing typed": View("/", "#sign-in-email-error", ("#sign-in button",)),
    "landing, no campaign": View("/?campaign=", "[data-state=no-campaign]"),
    "landing, unknown": View("/?campaign=nowhere", "[data-state=unknown-campaign]"),
    "landing, ended": View("/?campaign=ended", "[data-state=closed]"),
    "sponsor, sign-in": View("/sponsor/", "[data-state=sign-in]"),
    "sponsor, welcome": View("/sponsor/#token=t0k", "#welcome"),
    "sponsor, space": View("/sponsor/#token=t0k", "#invitations li", ("#welcome button",)),
    "sponsor, nobody typed": View(
        "/sponsor/#token=t0k", "#invite-notice:not(:empty)", ("#welcome button", "#send")
    ),
    "sponsor, people typed": View("/sponsor/#token=t0k", ".chip", ("#welcome button",), DRAFT),
    "sponsor, QR code": View("/sponsor/#token=t0k", "#qr", ("#welcome button", "#show-qr")),
    "sponsor, the mail": View(
        "/sponsor/#token=t0k", "#preview[open]", ("#welcome .main", "#show-preview")
    ),
    "sponsor, link sent": View("/sponsor/", "#sent-to:not(:empty)", ("#sign-in button",), TYPED),
    "referee, offer": View("/referee/#token=t0k", "#confirm"),
    "referee, declining": View("/referee/#token=t0k", "#undo", ("#decline",)),
    "referee, confirmed": View("/referee/#token=c0nfirmed", "#vouchers .code"),
    "referee, at the till": View("/referee/#token=c0nfirmed", "#till", ("#vouchers button",)),
    "referee, ended": View("/referee/#token=gone", "[data-state=ended]"),
    "referee, sign-up": View("/referee/#link=K7QM2", "#sign-up"),
    "referee, no link": View("/referee/", "[data-state=missing-link]"),
    "unsubscribe": View("/unsubscribe/", "[data-state=missing-link]"),
    "privacy, form": View("/privacy/", "#request"),
    "privacy, nothing typed": View("/privacy/", "#request-email-error", ("#request .main",)),
    "privacy, file": View("/privacy/#token=f1le", "#take-file"),
    "privacy, erasure": View("/privacy/#token=er4se", "#erase"),
    "privacy, started": View("/privacy/#token=er4se", "[data-state=started]", ("#erase",)),
    "privacy, over": View("/privacy/#token=gone", "[data-state=over]"),
    "sign-in stop": View("/sign-in-stop/#token=t0k", "#stop"),
    "dashboard, form": View("/dashboard/", "#connect"),
    "dashboard": View("/dashboard/?campaign=demo-vip", "#days td", before=signed_in()),
    "dashboard, no role": View(
        "/dashboard/?campaign=refused", "#notice:not(:empty)", before=signed_in()
    ),
    "dashboard, on a wall": View("/dashboard/?campaign=demo-vip#wall=w4ll", "#figures .figure"),
    "not found": View("/404.html", "h1"),
    "failure": View("/?campaign=broken", "#failure-reason:not(:empty)"),
}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

# Controls without a name, ids that stand twice, pages without their one visible heading.
FAULTS_OF_STRUCTURE = """() => {
  const visible = (node) => node.checkVisibility();
  const named = (node) =>
    node.labels?.length || node.getAttribute("aria-label") || node.textContent.trim() || node.alt;
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  const faults = ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `id twice: ${id}`);
  for (const node of document.querySelectorAll("input, button, a, img")) {
    if (visible(node) && !named(node)) faults.push(`no name: ${node.outerHTML}`);
  }
  const headings = [...document.querySelectorAll("h1")].filter(visible);
  if (headings.length !== 1) faults.push(`${headings.length} main headings`);
  if (!document.title.trim()) faults.push("no title");
  for (const node of document.querySelectorAll("[data-text]")) {
    if (visible(node) && !node.textContent.trim()) faults.push(`says nothing: ${node.outerHTML}`);
  }
  return faults;
}"""

# Text whose contrast with what is behind it is below 4.5 to 1 (WCAG 2.2, 1.4.3).
FAULTS_OF_CONTRAST = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [red, green, blue] = channels(colour).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (channels(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  // What is faint by its opacity, or by that of what it is in, is mixed with what is behind it.
  const seen = (node) => {
    let part = channels(getComputedStyle(node).color)[3] ?? 1;
    for (let at = node; at; at = at.parentElement) part *= Number(getComputedStyle(at).opacity);
    const [front, back] = [getComputedStyle(node).color, behind(node)].map(channels);
    const mixed = [0, 1, 2].map((at) => part * front[at] + (1 - part) * back[at]);
    return `rgb(${mixed.join(", ")})`;
  };
  const faults = [];
  for (const node of document.querySelectorAll("body *")) {
    const text = node.tagName === "INPUT" ? node.value : [...node.childNodes]
      .filter((child) => child.nodeType === Node.TEXT_NODE).map((child) => child.data).join("");
    if (!text.trim() || !node.checkVisibility()) continue;
    const [one, other] = [luminance(seen(node)), luminance(behind(node))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) faults.push(`${contrast.toFixed(2)}: ${text.trim()}`);
  }
  return faults;
}"""


@pytest.fixture(autouse=True)
def scripted(api: ScriptedApi) -> None:
    script(api)


def preview() -> dict[str, str]:
    """The mail of an invitation, as the API shows it before it leaves: with its steps in a table,
    since the campaign has no words of its own for them.
    """
    wordless = replace(INVITATION_MAIL.campaign, offer={})
    mail = rendered(replace(INVITATION_MAIL, campaign=wordless), "fr")
    return {
        "locale": mail.locale, "sender_name": "Maison Verte", "subject": mail.subject,
        "sender": "no-reply@maison-verte.example", "text": mail.text, "html": mail.html,
    }  # fmt: skip


def script(api: ScriptedApi) -> None:
    """What the API answers in these views."""
    ended = {**CAMPAIGN, "open": False, "starts_on": "2020-01-01", "ends_on": "2020-12-31"}
    api.answers("GET /v1/campaigns/ended", 200, ended)
    api.answers(
        "POST /v1/campaigns/demo-vip/sessions", 201, {"session": "s3", "expires_at": "2099-01-01"}
    )
    api.answers("GET /v1/sponsor", 200, SPACE)
    api.answers("GET /v1/campaigns/demo-vip/links/K7QM2", 200, SHARED_LINK)
    api.answers("POST /v1/sponsor/invitation-preview", 200, preview())
    api.answers("GET /v1/invitations/t0k", 200, INVITATION)
    api.refuses("GET /v1/invitations/gone", 410, "over")
    api.answers("GET /v1/invitations/c0nfirmed", 200, CONFIRMED)
    api.answers("POST /v1/campaigns/demo-vip/sign-in", 202, {"status": "accepted"})
    api.refuses("GET /v1/campaigns/broken", 503, "unavailable")
    api.answers("GET /v1/privacy/f1le", 200, PRIVACY_REQUEST)
    api.answers("GET /v1/privacy/er4se", 200, PRIVACY_REQUEST | {"wish": "erase"})
    api.answers("POST /v1/privacy/er4se/erasure", 202, {"status": "started"})
    api.refuses("GET /v1/privacy/gone", 410, "over")
    api.answers("GET /v1/ops/campaigns/demo-vip/dashboard", 200, dashboard())
    api.refuses("GET /v1/ops/campaigns/refused/dashboard", 403, "no-role")
    api.answers("GET /v1/campaigns/demo-vip/wall", 200, dashboard())


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_every_view_is_readable_in_both_languages_on_all_screens_in_light_and_dark(
    open_page: OpenPage, view: View
) -> None:
    page = open_page(view.path, locale="fr-FR", before=view.before)
    for selector in view.press:
        page.locator(selector).first.click()
    expect(page.locator(view.ready).first).to_be_visible()
    for language in ("fr", "en"):
        # Behind a sheet that is open no button can be pressed.
        page.locator(f"[data-language={language}]").evaluate("button => button.click()")
        expect(page.locator("html")).to_have_attribute("lang", language)
        assert page.evaluate(FAULTS_OF_STRUCTURE) == []
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(FAULTS_OF_CONTRAST) == [], scheme


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/sponsor/",
        "/referee/",
        "/unsubscribe/",
        "/sign-in-stop/",
        "/privacy/",
        "/dashboard/",
        "/404.html",
    ],
)
def test_the_first_tab_stop_skips_to_the_content(open_page: OpenPage, path: str) -> None:
    page = open_page(path)
    expect(page.locator("h1:visible")).to_be_visible()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_every_step_can_be_taken_with_the_keyboard_alone(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.answers("POST /v1/campaigns/demo-vip/sign-in", 202, {"status": "accepted"})
    api.answers(
        "POST /v1/sponsor/invitations", 202, {"invitations": [{"id": "a", "state": "received"}]}
    )
    api.answers(
        "POST /v1/invitations/t0k/confirmation", 201, {"referral": "r", "state": "confirmed"}
    )

    def tab_to(page: Page, selector: str) -> None:
        target = page.locator(selector)
        expect(target).to_be_visible()
        for _ in range(40):
            page.keyboard.press("Tab")
            if target.evaluate("node => node === document.activeElement"):
                return
        raise AssertionError(f"{selector} is never reached")

    page = open_page("/")
    tab_to(page, "#sign-in-email")
    page.keyboard.type("camille@example.fr")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_focused()

    page = open_page("/sponsor/#token=t0k")
    tab_to(page, "#welcome-first-name")
    page.keyboard.type("Camille")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Hello Camille")).to_be_focused()
    tab_to(page, "#addresses")
    page.keyboard.type("jeanne@example.fr ")
    page.keyboard.type("paul@example.fr")
    page.keyboard.press("Enter")
    tab_to(page, "#send")
    page.keyboard.press("Space")
    expect(page.get_by_text("We have received your 2 invitations.")).to_be_visible()

    page = open_page("/referee/#token=t0k")
    tab_to(page, "#marketing-consent")
    page.keyboard.press("Space")
    tab_to(page, "#confirm button[type=submit]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Thank you, you have accepted")).to_be_focused()
    (confirmed,) = api.made("POST /v1/invitations/t0k/confirmation")
    assert confirmed.body == {"terms_version": "2025-1", "marketing_consent": True}


@pytest.mark.parametrize(
    ("act", "fault"),
    [
        (
            "document.body.append(Object.assign(document.createElement('script'), {text: '1'}))",
            "policy violated",
        ),
        ("document.body.setAttribute('style', 'color: red')", "policy violated"),
        ("fetch('https://elsewhere.invalid/').catch(() => {})", "policy violated: connect-src"),
        ("console.error('anything')", "console: anything"),
        ("void setTimeout(() => { throw new Error('out of hand'); })", "exception: "),
    ],
)
def test_the_watch_over_all_these_pages_sees_every_kind_of_fault(
    open_page: OpenPage, watch: Watch, act: str, fault: str
) -> None:
    page = open_page("/unsubscribe/")
    expect(page.get_by_role("heading", name="This address is incomplete")).to_be_visible()
    page.evaluate(act)
    for _ in range(20):
        page.evaluate("new Promise(requestAnimationFrame)")
        if any(fault in seen for seen in watch.faults):
            break
    assert any(fault in seen for seen in watch.faults)
    watch.faults.clear()
