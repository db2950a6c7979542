"""What was typed is not lost: neither by loading the page again, nor when a call fails; and a call
without an answer is said, and sent again by hand alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, Route, expect

from .answers import SPACE
from .conftest import OpenPage, Watch
from .front import ScriptedApi
from .test_every_page import scripted

__all__ = ["scripted"]

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Form:
    """A form: where it is, what is pressed before, its field, its button, where it says what went
    wrong, and what it calls.
    """

    path: str
    field: str
    button: str
    notice: str
    call: str
    typed: str = "jeanne@example.fr"
    press: tuple[str, ...] = ()
    unnamed: bool = False


FORMS = {
    "sign-in": Form(
        "/", "#sign-in-email", "#sign-in button", "#sign-in .notice",
        "POST /v1/campaigns/demo-vip/sign-in",
    ),
    "sign-in, space": Form(
        "/sponsor/", "#sign-in-email", "#sign-in button", "#sign-in .notice",
        "POST /v1/campaigns/demo-vip/sign-in",
    ),
    "welcome": Form(
        "/sponsor/#token=t0k", "#welcome-first-name", "#welcome .main", "#welcome .notice",
        "POST /v1/campaigns/demo-vip/sessions", "Camille",
    ),
    "name": Form(
        "/sponsor/#token=t0k", "#own-first-name", "#name .main", "#name .notice",
        "POST /v1/sponsor/first-name", "Camille", ("#welcome .main",), unnamed=True,
    ),
    "sign-up": Form(
        "/referee/#link=K7QM2", "#sign-up-email", "#sign-up .main", "#sign-up .notice",
        "POST /v1/campaigns/demo-vip/links/K7QM2/sign-up",
    ),
    "privacy": Form(
        "/privacy/", "#request-email", "#request .main", "#request .notice",
        "POST /v1/privacy/requests",
    ),
}  # fmt: skip


def opened(api: ScriptedApi, open_page: OpenPage, form: Form) -> Page:
    if form.unnamed:
        api.script[("GET", "/v1/sponsor")] = []
        api.answers("GET /v1/sponsor", 200, {**SPACE, "first_name": None})
    page = open_page(form.path)
    for selector in form.press:
        page.locator(selector).click()
    page.locator(form.field).fill(form.typed)
    return page


@pytest.mark.parametrize("name", FORMS)
def test_what_was_typed_is_there_after_a_reload_and_gone_once_it_was_sent(
    api: ScriptedApi, open_page: OpenPage, name: str
) -> None:
    form = FORMS[name]
    page = opened(api, open_page, form)
    page.reload()
    expect(page.locator(form.field)).to_have_value(form.typed)
    assert form.typed in page.evaluate("JSON.stringify(sessionStorage)")
    api.script[tuple(form.call.split(" "))] = []  # type: ignore[index]
    answer = {"session": "s3", "expires_at": "2099-01-01"} if name == "welcome" else {}
    api.answers(form.call, 201 if name == "welcome" else 202, answer)
    path = form.call.split(" ")[1]
    with page.expect_response(f"**{path}"):
        page.locator(form.button).first.click()
    page.wait_for_function(
        "typed => !Object.entries(sessionStorage)"
        ".some(([key, value]) => key.includes('typed') && value.includes(typed))",
        arg=form.typed,
    )


@pytest.mark.parametrize("how", ["offline", "failing"])
@pytest.mark.parametrize("name", FORMS)
def test_a_call_that_fails_is_said_keeps_what_was_typed_and_is_sent_once_a_press(
    api: ScriptedApi, open_page: OpenPage, watch: Watch, name: str, how: str
) -> None:
    form = FORMS[name]
    page = opened(api, open_page, form)
    path, sent = form.call.split(" ")[1], []

    def lose(route: Route) -> None:
        sent.append(route.request.post_data)
        if how == "offline":
            route.abort()
        else:
            route.fulfill(status=503, json={"type": "urn:tandem:problem:unavailable"})

    page.route(f"**{path}", lose)
    for times in (1, 2):
        page.locator(form.button).first.click()
        expect(page.locator(form.notice).first).not_to_be_empty()
        expect(page.locator(form.button).first).not_to_have_attribute("aria-disabled", "true")
        expect(page.locator(form.field)).to_have_value(form.typed)
        assert len(sent) == times
    watch.faults.clear()  # the browser reports what was lost


def test_a_message_that_was_changed_is_there_after_a_reload(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    page = open_page("/sponsor/#token=t0k")
    page.locator("#welcome .main").click()
    page.locator("#message").fill("Come and see!")
    page.reload()
    expect(page.locator("#message")).to_have_value("Come and see!")
    assert len(api.made("GET /v1/sponsor")) >= 2
