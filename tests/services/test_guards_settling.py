"""Settling rewards, exports and refusals: what is asked once, what is counted, what is not made."""

from __future__ import annotations

import pytest

from chalicelib.domain.exports import Export
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Budget
from chalicelib.domain.vouchers import Voucher, VoucherState, valid_until
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.orders.record_many import record_reported_orders
from chalicelib.services.vouchers import changes
from chalicelib.services.vouchers.changes import write_changes
from chalicelib.services.vouchers.reward import reward
from tests.fakes.campaign import CANARY, campaign, templates
from tests.fakes.due import reconcile
from tests.fakes.repository import RecordingRepository
from tests.fakes.till import Till
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world, wrapped
from tests.services.test_order_attacks import assert_counts_what_stands
from tests.services.test_orders import NEWCOMER, granted, keep, record, row_of
from tests.services.test_redemption_rewards import (
    KEPT,
    PAUL,
    USED,
    WELCOME,
    first_code,
    report,
    use,
)
from tests.services.test_replacement import OWN_CODES, by_state, exported, refuse

LOOK_UP = "read OrderUses + Order + RefereeClaim + SponsorClaim"

# --- who was a newcomer ---------------------------------------------------------------------------


def test_law_3_who_has_very_many_orders_is_looked_up_before_the_first_reward(
    world: World,
) -> None:
    world.referral(NEWCOMER)
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, NEWCOMER], "next")
    for number in range(30):
        record(world, world.order(f"A{number:02}", of=NEWCOMER))
    keep(world, "A00")
    assert granted(world) == [("welcome", 0)]
    [referral] = world.memory.all(Referral)
    assert referral.newcomer is False


def test_law_3_who_has_very_many_orders_is_looked_up_again_by_an_earlier_one(
    world: World,
) -> None:
    world.referral(NEWCOMER)
    world.clock.advance(hours=1)
    monday = world.order("M1", "kept", of=NEWCOMER)
    world.clock.advance(days=1)
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, NEWCOMER], "tuesday")
    world.clock.advance(days=1)
    for number in range(30):
        record(world, world.order(f"A{number:02}", of=NEWCOMER))
    keep(world, "A00")
    assert granted(world) == [("welcome", 0)]
    report(world, monday)
    assert ("ladder-first", 1) in granted(world)


def test_once_it_is_known_who_was_a_newcomer_no_reward_waits_for_the_list(world: World) -> None:
    world.referral(NEWCOMER)
    keep(world, "A1")
    world.lists.fails = "read_failed"
    world.clock.advance(minutes=1)
    keep(world, "A2")
    assert ("ladder-second", 2) in granted(world)


def test_a_reward_that_waits_for_the_list_is_granted_when_it_is_back(world: World) -> None:
    world.referral(NEWCOMER)
    record(world, world.order("A1", "kept", of=NEWCOMER))
    [kept] = world.facts(FactName.ORDER_KEPT)
    world.lists.fails = "read_failed"
    with pytest.raises(RetryLaterError):
        reward(world.ports, kept)
    world.lists.fails = None
    world.run()
    assert granted(world) == [("ladder-first", 1), ("sponsor-reward", 1), ("welcome", 0)]


def test_a_use_that_earns_nothing_waits_for_no_list() -> None:
    world = new_world(rules=[WELCOME, USED | {"if": {"template": "thank-you"}}])
    code = first_code(world)
    world.lists.fails = "read_failed"
    use(world, code, world.order("A1", of=NEWCOMER))
    [used] = world.facts(FactName.VOUCHER_REDEEMED)
    assert reward(world.ports, used) == []


# --- what is counted ------------------------------------------------------------------------------


def test_law_4_the_cap_counts_the_sponsors_own_rewards_and_a_campaign_may_have_no_budget() -> None:
    world = new_world(rules=[WELCOME, KEPT, KEPT | {"id": "own", "to": "referee"}])
    world.referral(PAUL)
    report(world, world.order("P1", "kept", of=PAUL))
    world.referral(NEWCOMER)
    keep(world, "A1")
    [sponsor] = world.memory.all(Sponsor)
    assert sponsor.rewards == 2
    report(world, world.order("A1", "returned", of=NEWCOMER))
    [sponsor] = world.memory.all(Sponsor)
    assert sponsor.rewards == 1
    assert world.memory.all(Budget) == []
    assert_counts_what_stands(world)


def test_who_is_refused_for_a_cap_is_not_noted_as_found_on_a_later_list() -> None:
    world = new_world(rules=[WELCOME, KEPT], caps={"sponsor_rewards": 1})
    for number, address in enumerate((NEWCOMER, PAUL)):
        world.referral(address)
        report(world, world.order(f"A{number}", "kept", of=address))
    assert [one.details["reason"] for one in world.facts(FactName.REWARD_REFUSED)] == [
        "sponsor_cap"
    ]
    assert not any(one.found_on_later_list for one in world.memory.all(Referral))


