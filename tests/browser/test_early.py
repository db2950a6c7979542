"""What a page asks for before its own script is there: once, and without it just as well."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from .answers import dashboard
from .conftest import OpenPage, Watch
from .front import ScriptedApi, about_demo
from .sign_in import signed_in
from .test_every_page import VIEWS, scripted
from .test_promises import STATES
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
SCRIPTS = re.compile(r'<script type="module"( async [a-z="]+)? src="([^"]+)"')


@pytest.mark.parametrize("late", ["own", "early"])
@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_needs_is_asked_for_once_whichever_script_is_there_first(
    api: ScriptedApi, open_page: OpenPage, pages: Path, name: str, late: str
) -> None:
    path, before, call, ready = PAGES[name]
    page, held = open_page("/404.html", before=before), list[Route]()
    page.route(f"**{scripts_of(pages, path)[late]}", lambda route: held.append(route))
    with page.expect_response(lambda answer: answer.url.endswith(call.removeprefix("GET "))):
        page.goto(about_demo(path), wait_until="commit")
    expect(page.locator(ready)).to_be_visible(visible=late == "early")
    held[0].continue_()
    page.wait_for_load_state("load")
    expect(page.locator(ready)).to_be_visible()
    assert len(api.made(call)) == 1


@pytest.mark.parametrize("name", PAGES)
def test_a_page_does_without_its_early_call(
    api: ScriptedApi, open_page: OpenPage, watch: Watch, pages: Path, name: str
) -> None:
    path, before, call, ready = PAGES[name]
    page = open_page("/404.html", before=before)
    page.route(f"**{scripts_of(pages, path)['early']}", lambda route: route.abort())
    page.goto(about_demo(path))
    expect(page.locator(ready)).to_be_visible()
    assert len(api.made(call)) == 1
    page.close()
    watch.faults.clear()  # the browser reports what was lost


def scripts_of(pages: Path, path: str) -> dict[str, str]:
    """The addresses of a page's two scripts."""
    folder = path.partition("?")[0].partition("#")[0]
    found = SCRIPTS.findall((pages / folder.lstrip("/") / "index.html").read_text("utf-8"))
    return {"early" if asynchronous else "own": address for asynchronous, address in found}


def test_nobody_who_is_not_signed_in_is_asked_about(api: ScriptedApi, open_page: OpenPage) -> None:
    api.answers("GET /v1/ops/campaigns/demo-vip/dashboard", 200, dashboard())
    for path in ("/sponsor/", "/dashboard/", "/referee/"):
        open_page(path).wait_for_load_state("networkidle")
    assert api.own == []
