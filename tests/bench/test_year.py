"""`python -m bench.year` in small: nothing differs, and each check finds what does."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

import pytest

from bench.year.__main__ import AMPLE, SCENARIOS, Scenario, by_people, months, play
from bench.year.cast import Cast
from bench.year.checks import CHECKS
from bench.year.player import OUT, Year
from bench.year.programme import Programme
from chalicelib.domain.entity import Entity
from chalicelib.domain.orders import Order
from chalicelib.domain.rewards import Budget, Reward, is_active
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.ports import Replace
from tests.fakes.campaign import CAMPAIGN
from tests.file_schemas import schema_of, wrong_with

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("year")]

SPONSORS, DAYS = 16, 330
REPORTED, REORDERED, SMALL_BUDGET = SCENARIOS


def played(scenario: Scenario, sponsors: int, days: int) -> tuple[Year, list[str]]:
    """A year after its end, and every difference that was found in it."""
    year = Year(Cast(7, sponsors), scenario.programme, scenario.sequence, last_day=days)
    found = [line for month in months(scenario, year, days) for line in month.differences]
    return year, found


@pytest.fixture(scope="module")
def year() -> Year:
    """A year in which nothing differs."""
    year, found = played(REPORTED, SPONSORS, DAYS)
    assert found == []
    return year


def test_another_sequence_of_each_days_reports_ends_at_the_same_rewards(year: Year) -> None:
    other, found = played(REORDERED, SPONSORS, DAYS)
    assert found == []
    assert by_people(other) == by_people(year)
    assert [one.row for one in other.office.delivered] != [one.row for one in year.office.delivered]


def test_a_year_of_the_command_line_ends_with_its_rewards() -> None:
    one, other = (play(each, 3, 10, 40) for each in (REPORTED, REORDERED))
    assert [month.month for month in one.months][-1] == "2026-04"
    assert one.months[-1].differences == other.months[-1].differences == []
    assert one.rewards == other.rewards


def test_a_budget_that_runs_out_and_a_cap_are_kept_to_the_cent() -> None:
    programme = Programme(budget=400, referee_cap=2, give_back=("cancelled", "returned"))
    year, found = played(replace(SMALL_BUDGET, programme=programme), SPONSORS, 240)
    assert found == []
    refused = {one.refused_reason for one in year.world.memory.all(Reward)}
    assert {"budget_spent", "referee_cap"} <= refused


def test_much_of_everything_happens_in_a_year(year: Year) -> None:
    names = (
        "confirmed", "codes used", "redemption calls", "codes refused", "vouchers ended",
        "orders ended", "order rows by call", "own code files",
    )  # fmt: skip
    assert all(year.counts[name] for name in names), year.counts
    states = {one.state for one in year.world.memory.all(Voucher)}
    assert {VoucherState.REDEEMED, VoucherState.EXPIRED, VoucherState.REVOKED} <= states
    assert year.programme.budget == AMPLE
    assert {one.buyer for one in year.world.memory.all(Order)} >= {"referee", "sponsor"}


def test_every_file_of_a_year_is_as_its_published_schema_says(year: Year) -> None:
    written = {**year.world.files.erased, **year.world.files.content}
    files = {path: content for path, content in written.items() if schema_of(path)}
    assert {schema_of(path) for path in files} >= {
        "export", "export-manifest", "changes", "changes-manifest", "statement",
        "statement-manifest", "referrals", "receipt",
    }  # fmt: skip
    assert [wrong for file in files.items() for wrong in wrong_with(*file)] == []


# --- each check finds what is wrong --------------------------------------------------------------


def first(year: Year, state: VoucherState) -> Voucher:
    return next(one for one in year.world.memory.all(Voucher) if one.state is state)


def store(year: Year, entity: Entity) -> None:
    year.world.memory.commit(Replace(entity))


def another_value(year: Year) -> None:
    store(year, replace(first(year, VoucherState.REDEEMED), value_minor=1))


def another_state(year: Year) -> None:
    store(year, replace(first(year, VoucherState.EXPIRED), state=VoucherState.REVOKED))


def another_order(year: Year) -> None:
    store(year, replace(first(year, VoucherState.REDEEMED), redeemed_by="another"))


def an_hour_too_long(year: Year) -> None:
    voucher = first(year, VoucherState.REDEEMED)
    store(year, replace(voucher, valid_until=voucher.valid_until + timedelta(hours=1)))


def a_count_too_many(year: Year) -> None:
    counts = year.world.memory._counts
    day = next(of_day for (pk, _), of_day in counts.items() if pk.startswith(f"COUNT#{CAMPAIGN}"))
    day["confirmed"] = day.get("confirmed", 0) + 1


def a_cent_missing(year: Year) -> None:
    path = max(one for one in year.world.files.under(f"{OUT}statements/") if "manifest" in one)
    manifest = json.loads(year.world.files.content[path])
    manifest["totals"][0]["closing"] -= 1
    year.world.files.content[path] = json.dumps(manifest).encode()


def a_cent_too_much(year: Year) -> None:
    budget = year.world.repository.get(Budget, campaign=CAMPAIGN)
    assert budget
    store(year, replace(budget, spent_minor=budget.spent_minor + 1))


def a_reward_lost(year: Year) -> None:
    reward = next(one for one in year.world.memory.all(Reward) if is_active(one))
    store(year, replace(reward, revoked_at=year.world.clock()))


def paid_for_an_order_of_his_own(year: Year) -> None:
    reward = next(
        one for one in year.world.memory.all(Reward) if is_active(one) and one.to == "sponsor"
    )
    sponsor = year.sponsor_of[reward.referral_id]
    day = next(iter(year.cast.purchases))
    own = replace(year.cast.purchases[day][0], buyer=sponsor)
    year.cast.purchases[day].append(own)
    row = year.office.delivered[0].row | {"order_id": own.order_id}
    year.office.delivered.append(replace(year.office.delivered[0], row=row))
    store(year, replace(reward, order_id=own.order_id))


WRONG: dict[str, Callable[[Year], None]] = {
    "exports": another_value,
    "fold of the files": another_state,
    "redemptions": another_order,
    "last days": an_hour_too_long,
    "journal": a_count_too_many,
    "statements": a_cent_missing,
    "budget and caps": a_cent_too_much,
    "rewards": a_reward_lost,
    "rewards and vouchers": a_reward_lost,
    "own purchases": paid_for_an_order_of_his_own,
}


@pytest.mark.parametrize("check", CHECKS)
def test_each_check_finds_what_is_wrong(year: Year, check: str) -> None:
    tampered = deepcopy(year)
    assert list(CHECKS[check](tampered)) == []
    WRONG[check](tampered)
    assert list(CHECKS[check](tampered))
