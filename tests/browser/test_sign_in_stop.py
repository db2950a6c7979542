"""“This was not me”: two buttons, and nothing before them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import OpenPage
from .front import ScriptedApi

pytestmark = pytest.mark.browser

STOP, RESUME = "POST /v1/sign-in-stops/t0k-en_1", "DELETE /v1/sign-in-stops/t0k-en_1"
PAGE = "/sign-in-stop/#token=t0k-en_1"


@pytest.mark.parametrize(
    ("call", "button"),
    [(STOP, "Stop sending me these links"), (RESUME, "Send me links again when I ask")],
)
def test_only_the_buttons_stop_and_resume(
    api: ScriptedApi, open_page: OpenPage, call: str, button: str
) -> None:
    api.answers(call, 204)
    page = open_page(PAGE)
    expect(page.get_by_role("button", name=button)).to_be_visible()
    assert page.url.endswith("/sign-in-stop/?campaign=demo-vip")
    assert api.own == []
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("heading", name="Noted")).to_be_focused()
    assert len(api.made(call)) == len(api.own) == 1


def test_a_failure_is_reported(api: ScriptedApi, open_page: OpenPage) -> None:
    api.refuses(STOP, 503, "unavailable")
    page = open_page(PAGE)
    page.get_by_role("button", name="Stop sending me these links").click()
    expect(page.get_by_role("alert").filter(has_text="nothing has been lost")).to_be_visible()
