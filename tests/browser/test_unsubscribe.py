"""The unsubscribe page: one button, and nothing before it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import OpenPage
from .front import ScriptedApi

pytestmark = pytest.mark.browser

UNSUBSCRIBE = "POST /v1/unsubscribe/t0k-en_1"


def test_only_the_button_unsubscribes(api: ScriptedApi, open_page: OpenPage) -> None:
    api.answers(UNSUBSCRIBE, 200, {"status": "unsubscribed"})
    page = open_page("/unsubscribe/#token=t0k-en_1")
    button = page.get_by_role("button", name="Unsubscribe")
    expect(button).to_be_visible()
    assert page.url.endswith("/unsubscribe/")
    assert api.calls == []
    button.click()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_focused()
    assert len(api.made(UNSUBSCRIBE)) == 1


def test_a_failure_is_reported_and_the_button_works_again(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.refuses(UNSUBSCRIBE, 503, "unavailable")
    api.answers(UNSUBSCRIBE, 200, {"status": "unsubscribed"})
    page = open_page("/unsubscribe/#token=t0k-en_1")
    button = page.get_by_role("button", name="Unsubscribe")
    button.click()
    expect(page.get_by_role("alert").filter(has_text="nothing has been lost")).to_be_visible()
    button.click()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()


def test_without_a_token_the_page_says_how_to_open_it(open_page: OpenPage) -> None:
    page = open_page("/unsubscribe/")
    expect(page.get_by_role("heading", name="This address is incomplete")).to_be_visible()
