"""A store that lags: a read that does not ask to be consistent finds what was there a moment ago.

Nothing is decided on that. Each way of reading the table finds what was written just before, on a
table whose other reads are always late (`tests/simulation/dynamodb.py`).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.adapters.dynamodb.schema import fact_shard
from chalicelib.domain.facts import Fact
from chalicelib.domain.journal import part_of_bundle
from chalicelib.domain.people import Link
from chalicelib.services.ports import Insert, Key, Remove, Replace
from tests.contract.aws import new_table
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.ports import MORNING
from tests.simulation.dynamodb import Table
from tests.simulation.wire import Network

LINK = Link(link_code="abc", campaign=CAMPAIGN, sponsor_id="before")
FACT = Fact(
    fact_id="f1", name="voucher_issued", campaign=CAMPAIGN, subject="v", at=MORNING,
    correlation="k", ids={"voucher": "v"}, details={"rung": 0, "order": "yes"},
)  # fmt: skip


@pytest.fixture
def table(simulated: tuple[Network, Clients]) -> Table:
    """An empty table that lags until it catches up."""
    network, _ = simulated
    network.table = Table(lags=True)
    return network.table


@pytest.fixture
def repository(table: Table, simulated: tuple[Network, Clients]) -> DynamoRepository:  # noqa: ARG001
    """The repository on that table."""
    return new_table(simulated[1])


def changed(repository: DynamoRepository) -> Link:
    """A link that was stored, and then changed."""
    repository.commit(Insert(LINK))
    repository.commit(Replace(replace(LINK, sponsor_id="now", revision=1)))
    return replace(LINK, sponsor_id="now", revision=2)


def test_a_read_that_is_not_consistent_is_late_on_this_table(
    repository: DynamoRepository, table: Table, simulated: tuple[Network, Clients]
) -> None:
    changed(repository)
    asked = {"TableName": "tandem", "Key": {"pk": {"S": "LINK#abc"}, "sk": {"S": "LINK"}}}
    late = simulated[1].dynamodb.get_item(**asked)  # type: ignore[arg-type]
    assert late["Item"]["sponsor_id"] == {"S": "before"}
    table.catch_up()
    in_time = simulated[1].dynamodb.get_item(**asked)  # type: ignore[arg-type]
    assert in_time["Item"]["sponsor_id"] == {"S": "now"}


def test_one_entity_is_read_as_it_is_now(repository: DynamoRepository) -> None:
    now = changed(repository)
    assert repository.get(Link, link_code="abc") == now
    repository.commit(Remove(now))
    assert repository.get(Link, link_code="abc") is None


def test_many_entities_are_read_as_they_are_now(repository: DynamoRepository) -> None:
    now, key = changed(repository), Key.of(Link, link_code="abc")
    assert repository.get_many(Link, [{"link_code": "abc"}]) == [now]
    assert repository.read(key).get(key) == now


def test_the_entities_of_a_partition_are_read_as_they_are_now(
    repository: DynamoRepository,
) -> None:
    now = changed(repository)
    assert list(repository.within(Link, link_code="abc")) == [now]
    assert repository.first_within(Link, 1, link_code="abc") == [now]
    repository.commit(Remove(now))
    assert list(repository.within(Link, link_code="abc")) == []


def test_the_last_of_a_partition_may_be_late_at_half_the_price(
    repository: DynamoRepository, table: Table
) -> None:
    now = changed(repository)
    [late] = repository.last_within(Link, 1, link_code="abc")
    assert late.sponsor_id == "before"
    table.catch_up()
    assert repository.last_within(Link, 1, link_code="abc") == [now]


def test_facts_are_read_as_they_are_now(repository: DynamoRepository) -> None:
    repository.commit(Insert(LINK), facts=[FACT])
    assert list(repository.facts_in(MORNING, fact_shard("v"))) == [FACT]
    assert list(repository.facts_of("v", MORNING, MORNING)) == [FACT]
    assert repository.uncounted([FACT]) == [FACT]


def test_what_is_counted_is_read_as_it_is_now(repository: DynamoRepository) -> None:
    repository.commit(Insert(LINK), facts=[FACT])
    part = part_of_bundle("0" * 64, 0, 1, MORNING)
    repository.count(part, {CAMPAIGN: {MORNING.date(): {"vouchers_issued": 1}}}, [FACT])
    assert repository.counts(CAMPAIGN) == {MORNING.date(): {"vouchers_issued": 1}}
    assert repository.uncounted([FACT]) == []


def test_what_is_stored_of_somebody_is_found_as_it_is_now(repository: DynamoRepository) -> None:
    now = changed(repository)
    assert repository.naming(("now",), ()).entities == [now]
    assert repository.naming((), (Link,)).entities == [now]
