"""A simulation grants what Tandem grants when the same orders are really reported."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import Result

from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.files.orders import COLUMNS
from chalicelib.domain.rewards import Budget, Reward
from chalicelib.domain.vouchers import Voucher, VoucherState, expiry_due_before, is_live
from chalicelib.services.operations.expire import end_due
from chalicelib.services.ports import Key
from cli.campaign_file import campaign_text
from tests.fakes.campaign import CANARY, templates
from tests.fakes.due import expire
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world

pytestmark = pytest.mark.slow

Tandem = Callable[..., Result]

FIRST_DAY = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
REFEREES = [f"referee{number}@demo.test" for number in range(5)]
PATHS = [
    ["placed"],
    ["placed", "kept"],
    ["kept"],
    ["placed", "returned"],
    ["placed", "kept", "returned"],
    ["placed", "cancelled"],
    ["placed", "kept", "cancelled"],
    ["returned"],
]
RULES = [
    {"id": "welcome", "when": "referral_confirmed", "issue": "welcome", "to": "referee"},
    {"id": "placed", "when": "order_placed", "if": {"minimum_amount": 50, "maximum_days": 20},
     "issue": "second-order", "to": "referee"},
    {"id": "first", "when": "order_kept", "if": {"order": 1}, "issue": "thank-you",
     "to": "sponsor"},
    {"id": "kept", "when": "order_kept", "if": {"minimum_amount": 40, "maximum_amount": 90},
     "issue": "third-order", "to": "sponsor"},
    {"id": "with-voucher", "when": "order_kept", "if": {"template": "welcome"},
     "issue": "fourth-order", "to": "referee"},
    {"id": "sorry", "when": "order_returned", "if": {"minimum_days": 1}, "issue": "second-order",
     "to": "referee"},
    {"id": "used", "when": "voucher_redeemed", "if": {"template": "welcome"},
     "issue": "third-order", "to": "sponsor"},
    {"id": "used-later", "when": "voucher_redeemed", "if": {"template": "second-order"},
     "issue": "fourth-order", "to": "referee"},
]  # fmt: skip


@dataclass
class Played:
    """A world in which orders are reported at the moments that the simulation assumes."""

    world: World
    referees_per_sponsor: int
    rows: list[dict[str, str]] = field(default_factory=list)
    later: list[tuple[datetime, list[dict[str, str]]]] = field(default_factory=list)
    referrals: dict[str, str] = field(default_factory=dict)  # ids by address

    def at(self, moment: datetime) -> None:
        """Move on; what has become due by then happens on the way, and lists stay fresh."""
        while self.later and min(self.later)[0] <= moment:
            due = min(self.later)
            self.later.remove(due)
            self._set(due[0])
            for row in due[1]:
                self._report(row)
            expire(self.world.ports)
            self.world.run()
        self._set(moment)

    def _set(self, moment: datetime) -> None:
        self.world.clock.now = moment
        # As `expire` does before it keeps orders; those of this moment are reported first here.
        for voucher in self.world.memory.all(Voucher):
            if voucher.valid_until <= expiry_due_before(moment):
                end_due(self.world.ports, Key.of(Voucher, code_key=voucher.code_key))
        self.world.run()
        self.world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY], f"{moment:%m%d%H%M}")
        self.world.drop_list("vips", VIPS, f"{moment:%m%d%H%M}")

    def _report(self, row: dict[str, str]) -> None:
        self.rows.append(row)
        receipt = self.world.drop_orders(row, file=f"o{len(self.rows)}")
        assert receipt.status == "accepted", receipt
        self.world.run()

    def confirm(self, address: str) -> None:
        """A referee confirms, of the sponsor whose turn it is."""
        sponsor = VIPS[len(self.referrals) // self.referees_per_sponsor]
        self.referrals[address] = self.world.referral(address, sponsor).referral_id

    def order(self, number: int, address: str, statuses: list[str], chance: Random) -> None:
        """An order of today, and what is reported of it once its return window has passed."""
        code = ""
        if chance.random() < 0.6:
            code = self._a_voucher_of(address, chance)
        amount = chance.choice(["0.00", "35.00", "45.00", "80.00", "120.00"])
        rows = [
            self.world.order(f"O{number:03}", status, of=address, code=code, amount=amount)
            for status in statuses
        ]
        for row in rows:
            if row["status"] == "placed":
                self._report(row)
        day = self.world.campaign.local_date(self.world.clock())
        window = timedelta(days=self.world.campaign.return_window_days)
        passed = self.world.campaign.end_of_day(day + window) + timedelta(seconds=1)
        self.later.append((passed, [row for row in rows if row["status"] != "placed"]))

    def _a_voucher_of(self, address: str, chance: Random) -> str:
        """The code of the oldest live voucher of one template, or a code of nobody's."""
        held: dict[str, str] = {}
        referral = self.referrals[address]
        known = {row["voucher_code"] for row in self.rows}
        for voucher in sorted(self.world.memory.all(Voucher), key=lambda each: each.issued_at):
            is_own = voucher.holder is HolderRole.REFEREE and voucher.referral_id == referral
            if is_own and is_live(voucher) and voucher.code not in known:
                held.setdefault(voucher.template, voucher.code)
        return chance.choice([*held.values(), "PROMO2026"])


