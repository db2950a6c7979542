"""The simulation of AWS's limits, in cases that are computed by hand."""

from __future__ import annotations

from random import Random

import pytest

from bench.capacity.limits import Kind
from bench.capacity.simulation import (
    CONFLICTS,
    Outcome,
    Request,
    Resource,
    Simulation,
    Stage,
    Work,
    ceiling,
    drained,
)

HOT = Resource(Kind.WRITE, "table", "CAMPAIGN#one")
LISTED = Resource(Kind.WRITE, "due", "closing##00")


def write(*resources: Resource, units: float = 2, seconds: float = 0.01) -> Work:
    """A write of so many units in each of some partitions."""
    return Work((Request("write", seconds, dict.fromkeys(resources, units)),))


def transaction(item: str, seconds: float) -> Work:
    """A transaction that has an item to itself for so long."""
    return Work((Request("transaction", seconds, {}, frozenset({("pk", item)}), True),))


def stage(work: Work, executions: int | None = None, name: str = "work") -> Stage:
    """A stage of the same work again and again."""
    return Stage(name, 1, lambda _: work, executions)


def played(one: Stage, rate: float, seconds: float = 10) -> Outcome:
    """What became of a rate."""
    return Simulation(Random(1)).run([one], rate, seconds)


def limit(one: Stage, start: float = 20) -> tuple[float, str]:
    """The ceiling, and what gives way."""
    found = ceiling(lambda _: [one], start, 100_000, seconds=10)
    return found.rate, found.gives_way


def test_one_partition_takes_a_thousand_units_a_second() -> None:
    # 1,000 units a second at 2 units each.
    rate, gives_way = limit(stage(write(HOT)))
    assert rate == pytest.approx(500, rel=0.1)
    assert gives_way == str(HOT)


def test_two_partitions_take_twice_as_much() -> None:
    partitions = [Resource(Kind.WRITE, "table", f"SPONSOR#{n}") for n in range(2)]
    works = [write(partition) for partition in partitions]
    rate, _ = limit(Stage("work", 1, lambda chance: chance.choice(works)))
    assert rate == pytest.approx(1_000, rel=0.1)


def test_reads_have_a_limit_of_their_own() -> None:
    one = Resource(Kind.READ, "table", "CAMPAIGN#one")
    rate, gives_way = limit(stage(write(one, units=3)))
    assert rate == pytest.approx(1_000, rel=0.1)
    assert gives_way == str(one)


def test_an_index_that_is_hotter_than_the_table_holds_up_the_table() -> None:
    # Every write has a partition of its own, and an entry in the same partition of an index.
    def draw(chance: Random) -> Work:
        own = Resource(Kind.WRITE, "table", f"SPONSOR#{chance.random()}")
        return Work((Request("write", 0.01, {own: 2, LISTED: 1}),))

    rate, gives_way = limit(Stage("work", 1, draw))
    assert rate == pytest.approx(1_000, rel=0.1)
    assert gives_way == str(LISTED)


def test_transactions_on_one_item_follow_each_other() -> None:
    # 10 ms each: never more than a hundred a second, and less, because they meet now and then.
    rate, gives_way = limit(stage(transaction("head", 0.010)), start=5)
    assert 20 < rate < 100
    assert gives_way == CONFLICTS


def test_transactions_on_one_item_fail_in_a_storm() -> None:
    storm = played(stage(transaction("head", 0.010)), rate=400)
    # 100 a second can be done; all others use up their attempts.
    assert storm.failed > 0.7 * storm.works


def test_transactions_on_their_own_items_meet_nobody() -> None:
    def draw(chance: Random) -> Work:
        return transaction(str(chance.random()), 0.010)

    assert played(Stage("work", 1, draw), rate=400).in_the_way == {}


def test_a_single_write_meets_a_transaction_and_is_no_hindrance_itself() -> None:
    alone = Work((Request("write", 0.010, {}, frozenset({("pk", "head")})),))
    assert played(stage(alone), rate=400).in_the_way == {}
    both = [stage(alone), stage(transaction("head", 0.010), name="transactions")]
    assert Simulation(Random(1)).run(both, 50, 10).in_the_way[CONFLICTS] > 0


def test_so_many_executions_do_so_much_work() -> None:
    # Ten executions of a tenth of a second.
    rate, gives_way = limit(stage(write(HOT, units=0.1, seconds=0.1), executions=10), start=10)
    assert rate == pytest.approx(100, rel=0.1)
    assert gives_way == "executions of work"


def test_a_backlog_is_worked_off_as_fast_as_the_executions_go() -> None:
    found = drained([stage(write(HOT, units=0.1, seconds=0.1), executions=10)])
    assert found.rate == pytest.approx(100, rel=0.03)
    assert found.gives_way == "executions of work"


def test_a_backlog_is_worked_off_as_fast_as_its_partition_takes_it() -> None:
    found = drained([stage(write(HOT), executions=100)], works=20_000)
    assert found.rate == pytest.approx(500, rel=0.1)
    assert found.gives_way == str(HOT)


def test_what_nothing_limits_is_held_up_to_the_most_that_is_asked() -> None:
    found = ceiling(lambda _: [stage(write(units=0))], 20, 1_000)
    assert (found.rate, found.broken_at, found.gives_way) == (1_000, None, "")


def test_a_throttled_request_is_paid_for_once_and_a_cancelled_transaction_each_time() -> None:
    item = frozenset({("pk", "head")})
    expensive = Work((Request("transaction", 0.010, {HOT: 20}, item, True),))
    rate, gives_way = limit(stage(expensive), start=2)
    # 50 a second would be paid for if none were cancelled.
    assert rate < 50
    assert gives_way in {CONFLICTS, str(HOT)}
