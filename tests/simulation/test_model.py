"""Random commands of sponsors, referees, the client and the clock: services and model agree.

After each command everything is delivered, now and then twice and in another order, and what people
see is compared: states of invitations, orders and vouchers, the counts, the files of exports.

`TANDEM_EXAMPLES=2000 pytest tests/simulation/test_model.py` plays more of them, at random.
"""

from __future__ import annotations

import os
from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chalicelib.domain import reward_plan
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.orders import Order
from chalicelib.domain.redemptions import Purchase
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher as Stored
from chalicelib.services.errors import GoneError, RefusedError, UnavailableError
from chalicelib.services.invitations.respond import confirm, decline
from chalicelib.services.vouchers.redeem import redeem, roll_back
from tests.fakes.campaign import CANARY, digests
from tests.fakes.due import expire
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world
from tests.simulation.model import RANK, Model, Voucher

EXAMPLES = int(os.environ.get("TANDEM_EXAMPLES", "0"))
REFEREES = ("jeanne@example.fr", "paul@example.fr", "zoe@example.fr")
LISTED = frozenset({*CUSTOMERS, *VIPS, CANARY})
CHANGES: dict[str, Any] = {
    "ends_on": "2035-12-31",
    "quotas": {"invitations_per_sponsor": 1000, "referees_per_call": 20},
}
ORDERS = 4  # of each referee, and of tills
STATUSES = ("kept", "kept", "kept", *RANK)

referees = st.sampled_from(REFEREES)
numbers = st.integers(0, 9)


