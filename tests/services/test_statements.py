"""Statements: one a month, to the cent, the same whenever they are made and whatever is killed."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.changes import VoucherChange
from chalicelib.domain.changes_files import ChangesFile
from chalicelib.domain.exports import Export, ExportPart
from chalicelib.domain.facts import FactName
from chalicelib.domain.files.statements import STATEMENT_COLUMNS
from chalicelib.domain.statements import Account, Statement, end_of, folded
from chalicelib.domain.vouchers import VoucherState, is_live
from chalicelib.services.operations.statement import write_statements
from chalicelib.services.ports import Ports, Remove, Replace
from chalicelib.services.vouchers.changes import write_changes
from chalicelib.services.vouchers.export import export_vouchers
from tests.fakes.fuse import Fuse, KilledError, killed_everywhere
from tests.fakes.till import Till
from tests.fakes.world import World, new_world

OUT = "out/demo-vip/"


@pytest.fixture
def till() -> Till:
    return Till(new_world())


def export_all(world: World, ports: Ports | None = None) -> None:
    export_vouchers(ports or world.ports, world.campaign)
    write_changes(ports or world.ports, world.campaign)


def state(till: Till) -> list[str]:
    """Write the statements that are due; returns their months."""
    return [one.month for one in write_statements(till.ports, till.world.campaign)]


def rows_in(world: World, path: str) -> list[dict[str, str]]:
    content = gzip.decompress(world.files.content[f"{OUT}{path}.csv.gz"]).decode()
    return list(csv.DictReader(content.splitlines()))


def manifest_of(world: World, month: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        world.files.content[f"{OUT}statements/{month}.manifest.json"]
    )
    return content


def played_march(till: Till) -> dict[str, str]:
    """A month with a bit of everything; returns the codes' keys by what became of them."""
    keys = {name: till.issue() for name in ("used", "given_back", "revoked", "left")}
    keys["expired"] = till.issue("thank-you", days=5)
    export_all(till.world)
    till.world.clock.advance(days=2)
    till.redeem(keys["used"], "A1")
    till.redeem(keys["given_back"], "A2")
    till.revoke(keys["revoked"])
    till.world.clock.advance(days=7)
    till.expire(keys["expired"])
    export_all(till.world)
    return keys


def to_april(till: Till) -> None:
    """Just after the last function of March can have ended."""
    till.world.clock.now = end_of(till.world.campaign, "2026-03") + timedelta(minutes=20)


def test_a_statement_has_every_voucher_and_totals_that_balance(till: Till) -> None:
    played_march(till)
    to_april(till)
    assert state(till) == ["2026-03"]
    rows = rows_in(till.world, "statements/2026-03")
    assert tuple(rows[0]) == STATEMENT_COLUMNS
    assert [row["state"] for row in rows] == [
        "redeemed", "redeemed", "revoked", "outstanding", "expired",
    ]  # fmt: skip
    assert rows[0] == {
        "voucher": "voucher1", "template": "welcome", "holder": "referee", "state": "redeemed",
        "value": "10.00", "value_minor": "1000", "currency": "EUR",
        "issued_at": "2026-03-02T09:00:00+00:00", "valid_until": "2026-05-01T21:59:59+00:00",
        "redeemed_at": "2026-03-04T09:00:00+00:00", "order_id": "A1", "revoked_at": "",
        "expired_at": "", "changes": "1",
    }  # fmt: skip
    manifest = manifest_of(till.world, "2026-03")
    content = till.world.files.content[f"{OUT}statements/2026-03.csv.gz"]
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
    assert manifest["as_of"] == "2026-03-31T21:59:59+00:00"
    assert (manifest["rows"], manifest["exports"], manifest["changes"]) == (
        5, "00000001", "00000001",
    )  # fmt: skip
    thanks, welcome = manifest["totals"]
    moved = ("opening", "issued", "redeemed", "revoked", "expired", "closing")
    assert [welcome[name] for name in moved] == [0, 4000, 2000, 1000, 0, 1000]
    assert [thanks[name] for name in moved] == [0, 1500, 0, 0, 1500, 0]
    assert welcome["states"]["redeemed"] == {"vouchers": 2, "value_minor": 2000}
    assert manifest["outstanding_by_expiry"] == [
        {"month": "2026-05", "currency": "EUR", "value_minor": 1000}
    ]
    [fact] = till.world.facts(FactName.STATEMENT_WRITTEN)
    assert fact.details == {"month": "2026-03", "count": 5}


