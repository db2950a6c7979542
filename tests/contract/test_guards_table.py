"""What the repository does with DynamoDB's errors, and with what a read gives too much.

The client of the first tests answers with prepared errors, so that each of them is seen alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from pydantic import ValidationError

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.dynamodb.codec import entity_item, fact_item
from chalicelib.adapters.dynamodb.repository import ATTEMPTS, DynamoRepository
from chalicelib.adapters.dynamodb.schema import (
    count_key,
    count_partitions,
    counted_day,
    fact_shard,
    key_of,
)
from chalicelib.domain.entity import Entity
from chalicelib.domain.facts import Fact
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.journal import JournalPart, part_of_bundle
from chalicelib.domain.people import Link
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ports import (
    Agenda,
    ConflictError,
    ContentionError,
    Failure,
    Insert,
    OnFailure,
    Remove,
)
from tests.contract.aws import new_table
from tests.contract.entities import ENTITIES
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.ports import MORNING
from tests.simulation import dynamodb
from tests.simulation.dynamodb import Table
from tests.simulation.wire import Network

LINKS = [Link(link_code=f"l{number}", campaign=CAMPAIGN, sponsor_id="s") for number in range(2)]
CODES = [
    "TransactionConflictException",
    "TransactionInProgressException",
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "InternalServerError",
]
REASONS = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]


def error(code: str, *reasons: str) -> ClientError:
    answer = {
        "Error": {"Code": code, "Message": ""},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(answer, "Write")  # type: ignore[arg-type]


class Answers:
    """A DynamoDB client that gives these errors first, and then succeeds."""

    def __init__(self, errors: Sequence[ClientError]) -> None:
        self.left = list(errors)
        self.calls = 0
        self.pauses: list[float] = []

    def __call__(self, **_: object) -> dict[str, Any]:
        self.calls += 1
        if self.left:
            raise self.left.pop(0)
        return {}

    def repository(self) -> DynamoRepository:
        dynamodb = SimpleNamespace(put_item=self, delete_item=self, transact_write_items=self)
        clients = cast(Clients, SimpleNamespace(dynamodb=dynamodb))
        return DynamoRepository(clients, "tandem", lambda: MORNING, pause=self.pauses.append)


@pytest.mark.parametrize("code", CODES)
def test_a_write_that_meets_others_or_a_limit_is_tried_again(code: str) -> None:
    answers = Answers([error(code)])
    answers.repository().commit(Insert(LINKS[0]))
    assert (answers.calls, len(answers.pauses)) == (2, 1)


@pytest.mark.parametrize("reason", REASONS)
def test_a_transaction_cancelled_by_others_or_a_limit_is_tried_again(reason: str) -> None:
    answers = Answers([error("TransactionCanceledException", "None", reason)])
    answers.repository().commit(*map(Insert, LINKS))
    assert (answers.calls, len(answers.pauses)) == (2, 1)


def test_a_write_that_always_meets_others_is_left_to_the_queue() -> None:
    answers = Answers([error("TransactionConflictException")] * 100)
    with pytest.raises(ContentionError):
        answers.repository().commit(Insert(LINKS[0]))
    assert answers.calls == ATTEMPTS == 5


@pytest.mark.parametrize(
    "failed",
    [
        error("ConditionalCheckFailedException"),
        error("TransactionCanceledException", "None", "ConditionalCheckFailed"),
        error("TransactionCanceledException", "TransactionConflict", "ConditionalCheckFailed"),
    ],
)
def test_a_condition_that_does_not_hold_is_a_conflict_at_once(failed: ClientError) -> None:
    answers = Answers([failed])
    with pytest.raises(ConflictError):
        answers.repository().commit(*map(Insert, LINKS))
    assert answers.calls == 1


@pytest.mark.parametrize(
    "failed",
    [
        error("ValidationException"),
        error("ValidationException", "TransactionConflict"),
        error("ValidationException", "ConditionalCheckFailed"),
        error("TransactionCanceledException", "None", "ItemCollectionSizeLimitExceeded"),
    ],
)
def test_any_other_error_is_one(failed: ClientError) -> None:
    answers = Answers([failed])
    with pytest.raises(ClientError) as raised:
        answers.repository().commit(*map(Insert, LINKS))
    assert raised.value is failed
    assert answers.calls == 1


# --- what is stored -------------------------------------------------------------------------------


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda one: type(one).__name__)
def test_what_has_no_value_takes_no_room_in_an_item(entity: Entity) -> None:
    emptied: dict[str, Any] = {each.name: None for each in fields(entity) if each.default is None}
    item = entity_item(replace(entity, **emptied))
    assert {"NULL": True} not in item.values()


def test_however_many_parts_are_counted_a_day_has_a_few_items_to_sum_up() -> None:
    keys = [count_key(CAMPAIGN, MORNING.date(), f"{number:064x}") for number in range(1000)]
    assert len({tuple(key.items()) for key in keys}) == 32
    assert {key["pk"] for key in keys} < set(count_partitions(CAMPAIGN))
    assert {counted_day(key["sk"]) for key in keys} == {MORNING.date()}


# --- too much -------------------------------------------------------------------------------------


@pytest.fixture
def table(simulated: tuple[Network, Clients]) -> Table:
    network, _ = simulated
    network.table = Table(lags=True)
    return network.table


@pytest.fixture
def repository(table: Table, simulated: tuple[Network, Clients]) -> DynamoRepository:  # noqa: ARG001
    return new_table(simulated[1])


def invitation(number: int) -> Invitation:
    one = next(one for one in ENTITIES if isinstance(one, Invitation))
    return replace(
        one,
        invitation_id=f"i{number}",
        state=InvitationState.RECEIVED,
        decision=None,
        ended_at=None,
    )


def undecided(
    repository: DynamoRepository, failures: list[Failure] | None = None
) -> list[Invitation]:
    stored = invitation(0)
    return list(
        repository.agenda(
            Invitation,
            Agenda.UNDECIDED,
            stored.campaign,
            on_failure=None if failures is None else failures.append,
        )
    )


def test_the_facts_of_a_subject_are_not_those_of_one_whose_name_begins_with_it(
    repository: DynamoRepository, table: Table
) -> None:
    longer = next(
        name for number in count() if fact_shard(name := f"s#{number}") == fact_shard("s")
    )
    facts = [
        Fact(
            fact_id=f"f-{subject}", name="voucher_issued", campaign=CAMPAIGN, subject=subject,
            at=MORNING, correlation="k", ids={"voucher": "v"}, details={"rung": 0, "order": "yes"},
        )
        for subject in ("s", longer)
    ]  # fmt: skip
    repository.commit(facts=facts)
    table.catch_up()
    assert list(repository.facts_of("s", MORNING, MORNING)) == facts[:1]


def test_a_fact_that_cannot_be_read_is_named_and_hides_no_other(
    repository: DynamoRepository, simulated: tuple[Network, Clients]
) -> None:
    facts = [
        Fact(
            fact_id=f"f{number}", name="voucher_issued", campaign=CAMPAIGN, subject="s",
            at=MORNING, correlation="k", ids={"voucher": "v"}, details={"rung": 0, "order": "yes"},
        )
        for number in range(3)
    ]  # fmt: skip
    repository.commit(facts=facts)
    whole = fact_item(facts[1])
    bad = {name: whole[name] for name in whole if name != "at"}
    simulated[1].dynamodb.put_item(TableName=repository._table, Item=bad)
    failures: list[Failure] = []
    shard = fact_shard("s")
    assert list(repository.facts_in(MORNING, shard, failures.append)) == [facts[0], facts[2]]
    assert [(one.kind, one.name) for one in failures] == [("FACT", "f1")]
    with pytest.raises(ValueError, match="at"):
        list(repository.facts_in(MORNING, shard))
    counted = {**whole, "counted": {"BOOL": True}}
    assert repository.uncounted(facts) == facts
    simulated[1].dynamodb.put_item(
        TableName=repository._table, Item={name: counted[name] for name in bad}
    )
    assert repository.uncounted(facts) == [facts[0], facts[2]]


def vouchers(number: int) -> list[Voucher]:
    stored = next(one for one in ENTITIES if isinstance(one, Voucher))
    return [
        replace(stored, code_key=f"C{each}", voucher_id=f"v{each}", revision=0)
        for each in range(number)
    ]


Reading = Callable[[DynamoRepository, OnFailure | None], Iterable[Entity]]
READINGS: list[tuple[Sequence[Entity], Reading, tuple[str, str]]] = [
    (
        vouchers(3),
        lambda repository, noted: repository.every_voucher(noted),
        ("VOUCHER", "v1"),
    ),
    (
        vouchers(3),
        lambda repository, noted: repository.held_by(vouchers(1)[0].holder_id, noted),
        ("VOUCHER", "v1"),
    ),
    (
        [replace(part_of_bundle("0" * 64, n, 1, MORNING), shard=0) for n in range(3)],
        lambda repository, noted: repository.within(JournalPart, noted, shard=0),
        ("JOURNAL_PART", f"2026-03-02T09:00:00.000000Z#{'0' * 16}#0001"),
    ),
    (
        [replace(part_of_bundle("0" * 64, n, 1, MORNING), shard=0) for n in range(3)],
        lambda repository, noted: repository.last_within(JournalPart, 3, noted, shard=0),
        ("JOURNAL_PART", f"2026-03-02T09:00:00.000000Z#{'0' * 16}#0001"),
    ),
]


@pytest.mark.parametrize(
    ("entities", "read", "name"),
    READINGS,
    ids=["every_voucher", "held_by", "within", "last_within"],
)
def test_an_item_that_cannot_be_read_is_named_and_hides_no_other(
    repository: DynamoRepository,
    table: Table,
    simulated: tuple[Network, Clients],
    entities: Sequence[Entity],
    read: Reading,
    name: tuple[str, str],
) -> None:
    repository.commit(*map(Insert, entities))
    first, bad, last = entities
    worse = {"state": {"S": "praised"}, "lines": {"S": "many"}}
    simulated[1].dynamodb.put_item(TableName=repository._table, Item=entity_item(bad) | worse)
    table.catch_up()
    failures: list[Failure] = []
    found = {str(key_of(one)) for one in read(repository, failures.append)}
    assert found == {str(key_of(one)) for one in (first, last)}
    assert [(one.kind, one.name) for one in failures] == [name]
    with pytest.raises(ValidationError):
        list(read(repository, None))


def test_what_the_index_lists_and_the_table_has_no_more_is_not_given(
    repository: DynamoRepository, table: Table
) -> None:
    repository.commit(*(Insert(invitation(number)) for number in range(3)))
    table.catch_up()
    first, *others = undecided(repository)
    repository.commit(Remove(first))
    assert undecided(repository) == others
    assert len(others) == 2


def test_an_item_that_cannot_be_read_is_named_and_stops_no_other(
    repository: DynamoRepository, table: Table
) -> None:
    repository.commit(*(Insert(invitation(number)) for number in range(3)))
    table.catch_up()
    first, *others = undecided(repository)
    place = (f"SPONSOR#{first.sponsor_id}", f"INVITATION#{first.invitation_id}")
    whole = table.items[place]
    table.items[place] = {name: whole[name] for name in whole if name != "received_at"}
    failures: list[Failure] = []
    assert undecided(repository, failures) == others
    [failure] = failures
    assert (failure.kind, failure.name) == ("INVITATION", first.invitation_id)
    with pytest.raises(ValueError, match="received_at"):
        undecided(repository)


def test_a_campaigns_counts_are_there_until_the_last_of_its_items_is_gone(
    simulated: tuple[Network, Clients], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamodb, "PAGE_LIMIT", 1)
    network, clients = simulated
    network.table = Table()
    repository = new_table(clients)
    for link in LINKS:
        repository.commit(Insert(link))
    part = part_of_bundle("0" * 64, 0, 1, MORNING)
    repository.count(part, {CAMPAIGN: {MORNING.date(): {"sent": 1}}}, [])
    counts, pages, after = repository.counts(CAMPAIGN), 0, None
    while counts:
        pages += 1
        after = repository.remove_page([], CAMPAIGN, after).next
        assert repository.counts(CAMPAIGN) == (counts if after else {})
        if after is None:
            break
    assert pages > 2
    assert [repository.get(Link, link_code=one.link_code) for one in LINKS] == [None, None]
