"""`tandem migrate`: what an earlier version stored moves to the index `due`, all of it."""

from __future__ import annotations

from collections.abc import Callable

import boto3
import pytest
from typer.testing import Result

from chalicelib.adapters.dynamodb import schema
from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.services.ports import Agenda
from tests.cli.conftest import TABLE
from tests.contract.kept import COUNT, KINDS, Item, kept_world, kind_of, versions

pytestmark = pytest.mark.slow

Tandem = Callable[..., Result]


@pytest.fixture(params=versions("world-{}.json.gz"))
def items(request: pytest.FixtureRequest, stack: DynamoRepository) -> list[Item]:  # noqa: ARG001
    """The table as a version left it."""
    stored = kept_world(request.param).items
    client = boto3.client("dynamodb")
    for item in stored:
        client.put_item(TableName=TABLE, Item=item)
    return stored


def agendas(repository: DynamoRepository, items: list[Item]) -> dict[str, list[str]]:
    """What stands on every agenda, by the keys of the items."""
    found: dict[str, list[str]] = {}
    for name in Agenda:
        kinds = {KINDS[kind_of(item)] for item in items if _is_on(item, name)}
        for scope in sorted({item["agenda_pk"]["S"] for item in items if _is_on(item, name)}):
            campaign = scope.partition("#")[2]
            for kind in kinds:
                listed = repository.agenda(kind, name, campaign)
                found[scope] = sorted(str(schema.key_of(one)) for one in listed)
    return found


def _is_on(item: Item, name: Agenda) -> bool:
    named = item.get("agenda_pk", {}).get("S", "").partition("#")[0]
    return kind_of(item) != COUNT and named == name


def test_everything_moves_and_stands_on_the_agendas_it_stood_on(
    stack: DynamoRepository, items: list[Item], tandem: Tandem
) -> None:
    number = sum("agenda_pk" in item for item in items)
    before = agendas(stack, items)
    assert sum(map(len, before.values())) == number > 5
    said = tandem("migrate", "--dry-run").stdout
    assert said == f"{number} items to write again\n"
    done = tandem("migrate")
    assert (done.exit_code, done.stdout) == (0, f"{number} items written again\n")
    assert list(stack.of_before()) == []
    assert agendas(stack, items) == before
    assert tandem("migrate").stdout == "0 items to write again\n"


def test_what_cannot_be_read_stops_no_other_and_is_said(
    stack: DynamoRepository, items: list[Item], tandem: Tandem
) -> None:
    broken = next(item for item in items if kind_of(item) == "REFERRAL")
    client = boto3.client("dynamodb")
    client.put_item(TableName=TABLE, Item=broken | {"confirmed_at": {"S": "never"}})
    done = tandem("migrate")
    assert done.exit_code == 1
    assert "1 items could not be written: ValidationError" in done.stderr
    assert len(list(stack.of_before())) == 1
    client.put_item(TableName=TABLE, Item=broken)
    assert tandem("migrate").stdout == "1 items written again\n"
