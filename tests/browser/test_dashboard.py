"""The dashboard: its numbers, how it refreshes itself, and what it does when it cannot."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from .answers import dashboard
from .conftest import OpenPage
from .front import ScriptedApi
from .sign_in import DASHBOARD, bearers, id_token, signed_in

pytestmark = pytest.mark.browser

HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def count(page: Page, step: str) -> Locator:
    return page.locator("#numbers").get_by_role("row", name=step).get_by_role("cell").first


@pytest.fixture
def shown(api: ScriptedApi, open_page: OpenPage) -> Page:
    """A dashboard on view, whose clock the test moves."""
    api.answers(DASHBOARD, 200, dashboard())
    page = open_page("/dashboard/?campaign=demo-vip", width=1280, clock=True, before=signed_in())
    expect(count(page, "Invited")).to_have_text("1,240")
    return page


def answer_next(api: ScriptedApi, status: int, body: object) -> None:
    """Scripts what every refresh gets from now on."""
    method, path = DASHBOARD.split(" ")
    api.script.pop((method, path))
    api.answers(DASHBOARD, status, body)


def test_the_numbers_are_shown_with_their_time(api: ScriptedApi, shown: Page) -> None:
    assert bearers(api)[0] == id_token()
    expect(shown.get_by_text("As of 2 Oct 2025, 10:15:30 (Europe/Paris)")).to_be_visible()
    expect(shown.get_by_role("row", name="Confirmed 412 33.2%")).to_be_visible()
    expect(shown.get_by_role("row", name="Already invited 80 25.8%")).to_be_visible()
    expect(shown.get_by_role("row", name="Customers Yes 7 200,000")).to_be_visible()
    expect(shown.get_by_role("row", name="VIPs No")).to_be_visible()
    expect(
        shown.get_by_role("row", name="Oldest export not yet acknowledged Overdue 30 Sept 2025")
    ).to_be_visible()
    expect(shown.get_by_role("row", name="Last order file On time 2 Oct 2025")).to_be_visible()
    codes = shown.get_by_role("row", name="Own codes (welcome) On time")
    expect(codes.get_by_role("cell").last).to_have_text("12,000")
    days = shown.get_by_role("table", name="By day").get_by_role("rowheader")
    expect(days).to_have_text(["02/10/2025", "01/10/2025"])
    widths = shown.locator("#funnel-invitations .bar-fill").evaluate_all(
        "all => all.map(bar => bar.style.width)"
    )
    assert widths[:3] == ["100%", "25%", "75%"]


def test_what_is_held_is_shown_with_its_value_and_not_when_nothing_is(
    api: ScriptedApi, shown: Page
) -> None:
    held = shown.get_by_text("Held rewards waiting for a decision: 3, worth €45.")
    expect(held).to_be_visible()
    nothing = {"rewards": 0, "value": "0.00", "currency": "EUR"}
    answer_next(api, 200, {**dashboard(invited=1241), "held_rewards": nothing})
    shown.clock.run_for(5_000)
    expect(count(shown, "Invited")).to_have_text("1,241")
    expect(shown.locator("#held-rewards")).to_be_hidden()


def test_who_was_found_on_a_later_list_is_counted_in_all_and_by_day(shown: Page) -> None:
    invitations = shown.get_by_role("table", name="Invitations")
    found = invitations.get_by_role("row", name="On a later customer list")
    expect(found.get_by_role("cell").first).to_have_text("5")
    headings = shown.get_by_role("table", name="By day").get_by_role("columnheader")
    position = headings.all_inner_texts().index("On a later customer list")
    day = shown.get_by_role("table", name="By day").get_by_role("row").nth(1)
    expect(day.locator("th, td").nth(position)).to_have_text("2")


def test_it_refreshes_itself_every_five_seconds(api: ScriptedApi, shown: Page) -> None:
    for invited in (1241, 1242):
        answer_next(api, 200, dashboard(invited=invited))
        shown.clock.fast_forward(5_000)
        expect(count(shown, "Invited")).to_have_text(f"{invited:,}")


def test_it_rests_while_nobody_looks(api: ScriptedApi, shown: Page) -> None:
    before = len(api.made(DASHBOARD))
    answer_next(api, 200, dashboard(invited=1300))
    shown.evaluate(HIDE, True)
    shown.clock.fast_forward(60_000)
    expect(count(shown, "Invited")).to_have_text("1,240")
    shown.evaluate(HIDE, False)
    expect(count(shown, "Invited")).to_have_text("1,300")
    assert len(api.made(DASHBOARD)) == before + 1


def test_a_failed_refresh_keeps_the_last_numbers_and_recovers(
    api: ScriptedApi, shown: Page
) -> None:
    answer_next(api, 503, {"type": "urn:tandem:problem:unavailable", "status": 503})
    shown.clock.fast_forward(5_000)
    notice = shown.get_by_role("alert").filter(has_text="could not be refreshed")
    expect(notice).to_be_visible()
    expect(count(shown, "Invited")).to_have_text("1,240")
    answer_next(api, 200, dashboard(invited=1250))
    shown.clock.fast_forward(5_000)
    expect(count(shown, "Invited")).to_have_text("1,250")
    expect(notice).to_have_count(0)


def test_an_unknown_campaign_is_reported(open_page: OpenPage) -> None:
    page = open_page("/dashboard/?campaign=nowhere", before=signed_in())
    expect(page.get_by_role("alert").filter(has_text="no campaign with that name")).to_be_visible()
    expect(page.get_by_label("Campaign")).to_have_value("nowhere")
    expect(page.get_by_role("button", name="Show")).to_be_visible()


@pytest.mark.usefixtures("api")
def test_numbers_are_written_as_the_language_does(shown: Page) -> None:
    shown.get_by_role("button", name="Français").click()
    expect(count(shown, "Enregistrées")).to_have_text("1 240")
    expect(shown.get_by_role("row", name="Confirmées 412 33,2 %")).to_be_visible()
