"""The dashboard: its numbers, how it refreshes itself, and what it does when it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .answers import act, dashboard
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
    expect(day.locator("th, td").nth(position)).to_have_text("3")


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
    expect(shown.locator("#lag")).to_have_text("Offline")
    expect(count(shown, "Invited")).to_have_text("1,240")
    answer_next(api, 200, dashboard(invited=1250))
    shown.clock.fast_forward(5_000)
    expect(count(shown, "Invited")).to_have_text("1,250")
    expect(notice).to_have_count(0)
    expect(shown.locator("#lag")).to_have_text("Up to date · last event 6 seconds ago")


def test_an_unknown_campaign_is_reported(open_page: OpenPage) -> None:
    page = open_page("/dashboard/?campaign=nowhere", before=signed_in())
    expect(page.get_by_role("alert").filter(has_text="no campaign with that name")).to_be_visible()
    expect(page.get_by_role("combobox", name="Campaign")).to_have_value("nowhere")
    expect(page.get_by_role("button", name="Show")).to_be_visible()


@pytest.mark.usefixtures("api")
def test_numbers_are_written_as_the_language_does(shown: Page) -> None:
    shown.get_by_role("button", name="Français").click()
    expect(count(shown, "Enregistrées")).to_have_text("1 240")
    expect(shown.get_by_role("row", name="Confirmées 412 33,2 %")).to_be_visible()


def test_what_is_shown_can_be_taken_away(api: ScriptedApi, open_page: OpenPage) -> None:
    api.answers(DASHBOARD, 200, dashboard())
    page = open_page("/dashboard/?campaign=demo-vip", width=1280, before=signed_in())
    with page.expect_download() as csv:
        page.get_by_role("button", name="CSV").click()
    text = Path(csv.value.path()).read_text(encoding="utf-8")
    assert text.startswith("date,version,invited,")
    assert text.count("\n") == 1 + 2
    for kind, begins in (("PNG", b"\x89PNG"), ("SVG", b"<svg ")):
        with page.expect_download() as picture:
            page.get_by_role("button", name=kind).first.click()
        assert Path(picture.value.path()).read_bytes().startswith(begins)


def test_a_list_shows_its_age_and_how_it_has_grown(api: ScriptedApi, shown: Page) -> None:
    expect(
        shown.get_by_role("row", name="Customers Yes 7 200,000 +2,000 0 days of 30")
    ).to_be_visible()
    old = dashboard(invited=1241)
    lists: Any = old["lists"]
    lists["customers"]["accepted_at"] = "2025-09-08T04:00:00Z"
    answer_next(api, 200, old)
    shown.clock.run_for(5_000)
    row = shown.get_by_role("row", name="24 days of 30 Renew soon")
    expect(row).to_be_visible()
    assert row.locator(".bar-fill").evaluate("bar => bar.style.width") == "80%"


def acts(page: Page) -> list[str]:
    rows = page.get_by_role("table", name="Latest activity").locator("tbody tr")
    return [" ".join(row.split()) for row in rows.all_inner_texts()]


def test_the_last_acts_are_shown_and_move_with_the_counts(api: ScriptedApi, shown: Page) -> None:
    assert acts(shown) == [
        "2 Oct 2025, 10:15:24 Referee confirmed Shared link",
        "2 Oct 2025, 10:15:20 Invitation requested E-mail",
        "2 Oct 2025, 10:15:03 New list in force",
    ]
    more = dashboard(invited=1241)
    found: Any = more["acts"]
    found.insert(0, act("voucher_redeemed", 29))
    found.insert(0, act("something_newer", 30))
    answer_next(api, 200, more)
    shown.clock.run_for(5_000)
    rows = shown.get_by_role("table", name="Latest activity").locator("tbody tr")
    expect(rows).to_have_count(5)
    assert acts(shown)[:2] == [
        "2 Oct 2025, 10:15:30 something newer",
        "2 Oct 2025, 10:15:29 Voucher used",
    ]


def test_acts_follow_a_channel_and_no_period(api: ScriptedApi, open_page: OpenPage) -> None:
    api.answers(DASHBOARD, 200, dashboard())
    address = "/dashboard/?campaign=demo-vip&channel=email&period=7"
    page = open_page(address, width=1280, before=signed_in())
    rows = page.get_by_role("table", name="Latest activity").locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Invitation requested")
    scope = page.locator(".card", has=page.locator("#feed")).locator(".scope")
    expect(scope).to_have_text("As of now, whatever the period")


def test_refusals_say_what_to_do_and_what_people_said_is_told_apart(shown: Page) -> None:
    refused = shown.get_by_role("table", name="Refused, by reason")
    row = refused.get_by_role("row", name="Already a customer 200")
    expect(row).to_contain_text("Remind sponsors that the offer is for newcomers.")
    said = shown.get_by_role("table", name="Consents and refusals")
    expect(said.get_by_role("row", name="Consents 150 36.4%")).to_be_visible()
    expect(said.get_by_role("row", name="Declined 38 4.1%")).to_be_visible()
    expect(said.get_by_role("row", name="Oppositions 8")).to_be_visible()
    mails = shown.get_by_role("table", name="Mails")
    expect(mails.get_by_role("row", name="Sent 1,400")).to_be_visible()
    expect(mails.get_by_role("row", name="Bounced 14 1%")).to_be_visible()
    expect(mails.get_by_role("row", name="Complaints 2 0.1%")).to_be_visible()
    expect(mails.get_by_role("row", name="Stuck 1 0.1%")).to_be_visible()
    exports = shown.get_by_role("row", name="Oldest export not yet acknowledged Overdue")
    expect(exports.get_by_role("cell").last).to_have_text("2")


def test_what_a_count_means_is_shown_on_its_question_mark(shown: Page) -> None:
    help_ = shown.get_by_role("button", name="What “Acceptance” means")
    help_.focus()
    shown.keyboard.press("Enter")
    box = shown.locator("#definition")
    expect(box).to_be_visible()
    expect(box).to_contain_text("as a share of the invitation mails sent")
    expect(box).to_be_focused()
    shown.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(help_).to_be_focused()


def test_a_refresh_takes_no_focus_away(api: ScriptedApi, shown: Page) -> None:
    shown.get_by_role("button", name="What “Refused” means").focus()
    answer_next(api, 200, dashboard(invited=1241))
    shown.clock.run_for(5_000)
    expect(count(shown, "Invited")).to_have_text("1,241")
    expect(shown.get_by_role("button", name="What “Refused” means")).to_be_focused()


def test_survival_is_said_in_points_beside_its_chart(shown: Page) -> None:
    row = shown.get_by_role("table", name="Who goes on buying?").get_by_role("row", name="search")
    expect(row).to_contain_text("+7 (1 to 13)")
    expect(row).to_contain_text("0.012")
    expect(shown.locator("#chart-survival canvas")).to_be_visible()


def test_late_counts_are_said_to_be_until_they_are_beyond(api: ScriptedApi, shown: Page) -> None:
    late = {"as_of": "2025-10-02T08:17:30Z", "lag_s": 90, "counted_until": "2025-10-02T08:15:24Z"}
    answer_next(api, 200, {**dashboard(), **late})
    shown.clock.run_for(5_000)
    said = shown.get_by_text("The numbers are 2 min behind: counted up to 2 Oct 2025, 10:15:24")
    expect(said).to_be_visible()
    answer_next(api, 200, {**dashboard(), **late, "lag_s": 0, "as_of": "2025-10-02T08:18:30Z"})
    shown.clock.run_for(5_000)
    expect(shown.get_by_text("The numbers are 3 min behind")).to_be_visible()
    expect(shown.locator("#lag")).to_have_text("3 min behind")
    expect(shown.locator("#lag")).to_have_attribute("data-lag", "behind")
    caught_up = {**late, "lag_s": 0, "counted_until": "2025-10-02T08:18:29Z"}
    answer_next(api, 200, {**dashboard(), **caught_up})
    shown.clock.run_for(5_000)
    expect(shown.get_by_text("As of 2 Oct 2025, 10:17:30")).to_be_visible()
    expect(shown.locator("#lag")).to_have_attribute("data-lag", "fresh")
