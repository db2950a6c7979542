"""Some months of a retailer that works by files: what its files say is what is stored."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.changes import ChangeKind, VoucherChange
from chalicelib.domain.exports import export_name
from chalicelib.domain.redemptions import Purchase
from chalicelib.domain.vouchers import Voucher, VoucherState, state_for_client
from chalicelib.services.errors import RefusedError
from chalicelib.services.operations.statement import write_statements
from chalicelib.services.vouchers.changes import write_changes
from chalicelib.services.vouchers.redeem import redeem, roll_back
from tests.fakes.campaign import CANARY
from tests.fakes.due import expire
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world
from tests.reference.voucher_states import rebuild

OUT = "out/demo-vip/"
PEOPLE = [f"new{number}@example.fr" for number in range(12)]
DAYS = 130


class Retailer:
    """A retailer's systems and its customers over some months, drawn from `chance`."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.world: World = new_world()
        self.orders: dict[str, dict[str, str]] = {}
        self.differences = 0
        self._drops = 0
        self._acknowledged: set[str] = set()

    def live(self) -> None:
        """All days, with the functions that run by themselves."""
        self.world.invite(self.world.sponsor(), *PEOPLE[:6])
        self.world.invite(self.world.sponsor(VIPS[1]), *PEOPLE[6:])
        self.world.run()
        self.waiting = list(PEOPLE)
        for day in range(DAYS):
            if day % 20 == 19:
                self._drop_lists(day)
            self._morning(day)
            self._functions()
            self.world.clock.advance(hours=10)
            self._evening()
            self._functions()
            self.world.clock.advance(hours=14)
            self.differences += self.world.reconciliation()
            write_statements(self.world.ports, self.world.campaign)

    def _functions(self) -> None:
        self.world.run()
        expire(self.world.ports)
        self.world.run()
        self.world.export()
        write_changes(self.world.ports, self.world.campaign)

    def _drop_lists(self, day: int) -> None:
        self.world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, f"c{day}@demo.test"])
        self.world.drop_list("vips", [*VIPS, f"c{day}@demo.test"])

    def _morning(self, day: int) -> None:
        if self.waiting and day < 12 and self.chance.random() < 0.8:
            self.world.confirm(self.waiting.pop())
        for number in range(1, len(self.files("vouchers")) + 1):
            name = export_name(number)
            if name not in self._acknowledged and self.chance.random() < 0.6:
                self._acknowledge(number)

    def _acknowledge(self, number: int) -> None:
        self._acknowledged.add(export_name(number))
        codes = [row["code"] for row in self.world.exported(number)]
        refused = [code for code in codes if self.chance.random() < 0.15]
        self.world.acknowledge(number, "\n".join(f"{code},card" for code in refused).encode())

    def _evening(self) -> None:
        rows = [self._report() for _ in range(self.chance.randrange(4))]
        if rows:
            self._drops += 1
            self.world.drop_orders(*rows, file=f"orders{self._drops}")
        if self._code() and self.chance.random() < 0.4:
            self._call()

    def _report(self) -> dict[str, str]:
        """A new order, or a later report of an old one."""
        if self.orders and self.chance.random() < 0.5:
            order_id = self.chance.choice(list(self.orders))
            status = self.chance.choice(["kept", "kept", "returned", "cancelled"])
            return self.orders[order_id] | {"status": status}
        order_id = f"A{len(self.orders)}"
        person = self.chance.choice([*PEOPLE, VIPS[0], CUSTOMERS[0]])
        code = self.chance.choice([self._code(), self._code(), "", "PROMO2026"])
        self.orders[order_id] = self.world.order(order_id, of=person, code=code)
        return self.orders[order_id]

    def _code(self) -> str:
        codes = [voucher.code for voucher in self.world.memory.all(Voucher)]
        return self.chance.choice(codes) if codes else ""

    def _call(self) -> None:
        """The till calls instead of a file."""
        code, now = self._code(), self.world.clock()
        with suppress(RefusedError):
            order_id = f"T{self.world.clock():%m%d}"
            purchase = Purchase(
                order_id=order_id, ordered_at=now, amount_minor=9000, currency="EUR"
            )
            redeem(self.world.ports, code, purchase)
            if self.chance.random() < 0.5:
                roll_back(self.world.ports, code, order_id)

    def files(self, folder: str) -> dict[str, list[dict[str, str]]]:
        """The rows of every file of a folder of `out/`, by its name."""
        return {
            path.removeprefix(f"{OUT}{folder}/").removesuffix(".csv.gz"): list(
                csv.DictReader(gzip.decompress(content).decode().splitlines())
            )
            for path, content in sorted(self.world.files.under(f"{OUT}{folder}/").items())
            if path.endswith(".csv.gz")
        }

    def json_files(self, prefix: str) -> list[dict[str, Any]]:
        """The JSON files of `out/` whose path begins so."""
        found = sorted(self.world.files.under(f"{OUT}{prefix}").items())
        return [json.loads(content) for path, content in found if path.endswith(".json")]


@pytest.fixture(scope="module", params=[1, 2, 3])
def retailer(request: pytest.FixtureRequest) -> Retailer:
    played = Retailer(Random(request.param))
    played.live()
    return played


pytestmark = pytest.mark.slow


def test_the_months_have_everything_in_them(retailer: Retailer) -> None:
    changes = [row["change"] for rows in retailer.files("changes").values() for row in rows]
    assert set(changes) == set(ChangeKind), Counter(changes)
    vouchers = retailer.world.memory.all(Voucher)
    assert {voucher.holder for voucher in vouchers} == set(HolderRole)
    assert len(vouchers) > 15


def test_every_state_is_rebuilt_from_the_files(retailer: Retailer) -> None:
    exports = {int(name): rows for name, rows in retailer.files("vouchers").items()}
    changes = [row for rows in retailer.files("changes").values() for row in rows]
    rebuilt = rebuild(exports, changes, retailer.json_files("receipts/acks/"))
    stored = {one.voucher_id: state_for_client(one) for one in retailer.world.memory.all(Voucher)}
    assert rebuilt == stored
    assert VoucherState.ACKNOWLEDGED in stored.values()


def test_no_day_had_a_difference_and_nothing_waits(retailer: Retailer) -> None:
    assert retailer.differences == 0
    assert retailer.world.memory.all(VoucherChange) == []
    days = retailer.world.files.under(f"{OUT}reports/reconciliation-")
    assert len(days) == DAYS


def test_statements_balance_and_follow_from_one_another(retailer: Retailer) -> None:
    statements = retailer.json_files("statements/")
    assert [one["month"] for one in statements] == ["2026-03", "2026-04", "2026-05", "2026-06"]
    closing: dict[str, int] = {}
    for statement in statements:
        for totals in statement["totals"]:
            spent = totals["redeemed"] + totals["revoked"] + totals["expired"]
            assert totals["opening"] + totals["issued"] - spent == totals["closing"]
            assert totals["opening"] == closing.get(totals["template"], 0)
            closing[totals["template"]] = totals["closing"]
        outstanding = sum(one["value_minor"] for one in statement["outstanding_by_expiry"])
        assert outstanding == sum(closing.values())
