"""`tandem list`: what ops see of the lists, and what they decide."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.domain.lists.model import CurrentList, HeldList
from chalicelib.services.list_ports import StoredSegment
from chalicelib.services.lists.versions import version_of
from chalicelib.services.ports import Insert
from tests.cli.conftest import facts_now
from tests.fakes.lists import current_list

pytestmark = pytest.mark.slow

Tandem = Callable[..., Result]

CAMPAIGN = "demo-vip"
DEMO = Path(__file__).parents[2] / "local/demo/demo-vip.yaml"
NOW = datetime.now(UTC)


@pytest.fixture
def listed(stack: DynamoRepository, tandem: Tandem) -> DynamoRepository:
    """The demo campaign, with two versions of its customer list."""
    assert tandem("campaign", "put", DEMO).exit_code == 0
    for version, age in ((1, 2), (2, 1)):
        pointer = current_list(
            StoredSegment(f"lists/{version}.seg", "etag", 1_000_000 * version),
            campaign=CAMPAIGN,
            name="customers",
            accepted_at=NOW - timedelta(days=age),
            version=version,
            key_id="demo",
        )
        stack.commit(Insert(version_of(pointer)))
    stack.commit(Insert(pointer))
    return stack


def hold(repository: DynamoRepository, sha256: str, **changes: Any) -> HeldList:
    held = HeldList(
        campaign=CAMPAIGN, name="customers", mode="full", sha256=sha256,
        path=f"customers/full/{sha256[:4]}.csv", dropped_at=NOW, sequencer="1",
        reason="shrink_beyond_limit", detail="from 2000000 to 9", rows=9, held_at=NOW,
        ends_at=NOW + timedelta(days=30), **changes,
    )  # fmt: skip
    repository.commit(Insert(held))
    return held


def decision(repository: DynamoRepository, held: HeldList) -> HeldList:
    found = repository.get(
        HeldList, campaign=CAMPAIGN, name="customers", mode="full", sha256=held.sha256
    )
    assert found
    return found


def current(repository: DynamoRepository) -> CurrentList:
    found = repository.get(CurrentList, campaign=CAMPAIGN, name="customers")
    assert found
    return found


def test_status_shows_both_lists(listed: DynamoRepository, tandem: Tandem) -> None:
    hold(listed, "ab" * 32)
    reported = tandem("list", "status", CAMPAIGN).output
    assert "customers: version 2, 2,000,000 digests, 1.0 days old (at most" in reported
    assert "vips: no list yet: nothing is sent" in reported
    assert "abababababab" in reported
    assert "shrink_beyond_limit (from 2000000 to 9)" in reported
    assert "undecided" in reported
    assert reported.index("2,000,000  ") < reported.index("1,000,000  ")


def test_status_is_printed_for_programs_too(listed: DynamoRepository, tandem: Tandem) -> None:
    hold(listed, "ab" * 32)
    found = json.loads(tandem("list", "status", CAMPAIGN, "--json").stdout)
    assert (found["vips"]["version"], found["vips"]["in_force"]) == (0, False)
    customers = found["customers"]
    assert (customers["version"], customers["rows"]) == (2, 2_000_000)
    [held] = customers["held"]
    assert (held["id"], held["decision"]) == ("ab" * 6, "undecided")
    assert [one["digests"] for one in customers["versions"]] == [1_000_000, 2_000_000]


def test_status_shows_that_a_list_is_too_old(stack: DynamoRepository, tandem: Tandem) -> None:
    tandem("campaign", "put", DEMO)
    old = current_list(
        StoredSegment("lists/1.seg", "etag", 5), campaign=CAMPAIGN, name="vips",
        accepted_at=NOW - timedelta(days=399), key_id="demo",
    )  # fmt: skip
    stack.commit(Insert(old))
    assert "OLDER THAN" in tandem("list", "status", CAMPAIGN).output


@pytest.mark.parametrize(
    ("command", "decided", "fact"),
    [("release", "released", "list_released"), ("refuse", "refused", "list_turned_down")],
)
def test_a_held_list_is_decided_on_and_the_fact_names_the_principal(
    listed: DynamoRepository, tandem: Tandem, command: str, decided: str, fact: str
) -> None:
    held = hold(listed, "ab" * 32)
    result = tandem("list", command, CAMPAIGN, "customers")
    assert (result.exit_code, result.output.split(":")[0]) == (0, held.path)
    now = decision(listed, held)
    assert now.decision == decided
    [reported] = facts_now(listed, f"list-{CAMPAIGN}-customers")
    assert (reported.name, reported.details["by"]) == (fact, now.decided_by)
    assert now.decided_by


@pytest.mark.parametrize(
    "words",
    [("release", CAMPAIGN, "customers"), ("refuse", CAMPAIGN, "customers"),
     ("rollback", CAMPAIGN, "customers", "--to", 1)],
)  # fmt: skip
def test_at_a_terminal_a_decision_is_asked_about_first(
    listed: DynamoRepository,
    tandem: Tandem,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[object, ...],
) -> None:
    held = hold(listed, "ab" * 32)
    questions: list[str] = []

    def no(question: str, **_: object) -> bool:
        questions.append(question)
        return False

    monkeypatch.setattr("cli.asking._is_terminal", lambda: True)
    monkeypatch.setattr("typer.confirm", no)
    refused = tandem("list", *words)
    assert (refused.exit_code, refused.output) == (1, "nothing was changed\n")
    assert (decision(listed, held).decision, current(listed).version) == (None, 2)
    assert len(questions) == 1
    assert tandem("list", *words, "--yes").exit_code == 0
    assert len(questions) == 1


def test_of_several_held_lists_one_must_be_named(listed: DynamoRepository, tandem: Tandem) -> None:
    one, other = hold(listed, "ab" * 32), hold(listed, "cd" * 32)
    result = tandem("list", "release", CAMPAIGN, "customers")
    assert result.exit_code == 1
    assert "abababababab" in result.output
    assert tandem("list", "release", CAMPAIGN, "customers", "--id", "cdcd").exit_code == 0
    assert (decision(listed, one).decision, decision(listed, other).decision) == (None, "released")
    assert tandem("list", "refuse", CAMPAIGN, "customers").exit_code == 0
    assert decision(listed, one).decision == "refused"


def test_a_rejected_list_may_be_released_by_its_id(
    listed: DynamoRepository, tandem: Tandem
) -> None:
    held = hold(listed, "ab" * 32, decision="refused")
    result = tandem("list", "release", CAMPAIGN, "customers")
    assert (result.exit_code, result.output) == (
        1, f"no list customers is held in {CAMPAIGN}\n",
    )  # fmt: skip
    assert tandem("list", "release", CAMPAIGN, "customers", "--id", "abab").exit_code == 0
    assert decision(listed, held).decision == "released"


def test_rolling_back_puts_an_earlier_version_in_force(
    listed: DynamoRepository, tandem: Tandem
) -> None:
    result = tandem("list", "rollback", CAMPAIGN, "customers", "--to", "1")
    assert result.output == "customers: version 3 is in force, with the content of version 1\n"
    assert (current(listed).version, current(listed).segment) == (3, "lists/1.seg")


@pytest.mark.parametrize(("to", "said"), [("2", "already in force"), ("7", "no version 7")])
def test_an_impossible_rollback_is_reported(
    listed: DynamoRepository, tandem: Tandem, to: str, said: str
) -> None:
    result = tandem("list", "rollback", CAMPAIGN, "customers", "--to", to)
    assert result.exit_code == 1
    assert said in result.output
    assert current(listed).version == 2


@pytest.mark.usefixtures("listed")
def test_an_unknown_campaign_or_list_is_reported(tandem: Tandem) -> None:
    assert "no campaign other" in tandem("list", "status", "other").output
    assert tandem("list", "release", CAMPAIGN, "staff").exit_code == 2
