"""The dashboard on a wall, without scrolling, and on paper, with its period and its date."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .answers import FIGURES, dashboard
from .conftest import OpenPage
from .front import ScriptedApi
from .sign_in import DASHBOARD, signed_in

pytestmark = pytest.mark.browser

ADDRESS = "/dashboard/?campaign=demo-vip"
WALL = "GET /v1/campaigns/demo-vip/wall"
TURNS = 10
# What stands in a card that is shown, and is not wholly on the screen or in its card.
CUT_OFF = """() =>
  [...document.querySelectorAll("#numbers .card:not(.off-turn) :is(tr, h2, canvas)")]
  .filter((node) => node.checkVisibility())
  .filter((node) => {
    const { bottom, right } = node.getBoundingClientRect();
    const card = node.closest(".card").getBoundingClientRect();
    return bottom > Math.min(innerHeight, card.bottom) || right > Math.min(innerWidth, card.right);
  }).map((node) => node.textContent || node.tagName)"""
SHOWN = """() => [...document.querySelectorAll("[data-turn]")]
  .filter((card) => card.checkVisibility())
  .map((card) => card.getAttribute("data-turn"))"""


@pytest.fixture
def wall(api: ScriptedApi, open_page: OpenPage) -> Page:
    api.answers(WALL, 200, dashboard())
    page = open_page(f"{ADDRESS}&period=7#wall=w4ll", width=1920, clock=True)
    page.set_viewport_size({"width": 1920, "height": 1080})
    expect(page.locator("#figures .figure").first).to_have_text("90")
    return page


def test_a_wall_takes_turns_by_itself_without_scrolling(wall: Page) -> None:
    seen = []
    for _ in range(TURNS):
        seen.append(wall.evaluate(SHOWN))
        for axis in ("Height", "Width"):
            assert wall.evaluate(f"document.documentElement.scroll{axis} <= inner{axis}"), seen[-1]
        assert wall.evaluate(CUT_OFF) == [], seen[-1]
        expect(wall.locator("#figures .figure").last).to_be_in_viewport()
        expect(wall.locator("#lag")).to_be_in_viewport()
        wall.clock.run_for(15_000)
    assert sorted({turn for turns in seen for turn in turns}, key=int) == [
        str(n + 1) for n in range(TURNS)
    ]
    assert all(len(set(turns)) == 1 for turns in seen)
    assert wall.evaluate(SHOWN) == seen[0]


def test_no_row_of_a_wall_is_cut_in_two_however_many_vouchers_and_months_there_are(
    api: ScriptedApi, wall: Page
) -> None:
    issued = {f"money.issued.voucher-{n}": 1_000 for n in range(9)}
    due = {f"due.2026-{month:02}": 1_000 for month in range(1, 10)}
    many: dict[str, Any] = dashboard()
    many["figures"] = FIGURES | issued | due
    many["figures_by_day"] |= {name: [0, 0, by] for name, by in issued.items()}
    api.script[("GET", "/v1/campaigns/demo-vip/wall")] = []
    api.answers(WALL, 200, many)
    wall.clock.run_for(5_000)
    expect(wall.locator("#due tbody tr")).to_have_count(10)
    for _ in range(TURNS):
        assert wall.evaluate(CUT_OFF) == [], wall.evaluate(SHOWN)
        wall.keyboard.press("ArrowRight")


def test_who_looks_can_stop_the_turns_and_take_one_by_hand(wall: Page) -> None:
    wall.get_by_role("button", name="Pause").click()
    wall.clock.run_for(60_000)
    assert wall.evaluate(SHOWN) == ["1"]
    wall.keyboard.press("ArrowRight")
    assert wall.evaluate(SHOWN) == ["2"]
    wall.keyboard.press("ArrowLeft")
    wall.keyboard.press("ArrowLeft")
    assert set(wall.evaluate(SHOWN)) == {str(TURNS)}
    wall.get_by_role("button", name="Go on").click()
    wall.clock.run_for(15_000)
    assert wall.evaluate(SHOWN) == ["1"]
    expect(wall.get_by_role("button", name="Leave")).to_have_count(0)


def test_anybody_can_show_the_dashboard_as_on_a_wall_and_leave(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.answers(DASHBOARD, 200, dashboard())
    page = open_page(ADDRESS, width=1920, before=signed_in())
    page.get_by_role("button", name="Full screen").click()
    expect(page).to_have_url(re.compile(r"view=wall$"))
    expect(page.locator("#days")).to_be_hidden()
    page.reload()
    expect(page.locator("#figures .figure").first).to_be_visible()
    expect(page.locator("#days")).to_be_hidden()
    page.get_by_role("button", name="Leave").click()
    expect(page.locator("#days")).to_be_visible()
    expect(page).to_have_url(re.compile(r"campaign=demo-vip$"))


@pytest.mark.parametrize("width", [390, 1280])
def test_on_paper_are_the_numbers_their_period_and_their_date_alone(
    api: ScriptedApi, open_page: OpenPage, width: int
) -> None:
    api.answers(DASHBOARD, 200, dashboard())
    page = open_page(f"{ADDRESS}&period=7&channel=link", width=width, before=signed_in())
    expect(page.locator("#days td").first).to_be_visible()
    page.set_viewport_size({"width": 1047, "height": 720})  # of A4 landscape, less its margins
    page.emulate_media(media="print", color_scheme="dark")
    for text in ("From 26/09/2025 to 02/10/2025.", "Channel: Shared link.", "As of 2 Oct 2025"):
        expect(page.get_by_text(text)).to_be_visible()
    expect(page.locator("#campaign-title")).to_have_text("Maison Verte · Invite people you know")
    for hidden in (
        "button:visible",
        "select:visible",
        ".frame:visible",
        "#choices:visible",
        ".uplot:visible",
    ):
        expect(page.locator(hidden)).to_have_count(0)
    expect(page.locator("#chart-time .on-paper")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.documentElement.scrollWidth") <= 1047
    assert page.evaluate(
        """() => [...document.querySelectorAll("table")].filter((table) => table.checkVisibility()
          && table.scrollWidth > table.closest(".card").clientWidth).map(({ id }) => id)"""
    ) == []  # fmt: skip
    printed = page.pdf(prefer_css_page_size=True)
    # Points: A4, lying.
    assert set(re.findall(rb"/MediaBox \[0 0 (\d+)[.\d]* (\d+)", printed)) == {(b"841", b"594")}
