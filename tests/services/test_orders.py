"""Orders reported in any order and number, and what the rules grant for them."""

from __future__ import annotations

from itertools import permutations
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.domain.facts import FactName
from chalicelib.domain.files.orders import OrderRow, parse_order
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.orders.record import OrderOutcome, record_order
from chalicelib.services.orders.record_many import record_reported_orders
from chalicelib.services.vouchers.reward import reward
from tests.fakes.campaign import CANARY
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world

NEWCOMER = "jeanne@gmail.com"
SEEDS = st.integers(0, 1 << 32)


def row_of(row: dict[str, str]) -> OrderRow:
    parsed = parse_order(row)
    assert isinstance(parsed, OrderRow)
    return parsed


def record(world: World, row: dict[str, str]) -> OrderOutcome:
    return record_order(world.ports, world.campaign, row_of(row))


def granted(world: World) -> list[tuple[str, int]]:
    """What is granted: (rule, rung), each with a voucher that is not revoked."""
    rewards = world.memory.all(Reward)
    return sorted((one.rule, one.rung) for one in rewards if one.code_key and not one.revoked_at)


def keep(world: World, *orders: str) -> None:
    for order_id in orders:
        record(world, world.order(order_id, "kept", of=NEWCOMER))
        world.run()


def test_a_kept_order_grants_the_rung_and_the_sponsors_reward(world: World) -> None:
    world.referral(NEWCOMER)
    record(world, world.order("A1", of=NEWCOMER))
    world.run()
    assert granted(world) == [("welcome", 0)]
    record(world, world.order("A1", "kept", of=NEWCOMER))
    world.run()
    assert granted(world) == [("ladder-first", 1), ("sponsor-reward", 1), ("welcome", 0)]


def test_the_ladder_has_three_rungs(world: World) -> None:
    world.referral(NEWCOMER)
    keep(world, "A1", "A2", "A3", "A4")
    assert granted(world) == [
        ("ladder-first", 1), ("ladder-second", 2), ("ladder-third", 3), ("sponsor-reward", 1),
        ("welcome", 0),
    ]  # fmt: skip


@pytest.mark.parametrize("statuses", list(permutations(["placed", "kept", "returned"])))
def test_reports_in_any_order_end_at_the_same_state(
    world: World, statuses: tuple[str, ...]
) -> None:
    world.referral(NEWCOMER)
    for status in (*statuses, *statuses):
        record(world, world.order("A1", status, of=NEWCOMER))
        world.run()
    [order] = world.memory.all(Order)
    assert order.status is OrderStatus.RETURNED
    [referral] = world.memory.all(Referral)
    assert referral.orders == 1
    assert not any(referral.kept_orders)
    assert granted(world) == [("welcome", 0)]
    assert world.funnel()["rewards"] == 1 + world.funnel().get("rewards_taken_back", 0)


def test_a_repeated_report_is_known_already(world: World) -> None:
    world.referral(NEWCOMER)
    row = world.order("A1", "kept", of=NEWCOMER)
    assert record(world, row) == OrderOutcome("recorded")
    assert record(world, row) == OrderOutcome("known_already")
    assert len(world.facts(FactName.ORDER_KEPT)) == 1


def test_law_7_order_files_repeated_renamed_or_overlapping_have_no_second_effect(
    world: World,
) -> None:
    world.referral(NEWCOMER)
    first = [world.order("A1", "kept", of=NEWCOMER), world.order("A2", of=NEWCOMER)]
    second = [*first, world.order("A3", "kept", of=NEWCOMER)]
    for name, rows in (("a", first), ("a", first), ("b", first), ("c", second), ("d", second)):
        receipt = world.drop_orders(*rows, file=name)
        assert (receipt.status, receipt.accepted) == ("accepted", len(rows))
        world.run()
    assert world.funnel()["orders_kept"] == 2
    assert [rung for rule, rung in granted(world) if rule.startswith("ladder")] == [1, 2]


def test_an_order_of_nobody_we_know_leaves_no_trace(world: World) -> None:
    before = len(world.facts())
    outcome = record(world, world.order("A1", "kept", of="stranger@example.fr"))
    assert outcome == OrderOutcome("not_a_referees")
    assert len(world.facts()) == before
    assert world.memory.all(Order) == []


def test_an_order_before_the_confirmation_does_not_count(world: World) -> None:
    row = world.order("A1", "kept", of=NEWCOMER)
    world.clock.advance(days=1)
    world.referral(NEWCOMER)
    before = dict(world.memory._items)
    assert record(world, row) == OrderOutcome("before_confirmation")
    assert world.memory._items == before


def test_an_alias_of_the_referee_is_the_referee(world: World) -> None:
    world.referral("jean.ne+x@gmail.com")
    assert record(world, world.order("A1", "kept", of=NEWCOMER)) == OrderOutcome("recorded")