def test_a_rollback_in_a_later_month_makes_that_months_redeemed_smaller(till: Till) -> None:
    keys = played_march(till)
    to_april(till)
    state(till)
    till.roll_back(keys["given_back"])
    till.issue()
    export_all(till.world)
    till.world.clock.advance(days=31)
    assert state(till) == ["2026-04"]
    [welcome] = [one for one in manifest_of(till.world, "2026-04")["totals"] if one["issued"]]
    moved = ("opening", "issued", "redeemed", "revoked", "expired", "closing")
    assert [welcome[name] for name in moved] == [1000, 1000, -1000, 0, 0, 3000]


def test_law_5_running_it_again_changes_nothing(till: Till) -> None:
    played_march(till)
    to_april(till)
    state(till)
    before = dict(till.world.files.content)
    till.world.clock.advance(days=1)
    assert state(till) == []
    assert till.world.files.content == before


def test_before_the_first_voucher_there_is_no_statement(till: Till) -> None:
    till.world.clock.advance(days=70)
    assert state(till) == []


def test_months_that_were_missed_are_written_one_by_one(till: Till) -> None:
    played_march(till)
    till.world.clock.advance(days=80)
    assert state(till) == ["2026-03", "2026-04"]
    welcome = manifest_of(till.world, "2026-04")["totals"][1]
    assert (welcome["opening"], welcome["issued"], welcome["closing"]) == (1000, 0, 1000)


# --- waiting -------------------------------------------------------------------------------------


def test_it_waits_until_whoever_read_the_clock_in_the_month_has_ended(till: Till) -> None:
    played_march(till)
    to_april(till)
    till.world.clock.advance(seconds=-1)
    assert state(till) == []
    till.world.clock.advance(seconds=1)
    assert state(till) == ["2026-03"]


def a_voucher_waits(till: Till) -> Callable[[], object]:
    till.issue()
    return till.world.export


def a_change_waits(till: Till) -> Callable[[], object]:
    key = till.issue()
    till.world.export()
    till.redeem(key, "B1")
    return lambda: write_changes(till.ports, till.world.campaign)


def an_export_is_not_written(till: Till) -> Callable[[], object]:
    till.issue()
    kill_before_the_file(lambda ports: export_vouchers(ports, till.world.campaign), till)
    return till.world.export


def a_file_of_changes_is_not_written(till: Till) -> Callable[[], object]:
    finish = a_change_waits(till)
    kill_before_the_file(lambda ports: write_changes(ports, till.world.campaign), till)
    return finish


def kill_before_the_file(run: Callable[[Ports], object], till: Till) -> None:
    class NoFiles:
        def __getattr__(self, name: str) -> Any:
            raise KilledError

    with pytest.raises(KilledError):
        run(replace(till.ports, files=NoFiles()))


@pytest.mark.parametrize(
    "happens",
    [a_voucher_waits, a_change_waits, an_export_is_not_written, a_file_of_changes_is_not_written],
    ids=lambda happens: str(getattr(happens, "__name__", "")),
)
def test_it_waits_for_what_is_still_on_its_way(
    till: Till, happens: Callable[[Till], Callable[[], object]]
) -> None:
    played_march(till)
    finish = happens(till)
    to_april(till)
    assert state(till) == []
    finish()
    assert state(till) == ["2026-03"]


def test_what_is_on_its_way_for_the_next_month_holds_up_nothing(till: Till) -> None:
    keys = played_march(till)
    to_april(till)
    till.redeem(keys["left"], "B1")
    till.issue()
    assert state(till) == ["2026-03"]
    assert len(rows_in(till.world, "statements/2026-03")) == 5


def test_it_is_the_same_whenever_it_is_made() -> None:
    """What the files hold of a later month is left out, also of files that hold both months."""
    at_once, later = Till(new_world()), Till(new_world())
    for till in (at_once, later):
        keys = played_march(till)
        late = till.issue()
        till.redeem(late, "B0")
        to_april(till)
        if till is later:
            till.redeem(keys["left"], "B1")
            till.roll_back(keys["given_back"])
            till.issue()
        export_all(till.world)
        till.world.clock.advance(days=2 if till is later else 0)
        assert state(till) == ["2026-03"]
    files = [till.world.files.under(f"{OUT}statements/") for till in (at_once, later)]
    assert files[0] == files[1]
    assert len(rows_in(later.world, "vouchers/00000002")) == 2
    later.world.clock.advance(days=31)
    assert state(later) == ["2026-04"]
    counted = {
        row["voucher"]: int(row["changes"]) for row in rows_in(later.world, "statements/2026-04")
    }
    assert counted["voucher2"] == counted["voucher6"] + 1 == 2


