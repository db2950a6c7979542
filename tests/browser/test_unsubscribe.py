"""The address that earlier mails have to unsubscribe: it leads to the page of the API."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import OpenPage
from .front import ScriptedApi

pytestmark = pytest.mark.browser


def test_the_link_of_an_earlier_mail_leads_to_the_page_and_calls_nothing_else(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.answers("GET /v1/unsubscribe/t0k-en_1/page", 204)
    page = open_page("/404.html")
    with page.expect_response("**/v1/unsubscribe/t0k-en_1/page"):
        page.goto(
            "/unsubscribe/#token=t0k-en_1", wait_until="commit"
        )  # an answer without content is not gone to
    assert [(call.method, call.path) for call in api.own] == [
        ("GET", "/v1/unsubscribe/t0k-en_1/page")
    ]


def test_without_a_token_the_page_says_how_to_open_it(open_page: OpenPage) -> None:
    page = open_page("/unsubscribe/")
    expect(page.get_by_role("heading", name="This address is incomplete")).to_be_visible()