def test_an_order_is_the_referees_by_the_voucher_used_on_it(world: World) -> None:
    world.referral(NEWCOMER)
    world.export()
    code = world.exported(1)[0]["code"]
    assert record(world, world.order("A1", "kept", code=code)) == OrderOutcome("recorded")
    [voucher] = [one for one in world.memory.all(Voucher) if one.template == "welcome"]
    assert (voucher.state, voucher.redeemed_by) == (VoucherState.REDEEMED, "A1")
    assert record(world, world.order("A1", "returned", code=code)) == OrderOutcome("recorded")


def test_a_sponsors_voucher_does_not_make_the_order_a_referees(world: World) -> None:
    world.referral(NEWCOMER)
    keep(world, "A1")
    world.export()
    [code] = [row["code"] for row in world.exported(1) if row["holder"] == "sponsor"]
    assert record(world, world.order("B1", code=code)) == OrderOutcome("redeemed")
    assert {one.order_id: one.counts for one in world.memory.all(Order)} == {
        "A1": True,
        "B1": False,
    }
    [referral] = world.memory.all(Referral)
    assert referral.kept_orders == ("A1",)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"currency": "USD"}, "currency_not_the_campaigns"),
        ({"ordered_at": "2026-03-04T09:00:00Z"}, "ordered_at_in_the_future"),
    ],
)
def test_an_order_with_a_problem_leaves_everything_as_it_was(
    world: World, change: dict[str, str], problem: str
) -> None:
    world.referral(NEWCOMER)
    world.export()
    before = dict(world.memory._items)
    row = world.order("A1", of=NEWCOMER, code=world.exported(1)[0]["code"], **change)
    assert record(world, row) == OrderOutcome("none", problem)
    assert world.memory._items == before


def test_a_used_voucher_is_reported_line_by_line_and_the_rest_counts(world: World) -> None:
    world.referral(NEWCOMER)
    world.export()
    code = world.exported(1)[0]["code"]
    receipt = world.drop_orders(
        world.order("A1", of=NEWCOMER, code=code),
        world.order("A2", of=NEWCOMER, code=code),
        world.order("A3", of=NEWCOMER),
    )
    assert (receipt.status, receipt.accepted, receipt.rejected) == ("accepted", 3, 0)
    assert [one.redeemed_by for one in world.memory.all(Voucher)] == ["A1"]
    assert len(world.memory.all(Order)) == 3


def test_law_7_an_order_file_broken_at_its_end_changes_nothing(world: World) -> None:
    world.referral(NEWCOMER)
    good = world.drop_orders(world.order("A1", of="stranger@example.fr"))
    assert good.status == "accepted"
    content = world.files.content["in/demo-vip/orders/orders.csv"]
    row = content.splitlines()[1].replace(b"A1", b"A2")
    broken = content + b"\n" + row + b"\n\xff\xfe\n"
    before = dict(world.memory._items)
    receipt = world.drop("orders/broken.csv", broken)
    assert (receipt.status, receipt.reason, receipt.accepted) == ("refused", "not_utf8", 0)
    assert receipt.errors[0].line == 4
    assert world.memory._items == before


def test_an_order_id_of_another_person_is_reported(world: World) -> None:
    world.referral(NEWCOMER)
    world.referral("paul@example.fr", VIPS[1])
    record(world, world.order("A1", of=NEWCOMER))
    outcome = record(world, world.order("A1", "kept", of="paul@example.fr"))
    assert outcome == OrderOutcome("none", "order_id_of_another_person")


def test_an_order_by_call_finds_its_campaign(world: World) -> None:
    world.referral(NEWCOMER)
    campaigns = [world.campaign]
    row = row_of(world.order("A1", of=NEWCOMER))
    stranger = row_of(world.order("A2", of="stranger@example.fr"))
    unknown = row_of(world.order("A3", code="WE-1"))
    assert list(record_reported_orders(world.ports, campaigns, [row, stranger, unknown])) == [
        OrderOutcome("recorded"),
        OrderOutcome("not_a_referees"),
        OrderOutcome("not_a_referees", voucher="unknown"),
    ]


# --- rewards --------------------------------------------------------------------------------------


def test_a_returned_order_takes_its_rewards_back_once(world: World) -> None:
    world.referral(NEWCOMER)
    keep(world, "A1")
    record(world, world.order("A1", "returned", of=NEWCOMER))
    world.run()
    assert granted(world) == [("welcome", 0)]
    revoked = [one for one in world.memory.all(Voucher) if one.state is VoucherState.REVOKED]
    assert len(revoked) == 2
    [returned] = world.facts(FactName.ORDER_RETURNED)
    assert reward(world.ports, returned) == []
    world.run()
    assert world.funnel()["rewards_taken_back"] == 2