def test_a_statement_that_is_gone_or_altered_is_folded_again_from_the_beginning(till: Till) -> None:
    keys = played_march(till)
    to_april(till)
    state(till)
    till.roll_back(keys["given_back"])
    export_all(till.world)
    till.world.clock.advance(days=31)
    kept = dict(till.world.files.content)
    march = f"{OUT}statements/2026-03.csv.gz"
    statements = []
    for content in (kept[march], None, b"something else"):
        till.world.files.content = dict(kept)
        if content is None:
            del till.world.files.content[march]
        else:
            till.world.files.content[march] = content
        _forget(till, "2026-04")
        assert state(till) == ["2026-04"]
        statements.append({
            path: till.world.files.content[path]
            for path in till.world.files.under(f"{OUT}statements/2026-04")
        })  # fmt: skip
    assert len(statements[0]) == 2
    assert statements[0] == statements[1] == statements[2]


def _forget(till: Till, month: str) -> None:
    for one in till.world.memory.all(Statement):
        if one.month == month:
            till.ports.repository.commit(Remove(one))


def test_an_export_without_the_column_voucher_is_read_by_its_codes(till: Till) -> None:
    """Earlier versions did not write it."""
    played_march(till)
    columns = ("code", "template", "holder", "value", "currency", "issued_at", "valid_until")
    for part in till.world.memory.all(ExportPart):
        rows = [dict(zip(part.columns, row, strict=True)) for row in part.rows]
        short = tuple(tuple(row[name] for name in columns) for row in rows)
        till.ports.repository.commit(Replace(replace(part, columns=columns, rows=short)))
    to_april(till)
    assert state(till) == ["2026-03"]
    voucher_ids = [row["voucher"] for row in rows_in(till.world, "statements/2026-03")]
    assert voucher_ids == [f"voucher{number}" for number in range(1, 6)]


@pytest.mark.slow
def test_law_5_killed_at_every_step_and_run_again_it_is_the_same_statement() -> None:
    def begin() -> World:
        till = Till(new_world())
        played_march(till)
        to_april(till)
        return till.world

    undisturbed = begin()
    write_statements(undisturbed.ports, undisturbed.campaign)
    worlds = killed_everywhere(
        begin,
        lambda world, ports: write_statements(ports, world.campaign),
        lambda world: world.ports,
    )
    assert len(worlds) > 20
    for world in worlds:
        world.clock.advance(hours=1)
        write_statements(world.ports, world.campaign)
        folder = f"{OUT}statements/"
        assert world.files.under(folder) == undisturbed.files.under(folder)
        assert len(world.memory.all(Statement)) == 1
        assert len(world.facts(FactName.STATEMENT_WRITTEN)) == 1


# --- whatever happens ----------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["issue", "issue", "redeem", "redeem", "roll_back", "revoke", "expire", "refuse",
             "export", "changes", "statements", "hours", "days"]
        ),
        st.integers(0, 7),
        st.integers(0, 25),
        st.booleans(),
    ),
    min_size=10,
    max_size=60,
)  # fmt: skip


class Months:
    """Vouchers over some months, with functions killed at some of their calls."""

    def __init__(self) -> None:
        self.till = Till(new_world())
        self.world = self.till.world
        self.keys: list[str] = []

    def play(self, step: str, which: int, fuse: int, after: bool) -> None:
        """One step; what the state of the voucher does not allow is left out."""
        match step:
            case "issue":
                self.keys.append(self.till.issue(("welcome", "thank-you")[which % 2]))
            case "hours":
                self.world.clock.advance(hours=which, minutes=fuse)
            case "days":
                self.world.clock.advance(days=which * 2)
            case "export" | "changes" | "statements":
                self._run(step, fuse, after)
            case _ if self.keys:
                self._happens(step, self.keys[which % len(self.keys)], which)

    def _happens(self, step: str, key: str, which: int) -> None:
        voucher = self.till.voucher(key)
        if step == "roll_back":
            if voucher.state is VoucherState.REDEEMED:
                self.till.roll_back(key)
        elif step == "redeem":
            if is_live(voucher):
                self.till.redeem(key, f"order{voucher.changes}-{which}-{key}")
        elif step == "revoke":
            if voucher.revoked_at is None and voucher.state is not VoucherState.EXPIRED:
                self.till.revoke(key)
        elif is_live(voucher):
            (self.till.expire if step == "expire" else self.till.refuse)(key)

    def _run(self, step: str, fuse: int, after: bool) -> None:
        steps: dict[str, Callable[[Ports, Campaign], object]] = {
            "export": export_vouchers, "changes": write_changes, "statements": write_statements,
        }  # fmt: skip
        run = steps[step]
        ports = self.world.ports
        if fuse:
            ports = Fuse(fuse, after_the_effect=after).on(ports)
        with suppress(KilledError):
            run(ports, self.world.campaign)

    def finish(self) -> list[dict[str, str]]:
        """Let every function run to its end after the month; returns the rows of all changes."""
        self.world.clock.advance(days=40)
        export_vouchers(self.world.ports, self.world.campaign)
        export_vouchers(self.world.ports, self.world.campaign)
        while write_changes(self.world.ports, self.world.campaign):
            pass
        write_statements(self.world.ports, self.world.campaign)
        return [row for number in self.numbers("changes") for row in self.rows("changes", number)]

    def numbers(self, folder: str) -> list[str]:
        paths = sorted(self.world.files.under(f"{OUT}{folder}/"))
        return [path.split("/")[-1][:8] for path in paths if path.endswith(".csv.gz")]

    def rows(self, folder: str, name: str) -> list[dict[str, str]]:
        return rows_in(self.world, f"{folder}/{name}")


