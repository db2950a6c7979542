"""Calls with reported orders at the same time, and a till meanwhile.

The rows of a call touch the same things as each other and as the other call's: one referee, two
orders, one voucher. What all of it comes to, answers and table, has to be what the same rows come
to one after the other, as calls of their own, in some sequence that keeps the rows of each call in
theirs. The code itself plays those sequences, so nothing here knows what a row comes to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Any

from chalicelib.domain.addresses import Address, AddressDigests
from chalicelib.domain.orders import Order
from chalicelib.domain.redemptions import OrderUses, Redemption
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from tests.api.gateway import Answer, Request
from tests.api.requests import PURCHASE, VOUCHERS
from tests.api.world import KEY, STRANGER, posting
from tests.simulation.laws import all_of, violations
from tests.simulation.races import ROUNDS, Start, kept
from tests.simulation.run import finish
from tests.simulation.stage import Stage, stage

ROWS = 3
STATUSES = ("placed", "placed", "kept", "cancelled")
Row = Mapping[str, str]
Step = tuple[int, int]  # the caller, and which of the things that it asks


class Caller:
    """Somebody who asks some things one after the other, and what is answered to each."""

    def __init__(self, rows: Sequence[Row] = (), till: Request | None = None) -> None:
        self.rows = rows
        self.till = till
        self.answers: list[object] = []

    @property
    def whole(self) -> Request:
        """All that is asked, as one call."""
        return self.till or _of(*self.rows)

    def single(self, number: int) -> Request:
        """One of the things, as a call of its own."""
        return self.till or _of(self.rows[number])

    def __len__(self) -> int:
        return 1 if self.till else len(self.rows)


def _of(*rows: Row) -> Request:
    return posting("/v1/client/orders", {"orders": list(rows)})


def answers_in(answer: object) -> list[object]:
    """What was answered to each thing that a call asked."""
    assert isinstance(answer, Answer)
    if answer.status == 207:
        return list(answer.json()["results"])
    return [answer.status]


@contextmanager
def referee() -> Iterator[Start]:
    """A referee with a voucher, of whom no order is known."""
    with stage() as world:
        code = world.voucher()
        yield Start(world, lambda call: _till(code, *call), kept(world))


def _till(code: str, work: str, order_id: str) -> Request:
    path = f"{VOUCHERS}/{code}/redemptions"
    if work == "redeem":
        return posting(path, PURCHASE | {"order_id": order_id})
    return Request("DELETE", f"{path}/{order_id}")


def callers(start: Start, chance: Random) -> list[Caller]:
    """Two that report orders, and often a till."""
    [voucher] = all_of(start.world.cloud, Voucher)
    digest = AddressDigests.of(Address.parse(STRANGER), [KEY]).for_client
    drawn = [Caller([_row(voucher.code, digest, chance) for _ in range(ROWS)]) for _ in range(2)]
    if chance.random() < 0.6:
        work = chance.choice(("redeem", "redeem", "roll back")), _order_id(chance)
        drawn.append(Caller(till=start.request(work)))
    return drawn


def _order_id(chance: Random) -> str:
    return f"A{chance.randrange(2)}"


def _row(code: str, digest: str, chance: Random) -> Row:
    with_digest, with_code = chance.choice(
        ((True, True), (True, True), (True, False), (False, True))
    )
    return PURCHASE | {
        "order_id": _order_id(chance),
        "status": chance.choice(STATUSES),
        "email_digest": digest if with_digest else "",
        "voucher_code": code if with_code else "",
    }


def state_of(world: Stage) -> dict[str, Any]:
    """What the table has of the referee, without the times and our own ids."""
    [voucher], [referral] = all_of(world.cloud, Voucher), all_of(world.cloud, Referral)
    return {
        "orders": sorted(
            (one.order_id, one.status, one.counts, one.buyer, str(one.code_key))
            for one in all_of(world.cloud, Order)
        ),
        "voucher": (voucher.state, voucher.redeemed_by),
        "redemptions": sorted(
            (one.order_id, one.rolled_back_at is None, one.buyer)
            for one in all_of(world.cloud, Redemption)
        ),
        "uses": sorted((one.order_id, len(one.uses)) for one in all_of(world.cloud, OrderUses)),
        "referral": (referral.orders, sorted(referral.known_orders), sorted(referral.kept_orders)),
    }


def at_once(start: Start, seed: int) -> list[str]:
    """Have all callers ask at the same time; what is wrong with what that came to."""
    chance = Random(seed)
    start.restore()
    asking = callers(start, chance)
    world = start.world
    world.cloud.seed(f"orders {seed}")
    for caller in asking:
        _begin(world, caller)
    scheduler = world.cloud.scheduler
    while scheduler.workers:
        worker = chance.choice(scheduler.workers)
        scheduler.step(worker, None)
        world.machine.settle(worker)
    came_to = state_of(world)
    finish(world.cloud, world.machine, ROUNDS)
    broken = list(violations(world.cloud))
    if not any(
        _plays(start, asking, steps, came_to) for steps in sequences(list(map(len, asking)))
    ):
        asked = [[(row["order_id"], row["status"]) for row in caller.rows] for caller in asking]
        answers = [caller.answers for caller in asking]
        broken.append(f"no sequence of the rows comes to this: {asked} {answers} {came_to}")
    return broken


def _begin(world: Stage, caller: Caller) -> None:
    def ask() -> object:
        worker = world.cloud.scheduler.current()
        assert worker
        return worker.context.gateway.call(caller.whole)

    world.machine.begin("orders", ask, partial(_note, caller))


def _note(caller: Caller, ended: Any) -> None:
    caller.answers = answers_in(ended.outcome)


def sequences(left: Sequence[int], before: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Every sequence of so many things of each caller that keeps each caller's own."""
    if not any(left):
        yield before
    done = [sum(who == caller for who, _ in before) for caller in range(len(left))]
    for caller, count in enumerate(left):
        if count:
            fewer = [one - (who == caller) for who, one in enumerate(left)]
            yield from sequences(fewer, (*before, (caller, done[caller])))


def _plays(
    start: Start, asking: Sequence[Caller], steps: Sequence[Step], came_to: Mapping[str, Any]
) -> bool:
    """Whether the things, one after the other, give the same answers and the same table."""
    start.restore()
    start.world.cloud.seed("one after the other")
    for caller, number in steps:
        [answer] = answers_in(start.world.ask(asking[caller].single(number)))
        if answer != asking[caller].answers[number]:
            return False
    return state_of(start.world) == came_to
