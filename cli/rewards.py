"""`tandem reward`: show the rewards that are held, release or refuse them.

A decision is recorded with who made it. What is released is granted by the work of any other
reward, within seconds; what is refused is refused for good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.held_rewards import RewardKey
from chalicelib.domain.money import decimal_text
from chalicelib.domain.review import Hold
from chalicelib.domain.rewards import Reward
from chalicelib.services.errors import RefusedError, UnknownError
from chalicelib.services.ports import CommandPorts
from chalicelib.services.vouchers.review_rewards import (
    HeldReward,
    held_rewards,
    refuse_reward,
    release_reward,
    value_of,
)
from cli.asking import Yes, ask
from cli.connection import LOCAL, Stage, connect
from cli.errors import CommandError
from cli.lookups import current_campaign
from cli.printing import Json, print_json
from cli.unreadable import naming_unreadable

WIDTH = 200

app = typer.Typer(help="Rewards that are held for a review.", no_args_is_help=True)

Name = Annotated[str, typer.Option("--campaign", metavar="NAME", help="The campaign.")]
Which = Annotated[
    list[str], typer.Argument(metavar="REWARD…", help="As `list` shows them: REFERRAL.RULE.RUNG")
]
Decide = Callable[..., Reward]


@app.command("list")
def show(campaign: Name, as_json: Json = False, stage: Stage = LOCAL) -> None:
    """Show what is held, with score and reasons, the next to end first."""
    connection = connect(stage)
    rules = current_campaign(connection, campaign).document
    with naming_unreadable() as on_failure:
        held = held_rewards(connection, rules.id, on_failure)
        if as_json:
            print_json([_record(rules, each) for each in held])
        else:
            _print_held(rules, held)


def _print_held(rules: Campaign, held: Sequence[HeldReward]) -> None:
    if not held:
        typer.echo("none")
        return
    table = Table("reward", "to", "value", "score", "signals: seen, points", "ends", box=None)
    for each in held:
        table.add_row(*_cells(rules, each))
    Console(width=max(WIDTH, Console().width)).print(table)  # nothing is truncated in a pipe
    total = decimal_text(value_of(held))
    typer.echo(f"{len(held)} held, {total} {rules.currency} together")


@app.command()
def release(which: Which, campaign: Name, yes: Yes = False, stage: Stage = LOCAL) -> None:
    """Release held rewards: their vouchers are issued."""
    question = f"release {', '.join(which)} in {campaign}? vouchers are issued for good"
    ask(question, yes=yes, otherwise="nothing was released")
    _decide_each(which, campaign, stage, release_reward, "released; its voucher is issued next")


@app.command()
def refuse(which: Which, campaign: Name, yes: Yes = False, stage: Stage = LOCAL) -> None:
    """Refuse held rewards, for good."""
    question = f"refuse {', '.join(which)} in {campaign}? it is for good"
    ask(question, yes=yes, otherwise="nothing was refused")
    _decide_each(which, campaign, stage, refuse_reward, "refused")


def _decide_each(which: list[str], campaign: str, stage: str, decide: Decide, done: str) -> None:
    connection = connect(stage)
    rules = current_campaign(connection, campaign).document
    by = connection.principal()
    for name in which:
        _decide(connection, rules.id, name, decide, by)
        typer.echo(f"{name}: {done}")


def _decide(ports: CommandPorts, campaign: str, name: str, decide: Decide, by: str) -> None:
    try:
        decide(ports, campaign, RewardKey.parse(name), by=by)
    except (UnknownError, ValueError) as error:
        raise CommandError(
            f"no held reward {name}: list them with: tandem reward list --campaign {campaign}"
        ) from error
    except RefusedError as error:
        raise CommandError(f"{name}: it has been {error.reason} already") from error


def _cells(rules: Campaign, held: HeldReward) -> list[str]:
    reward, hold = held.reward, held.hold
    return [
        str(RewardKey.of(reward)),
        str(reward.to),
        decimal_text(reward.value_minor),
        str(hold.score),
        _signals(hold),
        rules.local_date(hold.ends_at).isoformat(),
    ]


def _record(rules: Campaign, held: HeldReward) -> dict[str, Any]:
    reward, hold = held.reward, held.hold
    return {
        "reward": str(RewardKey.of(reward)),
        "to": reward.to,
        "value": f"{decimal_text(reward.value_minor)} {rules.currency}",
        "score": hold.score,
        "signals": [
            {"signal": one.signal, "seen": one.seen, "points": one.points} for one in hold.signals
        ],
        "ends_at": hold.ends_at,
    }


def _signals(hold: Hold) -> str:
    return ", ".join(f"{one.signal}: {one.seen}, {one.points}" for one in hold.signals)