@pytest.mark.slow
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_whatever_happens_no_change_is_lost_or_doubled_and_every_month_balances(
    steps: list[tuple[str, int, int, bool]],
) -> None:
    months = Months()
    for step in steps:
        months.play(*step)
    changes = months.finish()
    _numbers_have_no_gaps(months)
    _each_change_is_there_once_in_its_order(months, changes)
    _each_statement_is_the_fold_of_all_files(months, changes)


def _numbers_have_no_gaps(months: Months) -> None:
    for folder, kind in (("vouchers", Export), ("changes", ChangesFile)):
        numbers = [int(number) for number in months.numbers(folder)]
        assert numbers == list(range(1, len(months.world.memory.all(kind)) + 1))


def _each_change_is_there_once_in_its_order(months: Months, changes: list[dict[str, str]]) -> None:
    assert months.world.memory.all(VoucherChange) == []
    in_files: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in changes:
        in_files[row["voucher"]].append(row)
    for key in months.keys:
        voucher = months.till.voucher(key)
        own = in_files.pop(voucher.voucher_id, [])
        assert [row["change"] for row in own] == months.till.changes[key]
        assert [row["at"] for row in own] == sorted(row["at"] for row in own)
    assert in_files == {}


def _each_statement_is_the_fold_of_all_files(months: Months, changes: list[dict[str, str]]) -> None:
    exports = [row for number in months.numbers("vouchers") for row in _export_rows(months, number)]
    opening: dict[str, Account] = {}
    written = sorted(months.world.memory.all(Statement), key=lambda one: one.month)
    for one in written:
        until = one.until.isoformat()
        closing = folded(
            [row for row in exports if row["issued_at"] < until],
            [row for row in changes if row["at"] < until],
        ).accounts
        manifest = manifest_of(months.world, one.month)
        rows = months.rows("statements", one.month)
        assert {row["voucher"]: (row["state"], int(row["changes"])) for row in rows} == {
            voucher: (account.state, account.changes) for voucher, account in closing.items()
        }
        for totals in manifest["totals"]:
            spent = totals["redeemed"] + totals["revoked"] + totals["expired"]
            assert totals["opening"] + totals["issued"] - spent == totals["closing"]
        assert _sum(manifest, "opening") == _outstanding(opening)
        assert _sum(manifest, "closing") == _outstanding(closing)
        since = written[written.index(one) - 1].until.isoformat() if opening else ""
        assert _sum(manifest, "redeemed") == sum(
            {"redeemed": 1, "rolled_back": -1}.get(row["change"], 0)
            * closing[row["voucher"]].value_minor
            for row in changes
            if since <= row["at"] < until
        )
        opening = closing
    assert bool(written) is bool(exports)


def _export_rows(months: Months, number: str) -> list[dict[str, str]]:
    by_code = {months.till.voucher(key).code: key for key in months.keys}
    return [
        row | {"voucher": months.till.voucher(by_code[row["code"]]).voucher_id}
        for row in months.rows("vouchers", number)
    ]


def _sum(manifest: dict[str, Any], name: str) -> int:
    return sum(totals[name] for totals in manifest["totals"])


def _outstanding(accounts: dict[str, Account]) -> int:
    return sum(one.value_minor for one in accounts.values() if one.state == "outstanding")
