"""`tandem wall`: links are made, listed and revoked, and only a new one's address is ever shown."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.domain.tokens import hashed
from chalicelib.domain.wall_links import WallLink
from tests.cli.conftest import STATUS, Tandem, facts_now

pytestmark = pytest.mark.slow

CAMPAIGN = "demo-vip"
DEMO = Path(__file__).parents[2] / "local/demo/demo-vip.yaml"


@pytest.fixture
def demo(stack: DynamoRepository, tandem: Tandem) -> DynamoRepository:
    """The demo campaign in force."""
    assert tandem("campaign", "put", DEMO).exit_code == 0
    return stack


def create(tandem: Tandem, *more: object) -> Result:
    return tandem("wall", "create", "--campaign", CAMPAIGN, *more)


def links(demo: DynamoRepository) -> list[WallLink]:
    return list(demo.within(WallLink, campaign=CAMPAIGN))


def test_the_address_of_a_new_link_is_printed_and_its_token_is_nowhere_else(
    demo: DynamoRepository, tandem: Tandem
) -> None:
    done = create(tandem)
    assert done.exit_code == 0
    address = done.stdout.strip()
    start = f"{STATUS['origin']}/dashboard/?campaign={CAMPAIGN}#wall="
    assert address.startswith(start)
    token = address.removeprefix(start)
    [link] = links(demo)
    assert link.token_hash == hashed(token)
    assert done.stderr == ""
    shown = tandem("wall", "list", "--campaign", CAMPAIGN).stdout
    assert link.link_id in shown
    assert token not in shown
    [record] = json.loads(tandem("wall", "list", "--campaign", CAMPAIGN, "--json").stdout)
    assert (record["link"], record["by"]) == (link.link_id, link.by)
    assert datetime.fromisoformat(record["until"]) == link.ends_at
    assert "_hash" not in str(record)
    [fact] = facts_now(demo, f"wall-{CAMPAIGN}-{link.link_id}")
    assert (fact.name, fact.details["by"]) == ("wall_link_made", link.by)


@pytest.mark.parametrize(("more", "days"), [((), 30), (("--days", 1), 1), (("--days", 366), 366)])
def test_it_lasts_as_long_as_is_asked_for(
    demo: DynamoRepository, tandem: Tandem, more: tuple[object, ...], days: int
) -> None:
    before = datetime.now(UTC)
    assert create(tandem, *more).exit_code == 0
    [link] = links(demo)
    longest = demo_end() + timedelta(days=30)
    assert link.ends_at >= min(before + timedelta(days=days), longest)
    assert link.ends_at <= min(datetime.now(UTC) + timedelta(days=days), longest)


def demo_end() -> datetime:
    (day,) = re.findall(r"^ends_on: (\S+)", DEMO.read_text("utf-8"), re.MULTILINE)
    return datetime.fromisoformat(f"{day}T22:59:59+00:00")


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("days", [0, -1, 367])
def test_it_lasts_neither_no_day_nor_years(tandem: Tandem, days: int) -> None:
    assert create(tandem, "--days", days).exit_code == 2


def test_a_link_that_is_revoked_is_gone_and_another_stays(
    demo: DynamoRepository, tandem: Tandem
) -> None:
    for _ in range(2):
        create(tandem)
    revoked, other = links(demo)
    done = tandem("wall", "revoke", revoked.link_id, "--campaign", CAMPAIGN)
    assert done.stdout == f"{revoked.link_id}: revoked\n"
    assert links(demo) == [other]
    again = tandem("wall", "revoke", revoked.link_id, "--campaign", CAMPAIGN)
    assert again.exit_code == 1
    assert "tandem wall list --campaign demo-vip" in again.stderr


@pytest.mark.usefixtures("demo")
def test_a_campaign_without_links_says_so(tandem: Tandem) -> None:
    assert tandem("wall", "list", "--campaign", CAMPAIGN).stdout == "none\n"


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("command", [("create",), ("list",), ("revoke", "abc")])
def test_a_campaign_that_is_none_is_named(tandem: Tandem, command: tuple[str, ...]) -> None:
    done = tandem("wall", *command, "--campaign", "nobodys")
    assert done.exit_code == 1
    assert "no campaign nobodys" in done.stderr


def test_no_link_is_made_for_a_campaign_that_has_long_ended(
    demo: DynamoRepository, tandem: Tandem, tmp_path: Path
) -> None:
    over = re.sub(
        r"^(starts_on|ends_on): .*", r"\1: 2020-01-01", DEMO.read_text("utf-8"), flags=re.MULTILINE
    )
    file = tmp_path / "over.yaml"
    file.write_text(over.replace("campaign: demo-vip", "campaign: over"), "utf-8")
    for logo in ("logo.svg", "logo.png"):
        shutil.copy(DEMO.with_name(logo), tmp_path)
    put = tandem("campaign", "put", file)
    assert put.exit_code == 0, put.stderr
    done = tandem("wall", "create", "--campaign", "over")
    assert done.exit_code == 1
    assert "ended on 2020-01-01" in done.stderr
    assert list(demo.within(WallLink, campaign="over")) == []
