"""`tandem person`: what is stored of a person, her end, and that no output has her address."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from typer.testing import CliRunner, Result

from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.domain.addresses import Address
from chalicelib.domain.facts import FactName
from chalicelib.domain.people import Contact, Opposition, Sponsor, SponsorClaim
from chalicelib.services.digests import digests_of
from chalicelib.services.ports import Insert
from cli.connection import connect
from cli.main import app
from cli.reconcile import ports_of
from tests.cli.conftest import REGION, TABLE, facts_now
from tests.contract.entities import ENTITIES

pytestmark = pytest.mark.slow

Tandem = Callable[..., Result]
CAMPAIGN, HER, NAME = "demo-vip", "zephyrine.canary@example.fr", "Zéphyrine"
DEMO = Path(__file__).parents[2] / "local/demo/demo-vip.yaml"
ENDS = datetime.now(UTC) + timedelta(days=9)
DEAD = f"{TABLE}-mail-events-dead"
ONE_CAMPAIGN = ("--campaign", CAMPAIGN)


@pytest.fixture
def known(stack: DynamoRepository, tandem: Tandem) -> DynamoRepository:
    """The demo campaign, and a sponsor who has signed in once."""
    boto3.client("sqs", region_name=REGION).create_queue(QueueName=DEAD)
    assert tandem("campaign", "put", DEMO).exit_code == 0
    ports = ports_of(connect("local"))
    campaign = ports.campaigns.get(CAMPAIGN)
    assert campaign
    digests = digests_of(ports, campaign, Address.parse(HER))
    [sponsor] = [one for one in ENTITIES if isinstance(one, Sponsor)]
    hers = replace(sponsor, digests=digests, campaign=CAMPAIGN)
    contact = Contact(
        contact_id=hers.contact_id, campaign=CAMPAIGN, address=Address.parse(HER),
        first_name=NAME, locale="fr", ends_at=ENDS,
    )  # fmt: skip
    claims = [
        SponsorClaim(campaign=CAMPAIGN, digest=one, sponsor_id=hers.sponsor_id)
        for one in digests.values
    ]
    stack.commit(*map(Insert, (hers, contact, *claims)))
    return stack


def scanned() -> str:
    """The whole table, as text."""
    items = boto3.client("dynamodb", region_name=REGION).scan(TableName=TABLE)["Items"]
    return json.dumps(items, ensure_ascii=False)


def without_her(result: Result) -> bool:
    return HER not in result.output and NAME not in result.output


def test_what_is_stored_is_printed_as_json(known: DynamoRepository, tandem: Tandem) -> None:  # noqa: ARG001
    printed = tandem("person", "export", *ONE_CAMPAIGN, "--address", HER)
    document = json.loads(printed.stdout)
    assert printed.exit_code == 0
    assert document["address"] == HER
    [part] = document["campaigns"]
    assert part["addresses"][0]["first_name"] == NAME
    assert len(part["you_as_a_sponsor"]) == 1


def test_how_somebody_stands_is_shown_by_ids_alone(
    known: DynamoRepository,  # noqa: ARG001
    tandem: Tandem,
) -> None:
    before = scanned()
    printed = tandem("person", "show", *ONE_CAMPAIGN, "--address", HER, "--json")
    assert printed.exit_code == 0, printed.output
    lines = json.loads(printed.stdout)
    [sponsor] = [one for one in lines if one["what"] == "sponsor"]
    assert (sponsor["campaign"], sponsor["id"]) == (CAMPAIGN, sponsor_id())
    assert scanned() == before
    for shown in (printed, tandem("person", "show", *ONE_CAMPAIGN, "--address", HER)):
        assert without_her(shown)
    stranger = tandem("person", "show", *ONE_CAMPAIGN, "--address", "nobody@example.fr")
    assert (stranger.exit_code, stranger.stdout) == (0, "none\n")


@pytest.mark.parametrize("which", [ONE_CAMPAIGN, ("--brand", "demo")])
def test_who_is_erased_is_in_the_table_no_more(
    known: DynamoRepository, tandem: Tandem, which: tuple[str, str]
) -> None:
    digest = known.get(Sponsor, sponsor_id=sponsor_id())
    assert digest
    printed = tandem("person", "erase", *which, "--address", HER, "--yes")
    assert printed.exit_code == 0, printed.output
    receipt = json.loads(printed.stdout)
    assert (receipt["found"], receipt["dry_run"]) == (True, False)
    assert receipt["removed"]["contact"] == 1
    assert without_her(printed)
    table = scanned()
    assert HER not in table
    assert NAME not in table
    assert digest.digests.for_client not in table
    [fact] = facts_now(known, sponsor_id())
    assert fact.name == FactName.PERSON_ERASED
    again = tandem("person", "erase", *which, "--address", HER, "--yes")
    assert (again.exit_code, json.loads(again.stdout)["found"]) == (0, False)


def sponsor_id() -> str:
    [sponsor] = [one for one in ENTITIES if isinstance(one, Sponsor)]
    return sponsor.sponsor_id


def test_a_dry_run_changes_nothing_and_asks_nothing(
    known: DynamoRepository,  # noqa: ARG001
    tandem: Tandem,
) -> None:
    before = scanned()
    printed = tandem("person", "erase", *ONE_CAMPAIGN, "--address", HER, "--dry-run")
    receipt = json.loads(printed.stdout)
    assert (receipt["found"], receipt["dry_run"]) == (True, True)
    assert scanned() == before
    assert without_her(printed)


@pytest.mark.parametrize(
    ("answer", "code", "end"),
    [
        ("y\n", 0, ""),
        ("n\n", 1, "nothing was changed\n"),
        ("", 1, "nothing was changed: nobody answered; a script says --yes\n"),
    ],
)
def test_it_asks_first(known: DynamoRepository, answer: str, code: int, end: str) -> None:
    before = scanned()
    asked = CliRunner().invoke(
        app, ["person", "erase", *ONE_CAMPAIGN, "--address", HER], input=answer
    )
    assert asked.exit_code == code
    assert "it cannot be undone" in asked.stderr
    assert asked.stderr.endswith(end)
    assert without_her(asked)
    assert (scanned() == before) is (code == 1)
    assert len(known.get_many(Opposition, opposition_keys())) == (0 if code else 1)


def opposition_keys() -> list[dict[str, str]]:
    ports = ports_of(connect("local"))
    campaign = ports.campaigns.get(CAMPAIGN)
    assert campaign
    values = digests_of(ports, campaign, Address.parse(HER)).values
    return [{"brand": campaign.brand.id, "digest": one} for one in values]


def test_the_address_may_come_on_the_standard_input(known: DynamoRepository) -> None:  # noqa: ARG001
    printed = CliRunner().invoke(app, ["person", "erase", *ONE_CAMPAIGN, "--yes"], input=f"{HER}\n")
    assert json.loads(printed.stdout)["found"]
    assert without_her(printed)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--address", HER), "name either --campaign or --brand"),
        ((*ONE_CAMPAIGN, "--brand", "demo", "--address", HER), "name either"),
        (("--campaign", "nothing", "--address", HER), "no campaign nothing"),
        (("--brand", "nothing", "--address", HER), "no campaign of a brand nothing"),
        ((*ONE_CAMPAIGN, "--address", "zephyrine.canary@"), "not an address: bad_domain"),
    ],
)
@pytest.mark.parametrize("command", ["export", "erase"])
def test_a_mistake_is_named_without_the_address(
    known: DynamoRepository,  # noqa: ARG001
    tandem: Tandem,
    command: str,
    arguments: tuple[str, ...],
    problem: str,
) -> None:
    failed = tandem("person", command, *arguments)
    assert failed.exit_code == 1
    assert problem in failed.stderr
    assert "zephyrine" not in failed.output


def test_what_cannot_be_read_is_a_failure(known: DynamoRepository, tandem: Tandem) -> None:
    [claim, *_] = [key["digest"] for key in opposition_keys()]
    bad = {"pk": "TOKEN#bad", "sk": "TOKEN", "kind": "TOKEN", "digests": claim}
    item = {name: {"S": text} for name, text in bad.items()}
    known._clients.dynamodb.put_item(TableName=TABLE, Item=item)
    failed = tandem("person", "erase", *ONE_CAMPAIGN, "--address", HER, "--yes")
    assert failed.exit_code == 1
    assert "1 items cannot be read" in failed.stderr


def test_events_of_the_sender_that_name_her_are_removed(
    known: DynamoRepository,  # noqa: ARG001
    tandem: Tandem,
) -> None:
    sqs = boto3.client("sqs", region_name=REGION)
    queue = sqs.get_queue_url(QueueName=DEAD)["QueueUrl"]
    for address in (HER.upper(), "paul@example.fr", f"x{HER}"):
        event = {"eventType": "Bounce", "mail": {"destination": [address]}}
        body = json.dumps({"Message": json.dumps(event)})
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    erased = tandem("person", "erase", *ONE_CAMPAIGN, "--address", HER, "--yes")
    assert json.loads(erased.stdout)["mail_events_removed"] == 1
    answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    left = "".join(each["Body"] for each in answer["Messages"])
    assert len(answer["Messages"]) == 2
    assert HER.upper() not in left