def test_a_used_reward_cannot_be_revoked(world: World) -> None:
    world.referral(NEWCOMER)
    keep(world, "A1")
    world.export()
    [code] = [row["code"] for row in world.exported(1) if row["template"] == "second-order"]
    record(world, world.order("A2", of=NEWCOMER, code=code))
    record(world, world.order("A1", "returned", of=NEWCOMER))
    [returned] = world.facts(FactName.ORDER_RETURNED)
    outcomes = reward(world.ports, returned)
    assert sorted(outcomes) == ["revoked", "voucher_is_redeemed"]


def test_a_sponsors_cap_holds(world: World) -> None:
    world = new_world(caps={"sponsor_rewards": 1})
    for number, address in enumerate((NEWCOMER, "paul@example.fr")):
        world.referral(address)
        record(world, world.order(f"A{number}", "kept", of=address))
        world.run()
    assert [rule for rule, _ in granted(world)].count("sponsor-reward") == 1
    [refused] = world.facts(FactName.REWARD_REFUSED)
    assert refused.details["reason"] == "sponsor_cap"
    assert world.funnel()["rewards_refused"] == 1


def test_a_rule_may_ask_for_an_amount() -> None:
    rules = [{"id": "big", "when": "order_kept", "if": {"minimum_amount": "100.00"},
              "issue": "thank-you", "to": "sponsor"}]  # fmt: skip
    world = new_world(rules=rules)
    world.referral(NEWCOMER)
    record(world, world.order("A1", "kept", of=NEWCOMER, amount="99.99"))
    record(world, world.order("A2", "kept", of=NEWCOMER, amount="100.00"))
    world.run()
    assert granted(world) == [("big", 2)]


def test_law_3_nobody_who_was_a_customer_at_the_first_order_is_rewarded(world: World) -> None:
    world.referral(NEWCOMER)
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, NEWCOMER], file="next")
    keep(world, "A1")
    assert granted(world) == [("welcome", 0)]
    assert {fact.details["reason"] for fact in world.facts(FactName.REWARD_REFUSED)} == {
        "not_a_newcomer"
    }
    [referral] = world.memory.all(Referral)
    assert referral.newcomer_list_version == 2


def test_law_3_breaks_at_the_reward_without_the_look_up(world: World) -> None:
    world.referral(NEWCOMER)
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, NEWCOMER], file="next")
    world.lists.knows_nobody = True
    keep(world, "A1")
    assert len(granted(world)) == 3


def test_a_newcomer_who_becomes_a_customer_by_the_first_order_climbs_the_ladder(
    world: World,
) -> None:
    world.referral(NEWCOMER)
    record(world, world.order("A1", of=NEWCOMER))
    world.clock.advance(hours=1)
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, NEWCOMER], file="next")
    keep(world, "A1", "A2")
    assert [rung for rule, rung in granted(world) if rule.startswith("ladder")] == [1, 2]


def test_law_3_a_customer_at_the_order_is_not_a_newcomer_by_a_later_list(
    world: World,
) -> None:
    world.referral(NEWCOMER)
    world.clock.advance(hours=1)
    known = [*CUSTOMERS, *VIPS, CANARY, NEWCOMER]
    world.drop_list("customers", known, file="tuesday")
    world.clock.advance(hours=1)
    ordered = world.order("A1", "kept", of=NEWCOMER)
    world.clock.advance(hours=1)
    world.drop_list("customers", [*known, "another@example.fr"], file="wednesday")
    record(world, ordered)
    world.run()
    assert granted(world) == [("welcome", 0)]
    [referral] = world.memory.all(Referral)
    assert referral.newcomer_list_version == 2


def test_a_list_made_after_the_first_order_proves_nothing_about_a_newcomer(world: World) -> None:
    world.referral(NEWCOMER)
    ordered = world.order("A1", "kept", of=NEWCOMER)
    world.clock.advance(hours=6)
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, NEWCOMER], file="next")
    record(world, ordered)
    world.run()
    assert ("ladder-first", 1) in granted(world)


def test_law_3_without_a_trustworthy_list_no_reward_is_granted_until_there_is_one(
    world: World,
) -> None:
    world.referral(NEWCOMER)
    world.lists.fails = "read_failed"
    keep(world, "A1")
    assert granted(world) == [("welcome", 0)]
    world.lists.fails = None
    world.run()
    assert granted(world) == [("ladder-first", 1), ("sponsor-reward", 1), ("welcome", 0)]


CLIENT_TEMPLATES = {
    name: {"prefix": "OW", "value": "10.00", "valid_days": 60, "codes": "client"}
    for name in ("welcome", "second-order", "third-order", "fourth-order", "thank-you")
}


