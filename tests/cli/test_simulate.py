"""What a campaign file would grant for the orders of a file, counted by hand."""

from __future__ import annotations

import ast
import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import Result

from cli.campaign_check import read_campaign
from cli.campaign_file import campaign_text
from cli.simulation.history import read_orders
from cli.simulation.outcome import Assumptions, Period, Sum, over_time, period_for, simulate
from cli.simulation.show import show
from tests.architecture.sources import sources, tree
from tests.fakes.campaign import campaign, templates

Tandem = Callable[..., Result]

HEADER = "order_id,ordered_at,email_digest,voucher_code,amount,currency,status"
ANN, BOB, CID = "a" * 64, "b" * 64, "c" * 64
OURS = "WE-22222-22222-2222"
# Ann: three orders, all kept in the end. Bob: one, kept and then returned. Cid: one, cancelled.
ORDERS = [
    f"A1,2026-01-05T10:00:00+01:00,{ANN},{OURS},52.00,EUR,placed",
    f"A1,2026-01-05T10:00:00+01:00,{ANN},{OURS},48.00,EUR,kept",
    f"A3,2026-03-02T10:00:00+01:00,{ANN},,25.00,EUR,placed",
    f"A2,2026-02-02T10:00:00+01:00,{ANN},PROMO2026,60.00,EUR,kept",
    f"B1,2026-02-03T10:00:00+01:00,{BOB},,-80.00,EUR,returned",
    f"B1,2026-02-03T10:00:00+01:00,{BOB},,80.00,EUR,kept",
    f"C1,2026-02-04T10:00:00+01:00,{CID},,45.00,EUR,placed",
    f"C1,2026-02-04T10:00:00+01:00,{CID},,45.00,EUR,cancelled",
]


