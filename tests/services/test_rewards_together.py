"""What one fact sets off when part of it must wait, fails to be found, or meets another at work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.effects import BOUGHT_BY, totals
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.orders import Buyer, Order, OrderStatus
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.orders.record import OrderOutcome
from chalicelib.services.orders.record_many import record_reported_orders
from chalicelib.services.ports import Insert, Remove, Replace, Repository
from chalicelib.services.vouchers import reward as rewarding
from chalicelib.services.vouchers.reward import reward
from chalicelib.services.vouchers.settle import load_rewards, settle
from tests.fakes.campaign import CAMPAIGN, CANARY, campaign
from tests.fakes.repository import (
    ContestedRepository,
    LaggingRepository,
    MemoryRepository,
    RecordingRepository,
)
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world, wrapped
from tests.services.test_order_attacks import USED, WELCOME
from tests.services.test_order_judgement import PAUL, STRANGER, only_order, welcome_code
from tests.services.test_orders import NEWCOMER, granted, keep, record, row_of

LATER = {"prefix": "OW", "value": "5.00", "valid_days": 60, "codes": "client"}
FIRST = {"id": "first", "when": "order_kept", "issue": "second-order", "to": "referee"}


def test_a_template_without_codes_does_not_hold_up_what_a_redemption_earns() -> None:
    templates = {**campaign().model_dump(mode="json")["templates"], "second-order": LATER}
    world = new_world(rules=[WELCOME, USED, FIRST], templates=templates)
    code = welcome_code(world)
    record(world, world.order("A1", "kept", of=NEWCOMER, code=code))
    [kept] = world.facts(FactName.ORDER_KEPT)
    with pytest.raises(RetryLaterError):
        reward(world.ports, kept)
    assert granted(world) == [("used", 1), ("welcome", 0)]


def test_a_redemption_waits_for_its_voucher_in_the_index() -> None:
    world = new_world(rules=[WELCOME, USED])
    code = welcome_code(world)
    record(world, world.order("A1", of=NEWCOMER, code=code))
    [used] = world.facts(FactName.VOUCHER_REDEEMED)
    lagging = wrapped(world, lambda inner: LaggingRepository(inner, MemoryRepository()))
    with pytest.raises(RetryLaterError):
        reward(lagging, used)
    reward(world.ports, used)
    assert granted(world) == [("used", 1), ("welcome", 0)]


THANKS = {"id": "thanks", "when": "order_kept", "if": {"order": 1}, "issue": "thank-you"}


def capped(*addresses: str, **later: Any) -> tuple[World, Fact]:
    """A sponsor whose cap allowed the first referee's reward alone, and its revocation. `later`: of
    a version of the campaign that comes after the refusals.
    """
    rules: dict[str, Any] = {
        "rules": [THANKS | {"to": "sponsor"}],
        "caps": {"sponsor_rewards": 1},
    }
    world = new_world(**rules)
    for number, address in enumerate(addresses):
        world.referral(address)
        record(world, world.order(f"A{number}", "kept", of=address))
        world.run()
    if later:
        put_campaign(world.ports, campaign(**rules | later))
        world.clock.advance(minutes=1)
    record(world, world.order("A0", "returned", of=addresses[0]))
    [returned] = world.facts(FactName.ORDER_RETURNED)
    reward(world.ports, returned)
    [revocation] = world.facts(FactName.REWARD_REVOKED)
    return world, revocation


def settled_by(world: World, fact: Fact, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The referrals that are settled by the work that follows from a fact, and its outcomes."""
    settled: list[str] = []

    def noted(*arguments: Any) -> list[str]:
        settled.append(arguments[1])
        return settle(*arguments)

    monkeypatch.setattr(rewarding, "settle", noted)
    outcomes = reward(world.ports, fact)
    return [*dict.fromkeys(settled), *outcomes]


def test_of_all_that_a_cap_refused_only_as_many_are_settled_as_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, revocation = capped(NEWCOMER, PAUL, "zoe@example.fr", "luc@example.fr")
    first, *outcomes = settled_by(world, revocation, monkeypatch)
    assert outcomes == ["granted"]
    assert [one.referral_id for one in standing(world)] == [first]
    assert settled_by(world, revocation, monkeypatch) == []


def test_a_cap_that_a_later_version_has_raised_leaves_room_to_look_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, revocation = capped(NEWCOMER, PAUL, "zoe@example.fr", caps={"sponsor_rewards": 2})
    assert len(settled_by(world, revocation, monkeypatch)) == 3
    assert len(standing(world)) == 1, "both orders were kept under the version before"


def test_a_sponsor_who_is_erased_gets_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    world, revocation = capped(NEWCOMER, PAUL)
    [sponsor] = world.memory.all(Sponsor)
    world.repository.commit(Remove(sponsor))
    assert settled_by(world, revocation, monkeypatch) == []


def test_a_count_of_an_earlier_version_is_made_again_before_it_closes_the_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, revocation = capped(NEWCOMER, PAUL)
    [sponsor] = world.memory.all(Sponsor)
    world.repository.commit(Replace(replace(sponsor, rewards=1, counts_revoked=True)))
    assert settled_by(world, revocation, monkeypatch)[1:] == ["granted"]
    assert len(standing(world)) == 1


def test_a_count_of_this_version_is_not_made_again_from_an_index_that_may_lag() -> None:
    world, _ = capped(NEWCOMER, PAUL)
    [sponsor] = world.memory.all(Sponsor)
    world.repository.commit(Replace(replace(sponsor, rewards=7)))
    referral, _ = world.memory.all(Referral)
    state = load_rewards(world.ports, referral.referral_id)
    assert state is not None
    assert state.sponsor.rewards == 7


