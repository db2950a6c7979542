"""What the pages promise is what the rules grant; and what they say if a part of them is lost."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from infra.page_texts import LANGUAGES, page_texts

from .answers import BRAND, CAMPAIGN, INVITATION, SPACE
from .conftest import OpenPage, Watch
from .front import Front, ScriptedApi, about_demo
from .test_every_page import DRAFT, TYPED, View, scripted

__all__ = ["scripted"]

pytestmark = pytest.mark.browser

# Which rules grant nothing: neither to the sponsor nor to the referee, by a shared link alone.
BARE = CAMPAIGN | {
    "benefits": {"sponsor": [], "referee": []},
    "offer": {},
    "sponsor_offer": {},
    "share": {},
    "use": {},
    "channels": ["link"],
    "locales": list(LANGUAGES),
    "title": dict.fromkeys(LANGUAGES, "Maison Verte"),
    "privacy": None,
}
STATES = {
    "landing": View("/", "#sign-in"),
    "landing, sent": View("/", "#sent-to:not(:empty)", ("#sign-in button",), TYPED),
    "landing, closed": View("/?campaign=over", "[data-state=closed]"),
    "space": View("/sponsor/#token=t0k", "#sharing-ways", ("#welcome button",), DRAFT),
    "space, entered": View("/sponsor/#token=t0k", "#welcome"),
    "space, sign in": View("/sponsor/", "#sign-in"),
    "offer": View("/referee/#token=t0k", "#confirm"),
    "declining": View("/referee/#token=t0k", "#undo", ("#decline",)),
    "confirmed": View("/referee/#token=yes", "[data-state=confirmed]"),
    "ended": View("/referee/#token=gone", "[data-state=ended]"),
    "sign-up": View("/referee/#link=K7QM2", "#sign-up"),
}
# A voucher, a reward or an amount, in any of the languages; and inviting by e-mail.
PROMISES = re.compile(
    r"€|\bbons?\b|voucher|\bvales?\b|\bbuon[oi]\b|\bbon(?:y|ów|em)?\b|récompense|reward"
    r"|gagn|earn|ganad|guadagn|zdoby"
    r"|invite(?:z vos proches)? (?:by e-mail|par e-mail)|por correo electrónico\.$",
    re.IGNORECASE,
)


@pytest.fixture
def bare(api: ScriptedApi) -> ScriptedApi:
    """A campaign whose rules grant nothing, in force."""
    api.script[("GET", "/v1/campaigns/demo-vip")] = []
    api.answers("GET /v1/campaigns/demo-vip", 200, BARE)
    api.answers(
        "GET /v1/campaigns/over",
        200,
        BARE | {"open": False, "starts_on": "2020-01-01", "ends_on": "2020-12-31"},
    )
    api.script[("GET", "/v1/sponsor")] = []
    api.answers("GET /v1/sponsor", 200, SPACE | {"vouchers": []})
    api.script[("GET", "/v1/invitations/t0k")] = []
    offered = INVITATION | {"offer": {}, "privacy": None}
    api.answers("GET /v1/invitations/t0k", 200, offered)
    api.answers("GET /v1/invitations/yes", 200, offered | {"state": "confirmed"})
    return api


def opened(open_page: OpenPage, view: View, language: str) -> Page:
    path = view.path.replace("/#", "/?#").replace("?#", f"?lang={language}#")
    path = path if "lang=" in path else f"{path}{'&' if '?' in path else '?'}lang={language}"
    page = open_page(path, before=view.before)
    for selector in view.press:
        page.locator(selector).first.click()
    expect(page.locator(view.ready).first).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", language)
    return page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.usefixtures("bare")
def test_no_state_promises_what_no_rule_grants(
    open_page: OpenPage, state: str, language: str
) -> None:
    page = opened(open_page, STATES[state], language)
    for summary in page.locator("main summary:visible").all():
        summary.click()
    shown = page.locator("main").inner_text()
    assert len(shown) > 20
    assert PROMISES.findall(shown) == [], shown


@pytest.mark.parametrize("state", ["landing", "offer", "sign-up"])
def test_the_same_states_promise_what_the_rules_grant(open_page: OpenPage, state: str) -> None:
    """The test above would notice."""
    page = opened(open_page, STATES[state], "en")
    assert PROMISES.search(page.locator("main").inner_text())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_frame_names_the_brand_and_who_is_behind_it(
    bare: ScriptedApi, open_page: OpenPage, language: str
) -> None:
    bare.refuses("GET /v1/invitations/gone", 410, "over")
    for view in (STATES["ended"], View("/404.html", "h1"), View("/unsubscribe/", "h1:visible")):
        page = opened(open_page, replace(view, before=""), language)
        expect(page.get_by_role("img", name=str(BRAND["name"]))).to_be_visible()
        expect(page.locator("#owner")).to_contain_text("Maison Verte SAS")
        expect(page.locator("#contact")).to_have_attribute(
            "href", "mailto:contact@maison-verte.example"
        )
        expect(page.locator("#page-terms")).to_be_visible()


@pytest.mark.parametrize("kind", ["script", "stylesheet", "fetch", "nothing"])
@pytest.mark.parametrize("path", ["/", "/sponsor/", "/referee/#token=t0k", "/privacy/"])
def test_each_single_file_that_is_lost_leaves_words_in_the_readers_language(
    open_page: OpenPage, watch: Watch, path: str, kind: str
) -> None:
    """Of the files that are fetched it is the texts that are lost."""
    page = open_page("/404.html", locale="pl-PL")

    def lose(route: Route) -> None:
        # Fetched by the page's script, or before it because the edge named them.
        is_texts = "/assets/" in route.request.url and route.request.url.endswith(".json")
        is_lost = is_texts if kind == "fetch" else route.request.resource_type == kind
        if is_lost:
            route.abort()
        else:
            route.continue_()

    page.route("**/*", lose)
    page.goto(about_demo(path))
    sorry = page.locator("[data-apology][lang=pl]")
    if kind in ("script", "fetch"):
        expect(sorry).to_be_visible(timeout=12_000)
        expect(sorry).to_have_text(str(page_texts("pl")["page.apology"]))
    else:
        expect(page.locator("h1:visible")).not_to_be_empty()
        expect(page.locator("[data-apology]")).to_have_count(0)
    page.close()
    watch.faults.clear()  # the browser reports what was lost


def test_without_scripts_the_page_says_at_once_that_it_needs_them(
    front: Front, browser: Browser
) -> None:
    context = browser.new_context(base_url=front.origin, java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto("/")
        for language in LANGUAGES:
            said = page.locator(f"[data-apology][lang={language}]")
            expect(said).to_be_visible(timeout=3_000)
    finally:
        context.close()


@pytest.mark.parametrize(
    ("query", "stored", "locale", "locales", "language"),
    [
        ("?lang=en", "fr", "fr-FR", ["fr", "en"], "en"),
        ("", "fr", "en-GB", ["fr", "en"], "fr"),
        ("", "", "pl-PL", ["fr", "pl"], "pl"),
        ("", "", "pl-PL", ["fr", "en"], "fr"),
        ("?lang=pl", "pl", "pl-PL", ["en"], "en"),
    ],
)
def test_the_language_is_the_links_the_readers_the_browsers_or_the_campaigns(
    api: ScriptedApi, open_page: OpenPage, query: str, stored: str, locale: str,
    locales: list[str], language: str,
) -> None:  # fmt: skip
    api.script[("GET", "/v1/campaigns/demo-vip")] = []
    api.answers("GET /v1/campaigns/demo-vip", 200, CAMPAIGN | {"locales": locales})
    before = f"localStorage.setItem('tandem.language', '{stored}')" if stored else ""
    page = open_page(f"/{query}", locale=locale, before=before)
    expect(page.locator("#sign-in")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", language)
    buttons = page.locator("[data-language]:visible")
    expect(buttons).to_have_count(len(locales) if len(locales) > 1 else 0)
