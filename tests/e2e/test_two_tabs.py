"""Somebody invites and somebody accepts in one tab; the dashboard in another tab moves by itself.

Nothing is scripted: the pages, the API, the functions and the projector are those of the stack. The
page asks every five seconds, so what is counted is seen with its next answer: the test waits for
the answer that has the new number, and the tab must show it. How long it took is printed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from local.quarter import CAMPAIGN
from local.surfaces import Surfaces
from tests.browser.conftest import WATCH_POLICY
from tests.e2e.conftest import Quarter

pytestmark = [pytest.mark.stack, pytest.mark.browser, pytest.mark.xdist_group("quarter")]

SPONSOR, REFEREE = "vip400@demo.test", "theo.tabs@demo.test"
PATIENCE_S = 120  # of a machine that does much else; the seconds it took are printed


@pytest.fixture
def context(browser: Browser, quarter: Quarter) -> Iterator[BrowserContext]:
    made = browser.new_context(base_url=quarter.stack.url, locale="en-GB")
    made.set_default_timeout(PATIENCE_S * 1000)
    made.add_init_script(WATCH_POLICY)
    yield made
    made.close()


@pytest.fixture
def world(quarter: Quarter) -> Iterator[Surfaces]:
    made = Surfaces(quarter.stack, CAMPAIGN)
    yield made
    made.close()


class Dashboard:
    """The dashboard in a tab of its own, and every answer that it has had."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.answers: list[dict[str, int]] = []
        page.on("response", self._heard)
        page.goto(address)
        expect(page.locator("#numbers")).to_be_visible()

    def _heard(self, response: Response) -> None:
        if urlsplit(response.url).path == f"/v1/campaigns/{CAMPAIGN}/wall":
            self.answers.append(response.json()["funnel"])

    def shows(self, row: str) -> int:
        """The number beside a word."""
        cell = self.page.locator("#funnel-invitations").get_by_role("row", name=row)
        return int(cell.get_by_role("cell").first.inner_text().replace(",", ""))

    def moves(self, name: str, row: str, to: int, acted_at: float) -> None:
        """The tab shows `to` with the first answer that has it, and nobody touches the tab."""
        self._wait(lambda: self.answers[-1][name] >= to)
        cell = self.page.locator("#funnel-invitations").get_by_role("row", name=row)
        expect(cell.get_by_role("cell").first).to_have_text(f"{to:,}")
        print(f"\n{row}: {to} on the dashboard {time.monotonic() - acted_at:.1f} s after the act")

    def _wait(self, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not reached():
            assert time.monotonic() < deadline, self.answers[-1]
            with self.page.expect_response(lambda one: one.url.endswith("/wall")):
                pass


def mailed(quarter: Quarter, world: Surfaces, to: str, page: str) -> str:
    """The address of a page, from the newest mail to somebody."""
    quarter.narrator.wait(f"mail to {to}", lambda: len(world.letters(to)), 1)
    return f"/{page}/?campaign={CAMPAIGN}#token={world.token_for(to, page)}"


def test_the_dashboard_in_another_tab_moves_with_what_people_do(
    context: BrowserContext, quarter: Quarter, world: Surfaces
) -> None:
    address = quarter.tandem("wall", "create", "--campaign", CAMPAIGN).strip()
    dashboard = Dashboard(context.new_page(), address)
    people = context.new_page()
    before = {row: dashboard.shows(row) for row in ("Invited", "Sent", "Confirmed")}
    assert min(before.values()) > 50  # the quarter

    people.goto(f"/?campaign={CAMPAIGN}")
    people.get_by_label("Your e-mail address").fill(SPONSOR)
    people.get_by_role("button", name="Send me my link").click()
    expect(people.get_by_role("heading", name="Check your inbox")).to_be_visible()
    people.goto(mailed(quarter, world, SPONSOR, "sponsor"))
    people.get_by_label("Your first name").fill("Camille")
    people.get_by_role("button", name="Open my space").click()
    field = people.get_by_role("textbox", name="E-mail addresses")
    field.fill(REFEREE)
    field.press("Enter")
    people.locator("#send").click()
    invited_at = time.monotonic()
    dashboard.moves("invited", "Invited", before["Invited"] + 1, invited_at)
    dashboard.moves("sent", "Sent", before["Sent"] + 1, invited_at)

    people.goto(mailed(quarter, world, REFEREE, "referee"))
    people.get_by_role("button", name="I accept").click()
    accepted_at = time.monotonic()
    expect(people.get_by_role("heading", name="Thank you, you have accepted")).to_be_visible()
    dashboard.moves("confirmed", "Confirmed", before["Confirmed"] + 1, accepted_at)