def standing(world: World) -> list[Reward]:
    return [one for one in world.memory.all(Reward) if one.code_key and not one.revoked_at]


def test_room_freed_while_a_cap_refuses_is_filled() -> None:
    world = new_world(caps={"sponsor_rewards": 1})
    for number, address in enumerate((NEWCOMER, PAUL)):
        world.referral(address)
        record(world, world.order(f"A{number}", "kept", of=address))
        if not number:
            world.run()
    [_, second] = world.facts(FactName.ORDER_KEPT)

    def the_first_is_returned() -> None:
        record(world, world.order("A0", "returned", of=NEWCOMER))
        [returned] = world.facts(FactName.ORDER_RETURNED)
        reward(world.ports, returned)

    def contested(inner: Repository) -> Repository:
        # The first write is that of the referee's reward, the third the refusal of the sponsor's.
        return ContestedRepository(inner, the_first_is_returned, at=3)

    reward(wrapped(world, contested), second)
    [standing] = [
        one
        for one in world.memory.all(Reward)
        if one.rule == "sponsor-reward" and one.code_key and not one.revoked_at
    ]
    assert standing.order_id == "A1"


def bought_by(world: World) -> dict[str, int]:
    summed = totals(world.repository.counts(CAMPAIGN))
    return {name: value for name, value in summed.items() if name.startswith(BOUGHT_BY)}


def test_correcting_an_order_that_was_never_counted_counts_nothing_less(world: World) -> None:
    code = welcome_code(world)
    record(world, world.order("A1", code=code))
    world.run()
    stored = only_order(world)
    # As 0.2.0 stored it: without the versions, and its buyer in no count.
    world.repository.commit(Replace(replace(stored, first_version=None, status_version=None)))
    before = bought_by(world)
    record(world, world.order("A1", of=VIPS[0], code=code))
    world.run()
    assert only_order(world).buyer is Buyer.SPONSOR
    assert bought_by(world) == before


def test_a_return_that_names_the_buyer_takes_no_kept_order_away(world: World) -> None:
    code = welcome_code(world)
    record(world, world.order("A1", "kept", code=code))
    record(world, world.order("A1", "returned", of=NEWCOMER, code=code))
    world.run()
    assert only_order(world).buyer is Buyer.REFEREE
    assert world.funnel()["orders_kept"] == 1


def test_a_status_with_a_date_of_its_own_makes_nobody_a_customer() -> None:
    world = new_world(buyer="anyone")
    code = welcome_code(world)
    record(world, world.order("A1", of=STRANGER, code=code))
    world.clock.advance(days=1)
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, STRANGER], file="next")
    world.clock.advance(days=1)
    record(world, world.order("A1", "kept", of=STRANGER, code=code))
    assert (only_order(world).buyer, only_order(world).counts) == (Buyer.OTHER, True)


def test_a_code_that_is_not_used_because_of_its_currency_says_so(world: World) -> None:
    code = welcome_code(world)
    other = put_campaign(world.ports, campaign(campaign="other-vip", currency="CHF")).document
    [referral] = world.memory.all(Referral)
    elsewhere = replace(referral, referral_id="r", campaign=other.id, revision=0)
    stored = Order(
        campaign=other.id, order_id="A1", referral_id="r", status=OrderStatus.PLACED,
        ordered_at=world.clock(), amount_minor=100, currency="CHF",
        return_window_ends_at=world.clock(),
    )  # fmt: skip
    world.repository.commit(Insert(elsewhere), Insert(stored))
    row = row_of(world.order("A1", "kept", code=code, currency="CHF"))
    [outcome] = record_reported_orders(world.ports, [world.campaign, other], [row])
    assert outcome == OrderOutcome("recorded", voucher="wrong_currency")


# --- what it costs --------------------------------------------------------------------------------


def calls_of_reward(world: World, name: FactName) -> list[str]:
    """The calls that the newest fact of that name leads to."""
    ports = wrapped(world, RecordingRepository)
    reward(ports, world.facts(name)[-1])
    assert isinstance(ports.repository, RecordingRepository)
    return ports.repository.calls


def test_the_campaign_is_read_once_for_all_orders_of_an_earlier_version() -> None:
    world = new_world(rules=[WELCOME, FIRST | {"if": {"order": 1}}])
    world.referral(NEWCOMER)
    keep(world, "A1", "A2", "A3")
    for stored in world.memory.all(Order):
        # As 0.2.0 stored them: without the versions.
        world.repository.commit(Replace(replace(stored, first_version=None, status_version=None)))
    calls = calls_of_reward(world, FactName.ORDER_KEPT)
    assert calls.count("get CurrentCampaign") == 1
    assert granted(world) == [("first", 1), ("welcome", 0)]


def test_the_campaign_is_read_once_however_many_vouchers_an_order_uses() -> None:
    world = new_world(rules=[WELCOME, USED])
    code = welcome_code(world)
    record(world, world.order("A1", of=NEWCOMER, code=code))
    world.run()
    record(world, world.order("A1", "kept", of=NEWCOMER, code=code))
    calls = calls_of_reward(world, FactName.ORDER_KEPT)
    assert calls.count("get CurrentCampaign") == 1
    assert granted(world) == [("used", 1), ("welcome", 0)]


def test_an_order_without_a_voucher_asks_for_no_campaign() -> None:
    world = new_world(rules=[WELCOME, USED])
    world.referral(NEWCOMER)
    record(world, world.order("A1", "kept", of=NEWCOMER))
    assert "get CurrentCampaign" not in calls_of_reward(world, FactName.ORDER_KEPT)
