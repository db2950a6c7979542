"""Rows of the table that take seconds, and that keys and recordings are what they are taken for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from bench.capacity import deployed, loads, rows
from bench.capacity.keys import Sample, spread
from bench.capacity.limits import Kind
from bench.capacity.recording import index_writes, write_units
from bench.capacity.scene import Scene
from bench.capacity.simulation import Request, Resource, Work
from chalicelib.adapters.dynamodb import schema
from chalicelib.services.ports import FACT_SHARDS, FACTS_A_COUNT, Agenda

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def story() -> Iterator[Scene]:
    """The recorded story."""
    with loads.story() as here:
        yield here


def test_a_batch_of_many_campaigns_makes_few_calls() -> None:
    with loads.mixed(20) as here:
        assert [one.calls() for one in here.recorded["project"]] == [4]


def test_the_calls_of_an_invitation_are_recorded_with_their_partitions(story: Scene) -> None:
    [_, _, _, committed] = story.recorded["api invite"][0].requests
    assert committed.name == "dynamodb:TransactWriteItems"
    kinds = Counter(one.key.partition("#")[0] for one in committed.takes if one.store == "table")
    assert kinds == {"SPONSOR": 1, "CONTACT": 1, "FACT": 1}
    listed = [one.key.rpartition("#")[0] for one in committed.takes if one.store == "due"]
    assert listed == ["undecided#demo-vip"]


def test_every_fact_of_a_batch_costs_what_is_written_of_it(story: Scene) -> None:
    assert story.units("facts written") == 2
    # Of a batch: each marked, two for the counts, two for the part of the journal.
    assert story.units("project") == pytest.approx(2.04, abs=0.03)


def test_spread_partitions_are_drawn_from_all_and_shared_ones_stay(story: Scene) -> None:
    sample, chance = story.sample("mail invitation_accepted", "mail"), Random(1)
    touched: Counter[Resource] = Counter()
    for _ in range(2_000):
        for request in sample.draw(chance).requests:
            touched.update(request.takes)
    shards = [one for one in touched if one.store == "due"]
    assert len(shards) == schema.SHARDS[Agenda.LEASED]
    assert len([one for one in touched if one.key.startswith("FACT#")]) == FACT_SHARDS
    [pointer] = [one for one in touched if one.key.startswith("LIST#")]
    assert touched[pointer] == 2_000
    assert not [one for one in touched if one.key.startswith(("SPONSOR#", "CONTACT#"))]


def test_what_one_work_alone_touches_is_left_out_and_takes_its_time() -> None:
    own = [Resource(Kind.WRITE, "table", f"VOUCHER#{n}") for n in range(2)]
    shared = Resource(Kind.WRITE, "table", "BUDGET#demo-vip")
    sample = Sample([Work((Request("write", 0.02, {one: 2, shared: 2}),)) for one in own])
    [request] = sample.draw(Random(1)).requests
    assert (request.takes, request.seconds) == ({shared: 2}, 0.02)


def test_a_key_is_known_as_one_of_so_many() -> None:
    for store, key, shards in (
        ("due", "closing#07", 32),
        ("due", "referrals#demo-vip#07", 8),
        ("table", "FACT#2026-03-02T10#017", 128),
        ("table", "COUNT#demo-vip#03", 4),
        ("table", "CODES#demo-vip#welcome#f", 16),
        ("table", "CHANGES#demo-vip#3", 4),
    ):
        found = spread(store, key)
        assert found
        assert found.shards == shards
        assert found.moved(0) == key
        assert found.moved(shards) == key
        assert found.moved(1) != key
    for key in ("COUNT#demo-vip", "CAMPAIGN#demo-vip", "EXPORT#demo-vip#00000001"):
        assert spread("table", key) is None


def test_an_item_a_few_bytes_over_a_kilobyte_costs_double() -> None:
    at = {"pk": {"S": "p"}, "sk": {"S": "s"}}
    size = 1024 - len("pkpskstext")
    assert write_units(None, at | {"text": {"S": "x" * size}}) == 1
    assert write_units(None, at | {"text": {"S": "x" * (size + 1)}}) == 2
    assert write_units(at | {"text": {"S": "x" * 3000}}, None) == 3


def test_an_entry_that_moves_in_the_index_is_removed_and_added() -> None:
    item = {"pk": {"S": "p"}, "sk": {"S": "s"}, "due_pk": {"S": "closing#01"}, "due_sk": {"S": "a"}}
    moved = item | {"due_pk": {"S": "closing#02"}}
    written = [(resource.key, units) for resource, units in index_writes(item, moved)]
    assert written == [("closing#01", 1), ("closing#02", 1)]
    assert not [*index_writes(item, item | {"text": {"S": "other"}})]


def test_executions_and_times_are_those_of_the_template() -> None:
    assert deployed.executions("IngestSource") == 4
    assert deployed.executions("MailSource", mail_rate=500) == 125
    assert deployed.batch_size("ProjectSource") == FACTS_A_COUNT
    assert deployed.lanes("RelaySource") == 1
    assert deployed.seconds_between_runs("ScheduleExport") == 300
    assert deployed.processors("persons") == 1


def test_a_row_says_whether_it_holds() -> None:
    enough = rows.Row("what", "a second", 10, 5, "partition")
    assert enough.holds
    assert not rows.Row("what", "a second", 4, 5, "partition").holds
    assert rows.Row("what", "calls", 5, 15, "", at_most=True).holds
    assert not rows.Row("what", "calls", 16, 15, "", at_most=True).holds
    assert enough.cells[4] == "holds"


def test_there_is_a_row_for_every_component() -> None:
    names = {component.__name__ for component in rows.ROWS}
    assert names >= {
        "journal_and_counts", "mixed_campaigns", "check_of_facts", "invitations", "due", "export",
        "acknowledgements", "order_files", "rekey", "requeue", "own_codes", "sending", "report",
    }  # fmt: skip
