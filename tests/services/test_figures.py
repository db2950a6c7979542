"""The figures of the dashboard: what facts add to them, against what the world's items say."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from chalicelib.domain.facts import FactName
from chalicelib.domain.figures import FIGURED, HOURS, is_figure, within_name
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import OppositionScope
from chalicelib.domain.redemptions import Purchase
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher, VoucherState, month_of_end
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.invitations.respond import confirm
from chalicelib.services.journal import miscounts
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from chalicelib.services.objections.unsubscribe import unsubscribe
from chalicelib.services.operations.dashboard import (
    FACTS_A_LOOK,
    LOOK_EVERY_S,
    SHARDS_A_LOOK,
    Dashboard,
    seconds_behind,
    view_dashboard,
)
from chalicelib.services.operations.project import project
from chalicelib.services.ports import FACT_SHARDS
from chalicelib.services.vouchers.redeem import redeem, roll_back
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.due import expire
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world
from tests.services.test_links import come, link_of
from tests.services.test_replacement import refuse

JEANNE, PAUL, LEA = "jeanne@example.fr", "paul@example.fr", "lea@example.fr"
POLLS = FACT_SHARDS // SHARDS_A_LOOK


def shown(world: World) -> Dashboard:
    return view_dashboard(world.ports, CAMPAIGN)


def figures(world: World, family: str) -> dict[str, int]:
    """The figures of a family in total, by the rest of their names."""
    named = {name.partition("."): by for name, by in shown(world).figures.items()}
    return {rest: by for (first, _, rest), by in named.items() if first == family}


def confirmed(*addresses: str) -> World:
    world = new_world()
    world.invite(world.sponsor(), *addresses)
    world.run()
    for address in addresses:
        world.confirm(address)
    world.run()
    return world


def outstanding(world: World) -> dict[str, int]:
    """What the vouchers themselves say is outstanding, by the month it ends in."""
    ended = {VoucherState.REDEEMED, VoucherState.EXPIRED, VoucherState.REVOKED}
    due: Counter[str] = Counter()
    for voucher in world.memory.all(Voucher):
        if voucher.state not in ended:
            due[month_of_end(voucher)] += voucher.value_minor
    return dict(due)


def assert_rules_agree(world: World) -> None:
    """What is counted by rule and rung, against the vouchers and what they add up to."""
    by_rule, of_money = figures(world, "rule"), figures(world, "rule_money")
    vouchers = world.memory.all(Voucher)
    for what, state in {
        "redeemed": VoucherState.REDEEMED, "expired": VoucherState.EXPIRED,
    }.items():  # fmt: skip
        stated = [one for one in vouchers if one.state is state]
        assert named(by_rule, what) == dict(Counter(f"{one.rule}.{one.rung}" for one in stated))
        sums = Counter[str]()
        for one in stated:
            sums[f"{one.rule}.{one.rung}"] += one.value_minor
        assert named(of_money, what) == dict(sums)
    firsts = [one for one in vouchers if one.replaces is None]
    assert named(by_rule, "granted") == dict(Counter(f"{one.rule}.{one.rung}" for one in firsts))
    assert sum(named(by_rule, "replaced").values()) == len(vouchers) - len(firsts)
    money = Counter[str]()
    for name, by in figures(world, "money").items():
        money[name.partition(".")[0]] += by
    for what in ("redeemed", "expired", "revoked"):
        assert sum(named(of_money, what).values()) == money[what]
    assert sum(named(of_money, "granted").values()) == money["issued"]
    refused = named(by_rule, "refused")
    assert sum(refused.values()) == shown(world).funnel["rewards_refused"]


def named(counts: dict[str, int], what: str) -> dict[str, int]:
    start = f"{what}."
    return {name[len(start) :]: by for name, by in counts.items() if name.startswith(start)}


def assert_money_agrees(world: World) -> None:
    assert figures(world, "due") == outstanding(world)
    money = Counter[str]()
    for name, by in figures(world, "money").items():
        money[name.partition(".")[0]] += by
    owed = money["issued"] - money["redeemed"] - money["expired"] - money["revoked"]
    assert owed == sum(outstanding(world).values())
    assert_rules_agree(world)
    assert miscounts(world.ports, world.campaign) == []


def code_of(world: World, address: str) -> Voucher:
    referral = world.referral(address)
    [voucher] = [
        one for one in world.memory.all(Voucher)
        if one.referral_id == referral.referral_id and one.rung == 0
        and one.state is not VoucherState.REVOKED
    ]  # fmt: skip
    return voucher


def purchase(world: World, order_id: str, minor: int = 5_000) -> Purchase:
    return Purchase(order_id=order_id, ordered_at=world.clock(), amount_minor=minor, currency="EUR")


def test_invitations_are_counted_by_how_they_came_in(world: World) -> None:
    session = world.sponsor()
    world.invite(session, JEANNE, PAUL, CUSTOMERS[0])
    world.run()
    come(world, link_of(world, session), LEA)
    world.run()
    world.confirm(JEANNE)
    world.confirm(LEA)
    world.run()
    by_channel = {
        "email.invited": 3, "email.refused": 1, "email.sent": 2, "email.confirmed": 1,
        "link.invited": 1, "link.sent": 1, "link.confirmed": 1,
    }  # fmt: skip
    assert figures(world, "channel") == by_channel
    assert shown(world).funnel["invited"] == 4
    assert miscounts(world.ports, world.campaign) == []


def test_each_sponsor_signs_in_and_becomes_active_once(world: World) -> None:
    sessions = [world.sponsor(vip) for vip in VIPS[:4]]
    world.clock.advance(hours=1)
    again = world.sponsor(VIPS[0])
    assert figures(world, "sponsors") == {"signed_in": 4}
    world.invite(sessions[0], JEANNE)
    world.invite(again, PAUL)
    come(world, link_of(world, sessions[1]), LEA)
    world.run()
    assert figures(world, "sponsors") == {"signed_in": 4, "active": 1}  # Lea is anybody until then
    world.confirm(LEA)
    world.invite(sessions[1], "max@example.fr")
    world.run()
    assert figures(world, "sponsors") == {"signed_in": 4, "active": 2}


def test_a_sponsor_whose_link_brings_in_somebody_later_is_not_active_again(world: World) -> None:
    by_mail, by_link = world.sponsor(), world.sponsor(VIPS[1])
    world.invite(by_mail, JEANNE)
    come(world, link_of(world, by_mail), PAUL)
    world.confirm(PAUL)
    come(world, link_of(world, by_link), LEA, "max@example.fr")
    world.confirm(LEA)
    world.run()
    assert figures(world, "sponsors") == {"signed_in": 2, "active": 2}
    world.confirm("max@example.fr")
    world.run()
    assert figures(world, "sponsors") == {"signed_in": 2, "active": 2}


def test_confirmations_are_counted_by_how_long_they_took(world: World) -> None:
    world.invite(world.sponsor(), JEANNE, PAUL, LEA)
    world.run()
    for address, hours in ((JEANNE, 0), (PAUL, 4), (LEA, 100)):
        world.clock.advance(hours=hours)
        world.confirm(address)
    world.run()
    assert figures(world, "within") == {"1": 1, "6": 1, "168": 1}


@pytest.mark.parametrize(
    ("seconds", "name"),
    [(0, "within.1"), (3_600, "within.1"), (3_601, "within.3"), (HOURS[-1] * 3_600, "within.336"),
     (HOURS[-1] * 3_600 + 1, "within.more")],
)  # fmt: skip
def test_a_time_belongs_to_the_first_bound_that_holds_it(seconds: int, name: str) -> None:
    assert within_name(seconds) == name


def test_sums_of_vouchers_agree_with_the_vouchers_through_all_their_states() -> None:
    world = confirmed(JEANNE, PAUL, LEA)
    assert_money_agrees(world)
    world.export()
    redeem(world.ports, code_of(world, JEANNE).code, purchase(world, "A1"))
    redeem(world.ports, code_of(world, PAUL).code, purchase(world, "A2"))
    world.run()
    assert figures(world, "money") == {"issued.welcome": 3_000, "redeemed.welcome": 2_000}
    assert_money_agrees(world)
    roll_back(world.ports, code_of(world, PAUL).code, "A2")
    world.drop_orders(world.order("B1", "kept", of=JEANNE), world.order("B2", "kept", of=LEA))
    world.run()
    assert_money_agrees(world)
    world.clock.advance(days=1)
    world.drop_orders(world.order("B1", "returned", of=JEANNE), file="more")
    world.run()
    assert figures(world, "money")["revoked.thank-you"] == 1_500
    assert_money_agrees(world)
    world.clock.advance(days=64)  # welcome and the ladder have ended, the sponsor's have not
    expire(world.ports, world.queues)
    world.run()
    assert figures(world, "money")["expired.welcome"] == 2_000
    assert_money_agrees(world)
    roll_back(world.ports, code_of(world, JEANNE).code, "A1")  # it ends with that
    world.run()
    assert figures(world, "money")["expired.welcome"] == 3_000
    assert "redeemed.welcome" not in figures(world, "money")
    assert_money_agrees(world)


def test_a_voucher_that_replaces_a_refused_one_is_worth_it_once_in_its_own_month() -> None:
    world = confirmed(JEANNE)
    world.export()
    world.clock.advance(days=40)
    refuse(world, 1)
    assert len(world.memory.all(Voucher)) == 2
    assert figures(world, "money") == {"issued.welcome": 1_000}
    assert_money_agrees(world)


def test_a_voucher_that_replaces_another_is_the_same_reward_of_its_rule() -> None:
    world = confirmed(JEANNE)
    world.export()
    refuse(world, 1)
    assert figures(world, "rule") == {"granted.welcome.0": 1, "replaced.welcome.0": 1}
    assert figures(world, "rule_money") == {"granted.welcome.0": 1_000}


def test_referees_are_counted_by_their_kept_orders_and_by_how_long_after_the_confirmation() -> None:
    world = confirmed(JEANNE, PAUL)
    world.clock.advance(days=3)
    world.drop_orders(
        world.order("A1", "kept", of=JEANNE, amount="80.00"),
        world.order("B1", "placed", of=PAUL, amount="50.00"),
    )
    world.run()
    assert figures(world, "kept") == {"1.3": 1}
    assert shown(world).figures["revenue"] == 8_000
    world.clock.advance(days=4)
    world.drop_orders(
        world.order("A2", "kept", of=JEANNE, amount="20.50"),
        world.order("B1", "kept", of=PAUL, amount="45.00"),
        file="second",
    )
    world.run()
    assert figures(world, "kept") == {"1.3": 1, "1.7": 1, "2.7": 1}
    assert shown(world).figures["revenue"] == 8_000 + 2_050 + 4_500
    world.clock.advance(days=1)
    world.drop_orders(
        world.order("A1", "returned", of=JEANNE),
        world.order("B1", "kept", of=PAUL, amount="40.00"),
        file="third",
    )
    world.run()
    assert figures(world, "lost") == {"2.8": 1}
    assert shown(world).figures["revenue"] == 2_050 + 4_000
    assert miscounts(world.ports, world.campaign) == []


def test_kept_orders_beyond_the_last_that_is_told_apart_are_counted_by_their_revenue_alone() -> (
    None
):
    world = confirmed(JEANNE)
    orders = [world.order(f"A{each}", "kept", of=JEANNE, amount="10.00") for each in range(7)]
    world.drop_orders(*orders)
    world.run()
    assert figures(world, "kept") == {f"{number}.0": 1 for number in range(1, 6)}
    assert shown(world).figures["revenue"] == 7_000


def test_an_order_that_turns_out_to_be_somebody_elses_takes_its_sums_along() -> None:
    world = confirmed(JEANNE, PAUL)
    world.export()
    code = code_of(world, JEANNE).code
    world.drop_orders(world.order("A1", "kept", code=code, amount="60.00"))
    world.run()
    assert figures(world, "kept") == {"1.0": 1}
    world.drop_orders(world.order("A1", "kept", of=PAUL, code=code, amount="60.00"), file="more")
    world.run()
    kept = sum(len(one.kept_orders) for one in world.memory.all(Referral))
    net = sum(figures(world, "kept").values()) - sum(figures(world, "lost").values())
    assert net == kept
    assert shown(world).figures.get("revenue", 0) == 6_000 * kept
    assert miscounts(world.ports, world.campaign) == []


def test_a_code_that_is_not_used_on_its_order_is_counted_once_by_reason() -> None:
    world = confirmed(JEANNE)
    world.export()
    code = code_of(world, JEANNE).code
    row = world.order("A1", of=JEANNE, code=code, amount="12.00")
    world.drop_orders(row, world.order("A2", of=JEANNE, code="WE-NOT-OURS"))
    world.drop_orders(row | {"status": "kept"}, file="again")
    world.run()
    assert figures(world, "till") == {"below_minimum_basket": 1, "unknown": 1}


def test_mails_words_and_consents_are_counted(world: World) -> None:
    world.invite(world.sponsor(), JEANNE, PAUL)
    world.run()
    confirm(world.ports, world.token_of(JEANNE), "1", marketing_consent=True)
    unsubscribe(world.ports, world.mailer.to(PAUL)[-1].tokens[1], OppositionScope.INVITATIONS)
    world.run()
    counted = shown(world).figures
    assert counted["consents"] == 1
    assert counted["oppositions"] == 1
    assert counted["mails.sent"] == len(world.facts(FactName.MAIL_SENT)) == 3


@pytest.mark.parametrize(
    ("zone", "is_far"), [("Pacific/Kiritimati", True), ("Pacific/Pago_Pago", True), ("UTC", False)]
)
def test_what_is_outstanding_ends_in_the_month_of_the_local_day(zone: str, is_far: bool) -> None:
    world = new_world(time_zone=zone)
    world.invite(world.sponsor(), JEANNE)
    world.run()
    world.confirm(JEANNE)
    world.run()
    voucher = code_of(world, JEANNE)
    last_day = world.campaign.local_date(voucher.valid_until)
    assert figures(world, "due") == {f"{last_day:%Y-%m}": voucher.value_minor}
    assert voucher.far_zone == (zone if is_far else None)


def test_a_mail_that_the_sender_refused_for_good_is_counted_as_stuck(world: World) -> None:
    world.invite(world.sponsor(), JEANNE)
    world.run()
    [mail] = [one for one in world.memory.all(Mail) if one.mail_kind == "invitation"]
    settle_mail(world.ports, MailEvent("rejected", mail.mail_id, "ses-1"))
    world.run()
    assert shown(world).figures["mails.failed"] == len(world.facts(FactName.MAIL_FAILED)) == 1
    assert miscounts(world.ports, world.campaign) == []


def test_refusals_and_buyers_are_told_apart_by_day_too() -> None:
    world = confirmed(JEANNE)
    world.invite(world.sponsor(), CUSTOMERS[0])
    world.drop_orders(world.order("A1", of=JEANNE))
    world.run()
    found = shown(world)
    [of_day] = found.figures_by_day.values()
    assert found.refused_by_reason == {"customer": 1}
    assert of_day["refused.customer"] == 1
    assert found.orders_by_buyer == {"referee": 1}
    assert of_day["buyer.referee"] == 1
    assert not any(name.startswith(("refused.", "buyer.")) for name in found.figures)


def test_law_10_a_day_that_an_earlier_version_counted_is_compared_without_figures() -> None:
    world = confirmed(JEANNE)
    [(place, counts)] = [
        (place, counts) for place, counts in world.memory._counts.items() if counts.get(FIGURED)
    ][:1]
    world.memory._counts[place] = {name: by for name, by in counts.items() if not is_figure(name)}
    assert miscounts(world.ports, world.campaign) == []
    world.memory._counts[place] = counts | {"channel.email.sent": 7}
    [wrong] = miscounts(world.ports, world.campaign)
    assert wrong.name == "channel.email.sent"


def test_figures_are_the_vouchers_by_template_and_no_counter_of_the_funnel() -> None:
    world = confirmed(JEANNE)
    found = shown(world)
    assert found.figures["issued.welcome"] == 1
    assert found.funnel["invited"] == 1
    assert not found.figures.keys() & found.funnel.keys()


# --- how far the counts are -----------------------------------------------------------------------


def test_a_projector_that_has_stopped_is_noticed_within_three_minutes(world: World) -> None:
    session = world.sponsor()
    before = shown(world)
    assert before.lag_s == 0
    assert before.counted_until == max(fact.at for fact in world.facts())
    world.projects = False
    world.clock.advance(minutes=1)
    world.invite(session, JEANNE)
    world.run()
    left_at = world.clock()
    lags = []
    for _ in range(POLLS):
        world.clock.advance(seconds=LOOK_EVERY_S)
        lags.append(seconds_behind(world.ports))
    noticed = [lag for lag in lags if lag]
    assert noticed
    assert max(noticed) <= (world.clock() - left_at).total_seconds()
    assert shown(world).counted_until == before.counted_until
    project(world.ports, world.facts())
    assert {seconds_behind(world.ports) for _ in range(POLLS)} == {0}
    assert shown(world).counted_until == left_at


def test_a_fact_of_the_hour_before_is_seen_to_wait(world: World) -> None:
    session = world.sponsor()
    world.projects = False
    world.invite(session, JEANNE)
    world.clock.advance(minutes=70)
    lags = []
    for _ in range(POLLS):
        world.clock.advance(seconds=LOOK_EVERY_S)
        lags.append(seconds_behind(world.ports))
    assert max(lags) >= timedelta(minutes=70).total_seconds()


def test_a_day_is_divided_into_local_hours(world: World) -> None:
    session = world.sponsor()
    world.invite(session, JEANNE)  # at 09:00 UTC, in winter
    come(world, link_of(world, session), LEA)
    world.run()
    world.clock.advance(hours=3)
    world.confirm(JEANNE)
    world.run()
    by_hour = {"10.email.invited": 1, "10.link.invited": 1, "13.email.confirmed": 1}
    assert figures(world, "hour") == by_hour
    assert miscounts(world.ports, world.campaign) == []


def test_a_version_that_came_in_force_is_counted_on_its_local_day(world: World) -> None:
    assert figures(world, "release") == {}  # the first one begins the campaign
    world.clock.advance(hours=15)  # after midnight in Paris
    put_campaign(world.ports, campaign(title={"fr": "Autre", "en": "Other"}))
    world.run()
    assert figures(world, "release") == {"2": 1}
    days = shown(world).figures_by_day
    assert [str(day) for day, named in days.items() if "release.2" in named] == ["2026-03-03"]
    assert miscounts(world.ports, world.campaign) == []


def test_law_10_a_day_counted_before_hours_had_channels_is_compared_without_figures() -> None:
    world = confirmed(JEANNE)
    former = {
        "hour.10.email.invited": "hour.10.invited",
        "hour.10.email.confirmed": "hour.10.confirmed",
    }
    for place, counts in list(world.memory._counts.items()):
        world.memory._counts[place] = {
            former.get(name, "figured" if name == FIGURED else name): by
            for name, by in counts.items()
        }
    assert figures(world, "hour") == {"10.invited": 1, "10.confirmed": 1}
    assert miscounts(world.ports, world.campaign) == []


def test_a_look_reads_so_many_facts_of_a_shard_and_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def recorded(_hour: object, shard: int, count: int) -> list[object]:
        asked.append((shard, count))
        return []

    monkeypatch.setattr(world.ports.repository, "first_facts_in", recorded)
    for _ in range(POLLS):
        world.clock.advance(seconds=LOOK_EVERY_S)
        seconds_behind(world.ports)
    assert {count for _, count in asked} == {FACTS_A_LOOK} == {25}
    assert len(asked) == POLLS * 8
    assert {shard for shard, _ in asked} == set(range(FACT_SHARDS))
