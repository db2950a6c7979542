"""What a page asks for before its own script is there: once, and without it just as well."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Route, expect

from chalicelib.adapters.pages import REFEREE_PAGE

from .answers import dashboard
from .conftest import OpenPage
from .front import ScriptedApi, about_demo
from .sign_in import signed_in
from .test_every_page import VIEWS, scripted
from .test_promises import STATES
from .test_shared_link import PATH as SHORT_LINK
from .test_shared_link import made
from .test_speed import SIGNED_IN

__all__ = ["scripted"]

pytestmark = pytest.mark.browser

PAGES = {  # where, what the tab has stored, which call, and what then is there
    "offer": (STATES["offer"].path, "", "GET /v1/invitations/t0k", "[data-state=offer]"),
    "sign-up": (
        STATES["sign-up"].path,
        "",
        "GET /v1/campaigns/demo-vip/links/K7QM2",
        "[data-state=sign-up]",
    ),
    "space": (
        "/sponsor/?campaign=demo-vip",
        SIGNED_IN,
        "GET /v1/sponsor",
        "[data-state=space]",
    ),
    "dashboard": (
        VIEWS["dashboard"].path,
        signed_in(),
        "GET /v1/ops/campaigns/demo-vip/dashboard",
        "#figures",
    ),
}
OWN = re.compile(r'<script type="module" src="([^"]+)"')
EARLY = re.compile(r"<script>.*?</script>", re.DOTALL)
CAMPAIGN = "GET /v1/campaigns/demo-vip"


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_needs_is_asked_for_once_before_its_own_script_is_there(
    api: ScriptedApi, open_page: OpenPage, pages: Path, name: str
) -> None:
    path, before, call, ready = PAGES[name]
    page, held = open_page("/404.html", before=before), list[Route]()
    page.wait_for_load_state("networkidle")
    api.calls.clear()
    page.route(f"**{own_script(pages, path)}", lambda route: held.append(route))
    with page.expect_response(lambda answer: answer.url.endswith(call.removeprefix("GET "))):
        page.goto(about_demo(path), wait_until="commit")
    expect(page.locator(ready)).to_be_hidden()
    held[0].continue_()
    page.wait_for_load_state("load")
    expect(page.locator(ready)).to_be_visible()
    assert len(api.made(call)) == 1
    assert len(api.made(CAMPAIGN)) <= 1


@pytest.mark.parametrize("name", PAGES)
def test_a_page_does_without_its_early_script(
    api: ScriptedApi, open_page: OpenPage, name: str
) -> None:
    """As under the policy of another release, which does not know it."""
    path, before, call, ready = PAGES[name]
    page = open_page("/404.html", before=before)

    def without(route: Route) -> None:
        answer = route.fetch()
        text, removed = EARLY.subn("", answer.text())
        assert removed == 1
        route.fulfill(response=answer, body=text)

    page.route(lambda url: urlsplit(url).path == urlsplit(path).path, without)
    page.goto(about_demo(path))
    expect(page.locator(ready)).to_be_visible()
    assert len(api.made(call)) == 1


def own_script(pages: Path, path: str) -> str:
    """The address of a page's own script."""
    folder = urlsplit(path).path.lstrip("/")
    (address,) = OWN.findall((pages / folder / "index.html").read_text("utf-8"))
    return str(address)


def test_the_page_of_a_shared_link_asks_for_nothing_that_came_with_it(
    api: ScriptedApi, open_page: OpenPage, pages: Path
) -> None:
    api.link_pages[SHORT_LINK] = (200, made((pages / REFEREE_PAGE).read_text("utf-8"), "fr"))
    page = open_page(SHORT_LINK)
    expect(page.locator("[data-state=sign-up]")).to_be_visible()
    assert api.calls == []


def test_nobody_who_is_not_signed_in_is_asked_about(api: ScriptedApi, open_page: OpenPage) -> None:
    api.answers("GET /v1/ops/campaigns/demo-vip/dashboard", 200, dashboard())
    for path in ("/sponsor/", "/dashboard/", "/referee/"):
        open_page(path).wait_for_load_state("networkidle")
    assert api.own == []
