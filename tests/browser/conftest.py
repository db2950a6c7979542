"""Pages that are watched.

A page fails its test at any console error, any violation of the policy, any exception and any
request to another origin. The API it talks to is scripted (front.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
)

from infra.pages import build_pages

from .answers import CAMPAIGN, SHARED_LINK
from .front import SETTINGS, Front, ScriptedApi, about_demo, running_front

# Reports violations of the content security policy on the console, as errors.
WATCH_POLICY = """addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  console.error(`policy violated: ${violatedDirective} ${blockedURI}`));"""


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built."""
    return build_pages(tmp_path_factory.mktemp("pages").resolve())


@pytest.fixture
def front(pages: Path) -> Iterator[Front]:
    with running_front(pages) as running:
        running.api.answers("GET /v1/campaigns/demo-vip", 200, CAMPAIGN)
        running.api.answers("GET /v1/campaigns/demo-vip/links/K7QM2", 200, SHARED_LINK)
        yield running


@pytest.fixture
def api(front: Front) -> ScriptedApi:
    return front.api


@dataclass
class Watch:
    """What a page did that no page may do."""

    origin: str
    faults: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        """Watches `page` from now on."""
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.faults.append(f"exception: {error}"))
        page.on("request", self._asked)

    def _heard(self, message: ConsoleMessage) -> None:
        # The browser reports each 4xx and 5xx of a fetch: those are what some tests are about.
        refused = message.text.startswith("Failed to load resource") and any(
            path in message.location["url"] for path in ("/v1/", "/oauth2/", SETTINGS)
        )
        if message.type in ("error", "warning") and not refused:
            self.faults.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        own = (f"{self.origin}/", f"blob:{self.origin}/", "data:image/svg+xml")
        if not request.url.startswith(own):
            self.faults.append(f"request to another origin: {request.url}")


class OpenPage(Protocol):
    """Opens a path of the front in a fresh context: a phone in English by default.

    `clock` lets the test move the page's time; `before` is a script run before the page's own. A
    path that names no campaign gets one, unless `campaign` is false.
    """

    def __call__(
        self,
        path: str,
        *,
        locale: str = "en-GB",
        width: int = 390,
        clock: bool = False,
        before: str = "",
        campaign: bool = True,
    ) -> Page: ...


@pytest.fixture
def watch(front: Front) -> Watch:
    return Watch(front.origin)


@pytest.fixture
def open_page(browser: Browser, front: Front, watch: Watch) -> Iterator[OpenPage]:
    contexts: list[BrowserContext] = []

    def opening(
        path: str,
        *,
        locale: str = "en-GB",
        width: int = 390,
        clock: bool = False,
        before: str = "",
        campaign: bool = True,
    ) -> Page:
        context = browser.new_context(
            base_url=front.origin,
            locale=locale,
            viewport={"width": width, "height": 844},
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        context.set_default_timeout(5_000)
        context.add_init_script(WATCH_POLICY)
        if before:
            context.add_init_script(before)
        if clock:
            context.clock.install()
        page = context.new_page()
        watch.over(page)
        page.goto(about_demo(path) if campaign else path)
        return page

    yield opening
    for context in contexts:
        context.close()
    assert watch.faults == []