def test_a_clients_own_codes_are_used_once_each_and_waited_for() -> None:
    world = new_world(templates=CLIENT_TEMPLATES)
    assert world.drop("codes/welcome/a.csv", b"code\nOWN-1001\nOWN-1002\nown1002\n").rejected == 1
    world.referral(NEWCOMER)
    world.referral("paul@example.fr", VIPS[1])
    world.referral("zoe@example.fr", VIPS[2])
    world.export()
    assert sorted(row["code"] for row in world.exported(1)) == ["OWN-1001", "OWN-1002"]
    again = world.drop("codes/welcome/b.csv", b"OWN-1001\nOWN-1003\n")
    assert [(one.line, one.reason) for one in again.errors] == [(1, "code_issued_already")]
    world.run()
    world.export()
    assert [row["code"] for row in world.exported(2)] == ["OWN-1003"]


def test_a_code_given_for_two_templates_is_issued_once_and_blocks_nobody() -> None:
    world = new_world(templates=CLIENT_TEMPLATES)
    for template in ("welcome", "second-order", "thank-you"):
        world.drop(f"codes/{template}/a.csv", f"code\nOWN-1001\n{template}-2\n".encode())
    world.referral(NEWCOMER)
    keep(world, "A1")
    assert len(granted(world)) == 3
    printed = [voucher.code for voucher in world.memory.all(Voucher)]
    assert len(set(printed)) == 3


def test_one_rule_out_of_codes_does_not_hold_up_the_others() -> None:
    world = new_world(templates=CLIENT_TEMPLATES)
    world.drop("codes/thank-you/a.csv", b"TY-10001\n")
    world.referral(NEWCOMER)
    record(world, world.order("A1", "kept", of=NEWCOMER))
    [kept] = world.facts(FactName.ORDER_KEPT)
    with pytest.raises(RetryLaterError):
        reward(world.ports, kept)
    assert granted(world) == [("sponsor-reward", 1)]


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=SEEDS, orders=st.integers(1, 4))
def test_law_4_in_any_order_and_number_of_deliveries_each_rung_is_rewarded_once(
    seed: int, orders: int
) -> None:
    chance, world = Random(seed), new_world()
    world.invite(world.sponsor(), NEWCOMER)
    world.run(chance)
    world.confirm(NEWCOMER)
    world.run(chance)
    rows = [
        world.order(f"A{number}", status, of=NEWCOMER)
        for number in range(orders)
        for status in ("placed", "kept")
    ]
    rows += chance.choices(rows, k=3)
    chance.shuffle(rows)
    for position, row in enumerate(rows):
        world.drop_orders(row, file=f"{position}")
        if chance.random() < 0.5:
            world.run(chance)
    world.run(chance)
    ladder = ["ladder-first", "ladder-second", "ladder-third"][:orders]
    expected = [(rule, rung) for rung, rule in enumerate(ladder, 1)]
    assert granted(world) == sorted([*expected, ("sponsor-reward", 1), ("welcome", 0)])
    vouchers = world.memory.all(Voucher)
    assert len({(one.rule, one.referral_id, one.rung) for one in vouchers}) == len(vouchers)
    world.export()
    world.run(chance)
    assert len(world.exported(1)) == len(vouchers)
    assert len(world.mailer.to(NEWCOMER)) == 1
    assert len(world.journal()) == len(world.facts())


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=SEEDS)
def test_law_4_with_orders_returned_no_rung_is_rewarded_twice_and_no_return_rewarded(
    seed: int,
) -> None:
    chance, world = Random(seed), new_world()
    world.referral(NEWCOMER)
    rows = [
        world.order(f"A{number}", status, of=NEWCOMER)
        for number in range(3)
        for status in ("placed", "kept", *(["returned"] if number == 1 else []))
    ]
    chance.shuffle(rows)
    for position, row in enumerate(rows):
        world.drop_orders(row, file=f"{position}")
        if chance.random() < 0.5:
            world.run(chance)
    world.run(chance)
    # Two orders are kept: the first two rungs stand, whichever order was reported first.
    assert granted(world) == [
        ("ladder-first", 1), ("ladder-second", 2), ("sponsor-reward", 1), ("welcome", 0),
    ]  # fmt: skip
    standing = [one for one in world.memory.all(Voucher) if one.state is not VoucherState.REVOKED]
    assert len({(one.rule, one.referral_id, one.rung) for one in standing}) == len(standing) == 4


def test_law_4_what_is_granted_does_not_depend_on_when_a_return_is_worked_on() -> None:
    outcomes = []
    for promptly in (True, False):
        world = new_world()
        world.referral(NEWCOMER)
        for order_id, status in (("A1", "kept"), ("A2", "kept"), ("A1", "returned")):
            record(world, world.order(order_id, status, of=NEWCOMER))
            if promptly:
                world.run()
        world.run()
        keep(world, "A3")
        outcomes.append(granted(world))
    assert outcomes[0] == outcomes[1]
