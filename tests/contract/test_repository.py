"""What every repository does, in memory and on DynamoDB."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.dynamodb.repository import ATTEMPTS, FIRST_PAUSE_S
from chalicelib.adapters.dynamodb.schema import ITEM_KINDS, fact_shard
from chalicelib.domain.addresses import AddressDigests, DigestPair
from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import ExportPart
from chalicelib.domain.facts import Fact
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.journal import JournalHead, JournalPart, part_of_bundle
from chalicelib.domain.mails import Mail, MailState
from chalicelib.domain.orders import Order
from chalicelib.domain.people import Contact, Link, RefereeClaim, Token
from chalicelib.domain.redemptions import OrderUses, Redemption
from chalicelib.domain.referral_orders import FurtherOrder
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import SpareCode, Voucher
from chalicelib.services.ports import (
    FACT_SHARDS,
    Agenda,
    ConflictError,
    ContentionError,
    Insert,
    Key,
    Remove,
    Replace,
    Repository,
)
from tests.contract.aws import new_table
from tests.contract.entities import ENTITIES
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.ports import MORNING, SettableClock

BY_KIND = {type(entity): entity for entity in ENTITIES}
ENDING = [kind for kind, rule in ITEM_KINDS.items() if rule.ends]
LINK = Link(link_code="abc", campaign=CAMPAIGN, sponsor_id="s")
DAY = date(2026, 3, 2)


def key_of(entity: Entity) -> dict[str, str | int]:
    """The parts an entity is found by, as its key's templates name them."""
    rule = ITEM_KINDS[type(entity)]
    names = re.findall(r"{(\w+)", rule.pk + rule.sk)
    return {name: getattr(entity, name) for name in names}


def fact(number: int = 1, subject: str = "s", at: datetime = MORNING) -> Fact:
    return Fact(
        fact_id=f"f{number}", name="voucher_issued", campaign=CAMPAIGN, subject=subject, at=at,
        correlation="k", ids={"voucher": "v"}, details={"rung": 0, "order": "yes"},
    )  # fmt: skip


def store(repository: Repository, *entities: Entity, facts: Sequence[Fact] = ()) -> None:
    repository.commit(*map(Insert, entities), facts=facts)


def test_every_kind_of_entity_is_tried_here() -> None:
    assert set(BY_KIND) == set(ITEM_KINDS)


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: type(entity).__name__)
def test_an_entity_comes_back_as_it_was_stored_at_revision_1(
    repository: Repository, entity: Entity
) -> None:
    store(repository, entity)
    assert repository.get(type(entity), **key_of(entity)) == replace(entity, revision=1)


def test_all_kinds_live_side_by_side(repository: Repository) -> None:
    store(repository, *ENTITIES)
    for entity in ENTITIES:
        found = repository.get(type(entity), **key_of(entity))
        assert found == replace(entity, revision=1)


def test_what_is_not_there_is_none(repository: Repository) -> None:
    assert repository.get(Link, link_code="abc") is None
    assert list(repository.within(Invitation, sponsor_id="s")) == []
    assert list(repository.agenda(Voucher, Agenda.EXPIRING)) == []
    assert repository.held_by("r") == []
    assert list(repository.facts_of("s", MORNING, MORNING)) == []
    assert repository.counts(CAMPAIGN) == {}


def test_many_are_found_at_once_and_what_is_not_there_is_left_out(repository: Repository) -> None:
    links = [replace(LINK, link_code=f"l{number}") for number in range(120)]
    for start in (0, 60):
        store(repository, *links[start : start + 60])
    found = repository.get_many(Link, [{"link_code": f"l{number}"} for number in range(250)])
    assert sorted(found, key=lambda one: int(one.link_code[1:])) == [
        replace(link, revision=1) for link in links
    ]


def test_many_named_twice_are_found_once_and_of_none_there_are_none(repository: Repository) -> None:
    store(repository, *ENTITIES)
    order = BY_KIND[Order]
    assert repository.get_many(Order, [key_of(order)] * 2) == [replace(order, revision=1)]
    assert repository.get_many(Link, []) == []


def test_entities_of_several_kinds_are_read_in_one_call(repository: Repository) -> None:
    store(repository, *ENTITIES)
    voucher, order = BY_KIND[Voucher], BY_KIND[Order]
    keys: list[Key[Any]] = [Key.of(type(one), **key_of(one)) for one in (voucher, order)]
    missing = Key.of(Link, link_code="none")
    found = repository.read(*keys, missing, keys[0])
    assert [found.get(key) for key in keys] == [
        replace(voucher, revision=1), replace(order, revision=1),
    ]  # fmt: skip
    assert found.get(missing) is None


