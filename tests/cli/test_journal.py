"""`tandem journal verify`: what it prints, and its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.domain.journal import folder
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.operations.project import project
from chalicelib.services.operations.root import write_root
from chalicelib.services.operations.seal import seal
from chalicelib.services.ports import Ports
from cli import journal
from cli.connection import connect
from cli.reconcile import ports_of
from tests.cli.conftest import REGION, STATUS, Tandem
from tests.fakes.campaign import CAMPAIGN, campaign

LOCATION: Any = {"LocationConstraint": REGION}


@pytest.fixture
def ports(stack: DynamoRepository) -> Ports:
    """A stack with a sealed journal of two campaigns, and a root of each."""
    del stack
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket=str(STATUS["roots_bucket"]), CreateBucketConfiguration=LOCATION)
    made = ports_of(connect("local"))
    for name in (CAMPAIGN, "other"):
        put_campaign(made, campaign(campaign=name))
    facts = [fact for shard in range(128) for fact in made.repository.facts_in(made.clock(), shard)]
    project(made, facts)
    seal(made)
    for name in (CAMPAIGN, "other"):
        assert write_root(made, name)
    return made


def test_a_journal_that_agrees_is_said_to(ports: Ports, tandem: Tandem) -> None:
    del ports
    result = tandem("journal", "verify")
    assert result.exit_code == 0, result.output
    said = f"{CAMPAIGN}: agrees: 1 facts, 1 files, 1 roots, 0 files since the last root"
    assert said in result.stdout
    assert "other: agrees" in result.stdout
    one = tandem("journal", "verify", "--campaign", CAMPAIGN)
    assert (one.exit_code, "other" in one.stdout) == (0, False)


def test_what_differs_is_named_and_the_command_fails(ports: Ports, tandem: Tandem) -> None:
    [path] = ports.files.paths(folder(CAMPAIGN))
    content = b"".join(ports.files.read(path))
    ports.files.write(path, content.replace(b"campaign_put", b"campaign_Put"))
    result = tandem("journal", "verify")
    assert result.exit_code == 1
    assert f"{CAMPAIGN}: does not agree" in result.stdout
    assert f"  the chain is broken: {path}: line 1" in result.stdout
    assert "other: agrees" in result.stdout


def test_programs_read_what_was_verified(ports: Ports, tandem: Tandem) -> None:
    ports.files.remove(ports.files.paths(folder("other"))[0])
    result = tandem("journal", "verify", "--json")
    verified = {one["campaign"]: one for one in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert {name: one["agrees"] for name, one in verified.items()} == {
        CAMPAIGN: True,
        "other": False,
    }
    assert (verified[CAMPAIGN]["facts"], verified[CAMPAIGN]["roots"]) == (1, 1)
    assert verified[CAMPAIGN]["unreadable"] == verified[CAMPAIGN]["findings"] == []
    assert {"what", "where"} == set(verified["other"]["findings"][0])
    assert tandem("journal", "verify", "--campaign", CAMPAIGN, "--json").exit_code == 0


def test_of_very_many_findings_the_first_are_shown(
    ports: Ports, tandem: Tandem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SHOWN", 0)
    ports.files.remove(ports.files.paths(folder(CAMPAIGN))[0])
    assert "  and 1 more" in tandem("journal", "verify").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--campaign", "nobody"), "no campaign nobody"), ((), "no campaigns")],
)
def test_nothing_to_verify_is_an_error(
    stack: DynamoRepository, tandem: Tandem, arguments: tuple[str, ...], said: str
) -> None:
    del stack
    result = tandem("journal", "verify", *arguments)
    assert (result.exit_code, said in result.stderr) == (1, True)


def test_a_stack_of_an_earlier_version_has_no_roots(
    stack: DynamoRepository, tandem: Tandem, status_page: Callable[[object], None]
) -> None:
    del stack
    status_page({key: value for key, value in STATUS.items() if key != "roots_bucket"})
    result = tandem("journal", "verify")
    assert (result.exit_code, "keeps no roots yet" in result.stderr) == (1, True)
