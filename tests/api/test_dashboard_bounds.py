"""A campaign of the most rules there can be: its counts of a day stay an item, the answer of its
dashboard one that a function can give, over a year and with the longest names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from chalicelib.adapters.dynamodb.counts import count_actions
from chalicelib.api.dashboards import dashboard_answer
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import MOST_RULES, HolderRole, Release
from chalicelib.domain.effects import deltas, funnel
from chalicelib.domain.fact_bodies import (
    InvitationReceived,
    OrderKept,
    ReferralConfirmed,
    RewardRefused,
    RewardRevoked,
    VoucherExpired,
    VoucherIssued,
    VoucherRedeemed,
)
from chalicelib.domain.facts import Fact, FactBody
from chalicelib.domain.figures import HOURS, MOST_KEPT
from chalicelib.domain.invitations import Channel
from chalicelib.domain.rewards import RewardRefusal
from chalicelib.services.operations.dashboard import view_dashboard
from chalicelib.services.ports import COUNTERS_AN_UPDATE
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.world import new_world

LARGEST_ITEM = 400 * 1024
LARGEST_ANSWER = 6 * 1024 * 1024
LARGEST_EXPRESSION = 4_096
A_YEAR = 366
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LONG = "x" * 37  # of a name that has 40 letters at most


def test_the_counts_of_a_day_are_an_item_though_every_rule_grants_for_every_order() -> None:
    counts = of_a_day(ages=1_100)
    actions = count_actions("table", "0" * 64, {CAMPAIGN: {NOON.date(): counts}})
    letters = sum(map(len, (name for action in actions for name in names_in(action))))
    assert len(actions) > 1
    assert letters + len(counts) * len("-1000000000") < LARGEST_ITEM


def test_an_expression_has_room_for_as_many_counters_as_it_may_add_to() -> None:
    counts = of_a_day(ages=A_YEAR)
    facts = [fact_of(InvitationReceived(**ABOUT, channel=Channel.EMAIL, campaign_version=1))]
    actions = count_actions("table", "0" * 64, {CAMPAIGN: {NOON.date(): counts}}, facts)
    assert {len(names_in(one)) for one in actions[:-1]} == {COUNTERS_AN_UPDATE}
    assert sorted(name for one in actions for name in names_in(one)) == sorted(counts)
    assert len({str(one["Update"]["Key"]) for one in actions}) == len(actions)
    assert max(len(one["Update"]["UpdateExpression"]) for one in actions) < LARGEST_EXPRESSION


def test_the_answer_over_a_year_is_one_that_a_function_can_give() -> None:
    names = of_a_day(ages=A_YEAR)
    days = [(NOON + timedelta(days=age)).date() for age in range(A_YEAR)]
    figures = {
        day: {name: value_of(name) for name in names if age_in(name) <= age}
        for age, day in enumerate(days)
    }
    shown = replace(
        view_dashboard(new_world().ports, CAMPAIGN),
        days={day: dict.fromkeys(funnel({}), 10_000) for day in reversed(days)},
        figures_by_day=figures,
        figures={name: A_YEAR * value_of(name) for name in names},
    )
    assert len(dashboard_answer(shown).model_dump_json()) < LARGEST_ANSWER


def test_a_figure_is_a_run_from_its_first_day_to_its_last() -> None:
    days = [NOON.date() + timedelta(days=number) for number in range(5)]
    of = {1: {"revenue": 5}, 3: {"revenue": -7, "oppositions": 1}}
    shown = replace(
        view_dashboard(new_world().ports, CAMPAIGN),
        days={day: funnel({}) for day in days},
        figures_by_day={day: of.get(number, {}) for number, day in enumerate(days)},
    )
    answer = dashboard_answer(shown)
    assert answer.figures_by_day == {"oppositions": [3, 1], "revenue": [1, 5, 0, -7]}
    assert {name for day in answer.days for name in day} == {"date", *funnel({})}


ABOUT: Any = {"sponsor_id": "s", "invitation_id": "i"}


def fact_of(body: FactBody) -> Fact:
    return Fact.of(body, fact_id="f", campaign=CAMPAIGN, subject="s", at=NOON, correlation="c")


def of_a_day(ages: int) -> dict[str, int]:
    """All that a day can count, of orders up to so many days after their confirmation."""
    started = NOON - timedelta(days=ages)
    of: Campaign = campaign()
    facts = [fact_of(body) for body in (*people(), *vouchers(), *orders(started, ages))]
    hours = [replace(one, at=NOON.replace(hour=hour)) for hour in range(23) for one in facts[:20]]
    [counts] = deltas(of, [*facts, *hours]).values()
    return counts


def people() -> Iterator[FactBody]:
    for channel, hours in product(Channel, (*HOURS, 1_000)):
        yield InvitationReceived(**ABOUT, channel=channel, campaign_version=1)
        yield ReferralConfirmed(
            **ABOUT, referral_id="r", campaign_version=1, customers_version=1,
            marketing_consent=False, terms_version="1", channel=channel, waited_s=hours * 3_600,
        )  # fmt: skip


def vouchers() -> Iterator[FactBody]:
    """Of each rule, for each order, all that can become of them, each month."""
    for number, rung, month in product(range(MOST_RULES), range(1, 12), range(1, 13)):
        rule = f"{LONG}-{number:02}"
        use: dict[str, Any] = {
            "voucher_id": "v", "referral_id": "r", "holder_id": "h", "template": rule,
            "rule": rule, "rung": rung, "value_minor": 500,
            "ends_in": f"2026-{month:02}",
        }  # fmt: skip
        granted = use | {
            "holder": HolderRole.SPONSOR, "release": Release.AT_ONCE, "campaign_version": 1,
        }  # fmt: skip
        yield VoucherIssued(**granted)
        yield VoucherIssued(**granted, replaces_id="v0", replaced_ends_in="2026-01")
        yield VoucherRedeemed(**use, holder=HolderRole.SPONSOR)
        yield VoucherExpired(**use)
        yield RewardRevoked(**use, reason="order_returned")
        yield RewardRefused(
            referral_id="r", sponsor_id="s", rule=rule, rung=rung, reason=RewardRefusal.SPONSOR_CAP
        )


def orders(started: datetime, ages: int) -> Iterator[FactBody]:
    for age, number in product(range(ages), range(1, MOST_KEPT + 1)):
        yield OrderKept(
            referral_id="r", sponsor_id="s", amount_minor=100, reaches=number, loses=number,
            confirmed_at=(started + timedelta(days=ages - age)).isoformat(), revenue_minor=100,
        )  # fmt: skip


def names_in(action: Any) -> list[str]:
    names = action["Update"]["ExpressionAttributeNames"]
    return [name for place, name in names.items() if place != "#until"]


def age_in(name: str) -> int:
    family, _, rest = name.partition(".")
    return int(rest.rpartition(".")[2]) if family in {"kept", "lost"} else 0


def value_of(name: str) -> int:
    """Thousands a day, a million in money, and 16,000 kept orders of referees of a year."""
    family = name.partition(".")[0]
    if family in {"kept", "lost"}:
        return 9
    return 10_000_000 if family in {"money", "rule_money", "due", "revenue"} else 1_000
