"""Vouchers that are refused at the till: counted once for a voucher on an order, by the first
reason, whether a call asked or an order's report named the code, and never in place of the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib.adapters.dynamodb.codec import fact_json
from chalicelib.adapters.dynamodb.schema import key_of
from chalicelib.domain.effects import deltas, totals
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.orders import Order
from chalicelib.domain.redemptions import Purchase, RedemptionRefusal
from chalicelib.domain.vouchers import Voucher, VoucherProblem
from chalicelib.services.errors import InvalidError, RefusedError, UnknownError
from chalicelib.services.journal import journal, miscounts
from chalicelib.services.operations.dashboard import view_dashboard
from chalicelib.services.order_refs import reference_of
from chalicelib.services.orders.record import record_order
from chalicelib.services.ports import Change, ContentionError, Failure, Ports, Repository
from chalicelib.services.vouchers.redeem import check_voucher, redeem, roll_back
from tests.fakes.campaign import CAMPAIGN, templates
from tests.fakes.fuse import killed_everywhere
from tests.fakes.repository import ContestedRepository, MemoryRepository
from tests.fakes.world import VIPS, World, new_world, wrapped
from tests.services.test_orders import row_of

JEANNE = "jeanne@example.fr"
EXCLUDING = {"welcome": {"not_with": ["thank-you"]}}
LITTLE = 3999  # below the minimum basket, in minor units
LITTLE_ORDER = {"amount": "39.99"}


def used(world: World, template: str = "welcome") -> str:
    [code] = [one.code for one in world.memory.all(Voucher) if one.template == template]
    return code


def begun(**changes: Any) -> World:
    """A referee's voucher, and a sponsor's for order A0, which the client has."""
    world = new_world(**changes)
    world.referral(JEANNE)
    world.drop_orders(world.order("A0", "kept", of=JEANNE), file="A0")
    world.run()
    world.export()
    world.run()
    return world


def purchase(world: World, order_id: str = "A1", amount_minor: int = 8000) -> Purchase:
    return Purchase(
        order_id=order_id, ordered_at=world.clock(), amount_minor=amount_minor, currency="EUR"
    )


def refused(
    world: World, asked: Purchase, template: str = "welcome", ports: Ports | None = None
) -> str:
    """The reason for which a call is refused, which could be counted."""
    failures: list[Failure] = []
    with pytest.raises(RefusedError) as caught:
        redeem(ports or world.ports, used(world, template), asked, failures.append)
    assert failures == []
    return caught.value.reason


def counted(world: World) -> dict[str, int]:
    """What the dashboard says was refused, which is what the journal alone adds up to."""
    world.run()
    assert miscounts(world.ports, world.campaign) == []
    from_journal = totals(deltas(world.campaign, journal(world.ports, CAMPAIGN)))
    shown = view_dashboard(world.ports, CAMPAIGN).figures
    found = {name: by for name, by in shown.items() if name.startswith("till.")}
    assert found == {name: by for name, by in from_journal.items() if name.startswith("till.")}
    return {name.removeprefix("till."): by for name, by in found.items()}


# --- each reason ----------------------------------------------------------------------------------


def _exhausted(world: World) -> Purchase:
    redeem(world.ports, used(world), purchase(world, "A9"))
    return purchase(world)


def _rolled_back(world: World) -> Purchase:
    redeem(world.ports, used(world), purchase(world))
    roll_back(world.ports, used(world), "A1")
    return purchase(world)


def _excluded(world: World) -> Purchase:
    redeem(world.ports, used(world, "thank-you"), purchase(world))
    return purchase(world)


def _late(world: World) -> Purchase:
    world.clock.advance(days=62)
    return purchase(world)


REASONS: dict[VoucherProblem, Callable[[World], Purchase]] = {
    VoucherProblem.EXHAUSTED: _exhausted,
    VoucherProblem.ROLLED_BACK: _rolled_back,
    VoucherProblem.NOT_WITH_OTHER_VOUCHER: _excluded,
    VoucherProblem.EXPIRED: _late,
    VoucherProblem.NOT_YET_VALID: lambda world: replace(
        purchase(world), ordered_at=world.clock() - timedelta(days=2)
    ),
    VoucherProblem.WRONG_CURRENCY: lambda world: replace(purchase(world), currency="USD"),
    VoucherProblem.BELOW_MINIMUM_BASKET: lambda world: purchase(world, amount_minor=LITTLE),
}


@pytest.mark.parametrize("reason", REASONS)
def test_a_call_that_is_refused_is_counted_once_by_its_reason(reason: VoucherProblem) -> None:
    world = begun(templates=templates(**EXCLUDING))
    asked = REASONS[reason](world)
    assert [refused(world, asked) for _ in range(3)] == [reason] * 3
    assert counted(world) == {reason: 1}
    [fact] = world.facts(FactName.REDEMPTION_REFUSED)
    [voucher] = [one for one in world.memory.all(Voucher) if one.code == used(world)]
    assert (fact.subject, fact.details["reason"]) == (voucher.voucher_id, reason)


def test_so_is_one_of_a_voucher_that_is_bound_to_its_holder() -> None:
    world = begun(templates=templates(welcome={"holder_bound": True}))
    assert refused(world, purchase(world)) == "not_the_holder"
    assert counted(world) == {"not_the_holder": 1}


def test_so_are_those_of_codes_that_the_client_refused_and_of_revoked_ones() -> None:
    world = begun()
    code = used(world)
    world.acknowledge(1, f"{code},unknown\n".encode())
    world.drop_orders(world.order("A0", "returned", of=JEANNE), file="returned")
    world.run()
    assert refused(world, purchase(world), "thank-you") == "revoked"
    with pytest.raises(RefusedError, match="refused_by_client"):
        redeem(world.ports, code, purchase(world))
    assert counted(world) == {"revoked": 1, "refused_by_client": 1}


def test_each_order_counts_and_of_two_reasons_on_one_order_the_first() -> None:
    world = begun()
    assert refused(world, purchase(world, "A1", LITTLE)) == "below_minimum_basket"
    assert refused(world, purchase(world, "A2", LITTLE)) == "below_minimum_basket"
    world.clock.advance(days=62)
    assert refused(world, purchase(world, "A1")) == "expired"
    assert refused(world, purchase(world, "A3")) == "expired"
    assert counted(world) == {"below_minimum_basket": 2, "expired": 1}


def test_a_refusal_stays_counted_when_the_voucher_is_used_on_the_order_afterwards() -> None:
    world = begun()
    refused(world, purchase(world, amount_minor=LITTLE))
    assert redeem(world.ports, used(world), purchase(world))[2]
    assert counted(world) == {"below_minimum_basket": 1}
    assert world.funnel()["vouchers_redeemed"] == 1


def test_what_refuses_no_voucher_on_an_order_is_not_counted() -> None:
    """A repeat that differs is of an order that uses the voucher."""
    world = begun()
    code, first = used(world), purchase(world)
    check_voucher(world.ports, code)
    with pytest.raises(RefusedError, match="not_redeemed"):
        roll_back(world.ports, code, "A1")
    with pytest.raises(UnknownError):
        redeem(world.ports, "WE-22222-22222-22222", first)
    with pytest.raises(InvalidError):
        redeem(world.ports, code, replace(first, ordered_at=first.ordered_at + timedelta(days=2)))
    redeem(world.ports, code, first)
    assert refused(world, replace(first, amount_minor=8001)) == "differs"
    world.clock.advance(days=62)
    check_voucher(world.ports, used(world, "thank-you"))
    assert counted(world) == {}
    assert world.memory.all(RedemptionRefusal) == []


def test_law_9_neither_the_fact_nor_the_note_has_the_clients_id_of_the_order() -> None:
    world = begun()
    refused(world, purchase(world, "jeanne.martin", LITTLE))
    [fact] = world.facts(FactName.REDEMPTION_REFUSED)
    [note] = world.memory.all(RedemptionRefusal)
    assert "jeanne.martin" not in f"{fact_json(fact)} {note}"
    assert used(world) not in str(fact_json(fact))
    assert fact.ids["order_ref"] == note.order_ref == reference_of(world.ports, "jeanne.martin")


# --- at once, killed, failing ---------------------------------------------------------------------


def at_once(world: World, calls: int = 3) -> Ports:
    """Ports whose call meets the same call, which commits first, and so does that one."""
    ports = world.ports
    for _ in range(calls - 1):
        inner = ports

        def same(ports: Ports = inner) -> None:
            refused(world, purchase(world, amount_minor=LITTLE), ports=ports)

        ports = replace(ports, repository=ContestedRepository(inner.repository, same))
    return ports


def test_law_10_of_calls_at_once_one_counts_and_all_are_refused() -> None:
    world = begun()
    asked = purchase(world, amount_minor=LITTLE)
    assert refused(world, asked, ports=at_once(world)) == "below_minimum_basket"
    assert counted(world) == {"below_minimum_basket": 1}


def test_law_10_breaks_without_the_condition() -> None:
    world = begun(store=MemoryRepository(guards=False))
    refused(world, purchase(world, amount_minor=LITTLE), ports=at_once(world))
    assert counted(world) == {"below_minimum_basket": 3}


def test_law_10_killed_at_every_step_and_tried_again_it_is_counted_once() -> None:
    def call(world: World, ports: Ports) -> None:
        refused(world, purchase(world, amount_minor=LITTLE), ports=ports)

    worlds = killed_everywhere(begun, call, lambda world: world.ports)
    assert len(worlds) > 6
    for world in worlds:
        call(world, world.ports)
        assert counted(world) == {"below_minimum_basket": 1}


class Failing(ContestedRepository):
    """A table that takes no commit, or whose answer to one is lost."""

    def __init__(self, inner: Repository, error: Exception, *, after: bool) -> None:
        super().__init__(inner, lambda: None)
        self._error, self._after = error, after

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        if self._after:
            super().commit(*changes, facts=facts)
        raise self._error


@pytest.mark.parametrize("error", [ContentionError("busy"), OSError("no answer")])
@pytest.mark.parametrize("after", [False, True], ids=["not stored", "the answer is lost"])
def test_a_refusal_that_cannot_be_counted_is_one_all_the_same_and_is_named(
    error: Exception, after: bool
) -> None:
    world = begun()
    failures: list[Failure] = []
    asked = purchase(world, amount_minor=LITTLE)
    failing = wrapped(world, partial(Failing, error=error, after=after))
    with pytest.raises(RefusedError, match="below_minimum_basket"):
        redeem(failing, used(world), asked, failures.append)
    [voucher] = [one for one in world.memory.all(Voucher) if one.code == used(world)]
    assert failures == [Failure("refused redemption", voucher.voucher_id, error)]
    assert counted(world) == ({"below_minimum_basket": 1} if after else {})
    refused(world, asked)  # the till tries again
    assert counted(world) == {"below_minimum_basket": 1}


def test_who_tries_again_writes_nothing() -> None:
    world = begun()
    asked = purchase(world, amount_minor=LITTLE)
    refused(world, asked)
    no_writes = wrapped(world, partial(Failing, error=OSError("a write"), after=False))
    refused(world, asked, ports=no_writes)
    row = row_of(world.order("A1", code=used(world), **LITTLE_ORDER))
    assert record_order(no_writes, world.campaign, row).voucher == "below_minimum_basket"


# --- the order is reported ------------------------------------------------------------------------


def reported(world: World, template: str = "welcome", status: str = "kept", **how: str) -> None:
    row = world.order("A1", status, of=JEANNE, code=used(world, template), **how)
    world.drop_orders(row, file=f"{status}-{template}")
    world.run()


@pytest.mark.parametrize("buyer", ["stranger@example.fr", VIPS[0], ""])
def test_a_report_counts_whoever_bought_and_however_often_it_comes(buyer: str) -> None:
    """Of such an order nothing else is stored, or only that a sponsor bought."""
    world = begun()
    row = world.order("A1", of=buyer, code=used(world), **LITTLE_ORDER)
    world.drop_orders(row)
    world.drop_orders(row, file="again")
    assert [one.order_id for one in world.memory.all(Order)] == ["A0"]
    assert counted(world) == {"below_minimum_basket": 1}
    refused(world, purchase(world, amount_minor=LITTLE))
    assert counted(world) == {"below_minimum_basket": 1}


def test_a_later_report_of_an_order_that_names_a_code_counts_too() -> None:
    world = begun()
    world.drop_orders(world.order("A1", of=JEANNE))
    world.clock.advance(days=62)
    reported(world)
    reported(world)
    assert counted(world) == {"expired": 1}


def test_an_order_that_is_refused_counts_nothing() -> None:
    world = begun()
    world.invite(world.sponsor(), "paul@example.fr")
    world.run()
    world.confirm("paul@example.fr")
    world.drop_orders(world.order("A1", of=JEANNE))
    row = world.order("A1", of="paul@example.fr", code=used(world), **LITTLE_ORDER)
    assert world.drop_orders(row, file="another").rejected == 1
    assert counted(world) == {}


def test_an_order_that_is_reported_after_its_refused_call_counts_no_more() -> None:
    world = begun()
    refused(world, purchase(world, amount_minor=LITTLE))
    for status in ("placed", "kept", "returned"):
        reported(world, status=status, **LITTLE_ORDER)
    assert counted(world) == {"below_minimum_basket": 1}


def test_a_call_after_the_order_was_reported_counts_no_more() -> None:
    world = begun()
    reported(world, **LITTLE_ORDER)
    refused(world, purchase(world, amount_minor=LITTLE))
    assert counted(world) == {"below_minimum_basket": 1}
    [note] = world.memory.all(RedemptionRefusal)
    assert note.order_ref == reference_of(world.ports, "A1")


def test_the_first_reason_holds_whichever_says_it() -> None:
    called, first_reported = begun(), begun()
    refused(called, purchase(called, amount_minor=LITTLE))
    called.clock.advance(days=62)
    reported(called)
    assert counted(called) == {"below_minimum_basket": 1}
    reported(first_reported, **LITTLE_ORDER)
    first_reported.clock.advance(days=62)
    assert refused(first_reported, purchase(first_reported)) == "expired"
    assert counted(first_reported) == {"below_minimum_basket": 1}


def test_an_order_that_uses_its_voucher_refuses_none_whichever_code_it_is_reported_with() -> None:
    """Its own in another spelling, or none."""
    world = begun()
    redeem(world.ports, used(world), purchase(world))
    for code in (used(world).lower().replace("-", " "), ""):
        row = row_of(world.order("A1", of=JEANNE, code=code))
        assert record_order(world.ports, world.campaign, row).voucher is None
    assert counted(world) == {}


@pytest.mark.parametrize("calls_first", [True, False])
def test_a_code_beside_the_one_that_the_order_uses_is_one_refusal(calls_first: bool) -> None:
    """The call says that the two exclude each other, the report that the order has another one."""
    world = begun(templates=templates(**EXCLUDING))
    redeem(world.ports, used(world, "thank-you"), purchase(world))
    if calls_first:
        assert refused(world, purchase(world)) == "not_with_other_voucher"
    reported(world)
    assert refused(world, purchase(world)) == "not_with_other_voucher"
    reason = "not_with_other_voucher" if calls_first else "voucher_code_differs"
    assert counted(world) == {reason: 1}


def test_a_code_that_is_no_voucher_is_counted_with_its_order_alone() -> None:
    world, code = begun(), "WE-NOT-OURS"
    redeem(world.ports, used(world), purchase(world))
    world.drop_orders(
        world.order("A1", of=JEANNE, code=code), world.order("A2", of=JEANNE, code=code)
    )
    assert counted(world) == {"voucher_code_differs": 1, "unknown": 1}
    assert world.memory.all(RedemptionRefusal) == []


def test_a_code_of_another_campaign_is_not_refused_by_this_one() -> None:
    world = begun()
    redeem(world.ports, used(world), purchase(world))
    [other] = [one for one in world.memory.all(Voucher) if one.template == "thank-you"]
    key = tuple(key_of(other).values())
    world.memory._items[key[0], key[1]] = replace(other, campaign="other-vip")
    world.drop_orders(world.order("A1", of=JEANNE, code=other.code))
    assert counted(world) == {"voucher_code_differs": 1}
    assert world.memory.all(RedemptionRefusal) == []


def test_a_code_whose_voucher_cannot_be_read_does_not_keep_its_order_back() -> None:
    world = begun()
    redeem(world.ports, used(world), purchase(world))
    [other] = [one for one in world.memory.all(Voucher) if one.template == "thank-you"]
    key = tuple(key_of(other).values())
    world.memory.unreadable.add((key[0], key[1]))
    receipt = world.drop_orders(world.order("A1", of=JEANNE, code=other.code))
    assert receipt.accepted == 1
    assert counted(world) == {"voucher_code_differs": 1}


@pytest.mark.parametrize("is_call_late", [True, False])
def test_law_10_of_a_call_and_a_report_at_once_one_counts(is_call_late: bool) -> None:
    world = begun()
    row = row_of(world.order("A1", of=JEANNE, code=used(world), **LITTLE_ORDER))

    def call(ports: Ports) -> None:
        refused(world, purchase(world, amount_minor=LITTLE), ports=ports)

    def report(ports: Ports) -> None:
        assert record_order(ports, world.campaign, row).voucher == "below_minimum_basket"

    late, first = (call, report) if is_call_late else (report, call)
    late(wrapped(world, lambda inner: ContestedRepository(inner, lambda: first(world.ports))))
    assert counted(world) == {"below_minimum_basket": 1}
