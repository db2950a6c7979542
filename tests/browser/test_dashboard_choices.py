"""What the reader chose to see is in the address bar; what the counts do not tell apart is said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .answers import COUNTS, by_day, dashboard
from .conftest import OpenPage
from .front import ScriptedApi
from .sign_in import DASHBOARD, signed_in

pytestmark = pytest.mark.browser

ADDRESS = "/dashboard/?campaign=demo-vip"
NOT_BY_CHANNEL = "All channels: not counted by channel"
NOT_BY_RULE = "All rules: not counted by rule"
NOT_BY_VOUCHER = "All vouchers: not counted by voucher"


def figure(page: Page, name: str) -> Locator:
    return page.locator("#figures > div").filter(has_text=name)


def weeks() -> dict[str, object]:
    """Days with new customers: 3 in this week, 1 in the one before, 40 long ago."""
    body = dashboard()
    of_days = {"2025-10-02": 3, "2025-09-24": 1, "2025-08-01": 40}
    body["starts_on"] = "2025-07-01"
    days: list[dict[str, Any]] = [
        {
            "date": day,
            **dict.fromkeys(COUNTS, 0),
            "kept.1.4": number,
            "kept.2.9": 1,
            "sent": 10,
            "confirmed": 5,
            "channel.email.invited": 1,
            "channel.link.sent": 4,
            "channel.link.confirmed": 3,
            "money.redeemed.welcome": 500,
            "money.issued.welcome": 900,
            "money.issued.order-1": 100,
            "rule.granted.thank-you.1": 2,
            "rule.granted.welcome.0": 9,
            "rule.redeemed.welcome.0": 5,
            "rule_money.granted.welcome.0": 900,
            "rule_money.redeemed.welcome.0": 500,
            "hour.9.link.invited": 4,
            "hour.9.email.invited": 1,
            "hour.9.invited": 1,  # by a version that did not tell channels apart
        }
        for day, number in of_days.items()
    ]
    days[1]["release.2"] = 1
    body.update(by_day(days))
    body["figures"] = {
        "issued.welcome": 3,
        "issued.order-1": 1,
        "channel.link.sent": 12,
        "rule.granted.thank-you.1": 6,
        "rule.granted.welcome.0": 27,
        "rule.redeemed.welcome.0": 15,
        "rule_money.granted.welcome.0": 2_700,
    }
    return body


@pytest.fixture
def numbers(api: ScriptedApi) -> None:
    api.answers(DASHBOARD, 200, weeks())


@pytest.mark.usefixtures("numbers")
def test_a_period_is_chosen_and_back_and_forward_return_to_it(open_page: OpenPage) -> None:
    page = open_page(f"{ADDRESS}&period=7", width=1280, before=signed_in())
    new = figure(page, "New customers")
    expect(new).to_contain_text("3")
    expect(new).to_contain_text("▲ 200% more than in the period before")
    page.get_by_role("button", name="30 days").click()
    expect(page.locator("#shown-days")).to_contain_text("From 03/09/2025 to 02/10/2025.")
    expect(new.locator(".figure")).to_have_text("4")
    expect(page).to_have_url(re.compile(r"campaign=demo-vip&period=30$"))
    page.get_by_role("button", name="All", exact=True).click()
    expect(new.locator(".figure")).to_have_text("44")
    expect(page).to_have_url(re.compile(r"campaign=demo-vip$"))
    page.go_back()
    expect(new.locator(".figure")).to_have_text("4")
    expect(page.get_by_role("button", name="30 days")).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(new.locator(".figure")).to_have_text("3")
    page.go_forward()
    expect(new.locator(".figure")).to_have_text("4")
    page.reload()
    expect(new.locator(".figure")).to_have_text("4")


@pytest.mark.usefixtures("numbers")
def test_dates_are_a_period_and_wrong_ones_are_said_beside_them(open_page: OpenPage) -> None:
    page = open_page(ADDRESS, width=1280, before=signed_in())
    page.get_by_label("From", exact=True).fill("2025-09-24")
    page.get_by_label("to", exact=True).fill("2025-09-20")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#dates-error")).to_have_text("The last day is before the first one.")
    expect(page.get_by_label("From", exact=True)).to_be_focused()
    expect(page.get_by_label("From", exact=True)).to_have_value("2025-09-24")
    page.get_by_label("to", exact=True).fill("2025-09-25")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#dates-error")).to_have_text("")
    expect(figure(page, "New customers").locator(".figure")).to_have_text("1")
    expect(page).to_have_url(re.compile(r"from=2025-09-24&to=2025-09-25$"))
    expect(page.locator("#shown-days")).to_contain_text("Compared with 22/09/2025 to 23/09/2025.")


@pytest.mark.usefixtures("numbers")
def test_nothing_is_compared_where_nobody_wants_it_or_nothing_was(open_page: OpenPage) -> None:
    page = open_page(f"{ADDRESS}&period=7", width=1280, before=signed_in())
    page.get_by_label("Compare with the period before").uncheck()
    expect(page).to_have_url(re.compile(r"compare=no$"))
    expect(figure(page, "New customers")).not_to_contain_text("▲")
    page.goto(f"{ADDRESS}&from=2025-07-03&to=2025-08-20")
    expect(page.locator("#shown-days")).to_contain_text("before reaches back beyond the start")
    expect(figure(page, "New customers")).not_to_contain_text("period before")


@pytest.mark.usefixtures("numbers")
def test_a_channel_filters_what_is_counted_by_channel_and_the_rest_says_so(
    open_page: OpenPage,
) -> None:
    page = open_page(ADDRESS, width=1280, before=signed_in())
    expect(figure(page, "Acceptance").locator(".figure")).to_have_text("50%")
    expect(page.get_by_text(NOT_BY_CHANNEL)).to_have_count(0)
    page.get_by_label("Channel").select_option("Shared link")
    expect(page).to_have_url(re.compile(r"channel=link$"))
    expect(figure(page, "Acceptance").locator(".figure")).to_have_text("75%")
    expect(figure(page, "Acceptance")).not_to_contain_text(NOT_BY_CHANNEL)
    expect(figure(page, "New customers")).to_contain_text(NOT_BY_CHANNEL)
    steps = page.get_by_role("table", name="From the VIP to the third order")
    expect(steps.get_by_role("row", name="Confirmed 9 75%")).to_be_visible()
    expect(steps.get_by_role("row", name="1st order")).to_have_count(0)
    expect(page.locator(".card", has=page.locator("#mails"))).to_contain_text(NOT_BY_CHANNEL)
    with page.expect_download() as csv:
        page.get_by_role("button", name="CSV").click()
    text = Path(csv.value.path()).read_text(encoding="utf-8")
    assert text.startswith(
        "date,version,channel.link.invited,channel.link.refused,channel.link.sent,"
    )


@pytest.mark.usefixtures("numbers")
def test_a_voucher_filters_what_is_counted_by_voucher(open_page: OpenPage) -> None:
    page = open_page(ADDRESS, width=1280, before=signed_in())
    page.locator("#template").select_option("order-1")
    expect(page).to_have_url(re.compile(r"template=order-1$"))
    money = page.get_by_role("table", name="Vouchers, in money")
    expect(money.get_by_role("rowheader")).to_have_text(["order-1"])
    expect(figure(page, "Cost per new customer").locator(".figure")).to_have_text("€0")
    expect(figure(page, "Cost per new customer")).not_to_contain_text(NOT_BY_VOUCHER)
    expect(figure(page, "Revenue of referees")).to_contain_text(NOT_BY_VOUCHER)
    expect(page.get_by_role("row", name="Own codes (welcome)")).to_have_count(0)


DIMMED = "line => getComputedStyle(line).color === getComputedStyle(document.body).color"


@pytest.mark.usefixtures("numbers")
def test_a_rule_filters_what_is_counted_by_rule_and_the_rest_is_dimmed_and_says_so(
    open_page: OpenPage,
) -> None:
    page = open_page(f"{ADDRESS}&template=welcome", width=1280, before=signed_in())
    page.locator("#rule").select_option("welcome")
    expect(page).to_have_url(re.compile(r"demo-vip&rule=welcome$"))
    expect(page.locator("#shown-days")).to_contain_text("Rule: welcome.")
    rules = page.get_by_role("table", name="What the rules granted")
    expect(rules.locator("tbody tr")).to_have_count(1)
    expect(rules.locator("tbody td")).to_have_text(
        ["the confirmation", "27", "27", "15", "0", "0", "0", "€27", "€15"]
    )
    expect(page.locator(".card", has=rules)).not_to_contain_text(NOT_BY_RULE)
    cost = figure(page, "Cost per new customer")
    expect(cost).not_to_contain_text(NOT_BY_RULE)
    assert cost.locator(".figure").evaluate(DIMMED)
    for name in ("New customers", "Acceptance", "Revenue of referees"):
        expect(figure(page, name)).to_contain_text(NOT_BY_RULE)
        assert not figure(page, name).locator(".figure").evaluate(DIMMED)
    money = page.locator(".card", has=page.locator("#money"))
    expect(money).to_contain_text(NOT_BY_RULE)
    assert not page.locator("#money td").first.evaluate(DIMMED)
    assert rules.locator("td").first.evaluate(DIMMED)
    with page.expect_download() as csv:
        page.get_by_role("button", name="CSV").click()
    head = Path(csv.value.path()).read_text(encoding="utf-8").splitlines()[0]
    assert head.endswith(
        ",rule.granted.welcome.0,rule.redeemed.welcome.0,rule_money.granted.welcome.0"
    )
    assert "thank-you" not in head
    page.locator("#template").select_option("welcome")
    expect(page).to_have_url(re.compile(r"demo-vip&template=welcome$"))
    expect(rules.locator("tbody tr")).to_have_count(2)


@pytest.mark.usefixtures("numbers")
def test_what_the_address_asks_for_and_nobody_has_is_said_and_left_out(
    open_page: OpenPage,
) -> None:
    wrong = "&period=90&channel=sms&template=none&rule=none&from=2025-02-30&unit=hour&measure=sent"
    page = open_page(ADDRESS + wrong, width=1280, before=signed_in())
    said = page.locator("#choice-notice")
    for name, value in (
        ("period", "90"),
        ("channel", "sms"),
        ("template", "none"),
        ("rule", "none"),
    ):
        expect(said).to_contain_text(f"The address asks for {name} = “{value}”")
    expect(said).to_contain_text("from = “2025-02-30”")
    expect(figure(page, "New customers").locator(".figure")).to_have_text("44")
    expect(page.get_by_role("button", name="Hour")).to_have_attribute("aria-pressed", "true")
    expect(said).to_contain_text("measure = “sent”")
    expect(page.get_by_role("button", name="Sent", exact=True)).to_be_disabled()


def over_time(page: Page, place: str) -> Locator:
    rows = page.get_by_role("table", name="Over time").get_by_role("row")
    return rows.filter(has=page.get_by_role("rowheader", name=place, exact=True))


@pytest.mark.usefixtures("numbers")
def test_the_chart_over_time_is_stacked_by_channel_and_says_which_version_came_in_force(
    open_page: OpenPage,
) -> None:
    page = open_page(ADDRESS, width=1280, before=signed_in())
    page.get_by_text("As a table").first.click()
    table = page.get_by_role("table", name="Over time")
    headings = ["Day", "E-mail", "Shared link", "Unknown channel", "Total"]
    headings.append("Campaign version put in force")
    expect(table.get_by_role("columnheader")).to_have_text(headings)
    cells = over_time(page, "24/09/2025").get_by_role("cell")
    expect(cells).to_have_text(["0", "3", "2", "5", "2"])
    expect(over_time(page, "02/10/2025").get_by_role("cell").last).to_have_text("")
    page.get_by_role("button", name="Sent", exact=True).click()
    expect(page).to_have_url(re.compile(r"measure=sent$"))
    expect(cells).to_have_text(["0", "4", "6", "10", "2"])
    with page.expect_download() as picture:
        page.get_by_role("button", name="SVG").first.click()
    svg = Path(picture.value.path()).read_text(encoding="utf-8")
    assert "<pattern " in svg
    assert ">version 2<" in svg
    page.get_by_label("Channel").select_option("Shared link")
    expect(cells).to_have_text(["4", "2"])
    page.get_by_role("button", name="Side by side").click()
    expect(cells).to_have_text(["0", "4", "3", "2"])


@pytest.mark.usefixtures("numbers")
def test_hours_have_channels_and_what_they_do_not_count_gives_way(open_page: OpenPage) -> None:
    page = open_page(f"{ADDRESS}&measure=sent", width=1280, before=signed_in())
    page.get_by_role("button", name="Hour").click()
    expect(page).to_have_url(re.compile(r"unit=hour$"))
    expect(page.get_by_role("button", name="Confirmed", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    page.get_by_role("button", name="Invited", exact=True).click()
    page.get_by_text("As a table").first.click()
    expect(over_time(page, "9:00").get_by_role("cell")).to_have_text(["3", "12", "3", "18"])
    page.get_by_label("Channel").select_option("E-mail")
    expect(over_time(page, "9:00").get_by_role("cell")).to_have_text(["3"])


@pytest.mark.usefixtures("numbers")
def test_the_chart_is_by_week_too(open_page: OpenPage) -> None:
    page = open_page(ADDRESS, width=1280, before=signed_in())
    page.get_by_role("button", name="Week", exact=True).click()
    page.get_by_text("As a table").first.click()
    rows = page.get_by_role("table", name="Over time").get_by_role("rowheader")
    expect(rows.first).to_have_text("29/09/2025")
    expect(rows.last).to_have_text("28/07/2025")


CAMPAIGNS = "GET /v1/ops/campaigns"


def line(campaign: str, brand: str, country: str, title: str) -> dict[str, object]:
    return {
        "campaign": campaign,
        "title": {"en": title},
        "brand": brand,
        "country": country,
        "starts_on": "2025-01-01",
        "ends_on": "2025-12-31",
    }


def test_the_table_by_rule_says_since_when_rules_are_counted(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    body: Any = weeks()
    body["figures_by_day"]["figured.2"] = [0, 9, 9]  # not on the earliest day
    api.answers(DASHBOARD, 200, body)
    page = open_page(ADDRESS, width=1280, before=signed_in())
    expect(page.locator("#rules-since")).to_contain_text("By rule since 24/09/2025")


@pytest.mark.usefixtures("numbers")
def test_another_campaign_is_chosen_by_brand_and_country_in_the_head_of_the_page(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    lines = [
        line("casa-es", "Casa Verde", "ES", "Invite a friend"),
        line("demo-vip", "Maison Verte", "FR", "Invite people you know"),
        line("demo-next", "Maison Verte", "FR", "In autumn"),
    ]
    api.answers(CAMPAIGNS, 200, {"campaigns": lines})
    other = weeks() | {"campaign": "casa-es", "days": [], "figures_by_day": {}}
    api.answers("GET /v1/ops/campaigns/casa-es/dashboard", 200, other)
    api.answers("GET /v1/campaigns/casa-es", 404, {})
    page = open_page(f"{ADDRESS}&rule=welcome&period=7", width=1280, before=signed_in())
    switch = page.get_by_role("combobox", name="Campaign")
    expect(switch).to_have_value("demo-vip")
    groups = switch.locator("optgroup").evaluate_all("all => all.map(one => one.label)")
    assert groups == ["Casa Verde · Spain", "Maison Verte · France"]
    switch.select_option("casa-es")
    expect(page).to_have_url(re.compile(r"campaign=casa-es&period=7$"))
    expect(page.locator("#connected-to")).to_contain_text("casa-es")
    page.go_back()
    expect(page.locator("#connected-to")).to_contain_text("demo-vip")
    expect(switch).to_have_value("demo-vip")
    assert len(api.made(CAMPAIGNS)) == 1


@pytest.mark.usefixtures("numbers")
def test_without_a_list_of_campaigns_one_is_typed_as_before(
    api: ScriptedApi, open_page: OpenPage
) -> None:
    api.answers(CAMPAIGNS, 503, {"type": "about:blank", "status": 503, "title": "no"})
    page = open_page(ADDRESS, width=1280, before=signed_in())
    expect(figure(page, "New customers").locator(".figure")).to_have_text("44")
    expect(page.locator("#campaign-switch")).to_be_hidden()
    page.get_by_role("button", name="Another campaign").click()
    expect(page.get_by_role("combobox", name="Campaign")).to_be_focused()