def play(chance: Random, days_before: int, referees_per_sponsor: int, **changes: Any) -> Played:
    """Forty orders, one a day, of referees who confirm so many days before their first one."""
    played = Played(new_world(rules=RULES, **changes), referees_per_sponsor)
    orders = [(FIRST_DAY + timedelta(days=day), chance.choice(REFEREES)) for day in range(40)]
    moments: list[tuple[datetime, int, str, int]] = []
    for number, (at, address) in enumerate(orders):
        if all(address != earlier for _, earlier in orders[:number]):
            moments.append((at - timedelta(days=days_before), 0, address, 0))
        moments.append((at, 1, address, number))
    for at, is_order, address, number in sorted(moments):
        played.at(at)
        if is_order:
            played.order(number, address, chance.choice(PATHS), chance)
        else:
            played.confirm(address)
    played.at(FIRST_DAY + timedelta(days=90))
    return played


def as_counted(world: World) -> dict[str, dict[str, Any]]:
    """By rule: how many vouchers stand, are used, are revoked, and rewards are refused."""
    counted: dict[str, dict[str, Any]] = {
        rule.id: {"vouchers": 0, "used": 0, "revoked": 0, "refused": Counter()}
        for rule in world.campaign.rules
    }
    for voucher in world.memory.all(Voucher):
        rule = counted[voucher.rule]
        is_revoked = voucher.state is VoucherState.REVOKED
        rule["revoked" if is_revoked else "vouchers"] += 1
        rule["used"] += voucher.state is VoucherState.REDEEMED
    for reward in world.memory.all(Reward):
        if reward.refused_reason:
            counted[reward.rule]["refused"][reward.refused_reason] += 1
    return counted


def days_of_issue(world: World) -> Counter[str]:
    """How many vouchers that were not revoked were issued on which day."""
    return Counter(
        world.campaign.local_date(voucher.issued_at).isoformat()
        for voucher in world.memory.all(Voucher)
        if voucher.state is not VoucherState.REVOKED
    )


def spent(simulated: dict[str, Any]) -> list[int]:
    """What counts against the budget, in minor units; nothing without one."""
    budget = simulated["budget"]
    return [int(100 * (Decimal(budget["limit"]) - Decimal(budget["left"])))] if budget else []


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("days_before", "referees_per_sponsor", "changes"),
    [
        (0, 1, {}),
        (3, 3, {"caps": {"sponsor_rewards": 3, "referee_rewards": 4}}),
        (1, 2, {"templates": templates(second_order={"valid_days": 4}, welcome={"valid_days": 9})}),
        (0, 2, {"caps": {"budget": 200}, "give_back_voucher": ["cancelled", "returned"]}),
    ],
)
def test_the_same_vouchers_are_granted(
    tandem: Tandem,
    tmp_path: Path,
    seed: int,
    days_before: int,
    referees_per_sponsor: int,
    changes: dict[str, Any],
) -> None:
    chance = Random(seed)
    played = play(chance, days_before, referees_per_sponsor, **changes)
    chance.shuffle(played.rows)
    file, orders = tmp_path / "campaign.yaml", tmp_path / "orders.csv"
    file.write_text(campaign_text(played.world.campaign))
    lines = [",".join(row[name] for name in COLUMNS) for row in played.rows]
    orders.write_text("\n".join([",".join(COLUMNS), *lines]))
    result = tandem(
        "campaign", "simulate", file, "--orders", orders, "--json", "--by", "day",
        "--confirmed", days_before, "--referees-per-sponsor", referees_per_sponsor,
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    simulated = json.loads(result.stdout)
    by_rule = {
        each["rule"]: {
            "vouchers": each["vouchers"],
            "used": each["used"]["vouchers"],
            "revoked": each["revoked"]["vouchers"],
            "refused": each["refused"],
        }
        for each in simulated["rules"]
    }
    assert by_rule == as_counted(played.world)
    assert spent(simulated) == [each.spent_minor for each in played.world.memory.all(Budget)]
    periods = simulated["cost"]["periods"]
    by_day = {each["from"]: each["vouchers"] for each in periods if each["vouchers"]}
    assert by_day == days_of_issue(played.world)