class Contract(RuleBasedStateMachine):
    """See the module."""

    world: World
    model: Model

    @initialize(seed=st.integers(0, 99))
    def begin(self, seed: int) -> None:
        self.world = new_world(**CHANGES)
        self.model = Model(self.world.clock(), [(self.world.clock(), LISTED)])
        self.chance = Random(seed)
        self.sessions = [self.world.sponsor(address) for address in VIPS[:2]]
        self.invited: list[str] = []
        self.drops = 0
        for referee in REFEREES[: seed % 3]:  # so that orders are among the first commands
            self.invite(sponsor=seed % 2, referee=referee)
            self.answer(referee=referee, is_yes=True)

    def deliver(self) -> None:
        self.world.run(self.chance if self.chance.random() < 0.3 else None)
        self.world.run()

    # --- people ----------------------------------------------------------------------------------

    @rule(sponsor=st.integers(0, 1), referee=referees)
    def invite(self, sponsor: int, referee: str) -> None:
        if self.model.waits(referee):
            return  # which of two that wait for a list is decided first, nobody promises
        self.invited += self.world.invite(self.sessions[sponsor], referee)
        self.deliver()
        self.model.invite(referee)

    @precondition(lambda self: self.model.invitations)
    @rule(referee=referees, is_yes=st.sampled_from((True, True, True, False)))
    def answer(self, referee: str, is_yes: bool) -> None:
        if self.model.offer_to(referee) is None:
            return
        token = self.world.token_of(referee)
        try:
            if is_yes:
                confirm(self.world.ports, token, "1", False)
            else:
                decline(self.world.ports, token)
            accepted = True
        except (GoneError, UnavailableError):
            accepted = False
        self.deliver()
        assert accepted == self.model.answer(referee, is_yes)

    # --- the client ------------------------------------------------------------------------------

    @rule(customers=st.sets(referees, max_size=1))
    def drop_list(self, customers: set[str]) -> None:
        self.drops += 1
        names = LISTED | customers
        self.world.clock.advance(seconds=1)
        self.model.now = self.world.clock()
        more = f"buyer{self.drops}@demo.test"  # a file that was dropped before changes nothing
        assert (
            self.world.drop_list("customers", [*names, more], str(self.drops)).status == "accepted"
        )
        self.deliver()
        self.model.drop_list(names)

    @precondition(lambda self: self.model.confirmed)
    @rule(
        who=numbers,
        number=st.integers(1, ORDERS),
        statuses=st.lists(st.sampled_from(STATUSES), min_size=1, max_size=2),
    )
    def report(self, who: int, number: int, statuses: list[str]) -> None:
        referee = sorted(self.model.confirmed)[who % len(self.model.confirmed)]
        order_id = f"{referee.partition('@')[0]}-{number}"
        known = self.model.orders.get(order_id)
        at = known.ordered_at if known else self.model.now
        rows = [
            self.world.order(order_id, status, of=referee, ordered_at=at.isoformat())
            for status in statuses
        ]
        self.drops += 1
        self.world.drop_orders(*rows, file=str(self.drops))
        self.deliver()
        self.model.report(referee, order_id, statuses)

    @precondition(lambda self: self.model.vouchers)
    @rule(which=st.integers(0, 30), number=st.integers(1, 2), is_back=st.booleans())
    def use(self, which: int, number: int, is_back: bool) -> None:
        voucher = self.model.vouchers[which % len(self.model.vouchers)]
        code, order_id = self.code_of(voucher), f"till-{number}"
        outcome = _rolled_back if is_back else _redeemed
        answered = outcome(self.world, code, order_id)
        self.deliver()
        if is_back:
            assert (answered == "rolled_back") is self.model.roll_back(voucher, order_id)
        else:
            assert answered == self.model.redeem(voucher, order_id)

    @rule()
    def export(self) -> None:
        self.world.export()
        self.deliver()
        self.model.export()

    @precondition(lambda self: self.model.exports)
    @rule(which=numbers)
    def acknowledge(self, which: int) -> None:
        number = 1 + which % self.model.exports
        self.world.acknowledge(number)
        self.deliver()
        self.model.acknowledge(number)

    # --- time ------------------------------------------------------------------------------------

    @rule(hours=st.integers(1, 12))
    def hours_pass(self, hours: int) -> None:
        self.world.clock.advance(hours=hours)
        self.model.now = self.world.clock()

    @rule(days=st.sampled_from((1, 7, 15, 16, 31, 64)))
    def days_pass(self, days: int) -> None:
        self.world.clock.advance(days=days)
        self.model.now = self.world.clock()
        self.expire()

    def expire(self) -> None:
        expire(self.world.ports)
        self.deliver()
        self.model.expire()

    # --- what is seen ----------------------------------------------------------------------------

    @invariant()
    def invitations_agree(self) -> None:
        states = {one.invitation_id: one.state.value for one in self.world.memory.all(Invitation)}
        assert [states[name] for name in self.invited] == [
            one.state for one in self.model.invitations
        ]

    @invariant()
    def orders_agree(self) -> None:
        stored = self.world.memory.all(Order)
        assert {one.order_id: one.status.value for one in stored} == {
            one.order_id: one.status for one in self.model.orders.values()
        }

    @invariant()
    def vouchers_agree(self) -> None:
        stored = Counter(
            (*name, one.state.value, one.export or 0, one.redeemed_by or "")
            for name, own in self.stored().items()
            for one in own
        )
        assert stored == Counter(
            (one.referee, one.rule, one.state, one.export, one.order) for one in self.model.vouchers
        )

    @invariant()
    def counts_agree(self) -> None:
        shown = self.world.funnel()
        assert {name: shown.get(name, 0) for name in self.model.counts()} == self.model.counts()

    @invariant()
    def files_agree(self) -> None:
        named = {one.voucher_id: name for name, own in self.stored().items() for one in own}
        for number in range(1, self.model.exports + 1):
            rows = Counter(named[row["voucher"]] for row in self.world.exported(number))
            assert rows == Counter(
                (one.referee, one.rule) for one in self.model.vouchers if one.export == number
            )

    def stored(self) -> dict[tuple[str, str], list[Stored]]:
        """The stored vouchers by referee and rule, in the order of their issue."""
        addresses = {one: address for address in REFEREES for one in digests(address).values}
        referees = {
            one.referral_id: addresses[one.referee_digest]
            for one in self.world.memory.all(Referral)
        }
        found: dict[tuple[str, str], list[Stored]] = {}
        for one in sorted(self.world.memory.all(Stored), key=lambda one: one.voucher_id):
            found.setdefault((referees[one.referral_id], one.rule), []).append(one)
        return found

    def code_of(self, voucher: Voucher) -> str:
        name = voucher.referee, voucher.rule
        own = [one for one in self.model.vouchers if (one.referee, one.rule) == name]
        place = next(place for place, one in enumerate(own) if one is voucher)
        return self.stored()[name][place].code


def _redeemed(world: World, code: str, order_id: str) -> str:
    purchase = Purchase(
        order_id=order_id, ordered_at=world.clock(), amount_minor=8000, currency="EUR"
    )
    try:
        redeem(world.ports, code, purchase)
    except RefusedError as error:
        return error.reason
    return "redeemed"


def _rolled_back(world: World, code: str, order_id: str) -> str:
    try:
        roll_back(world.ports, code, order_id)
    except RefusedError as error:
        return error.reason
    return "rolled_back"


TestContract = pytest.mark.slow(Contract.TestCase)
TestContract.settings = settings(
    max_examples=EXAMPLES or 60,
    stateful_step_count=50,
    derandomize=not EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)


@pytest.mark.slow
def test_the_model_notices_a_reward_that_is_not_revoked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reward_plan, "_revocations", lambda _allowed, _own: iter(()))
    playing = settings(TestContract.settings, phases=[Phase.generate], print_blob=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Contract, settings=playing)
