"""The quarter that the demo carries into its stack: every chart of the dashboard shows something on
the first look, and all that is stored agrees, as if it had happened there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from playwright.sync_api import Browser, Locator, Page, expect
from rich.console import Console

from chalicelib.domain.journal import GENESIS, verify
from local.narration import Narrator
from local.quarter import CAMPAIGN
from local.quarter.aside import BUCKET, TABLE
from local.quarter.plan import DAYS
from local.running import Stack
from local.surfaces import Surfaces
from tests.browser.conftest import WATCH_POLICY
from tests.e2e.conftest import Quarter
from tests.e2e.test_sign_in import sign_in

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("quarter")]

# The ink of a canvas: pixels that are not transparent.
INK = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, at) => at % 4 === 3 && value > 0).length;
}"""


@pytest.fixture(scope="module")
def stack(quarter: Quarter) -> Stack:
    return quarter.stack


@pytest.fixture(scope="module")
def world(stack: Stack) -> Iterator[Surfaces]:
    made = Surfaces(stack, CAMPAIGN)
    yield made
    made.close()


def test_every_check_of_the_quarter_holds(quarter: Quarter) -> None:
    assert quarter.narrator.failures == []


def test_nothing_that_was_carried_in_is_done_again(stack: Stack, world: Surfaces) -> None:
    """The relay hands every fact to its queue once more: each consumer finds the work done."""
    narrator = Narrator(stack, Console(file=StringIO()))
    queues = [url for url in stack.sqs.list_queues()["QueueUrls"] if "dead" not in url]

    def empty() -> int:
        kinds = ("", "NotVisible")
        names = [f"ApproximateNumberOfMessages{kind}" for kind in kinds]
        return sum(
            not any(
                int(number)
                for number in stack.sqs.get_queue_attributes(
                    QueueUrl=url,
                    AttributeNames=names,  # type: ignore[arg-type]
                )["Attributes"].values()
            )
            for url in queues
        )

    narrator.wait("queues empty", empty, len(queues))
    assert world.letters() == []


def stored(stack: Stack, kind: str) -> list[dict[str, Any]]:
    """The items of a kind that are the quarter's."""
    read = TypeDeserializer().deserialize
    found = [
        {name: read(value) for name, value in item.items()}
        for page in stack.dynamodb.get_paginator("scan").paginate(TableName=stack.table)
        for item in page["Items"]
        if item.get("kind") == {"S": kind}
    ]
    return [item for item in found if item["campaign"] == CAMPAIGN]


def test_the_journal_is_one_chain_of_all_facts(quarter: Quarter, world: Surfaces) -> None:
    """`tandem journal verify` reads every hour of a campaign: here a quarter of a million calls."""
    quarter.stack.run("seal")
    [head] = stored(quarter.stack, "JOURNAL_HEAD")
    keys = sorted(world.output_keys("journal/"))
    assert len(keys) == head["number"]
    lines = [
        line
        for key in keys
        for line in (world.output_file(key.split("/", 2)[2]) or b"").splitlines()
    ]
    assert verify(GENESIS, lines) == head["hash"]
    journaled = [json.loads(line)["fact"]["fact_id"] for line in lines]
    in_table = {fact["fact_id"] for fact in stored(quarter.stack, "FACT")}
    assert len(journaled) == len(set(journaled))
    assert set(journaled) == in_table


def test_facts_counts_and_items_of_past_days_agree(quarter: Quarter) -> None:
    for function in ("reconcile", "report"):
        quarter.stack.run(function)
    today = datetime.now(UTC).date()
    for days in (2, 45):
        quarter.tandem("reconcile", CAMPAIGN, "--day", str(today - timedelta(days=days)))


def test_a_report_of_the_quarter_can_be_written(quarter: Quarter, tmp_path: Path) -> None:
    quarter.tandem("report", CAMPAIGN, "--to", str(tmp_path), "--language", "en")
    assert {path.suffix for path in tmp_path.iterdir()} == {".html", ".pdf"}


def test_the_quarter_leaves_nothing_aside(stack: Stack) -> None:
    assert TABLE not in stack.dynamodb.list_tables()["TableNames"]
    assert BUCKET not in [one["Name"] for one in stack.s3.list_buckets()["Buckets"]]


@pytest.fixture
def page(browser: Browser, quarter: Quarter) -> Iterator[Page]:
    """The dashboard of the quarter, as marketing sees it."""
    context = browser.new_context(
        base_url=quarter.stack.url, locale="en-GB", viewport={"width": 1440, "height": 1000}
    )
    context.set_default_timeout(30_000)
    context.add_init_script(WATCH_POLICY)
    made = context.new_page()
    sign_in(made, quarter.stack.deployment.accounts["marketing"], CAMPAIGN)
    expect(made.locator("#numbers")).to_be_visible()
    yield made
    context.close()


def cells(page: Page, table: str) -> list[list[str]]:
    """The rows of a table, as words."""
    rows: list[list[str]] = page.locator(f"#{table} tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent.trim()))"
    )
    return rows


def has_ink(chart: Locator) -> bool:
    """Whether lines are drawn: axes and grid alone are less."""
    return int(chart.locator("canvas").first.evaluate(INK)) > 5_000


@pytest.mark.browser
def test_every_chart_of_the_dashboard_has_points_on_the_first_look(page: Page) -> None:
    figures = page.locator("#figures > div")
    expect(figures).to_have_count(6)
    for at in range(6):
        figure = figures.nth(at)
        assert any(word in figure.inner_text() for word in "123456789"), figure.inner_text()
    for chart in ("chart-time", "chart-survival"):
        assert has_ink(page.locator(f"#{chart}")), chart
    assert len(cells(page, "time")) >= DAYS - 14  # the quietest days have no row
    assert len(cells(page, "survival")) >= 3
    steps = [int(row[1].replace(",", "")) for row in cells(page, "steps")]
    assert len(steps) == 9
    assert min(steps) > 0
    cohorts = cells(page, "cohorts")
    assert len(cohorts) >= 10
    for column in range(1, 5):
        assert any(row[column][:1] in set("123456789") for row in cohorts), column
    money = cells(page, "money")
    for column in range(1, 5):  # issued, redeemed, expired, revoked
        assert any(any(figure in row[column] for figure in "123456789") for row in money), column
    least_rows = {
        "due": 2,
        "tills": 2,
        "refusals": 3,
        "buyers": 2,
        "lists": 2,
        "rules": 5,
        "feed": 20,
    }
    for table, least in least_rows.items():
        assert len(cells(page, table)) >= least, table
    assert {row[-1] for row in cells(page, "time")} == {"", "2", "3"}  # versions of the campaign
    assert len(cells(page, "watched")) >= 2
    assert len(cells(page, "days")) >= DAYS - 14
    expect(page.locator("#held-rewards")).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize("choice", ["7 days", "30 days", "Week", "Sent", "Side by side"])
def test_the_chart_of_time_has_points_whatever_is_chosen(page: Page, choice: str) -> None:
    page.get_by_role("button", name=choice, exact=True).click()
    expect(page.get_by_role("button", name=choice, exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    assert has_ink(page.locator("#chart-time"))
    assert len(cells(page, "time")) >= 5
