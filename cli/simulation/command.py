"""`tandem campaign simulate`: its arguments, and what it prints where."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from chalicelib.domain.files.reading import Tally
from cli.campaign_check import read_campaign_and_warnings
from cli.errors import CommandError
from cli.simulation.history import read_orders
from cli.simulation.outcome import Assumptions, Period
from cli.simulation.outcome import simulate as play_orders
from cli.simulation.show import json_text, show

_MOST_PROBLEMS = 20  # shown on stderr; all of them are in the JSON

MOST_DAYS = 1100
MOST_REFEREES = 1000


def simulate(
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml", help="The campaign file.")],
    orders: Annotated[
        Path, typer.Option(metavar="FILE.csv", help="Orders, in a file as the client drops them.")
    ],
    confirmed: Annotated[
        int,
        typer.Option(
            metavar="DAYS",
            min=0,
            max=MOST_DAYS,
            help="How many days before the first order each referee has confirmed.",
        ),
    ] = 0,
    referees_per_sponsor: Annotated[
        int, typer.Option(metavar="N", min=1, max=MOST_REFEREES, help="Referees of each sponsor.")
    ] = 1,
    by: Annotated[
        Period | None, typer.Option(help="What the cost is summed by; chosen by the span if not.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, for machines.")] = False,
) -> None:
    """Show what the rules of a campaign file would grant for the orders of a file. Nothing is
    stored, and no stack is needed.
    """
    campaign, warnings = read_campaign_and_warnings(file)
    reported, tally = read_orders(orders, campaign, datetime.now(UTC))
    problems = _problem_lines(orders, tally)
    if not reported:
        raise CommandError(*problems, f"{orders}: no order to simulate")
    for line in [*warnings, *problems]:
        typer.echo(line, err=True)
    assumptions = Assumptions(
        confirmed_days_before=confirmed, referees_per_sponsor=referees_per_sponsor
    )
    outcome = play_orders(campaign, reported, tally, assumptions)
    if as_json:
        typer.echo(json_text(outcome, by))
    else:
        show(outcome, by)


def _problem_lines(file: Path, tally: Tally) -> list[str]:
    shown = tally.errors[:_MOST_PROBLEMS]
    lines = [f"{file}:{error.line}: {error.reason}" for error in shown]
    left = len(tally.errors) - len(shown)
    return [*lines, f"{file}: {left:,} more problems"] if left else lines