@pytest.mark.parametrize("number", [0, 101])
def test_a_read_of_no_key_or_of_more_than_a_call_takes_is_an_error(
    repository: Repository, number: int
) -> None:
    keys = [Key.of(Link, link_code=f"l{at}") for at in range(number)]
    with pytest.raises(ValueError, match=f"{number} keys in one read"):
        repository.read(*keys)


def test_unprocessed_keys_of_a_batch_are_read_again_but_not_indefinitely(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, pauses = new_table(clients), list[float]()
    monkeypatch.setattr(repository, "_pause", pauses.append)
    store(repository, *(replace(LINK, link_code=f"l{number}") for number in range(3)))
    read, processed = clients.dynamodb.batch_get_item, 1

    def some(RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        ((table, asked),) = RequestItems.items()
        now, later = asked["Keys"][:processed], asked["Keys"][processed:]
        found = read(RequestItems={table: asked | {"Keys": now}})["Responses"] if now else {}
        left = {table: asked | {"Keys": later}} if later else {}
        return {"Responses": found, "UnprocessedKeys": left}

    monkeypatch.setattr(clients.dynamodb, "batch_get_item", some)
    keys: list[dict[str, str | int]] = [{"link_code": f"l{number}"} for number in range(3)]
    assert len(repository.get_many(Link, keys)) == 3
    assert len(pauses) == 2
    processed = 0
    with pytest.raises(ContentionError):
        repository.get_many(Link, keys)
    assert len(pauses) == 2 + ATTEMPTS
    assert max(pauses) <= FIRST_PAUSE_S * 2**ATTEMPTS


def test_an_insert_finds_its_key_taken(repository: Repository) -> None:
    store(repository, LINK)
    with pytest.raises(ConflictError):
        store(repository, replace(LINK, sponsor_id="other"))
    assert repository.get(Link, link_code="abc") == replace(LINK, revision=1)


def test_a_replace_leaves_the_revision_that_was_read(repository: Repository) -> None:
    store(repository, LINK)
    read = repository.get(Link, link_code="abc")
    assert read
    repository.commit(Replace(replace(read, sponsor_id="t")))
    assert repository.get(Link, link_code="abc") == replace(LINK, sponsor_id="t", revision=2)
    with pytest.raises(ConflictError):
        repository.commit(Replace(replace(read, sponsor_id="late")))
    with pytest.raises(ConflictError):
        repository.commit(Remove(read))


def test_a_replace_or_remove_of_nothing_is_a_conflict(repository: Repository) -> None:
    for change in (Replace(LINK), Remove(LINK), Replace(replace(LINK, revision=1))):
        with pytest.raises(ConflictError):
            repository.commit(change)
    assert repository.get(Link, link_code="abc") is None


def test_a_removed_entity_is_gone_and_its_key_is_free(repository: Repository) -> None:
    store(repository, LINK)
    repository.commit(Remove(replace(LINK, revision=1)))
    assert repository.get(Link, link_code="abc") is None
    store(repository, LINK)


def test_a_commit_is_all_or_nothing(repository: Repository) -> None:
    store(repository, LINK)
    other = replace(LINK, link_code="def")
    with pytest.raises(ConflictError):
        repository.commit(Insert(other), Replace(replace(LINK, revision=7)), facts=[fact()])
    assert repository.get(Link, link_code="def") is None
    assert list(repository.facts_of("s", MORNING, MORNING)) == []


def test_a_commit_of_facts_alone_writes_them_once(repository: Repository) -> None:
    repository.commit(facts=[fact()])
    with pytest.raises(ConflictError):
        repository.commit(facts=[fact()])
    assert list(repository.facts_of("s", MORNING, MORNING)) == [fact()]


def test_facts_of_a_subject_come_oldest_first(repository: Repository) -> None:
    later = fact(1, at=MORNING + timedelta(microseconds=1))
    repository.commit(facts=[later, fact(2), fact(3, subject="other"), fact(4, subject="s#t")])
    assert list(repository.facts_of("s", MORNING, MORNING)) == [fact(2), later]


def test_facts_of_a_subject_are_found_by_the_hours_they_happened_in(repository: Repository) -> None:
    at = [MORNING + timedelta(minutes=minutes) for minutes in (-1, 0, 59, 60, 120)]
    repository.commit(facts=[fact(number, at=one) for number, one in enumerate(at)])
    found = repository.facts_of("s", at[2], at[3])
    assert [one.fact_id for one in found] == ["f1", "f2", "f3"]
    paris = timezone(timedelta(hours=1, minutes=30))
    assert list(repository.facts_of("s", at[0].astimezone(paris), at[0])) == [fact(0, at=at[0])]


def test_facts_that_an_earlier_version_stored_by_subject_are_found_after_the_others(
    repository: Repository,
) -> None:
    before = replace(fact(1, at=MORNING - timedelta(days=9)), by_subject=True)
    repository.commit(facts=[before, fact(2), replace(before, fact_id="f3", subject="other")])
    assert list(repository.facts_of("s", MORNING, MORNING)) == [fact(2), before]
    repository.count(part(), {}, [before])
    assert repository.uncounted([before, fact(2)]) == [fact(2)]


def test_all_facts_of_an_hour_are_in_its_shards_each_in_one(repository: Repository) -> None:
    subjects = [f"s{number}" for number in range(40)]
    happened = [fact(1, subject=subject) for subject in subjects]
    others = [fact(2, at=MORNING + timedelta(hours=1)), replace(fact(3), by_subject=True)]
    repository.commit(facts=[*happened, *others])
    found = [list(repository.facts_in(MORNING, shard)) for shard in range(FACT_SHARDS)]
    assert sorted(one.subject for shard in found for one in shard) == sorted(subjects)
    assert 20 < sum(map(bool, found)) <= 40


def test_a_partition_holds_only_its_kind_in_key_order(repository: Repository) -> None:
    reward = BY_KIND[Reward]
    assert isinstance(reward, Reward)
    rungs = [replace(reward, rung=rung) for rung in (10, 2, 1)]
    store(repository, BY_KIND[Referral], *rungs, replace(reward, referral_id="other"))
    assert [one.rung for one in repository.within(Reward, referral_id="r")] == [1, 2, 10]


def test_spare_codes_are_found_by_their_template(repository: Repository) -> None:
    spare = SpareCode(campaign=CAMPAIGN, template="welcome", code_key="B", code="b")
    store(repository, spare, replace(spare, code_key="A"), replace(spare, template="other"))
    store(repository, replace(spare, code_key="C", shard="#0"))
    parts = {"campaign": CAMPAIGN, "template": "welcome"}
    found = repository.within(SpareCode, **parts, shard="")
    assert [one.code_key for one in found] == ["A", "B"]
    assert [one.code_key for one in repository.within(SpareCode, **parts, shard="#0")] == ["C"]


def test_the_first_of_a_partition_are_read_in_key_order_and_no_more(repository: Repository) -> None:
    spare = SpareCode(campaign=CAMPAIGN, template="welcome", code_key="A", code="a", shard="#0")
    store(repository, *(replace(spare, code_key=key) for key in "CABD"))
    parts = {"campaign": CAMPAIGN, "template": "welcome", "shard": "#0"}
    found = repository.first_within(SpareCode, 2, **parts)
    assert [one.code_key for one in found] == ["A", "B"]
    assert len(repository.first_within(SpareCode, 9, **parts)) == 4
    assert repository.first_within(SpareCode, 9, **(parts | {"shard": "#1"})) == []


def test_the_last_of_a_partition_are_read_the_last_one_first(repository: Repository) -> None:
    spare = SpareCode(campaign=CAMPAIGN, template="welcome", code_key="A", code="a", shard="#0")
    store(repository, *(replace(spare, code_key=key) for key in "CABD"))
    parts = {"campaign": CAMPAIGN, "template": "welcome", "shard": "#0"}
    found = repository.last_within(SpareCode, 2, **parts)
    assert [one.code_key for one in found] == ["D", "C"]
    assert len(repository.last_within(SpareCode, 9, **parts)) == 4
    assert repository.last_within(SpareCode, 9, **(parts | {"shard": "#1"})) == []


KINDS = (Contact, Token)


def test_the_whole_table_is_read_by_kind_and_campaign_page_by_page(repository: Repository) -> None:
    contact, token = BY_KIND[Contact], BY_KIND[Token]
    assert isinstance(contact, Contact)
    contacts = [replace(contact, contact_id=f"{number:03}") for number in range(60)]
    store(repository, *contacts, facts=[fact()])
    store(repository, LINK, token, replace(contact, contact_id="other", campaign="other"))
    found: list[Entity] = []
    after = None
    while True:
        page = repository.page(KINDS, CAMPAIGN, after)
        found += page.entities
        if page.next is None:
            break
        after = page.next
    assert len(found) == 61
    assert {type(one) for one in found} == set(KINDS)
    assert replace(token, revision=1) in found


def test_a_page_has_nothing_past_its_end(clock: SettableClock, repository: Repository) -> None:
    contact = BY_KIND[Contact]
    assert isinstance(contact, Contact)
    store(repository, contact)
    clock.now = contact.ends_at
    assert repository.page(KINDS, CAMPAIGN).entities == []


def test_a_page_goes_on_where_the_one_before_ended(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, scan = new_table(clients), clients.dynamodb.scan
    contact = BY_KIND[Contact]
    assert isinstance(contact, Contact)
    store(repository, *(replace(contact, contact_id=f"{number}") for number in range(7)))
    monkeypatch.setattr(clients.dynamodb, "scan", lambda **given: scan(**given, Limit=3))
    first = repository.page(KINDS, CAMPAIGN)
    second = repository.page(KINDS, CAMPAIGN, first.next)
    third = repository.page(KINDS, CAMPAIGN, second.next)
    assert [len(page.entities) for page in (first, second, third)] == [3, 3, 1]
    assert third.next is None


def test_an_item_that_cannot_be_read_is_counted_and_hides_no_other(clients: Clients) -> None:
    repository = new_table(clients)
    store(repository, BY_KIND[Contact], BY_KIND[Token])
    bad = {"pk": "CONTACT#bad", "sk": "CONTACT", "kind": "CONTACT", "campaign": CAMPAIGN}
    item = {name: {"S": text} for name, text in bad.items()}
    clients.dynamodb.put_item(TableName=repository._table, Item=item)
    page = repository.page(KINDS, CAMPAIGN)
    assert (len(page.entities), page.unreadable) == (2, 1)
    # One that not even its upgrade can take apart.
    bad |= {"sk": "PART", "kind": "EXPORT_PART"}
    item = {name: {"S": text} for name, text in bad.items()}
    clients.dynamodb.put_item(TableName=repository._table, Item=item)
    every = repository.naming((), (*KINDS, ExportPart))
    assert (len(every.entities), every.unreadable) == (2, 2)


def all_naming(
    repository: Repository, texts: set[str], kinds: Collection[type[Entity]] = ()
) -> set[str]:
    """The kinds of all that has one of the texts."""
    found: set[str] = set()
    after, is_last = None, False
    while not is_last:
        page = repository.naming(texts, kinds, after)
        found |= {type(one).__name__ for one in page.entities}
        after, is_last = page.next, page.next is None
    return found


def test_what_names_a_text_is_found_in_keys_and_deep_inside(repository: Repository) -> None:
    token = BY_KIND[Token]
    assert isinstance(token, Token)
    claim = RefereeClaim(campaign=CAMPAIGN, digest="d-key", sponsor_id="s1", invitation_id="i")
    deep = replace(token, digests=AddressDigests((DigestPair("k", "d-exact", "d-deep"),)))
    many = [replace(LINK, link_code=f"{number:03}", sponsor_id="other") for number in range(60)]
    store(repository, claim, deep, *many, facts=[fact()])
    assert all_naming(repository, {"d-key"}) == {"RefereeClaim"}
    assert all_naming(repository, {"d-deep", "nobody"}) == {"Token"}
    assert all_naming(repository, {"nobody"}) == set()
    assert all_naming(repository, set()) == set()
    assert all_naming(repository, {"d-key"}, (Link,)) == {"RefereeClaim", "Link"}


def test_counts_and_facts_name_nobody(clients: Clients) -> None:
    repository = new_table(clients)
    store(repository, BY_KIND[Contact], facts=[fact()])
    counts = {name: {"S": "d-exact"} for name in ("pk", "sk")}
    clients.dynamodb.put_item(TableName=repository._table, Item=counts)
    assert all_naming(repository, {"d-exact", fact().subject}, (Contact,)) == {"Contact"}


def test_what_has_ended_is_found_until_it_is_removed(
    clock: SettableClock, repository: Repository
) -> None:
    contact = BY_KIND[Contact]
    assert isinstance(contact, Contact)
    store(repository, contact)
    clock.now = contact.ends_at
    [found] = repository.naming((), (Contact,)).entities
    repository.commit(Remove(found))
    assert repository.naming((), (Contact,)).entities == []


def test_all_that_a_campaign_has_is_removed_but_for_what_stays(repository: Repository) -> None:
    voucher, referral = BY_KIND[Voucher], BY_KIND[Referral]
    redemption, uses = BY_KIND[Redemption], BY_KIND[OrderUses]
    assert isinstance(voucher, Voucher)
    assert isinstance(redemption, Redemption)
    mine = [
        *(replace(voucher, code_key=f"{number:03}") for number in range(145)),
        voucher, redemption, replace(redemption, order_id="A#1"), uses,
        referral, BY_KIND[FurtherOrder], BY_KIND[Contact],
    ]  # fmt: skip
    others = [
        replace(voucher, code_key="D", campaign="other"), replace(redemption, code_key="D"),
    ]  # fmt: skip
    for one in (*mine, *others, BY_KIND[JournalHead]):
        store(repository, one)
    repository.commit(facts=[fact(), replace(fact(2), campaign="other")])
    repository.count(part(), {CAMPAIGN: {DAY: {"sent": 1}}, "other": {DAY: {"sent": 1}}}, [fact()])
    removed, after = 0, None
    for _ in range(30):
        page = repository.remove_page([JournalHead], CAMPAIGN, after)
        removed, after = removed + page.removed, page.next
        if after is None:
            break
    assert removed >= len(mine) + 2  # its fact, and its counts
    assert [one for one in mine if repository.get(type(one), **key_of(one))] == []
    for one in (*others, BY_KIND[JournalHead]):
        assert repository.get(type(one), **key_of(one)), one
    assert repository.stored([fact(), fact(2)]) == [replace(fact(2), campaign="other")]
    assert (repository.counts(CAMPAIGN), repository.counts("other")) == ({}, {DAY: {"sent": 1}})


@pytest.mark.parametrize("kind", ENDING, ids=lambda kind: kind.__name__)
def test_an_item_past_its_end_is_not_there_and_its_key_is_free(
    clock: SettableClock, repository: Repository, kind: type[Entity]
) -> None:
    entity = BY_KIND[kind]
    if isinstance(entity, OrderUses):
        # It ends only while no voucher is used on the order.
        entity = replace(entity, uses=(), noted_until=MORNING + timedelta(days=30))
    key = key_of(entity)
    store(repository, entity)
    clock.now = getattr(entity, str(ITEM_KINDS[kind].ends)) - timedelta(microseconds=1)
    assert found_by_every_read(repository, kind, key) == [replace(entity, revision=1)] * 6
    with pytest.raises(ConflictError):
        store(repository, entity)
    clock.now += timedelta(microseconds=1)
    assert found_by_every_read(repository, kind, key) == []
    clock.now += timedelta(seconds=1)
    store(repository, entity)
    # What AWS has not removed yet is replaced, as if it had.
    clock.now = MORNING
    assert repository.get(kind, **key) == replace(entity, revision=1)


def found_by_every_read(
    repository: Repository, kind: type[Entity], key: dict[str, str | int]
) -> list[Entity]:
    """What the five reads by key find."""
    found = [
        repository.get(kind, **key),
        repository.read(Key.of(kind, **key)).get(Key.of(kind, **key)),
    ]
    return [
        *(one for one in found if one),
        *repository.get_many(kind, [key]),
        *repository.within(kind, **key),
        *repository.first_within(kind, 1, **key),
        *repository.last_within(kind, 1, **key),
    ]


def test_a_mail_past_its_end_is_on_no_agenda(clock: SettableClock, repository: Repository) -> None:
    mail = BY_KIND[Mail]
    assert isinstance(mail, Mail)
    store(repository, replace(mail, state=MailState.LEASED))
    clock.now = mail.ends_at
    assert list(repository.agenda(Mail, Agenda.LEASED)) == []


def test_an_agenda_lists_what_is_due_soonest_first(repository: Repository) -> None:
    order = BY_KIND[Order]
    assert isinstance(order, Order)
    due = [
        replace(order, order_id=f"o{day}", return_window_ends_at=MORNING + timedelta(days=day))
        for day in (3, 1, 2)
    ]
    store(repository, *due)
    listed = repository.agenda(Order, Agenda.RETURN_WINDOW, until=MORNING + timedelta(days=2))
    assert [one.order_id for one in listed] == ["o1", "o2"]


def test_an_entity_leaves_an_agenda_with_its_state(repository: Repository) -> None:
    invitation = BY_KIND[Invitation]
    assert isinstance(invitation, Invitation)
    undecided = replace(invitation, state=InvitationState.RECEIVED, decision=None)
    store(repository, undecided)
    stored = replace(undecided, revision=1)
    assert list(repository.agenda(Invitation, Agenda.UNDECIDED, CAMPAIGN)) == [stored]
    assert list(repository.agenda(Invitation, Agenda.UNDECIDED, "other")) == []
    repository.commit(Replace(replace(stored, state=InvitationState.SENT)))
    assert list(repository.agenda(Invitation, Agenda.UNDECIDED, CAMPAIGN)) == []
    assert len(list(repository.agenda(Invitation, Agenda.CLOSING))) == 1
    closed = replace(stored, state=InvitationState.EXPIRED, revision=2)
    repository.commit(Replace(closed))
    assert list(repository.agenda(Invitation, Agenda.CLOSING)) == []


def test_a_leased_mail_is_on_its_agenda(repository: Repository) -> None:
    mail = BY_KIND[Mail]
    assert isinstance(mail, Mail)
    leased = replace(mail, state=MailState.LEASED)
    store(repository, leased)
    assert list(repository.agenda(Mail, Agenda.LEASED)) == [replace(leased, revision=1)]


def test_a_holder_has_vouchers_oldest_first(repository: Repository) -> None:
    voucher = BY_KIND[Voucher]
    assert isinstance(voucher, Voucher)
    later = replace(voucher, code_key="A", issued_at=MORNING + timedelta(days=1))
    store(repository, later, voucher, replace(voucher, code_key="B", holder_id="other"))
    assert [one.code_key for one in repository.held_by("r")] == ["C", "A"]


def test_every_voucher_of_every_campaign_is_found_and_nothing_else(repository: Repository) -> None:
    voucher = next(entity for entity in ENTITIES if isinstance(entity, Voucher))
    other = replace(voucher, code_key="A", campaign="other", holder_id="other")
    store(repository, LINK, voucher, other)
    assert sorted(one.code_key for one in repository.every_voucher()) == ["A", "C"]


def part(number: int = 0, lines: int = 1) -> JournalPart:
    """A part of the journal; the counts of each have an item of their own."""
    return part_of_bundle(f"{number:08x}{'0' * 48}{number:08x}", 0, lines, MORNING)


def test_a_fact_is_counted_once(repository: Repository) -> None:
    facts = [fact(1), fact(2)]
    repository.commit(facts=facts)
    assert repository.uncounted([*facts, fact(3)]) == facts
    counts = {CAMPAIGN: {DAY: {"rewards": 2, "refused.customer": 1}}}
    repository.count(part(0, 2), counts, facts)
    assert repository.uncounted(facts) == []
    assert repository.counts(CAMPAIGN) == counts[CAMPAIGN]
    with pytest.raises(ConflictError):
        repository.count(part(1, 2), counts, facts)
    assert repository.counts(CAMPAIGN) == counts[CAMPAIGN]
    recorded = [*repository.within(JournalPart, shard=0), *repository.within(JournalPart, shard=1)]
    assert recorded == [replace(part(0, 2), revision=1)]


def test_a_fact_never_written_is_not_counted(repository: Repository) -> None:
    with pytest.raises(ConflictError):
        repository.count(part(), {CAMPAIGN: {DAY: {"rewards": 1}}}, [fact()])
    assert repository.counts(CAMPAIGN) == {}


def test_lines_are_recorded_once(repository: Repository) -> None:
    repository.commit(facts=[fact(1), fact(2)])
    repository.count(part(), {CAMPAIGN: {DAY: {"rewards": 1}}}, [fact(1)])
    with pytest.raises(ConflictError):
        repository.count(part(), {CAMPAIGN: {DAY: {"rewards": 1}}}, [fact(2)])
    assert repository.uncounted([fact(2)]) == [fact(2)]
    assert repository.counts(CAMPAIGN) == {DAY: {"rewards": 1}}


def test_the_counts_of_a_day_are_the_sum_of_what_all_parts_added(repository: Repository) -> None:
    facts = [fact(number) for number in range(40)]
    repository.commit(facts=facts)
    next_day = DAY + timedelta(days=1)
    for number, one in enumerate(facts):
        by = -1 if number % 4 == 0 else 1
        counts = {CAMPAIGN: {DAY: {"rewards": by}, next_day: {"sent": 1}}, "other": {DAY: {"x": 2}}}
        repository.count(part(number), counts, [one])
    assert repository.counts(CAMPAIGN) == {DAY: {"rewards": 20}, next_day: {"sent": 40}}
    assert repository.counts("other") == {DAY: {"x": 80}}


def test_the_newest_fact_of_a_campaigns_counts_is_known(repository: Repository) -> None:
    assert repository.counted(CAMPAIGN).until is None
    facts = [replace(fact(number), at=MORNING + timedelta(minutes=number)) for number in range(3)]
    elsewhere = replace(fact(7), campaign="other", at=MORNING + timedelta(hours=1))
    repository.commit(facts=[*facts, elsewhere])
    counts = {CAMPAIGN: {DAY: {"rewards": 1}}, "other": {DAY: {"rewards": 1}}}
    repository.count(part(0, 3), counts, [facts[0], facts[2], elsewhere])
    repository.count(part(1), {CAMPAIGN: {DAY: {"rewards": 1}}}, [facts[1]])
    counted = repository.counted(CAMPAIGN)
    assert counted.until == facts[2].at
    assert counted.days == repository.counts(CAMPAIGN) == {DAY: {"rewards": 2}}


def test_some_facts_of_an_hour_are_read_and_no_more(repository: Repository) -> None:
    subjects = [name for name in map(str, range(2_000)) if fact_shard(name) == 5][:6]
    facts = [replace(fact(number), subject=name) for number, name in enumerate(subjects)]
    repository.commit(facts=facts)
    first = sorted(facts, key=lambda one: one.subject)[:4]
    hour = facts[0].at
    assert repository.first_facts_in(hour, 5, 4) == first
    assert len(repository.first_facts_in(hour, 5, 25)) == 6
    assert repository.first_facts_in(hour - timedelta(hours=1), 5, 4) == []


def test_a_fact_without_a_count_is_marked_all_the_same(repository: Repository) -> None:
    repository.commit(facts=[fact()])
    repository.count(part(), {}, [fact()])
    assert repository.uncounted([fact()]) == []


def test_more_than_a_page_of_facts_can_be_asked_for_at_once(repository: Repository) -> None:
    facts = [fact(number) for number in range(120)]
    for start in (0, 60):
        repository.commit(facts=facts[start : start + 60])
    assert len(repository.uncounted(facts)) == 120


def test_the_facts_that_there_are_are_found_as_they_are_stored(repository: Repository) -> None:
    before = replace(fact(1), by_subject=True)
    repository.commit(facts=[before, fact(2)])
    repository.count(part(), {}, [fact(2)])
    found = repository.stored([fact(1), fact(2), fact(3)])
    assert sorted(found, key=lambda one: one.fact_id) == [before, replace(fact(2), counted=True)]


def test_law_10_a_lost_fact_is_brought_back_once_with_what_it_did(repository: Repository) -> None:
    repository.commit(facts=[fact(1)])
    lost = replace(fact(2), counted=True)
    counts = {CAMPAIGN: {DAY: {"rewards": 2}}}
    repository.bring_back("0" * 64, [Insert(LINK)], [lost], [fact(1)], counts)
    assert repository.get(Link, link_code=LINK.link_code) == replace(LINK, revision=1)
    assert repository.uncounted([fact(1), lost]) == []
    assert repository.stored([lost]) == [lost]
    assert repository.counts(CAMPAIGN) == counts[CAMPAIGN]
    with pytest.raises(ConflictError):
        repository.bring_back("0" * 64, [], [lost], [], counts)
    with pytest.raises(ConflictError):
        repository.bring_back("0" * 64, [], [], [fact(1)], counts)
    assert repository.counts(CAMPAIGN) == counts[CAMPAIGN]


def test_a_lost_fact_of_a_bundle_is_brought_back_to_be_counted(repository: Repository) -> None:
    repository.bring_back("0", [], [fact(1)], [], {})
    assert repository.uncounted([fact(1)]) == [fact(1)]


def test_no_sort_key_begins_with_a_value() -> None:
    # DynamoDB refuses `begins_with` an empty text, which moto takes.
    assert not [rule.kind for rule in ITEM_KINDS.values() if rule.sk.startswith("{")]