# --- exports and refusals -------------------------------------------------------------------------


def test_nothing_is_opened_where_nothing_waits(world: World) -> None:
    assert world.export() is None
    assert world.memory.all(Export) == []


def test_an_export_may_be_acknowledged_after_the_client_has_taken_its_file_away() -> None:
    world = exported(new_world())
    for path in world.files.under("out/demo-vip/vouchers/"):
        world.files.remove(path)
    assert world.acknowledge(1).effects == {"acknowledged": 1}


def test_a_replacement_is_that_of_the_template_in_force() -> None:
    world = exported(new_world())
    put_campaign(world.ports, campaign(templates=templates(welcome={"valid_days": 10})))
    world.clock.advance(minutes=1)
    refuse(world, 1)
    issued = by_state(world, VoucherState.ISSUED)
    assert issued.valid_until == valid_until(world.campaign, world.clock(), 10)
    assert world.facts(FactName.VOUCHER_REFUSED_REPEATEDLY) == []


def test_a_refusal_that_waits_for_a_code_is_counted_once() -> None:
    world = new_world(**OWN_CODES)
    world.drop("codes/welcome/a.csv", b"OWNCODE-1\n")
    exported(world)
    for number in (1, 2):
        refuse(world, number)
        world.drop("codes/welcome/more.csv", f"OWNCODE-{number + 1}\n".encode())
        assert reconcile(world.ports)["refused_repeatedly"] == 0
        assert len(world.memory.all(Voucher)) == number + 1
        world.export()


def test_a_voucher_of_which_more_is_to_be_read_is_written_as_far_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(changes, "BATCH_LIMIT", 1)
    till = Till(new_world())
    key = till.issue()
    till.world.export()
    for order_id in ("A1", "A2"):
        till.world.clock.advance(seconds=1)
        till.redeem(key, order_id)
        till.world.clock.advance(seconds=1)
        till.roll_back(key)
    written = write_changes(till.ports, till.world.campaign, file_rows=1)
    assert [file.rows for file in written] == [1, 1, 1, 1]


# --- what it costs --------------------------------------------------------------------------------


def test_the_orders_of_strangers_cost_one_look_up_together(world: World) -> None:
    recording = RecordingRepository(world.repository)
    ports = wrapped(world, lambda _: recording)
    rows = [row_of(world.order(f"A{number}", of=f"s{number}@example.fr")) for number in range(9)]
    outcomes = list(record_reported_orders(ports, [world.campaign], rows))
    assert {outcome.effect for outcome in outcomes if outcome} == {"not_a_referees"}
    assert recording.calls == [LOOK_UP]


def calls_of(world: World, fact: Fact) -> list[str]:
    """What it takes to work on a fact again, when all is settled already."""
    recording = RecordingRepository(world.repository)
    assert reward(wrapped(world, lambda _: recording), fact) == []
    return recording.calls


@pytest.mark.parametrize("rules", [[WELCOME, KEPT], [WELCOME, KEPT, USED]])
def test_redemptions_are_looked_at_where_a_rule_rewards_them(rules: list[object]) -> None:
    world = new_world(rules=rules)
    code = first_code(world)
    report(world, world.order("A1", "kept", of=NEWCOMER, code=code))
    calls = calls_of(world, world.facts(FactName.ORDER_KEPT)[-1])
    assert ("get Redemption" in calls) is (USED in rules)
    # Of the vouchers that the referee holds, the one whose use was decided on.
    assert calls.count("get Voucher") == 2 * (USED in rules)


def test_rewards_that_are_no_ones_for_a_use_lead_to_no_voucher(world: World) -> None:
    world.referral(NEWCOMER)
    keep(world, "A1")
    calls = calls_of(world, world.facts(FactName.ORDER_KEPT)[-1])
    assert [call for call in calls if "Voucher" in call or "Redemption" in call] == []
    assert calls.count("get Referral") == 1


def test_a_revoked_reward_leads_to_referrals_with_a_reward_that_a_cap_refused() -> None:
    world = new_world(rules=[WELCOME, KEPT, KEPT | {"id": "own", "to": "referee"}])
    world.referral(NEWCOMER)
    world.referral(PAUL)
    keep(world, "A1")
    report(world, world.order("A1", "returned", of=NEWCOMER))
    revoked = world.facts(FactName.REWARD_REVOKED)
    assert len(revoked) == 2
    assert [calls_of(world, fact) for fact in revoked] == [[], []]
