"""The outcome of a simulation as tables and a chart, or as JSON for machines.

On a terminal the bars are blocks; elsewhere the text is plain, and bars are number signs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from chalicelib.domain.money import decimal_text
from cli.simulation.outcome import Outcome, Period, RuleOutcome, Sum, over_time, period_for

WIDTH = 160
_BAR = 40  # characters, of the highest bar
_BLOCKS = " ▏▎▍▌▋▊▉█"


def show(outcome: Outcome, period: Period | None, console: Console | None = None) -> None:
    """Print the tables and the chart."""
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console.width = max(WIDTH, console.width)  # nothing is truncated in a pipe
    for line in _summary_lines(outcome):
        console.print(line, soft_wrap=True, markup=False)
    console.print()
    console.print(_rules_table(outcome))
    if any(each.refused for each in outcome.rules):
        console.print()
        console.print(_refusals_table(outcome))
    if outcome.code_problems:
        console.print()
        console.print(_counts_table("voucher code not used", "orders", outcome.code_problems))
    chosen = period or period_for(outcome.issued)
    if outcome.issued:
        console.print()
        console.print(_chart(outcome, chosen, in_blocks=console.is_terminal))


def json_text(outcome: Outcome, period: Period | None) -> str:
    """The outcome as JSON; amounts are decimal strings."""
    chosen = period or period_for(outcome.issued)
    budget, left = outcome.campaign.caps.budget_minor, outcome.budget_left_minor
    document = {
        "campaign": outcome.campaign.id,
        "currency": outcome.campaign.currency,
        "assumptions": {
            "confirmed_days_before": outcome.assumptions.confirmed_days_before,
            "referees_per_sponsor": outcome.assumptions.referees_per_sponsor,
        },
        "rows": {
            "accepted": outcome.tally.accepted,
            "rejected": outcome.tally.rejected,
            "errors": [
                {"line": error.line, "reason": error.reason} for error in outcome.tally.errors
            ],
        },
        "orders": {**outcome.orders, "without_digest": outcome.without_digest},
        "referees": outcome.referees,
        "sponsors": outcome.sponsors,
        "rules": [_rule_item(each) for each in outcome.rules],
        "total": _sum_item(outcome.total) | {"revoked": _sum_item(outcome.revoked)},
        "budget": None
        if budget is None or left is None
        else {"limit": decimal_text(budget), "left": decimal_text(left)},
        "voucher_codes_not_used": outcome.code_problems,
        "cost": {
            "by": chosen.value,
            "periods": [
                {"from": first.isoformat()} | _sum_item(each)
                for first, each in over_time(outcome.issued, chosen)
            ],
        },
    }
    return json.dumps(document, indent=2)


def _rule_item(each: RuleOutcome) -> dict[str, Any]:
    return {
        "rule": each.rule.id,
        "when": each.rule.when.value,
        "issue": each.rule.issue,
        "to": each.rule.to.value,
        **_sum_item(each.granted),
        "used": _sum_item(each.used),
        "revoked": _sum_item(each.revoked),
        "refused": each.refused,
    }


def _sum_item(each: Sum) -> dict[str, Any]:
    return {"vouchers": each.vouchers, "value": decimal_text(each.value_minor)}


def _summary_lines(outcome: Outcome) -> Iterator[str]:
    statuses = ", ".join(f"{number:,} {status}" for status, number in outcome.orders.items())
    yield f"orders: {statuses or 'none'}"
    if outcome.without_digest:
        yield f"orders without a digest, which nothing is granted for: {outcome.without_digest:,}"
    if outcome.tally.rejected:
        yield f"rows refused: {outcome.tally.rejected:,}"
    yield f"{outcome.referees:,} referees of {outcome.sponsors:,} sponsors are assumed"


def _rules_table(outcome: Outcome) -> Table:
    value = f"value {outcome.campaign.currency}"
    table = Table(box=None)
    for name in ("rule", "to", "template"):
        table.add_column(name)
    for name in ("vouchers", value, "used", "revoked", "revoked value"):
        table.add_column(name, justify="right")
    for each in outcome.rules:
        table.add_row(
            each.rule.id,
            each.rule.to.value,
            each.rule.issue,
            *_cells(each.granted),
            f"{each.used.vouchers:,}",
            *_cells(each.revoked),
        )
    used = sum(each.used.vouchers for each in outcome.rules)
    table.add_row("total", "", "", *_cells(outcome.total), f"{used:,}", *_cells(outcome.revoked))
    if (left := outcome.budget_left_minor) is not None:
        table.add_row("budget left", "", "", "", _amount(left))
    return table


def _refusals_table(outcome: Outcome) -> Table:
    table = Table("rule", "refused for", box=None)
    table.add_column("rewards", justify="right")
    for each in outcome.rules:
        for reason, number in sorted(each.refused.items()):
            table.add_row(each.rule.id, reason, f"{number:,}")
    return table


def _counts_table(name: str, what: str, counts: Mapping[str, int]) -> Table:
    table = Table(name, box=None)
    table.add_column(what, justify="right")
    for reason, number in sorted(counts.items()):
        table.add_row(reason, f"{number:,}")
    return table


def _chart(outcome: Outcome, period: Period, *, in_blocks: bool) -> Table:
    periods = over_time(outcome.issued, period)
    most = max(each.value_minor for _, each in periods)
    table = Table(f"{period.value} from", box=None)
    for name in ("vouchers", f"cost {outcome.campaign.currency}", "cost so far"):
        table.add_column(name, justify="right")
    table.add_column("", no_wrap=True)
    so_far = 0
    for first, each in periods:
        so_far += each.value_minor
        bar = _bar(each.value_minor, most, in_blocks=in_blocks)
        table.add_row(first.isoformat(), *_cells(each), _amount(so_far), bar)
    return table


def _bar(value: int, most: int, *, in_blocks: bool) -> str:
    """A bar of up to 40 characters; a value above 0 is never without one."""
    eighths = -(-value * _BAR * 8 // most)
    if not in_blocks:
        return "#" * -(-eighths // 8)
    return (_BLOCKS[-1] * (eighths // 8) + _BLOCKS[eighths % 8]).rstrip()


def _cells(each: Sum) -> tuple[str, str]:
    return f"{each.vouchers:,}", _amount(each.value_minor)


def _amount(minor: int) -> str:
    return f"{minor // 100:,}.{minor % 100:02}"
