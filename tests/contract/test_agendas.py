"""Agendas: spread over partitions, read again by key, and read from the index of before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.dynamodb import schema
from chalicelib.adapters.dynamodb.codec import entity_item
from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.domain.entity import Entity
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.referrals import Referral, ReferralMark
from chalicelib.services.ports import Agenda, Entry, Insert, Key, Remove, Replace, Repository
from tests.contract.aws import new_table
from tests.contract.entities import ENTITIES
from tests.contract.kept import Item
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.ports import MORNING
from tests.fakes.repository import LaggingRepository, MemoryRepository

CLOSES = MORNING + timedelta(days=14)


def invitation(number: int, closes_at: datetime = CLOSES) -> Invitation:
    """An invitation that waits for its answer."""
    one = next(one for one in ENTITIES if isinstance(one, Invitation))
    return replace(one, invitation_id=f"i{number}", closes_at=closes_at)


def store(repository: Repository, entities: Sequence[Entity]) -> None:
    for start in range(0, len(entities), 100):
        repository.commit(*map(Insert, entities[start : start + 100]))


def ids(repository: Repository, until: datetime | None = None) -> list[str]:
    listed = repository.agenda(Invitation, Agenda.CLOSING, until=until)
    return sorted(one.invitation_id for one in listed)


def entries(repository: Repository, until: datetime | None = None) -> list[Entry[Invitation]]:
    return [
        entry
        for stretch in repository.stretches(Agenda.CLOSING, until=until)
        for entry in repository.entries(Invitation, stretch)
    ]


def as_before(entity: Entity) -> Item:
    """The item of an entity as versions before the index `due` stored it."""
    entry = schema.ITEM_KINDS[type(entity)].agenda(entity)
    assert entry
    item = {name: value for name, value in entity_item(entity).items() if "due_" not in name}
    former = schema.former_agenda_key(entry.agenda, entry.scope)
    keys = {"agenda_pk": former, "agenda_sk": schema.moment(entry.at)}
    return item | {name: {"S": value} for name, value in keys.items()}


def put(clients: Clients, repository: DynamoRepository, *items: Item) -> None:
    for item in items:
        clients.dynamodb.put_item(TableName=repository._table, Item=item)


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: type(entity).__name__)
def test_a_key_says_which_entity_it_is_of(entity: Entity) -> None:
    key = schema.key_of(entity)
    parts = schema.parts_of(type(entity), **key)
    assert schema.key_for(type(entity), parts) == key
    assert all(str(getattr(entity, name)) == str(value) for name, value in parts.items())


def test_a_key_of_another_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="not the key of a REFERRAL"):
        schema.parts_of(Referral, "ORDER#c#1", "ORDER")


def test_what_is_due_in_one_second_is_spread_over_the_partitions(repository: Repository) -> None:
    store(repository, [invitation(number) for number in range(200)])
    stretches = list(repository.stretches(Agenda.CLOSING, until=CLOSES))
    assert len(stretches) == schema.SHARDS[Agenda.CLOSING] == 32
    listed = entries(repository, CLOSES)
    assert Counter(entry.key for entry in listed) == Counter(
        Key.of(Invitation, sponsor_id="s", invitation_id=f"i{number}") for number in range(200)
    )
    # Each has a place of its own, so that a stretch can be cut anywhere.
    assert len({entry.position for entry in listed}) > 195
    assert len(ids(repository)) == 200


def test_only_what_is_due_is_listed_and_its_very_second_included(repository: Repository) -> None:
    later = CLOSES + timedelta(microseconds=1)
    store(repository, [invitation(1), invitation(2, later)])
    assert ids(repository, CLOSES - timedelta(microseconds=1)) == []
    assert list(repository.stretches(Agenda.CLOSING, until=CLOSES - timedelta(seconds=1))) == []
    assert ids(repository, CLOSES) == ["i1"]
    assert [dict(one.key.parts)["invitation_id"] for one in entries(repository, CLOSES)] == ["i1"]
    assert ids(repository) == ["i1", "i2"]


def test_a_stretch_has_what_lies_between_its_ends(repository: Repository) -> None:
    store(repository, [invitation(number) for number in range(100)])
    stretch = next(repository.stretches(Agenda.CLOSING))
    listed = list(repository.entries(Invitation, stretch))
    assert [entry.position for entry in listed] == sorted(entry.position for entry in listed)
    inner = replace(stretch, first=listed[1].position, last=listed[2].position)
    assert list(repository.entries(Invitation, inner)) == listed[1:3]


def test_a_mark_says_what_a_referral_is_without_reading_it(repository: Repository) -> None:
    referral = next(one for one in ENTITIES if isinstance(one, Referral))
    known = replace(referral, address_gone=False)
    store(repository, [known, replace(referral, referral_id="gone")])
    repository.commit(Replace(replace(known, revision=1)))
    marks = {
        str(dict(entry.key.parts)["referral_id"]): ReferralMark.parse(entry.mark)
        for stretch in repository.stretches(Agenda.REFERRALS, CAMPAIGN)
        for entry in repository.entries(Referral, stretch)
    }
    key_ids = referral.referee.key_ids
    assert marks == {"r": ReferralMark(2, key_ids), "gone": ReferralMark(1, ())}


def test_an_entity_removed_is_on_no_agenda(repository: Repository) -> None:
    store(repository, [invitation(1)])
    repository.commit(Remove(replace(invitation(1), revision=1)))
    assert (ids(repository), entries(repository)) == ([], [])


# --- indexes that lag ---------------------------------------------------------------------------


def test_an_entity_that_has_left_is_not_given_however_long_the_index_lists_it(
    clients: Clients,
) -> None:
    table = new_table(clients)
    answered = replace(invitation(1), state=InvitationState.CONFIRMED)
    later = invitation(2, CLOSES + timedelta(days=1))
    before = [entity_item(invitation(number)) for number in (1, 2, 3)]
    stale = [{name: item[name] for name in ("due_pk", "due_sk")} for item in before]
    states = [answered, later, invitation(3)]
    put(clients, table, *(entity_item(one) | old for one, old in zip(states, stale, strict=True)))
    assert ids(table, CLOSES) == ["i3"]
    assert len(entries(table, CLOSES)) == 3


def test_the_store_in_memory_lags_as_the_index_does() -> None:
    before, now = MemoryRepository(), MemoryRepository()
    answered = replace(invitation(1), state=InvitationState.CONFIRMED)
    store(before, [invitation(1), invitation(2), invitation(3)])
    store(now, [answered, invitation(2), invitation(4)])
    lagging = LaggingRepository(now, before)
    assert ids(lagging) == ["i2"]
    assert len(entries(lagging)) == 3


# --- items that an earlier version stored -------------------------------------------------------


def test_items_of_before_the_index_are_found_and_move_with_their_next_change(
    clients: Clients,
) -> None:
    table = new_table(clients)
    put(clients, table, as_before(invitation(1)), entity_item(invitation(2)))
    assert ids(table) == ids(table, CLOSES) == ["i1", "i2"]
    assert ids(table, CLOSES - timedelta(seconds=1)) == []
    found = {dict(entry.key.parts)["invitation_id"]: entry.mark for entry in entries(table)}
    assert found == {"i1": "", "i2": ""}
    table.commit(Replace(replace(invitation(1), revision=1)))
    assert ids(table) == ["i1", "i2"]
    partitions = {stretch.partition for stretch in table.stretches(Agenda.CLOSING)}
    assert "closing" not in partitions
    assert len(partitions) == len(entries(table)) == 2


def test_an_item_in_both_indexes_is_given_once(clients: Clients) -> None:
    table = new_table(clients)
    put(clients, table, as_before(invitation(1)) | entity_item(invitation(1)))
    assert ids(table) == ["i1"]


def test_an_item_that_moved_during_the_reading_is_given_once_however_much_lies_between(
    clients: Clients,
) -> None:
    table = new_table(clients)
    moved = invitation(0, CLOSES + timedelta(days=1))
    between = [entity_item(invitation(number)) for number in range(1, 130)]
    early = as_before(replace(moved, closes_at=CLOSES - timedelta(days=1)))
    keys = {name: early[name] for name in ("agenda_pk", "agenda_sk")}
    put(clients, table, entity_item(moved) | keys, *between)
    assert Counter(ids(table)) == Counter(f"i{number}" for number in range(130))