@pytest.fixture
def simulated(tandem: Tandem, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Simulate orders with the campaign, changed; the outcome as JSON."""

    def run(orders: list[str], *options: object, **changes: Any) -> dict[str, Any]:
        result = tandem("campaign", "simulate", *_files(tmp_path, orders, **changes),
                        "--json", *options)  # fmt: skip
        assert result.exit_code == 0, result.stderr
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    return run


def _files(folder: Path, orders: list[str], **changes: Any) -> list[object]:
    file, lines = folder / "campaign.yaml", folder / "orders.csv"
    file.write_text(campaign_text(campaign(**changes)))
    lines.write_text("\n".join([HEADER, *orders]))
    return [file, "--orders", lines]


def by_rule(outcome: dict[str, Any], of: str = "vouchers") -> dict[str, Any]:
    return {rule["rule"]: rule[of] for rule in outcome["rules"] if rule[of]}


def revoked(outcome: dict[str, Any]) -> dict[str, int]:
    found = {rule["rule"]: rule["revoked"]["vouchers"] for rule in outcome["rules"]}
    return {rule: number for rule, number in found.items() if number}


Simulated = Callable[..., dict[str, Any]]


def test_what_the_rules_grant_and_revoke(simulated: Simulated) -> None:
    outcome = simulated(ORDERS)
    assert by_rule(outcome) == {
        "welcome": 3, "ladder-first": 1, "ladder-second": 1, "ladder-third": 1,
        "sponsor-reward": 1,
    }  # fmt: skip
    assert revoked(outcome) == {"ladder-first": 1, "sponsor-reward": 1}
    # 3 × 10.00, 5.00, 7.50, 10.00, 15.00; Bob's 5.00 and 15.00 are revoked.
    assert outcome["total"] == {
        "vouchers": 7, "value": "67.50", "revoked": {"vouchers": 2, "value": "20.00"},
    }  # fmt: skip
    assert outcome["orders"] == {"kept": 3, "returned": 1, "cancelled": 1, "without_digest": 0}
    assert (outcome["referees"], outcome["sponsors"], outcome["budget"]) == (3, 3, None)


@pytest.mark.parametrize("orders", [ORDERS[::-1], ORDERS * 2, ORDERS[4:] + ORDERS[:4]])
def test_the_sequence_and_number_of_reports_change_nothing(
    simulated: Simulated, orders: list[str]
) -> None:
    first, again = simulated(ORDERS), simulated(orders)
    for outcome in (first, again):
        del outcome["rows"], outcome["orders"]
    assert again == first


def test_the_cost_over_time_is_of_what_was_not_revoked(simulated: Simulated) -> None:
    cost = simulated(ORDERS, "--by", "month")["cost"]
    # January: a welcome voucher, and on the 20th what Ann's first order has earned.
    assert cost == {
        "by": "month",
        "periods": [
            {"from": "2026-01-01", "vouchers": 3, "value": "30.00"},
            {"from": "2026-02-01", "vouchers": 3, "value": "27.50"},
            {"from": "2026-03-01", "vouchers": 1, "value": "10.00"},
        ],
    }


def test_a_budget_limits_what_is_granted(simulated: Simulated) -> None:
    outcome = simulated(ORDERS, caps={"budget": "58.00"})
    # Three welcome vouchers and Ann's first order come to 50.00, her second one to 57.50.
    assert by_rule(outcome) == {
        "welcome": 3, "ladder-first": 1, "ladder-second": 1, "sponsor-reward": 1,
    }  # fmt: skip
    assert by_rule(outcome, "refused") == {
        "ladder-first": {"budget_spent": 1},
        "ladder-third": {"budget_spent": 1},
        "sponsor-reward": {"budget_spent": 1},
    }
    assert outcome["budget"] == {"limit": "58.00", "left": "0.50"}


def test_a_sponsors_cap_counts_all_its_referees(simulated: Simulated) -> None:
    both = [*ORDERS[:4], f"B1,2026-02-03T10:00:00+01:00,{BOB},,80.00,EUR,kept"]
    caps = {"sponsor_rewards": 1}
    assert by_rule(simulated(both, caps=caps))["sponsor-reward"] == 2
    shared = simulated(both, "--referees-per-sponsor", 2, caps=caps)
    assert by_rule(shared)["sponsor-reward"] == 1
    assert by_rule(shared, "refused") == {"sponsor-reward": {"sponsor_cap": 1}}
    assert shared["sponsors"] == 1


def test_days_are_counted_from_the_confirmation(simulated: Simulated) -> None:
    late = {"id": "late", "when": "order_kept", "issue": "thank-you", "to": "sponsor"}
    rules = [late | {"if": {"minimum_days": 30}}]
    assert by_rule(simulated(ORDERS[:4], rules=rules)) == {"late": 1}  # after 56 days
    assert by_rule(simulated(ORDERS[:4], "--confirmed", 2, rules=rules)) == {"late": 2}  # and 30


def test_a_code_with_a_templates_prefix_is_the_buyers_voucher(simulated: Simulated) -> None:
    used = {"id": "used", "when": "voucher_redeemed", "if": {"template": "welcome"},
            "issue": "thank-you", "to": "sponsor"}  # fmt: skip
    rules = [{"id": "welcome", "when": "referral_confirmed", "issue": "welcome", "to": "referee"},
             used]  # fmt: skip
    outcome = simulated(ORDERS, rules=rules)
    assert by_rule(outcome) == {"welcome": 3, "used": 1}
    assert outcome["rules"][0]["used"] == {"vouchers": 1, "value": "10.00"}
    assert outcome["voucher_codes_not_used"] == {"unknown": 1}
    # The template asks for a larger basket now, and the code stays without effect.
    dear = templates(welcome={"minimum_basket": "52.01"})
    refused = simulated(ORDERS, rules=rules, templates=dear)
    assert by_rule(refused) == {"welcome": 3}
    assert refused["voucher_codes_not_used"] == {"below_minimum_basket": 1, "unknown": 1}


def test_a_code_is_used_once(simulated: Simulated) -> None:
    twice = [*ORDERS[:4], f"A4,2026-01-06T10:00:00+01:00,{ANN},{OURS},60.00,EUR,kept",
             f"B1,2026-02-03T10:00:00+01:00,{BOB},SE-22222-22222-2222,80.00,EUR,kept"]  # fmt: skip
    outcome = simulated(twice)
    assert outcome["voucher_codes_not_used"] == {
        "exhausted": 1, "not_held_by_the_buyer": 1, "unknown": 1,
    }  # fmt: skip


def test_a_sponsors_voucher_is_not_the_buyers(simulated: Simulated) -> None:
    # By then Ann's sponsor holds one, and the file does not say who that is.
    late = f"A4,2026-03-01T10:00:00+01:00,{ANN},TY-22222-22222-2222,60.00,EUR,kept"
    outcome = simulated([*ORDERS[:2], late])
    assert by_rule(outcome)["sponsor-reward"] == 1
    assert outcome["voucher_codes_not_used"] == {"not_held_by_the_buyer": 1}


def test_an_order_with_another_referees_voucher_earns_nobody_anything(simulated: Simulated) -> None:
    used = {"id": "used", "when": "voucher_redeemed", "if": {"template": "welcome"},
            "issue": "thank-you", "to": "sponsor"}  # fmt: skip
    rules = [*campaign().model_dump(by_alias=True)["rules"], used]
    given_back = [f"A1,2026-01-05T10:00:00+01:00,{ANN},{OURS},52.00,EUR,{status}"
                  for status in ("placed", "cancelled")]  # fmt: skip
    bobs = f"B1,2026-02-03T10:00:00+01:00,{BOB},{OURS},80.00,EUR,kept"
    outcome = simulated([*given_back, bobs], rules=rules)
    assert by_rule(outcome) == {"welcome": 2}
    assert revoked(outcome) == {"used": 1}
    assert outcome["rules"][0]["used"]["vouchers"] == 1
    own = simulated([*given_back, bobs.replace(OURS, "")], rules=rules)
    assert by_rule(own) == {"welcome": 2, "ladder-first": 1, "sponsor-reward": 1}


FIRST = {"id": "first", "when": "order_placed", "if": {"order": 1, "minimum_amount": 50},
         "issue": "second-order", "to": "referee"}  # fmt: skip
TWO_CANCELLED = [
    f"A1,2026-01-05T10:00:00+01:00,{ANN},,80.00,EUR,placed",
    f"A1,2026-01-05T10:00:00+01:00,{ANN},,80.00,EUR,cancelled",
    f"A2,2026-01-06T10:00:00+01:00,{ANN},SE-22222-22222-2222,45.00,EUR,placed",
    f"A2,2026-01-06T10:00:00+01:00,{ANN},SE-22222-22222-2222,45.00,EUR,cancelled",
]


def test_a_voucher_that_was_used_is_revoked_with_its_rollback_and_granted_again(
    simulated: Simulated,
) -> None:
    cancelled = simulated(TWO_CANCELLED, rules=[FIRST])
    assert (by_rule(cancelled), revoked(cancelled)) == ({}, {"first": 1})
    third = f"A3,2026-01-25T10:00:00+01:00,{ANN},,80.00,EUR,kept"
    outcome = simulated([*TWO_CANCELLED, third], rules=[FIRST])
    assert (by_rule(outcome), revoked(outcome)) == ({"first": 1}, {"first": 1})


def test_a_voucher_that_has_expired_is_not_revoked(simulated: Simulated) -> None:
    # It ends on the 10th, which the till may report for three days; A1 is cancelled on the 20th.
    short = templates(second_order={"valid_days": 5})
    outcome = simulated(TWO_CANCELLED[:2], rules=[FIRST], templates=short)
    assert (by_rule(outcome), revoked(outcome)) == ({"first": 1}, {})
    longer = templates(second_order={"valid_days": 12})
    assert revoked(simulated(TWO_CANCELLED[:2], rules=[FIRST], templates=longer)) == {"first": 1}


def test_an_order_is_made_on_the_earliest_day_that_its_rows_give(simulated: Simulated) -> None:
    kept_on = f"A1,2026-02-20T10:00:00+01:00,{ANN},,80.00,EUR,kept"
    made_on = f"A1,2026-01-05T10:00:00+01:00,{ANN},,80.00,EUR,placed"
    other = f"A2,2026-02-01T10:00:00+01:00,{ANN},,80.00,EUR,kept"
    cost = simulated([kept_on, other, made_on], "--by", "month")["cost"]["periods"]
    # Confirmed and kept in January; with the date of the report, both orders would be February's.
    assert [period["vouchers"] for period in cost] == [3, 1]


def test_rows_are_refused_as_in_production_and_the_others_are_simulated(
    tandem: Tandem, tmp_path: Path
) -> None:
    wrong = [
        f"X1,yesterday,{CID},,45.00,EUR,kept",
        f"X2,2026-02-04T10:00:00+01:00,{CID},,45.00,USD,kept",
        f"X3,9999-12-31T10:00:00+01:00,{CID},,45.00,EUR,kept",
        f"X4,0001-01-02T10:00:00+01:00,{CID},,45.00,EUR,kept",
        f"A1,2026-01-05T10:00:00+01:00,{CID},,52.00,EUR,kept",
        "X5,2026-02-04T10:00:00+01:00,,PROMO2026,45.00,EUR,kept",
    ]
    result = tandem("campaign", "simulate", *_files(tmp_path, [*ORDERS[:4], *wrong]), "--json")
    assert result.exit_code == 0
    reasons = [
        "ordered_at_invalid",
        "currency_not_the_campaigns",
        "ordered_at_in_the_future",
        "ordered_at_invalid",
        "order_id_of_another_person",
    ]
    file = tmp_path / "orders.csv"
    named = [f"{file}:{line}: {reason}" for line, reason in enumerate(reasons, 6)]
    assert [line for line in result.stderr.splitlines() if "warning" not in line] == named
    outcome = json.loads(result.stdout)
    assert outcome["rows"]["accepted"] == 5
    assert outcome["rows"]["rejected"] == len(reasons)
    assert outcome["orders"] == {"kept": 3, "without_digest": 1}
    assert outcome["referees"] == 1


def test_many_problems_are_counted_instead_of_shown(tandem: Tandem, tmp_path: Path) -> None:
    wrong = [f"X{number},yesterday,{CID},,45.00,EUR,kept" for number in range(30)]
    result = tandem("campaign", "simulate", *_files(tmp_path, wrong))
    assert result.exit_code == 1
    *shown, more, none = result.stderr.splitlines()
    file = tmp_path / "orders.csv"
    assert len(shown) == 20
    assert more == f"{file}: 10 more problems"
    assert none == f"{file}: no order to simulate"


def test_a_file_that_is_no_order_file_is_refused(tandem: Tandem, tmp_path: Path) -> None:
    campaign_file, _, orders = _files(tmp_path, ORDERS)
    assert isinstance(orders, Path)
    orders.write_text("order;amount\n1;2\n")
    result = tandem("campaign", "simulate", campaign_file, "--orders", orders)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith(f"{orders}:1: unknown_column")
    orders.write_text("")
    result = tandem("campaign", "simulate", campaign_file, "--orders", orders)
    assert result.stderr.splitlines()[-1] == f"{orders}: empty_file"


def test_a_gzipped_file_is_read_too(tandem: Tandem, tmp_path: Path) -> None:
    campaign_file, _, orders = _files(tmp_path, ORDERS)
    assert isinstance(orders, Path)
    zipped = tmp_path / "orders.csv.gz"
    zipped.write_bytes(gzip.compress(orders.read_bytes()))
    plain, unzipped = (
        tandem("campaign", "simulate", campaign_file, "--orders", file, "--json").stdout
        for file in (orders, zipped)
    )
    assert unzipped == plain


def test_the_text_is_plain_where_there_is_no_terminal(tandem: Tandem, tmp_path: Path) -> None:
    result = tandem("campaign", "simulate", *_files(tmp_path, ORDERS, caps={"budget": 100}))
    cells = [line.split() for line in result.stdout.splitlines()]
    assert result.stdout.isascii()
    assert ["ladder-first", "referee", "second-order", "1", "5.00", "0", "1", "5.00"] in cells
    assert ["total", "7", "67.50", "1", "2", "20.00"] in cells
    assert ["budget", "left", "32.50"] in cells
    assert ["2026-01-05", "1", "10.00", "10.00", "#" * 20] in cells
    assert ["2026-01-19", "2", "20.00", "30.00", "#" * 40] in cells


def test_a_terminal_gets_blocks(tmp_path: Path) -> None:
    campaign_file, _, orders = _files(tmp_path, ORDERS)
    assert isinstance(orders, Path)
    assert isinstance(campaign_file, Path)
    rules = read_campaign(campaign_file)
    reported, tally = read_orders(orders, rules, datetime(2026, 4, 1, tzinfo=UTC))
    outcome = simulate(rules, reported, tally, Assumptions())
    terminal = Console(file=io.StringIO(), force_terminal=True, width=100)
    show(outcome, Period.MONTH, terminal)
    assert isinstance(terminal.file, io.StringIO)
    lines = terminal.file.getvalue().splitlines()
    bars = {line.split()[0]: line.split()[-1] for line in lines if line.startswith(" 2026-")}
    assert bars["2026-01-01"] == "█" * 40
    assert bars["2026-02-01"] == "█" * 36 + "▊"
    assert bars["2026-03-01"] == "█" * 13 + "▍"


@pytest.mark.parametrize(
    ("period", "firsts"),
    [
        (Period.DAY, 53),
        (Period.WEEK, ["2026-01-26", "2026-02-02", "2026-02-09", "2026-02-16", "2026-02-23",
                       "2026-03-02", "2026-03-09", "2026-03-16", "2026-03-23"]),
        (Period.MONTH, ["2026-01-01", "2026-02-01", "2026-03-01"]),
        (Period.YEAR, ["2026-01-01"]),
    ],
)  # fmt: skip
def test_periods_without_vouchers_are_shown_too(period: Period, firsts: list[str] | int) -> None:
    issued = {date(2026, 1, 31): Sum(1, 500), date(2026, 3, 24): Sum(2, 700)}
    found = over_time(issued, period)
    assert sum(each.value_minor for _, each in found) == 1200
    days = [first.isoformat() for first, _ in found]
    assert (len(days) if isinstance(firsts, int) else days) == firsts


def test_the_period_follows_from_the_span() -> None:
    first = date(2026, 1, 1)
    assert period_for([]) is Period.WEEK
    assert period_for([first, date(2026, 6, 30)]) is Period.WEEK
    assert period_for([first, date(2026, 7, 31)]) is Period.MONTH
    assert period_for([first, date(2030, 7, 31)]) is Period.YEAR


def test_nothing_of_a_simulation_knows_aws() -> None:
    imported = {
        name
        for file in sources("cli/simulation")
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ImportFrom | ast.Import)
        for name in [getattr(node, "module", None), *(alias.name for alias in node.names)]
    }
    own = {name.split(".")[0] for name in imported if name} - {"chalicelib", "cli"}
    assert "chalicelib.domain.rewards" in imported
    assert own.isdisjoint({"boto3", "botocore"})
    layers = {name.split(".")[1] for name in imported if name and name.startswith("chalicelib.")}
    assert layers == {"domain"}
