"""`python -m bench.cost [--measure]`: the bill of a million invitations beside SES alone, by line,
and that of a month in which nobody comes; build/bench/cost.json has both, with every price.

`--measure` measures how long executions take first, and keeps it in `seconds.json`. Exits with 1
when a bill is above what is held.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict

from bench import report
from bench.cost import population as people
from bench.cost.bill import (
    EDGE,
    GOAL_IDLE,
    GOAL_TIMES_SES,
    HELD_IDLE,
    HELD_TIMES_SES,
    SECONDS,
    Bill,
    Bills,
    bills,
    measured_seconds,
)
from bench.cost.prices import PRICES, REGION, SEEN

COLUMNS = ("what", "amount", "list price", "$")


def main(arguments: list[str]) -> int:
    """Count, print, write."""
    if "--measure" in arguments:
        kept = {
            "measured on": report.conditions(),
            "seconds": dict(sorted(measured_seconds().items())),
        }
        SECONDS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    made = bills()
    rows = [*_rows("a million invitations", made.month), *_ratio(made)]
    rows += [("", "", "", ""), *_rows("kept until its records end", made.kept)]
    rows += [("", "", "", ""), *_rows("a month in which nobody comes", made.quiet, free=True)]
    without_edge = made.quiet.without(*EDGE).dollars(free=True)
    rows.append(("the same without WAF", "", _goal(without_edge, GOAL_IDLE), f"{without_edge:.2f}"))
    conditions = report.conditions(
        prices=f"list prices of {SEEN}, {REGION}, without free tier but for the idle month",
        invitations=f"{people.BILLED:,} in {people.DAYS} days, from {people.PLAYED} played",
    )
    figures = {
        "month": made.month.usage,
        "times SES": made.times_ses,
        "kept": made.kept.usage,
        "idle": made.quiet.usage,
        "idle without WAF, dollars": without_edge,
        "custom metrics": made.metrics,
        "prices": {unit: asdict(price) | {"seen": SEEN} for unit, price in PRICES.items()},
    }
    file = report.publish("cost", conditions, report.table(COLUMNS, rows), figures)
    print(f"figures: {file.relative_to(report.ROOT)}", file=sys.stderr)
    return int(made.times_ses > HELD_TIMES_SES or without_edge > HELD_IDLE)


def _rows(title: str, bill: Bill, *, free: bool = False) -> Iterator[tuple[str, str, str, str]]:
    yield f"**{title}**", "", "", f"**{bill.dollars(free=free):.2f}**"
    for line in bill.lines(free=free):
        price = PRICES[line.unit]
        of_it = f" ({line.free:,.0f} free)" if line.free else ""
        yield (
            str(line.unit),
            f"{line.amount:,.2f}{of_it}" if line.amount < 100 else f"{line.amount:,.0f}{of_it}",
            f"{price.dollars:g} for {price.per:,.0f}",
            f"{line.dollars:.2f}",
        )


def _goal(found: float, goal: float) -> str:
    return f"goal ≤ {goal:g}, {'met' if found <= goal else 'MISSED'}"


def _ratio(made: Bills) -> Iterator[tuple[str, str, str, str]]:
    yield "SES alone", "", "", f"{made.ses:.2f}"
    yield "times SES alone", "", _goal(made.times_ses, GOAL_TIMES_SES), f"{made.times_ses:.2f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
