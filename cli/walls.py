"""`tandem wall`: links for a screen on a wall, each to the numbers of one campaign.

The address of a new link is printed once: its token is stored as a hash alone. Anybody with it sees
what the dashboard shows, and can do nothing.
"""

from __future__ import annotations

from typing import Annotated

import typer

from chalicelib.domain.wall_links import LASTS_DAYS, latest_end
from chalicelib.services.errors import UnknownError
from chalicelib.services.operations.wall_links import (
    make_wall_link,
    revoke_wall_link,
    wall_links,
)
from cli.asking import Yes, ask
from cli.connection import LOCAL, Stage, connect
from cli.errors import CommandError
from cli.lookups import current_campaign
from cli.printing import Json, print_records
from cli.unreadable import naming_unreadable

LONGEST_DAYS = 366

app = typer.Typer(help="Links that show a campaign's numbers on a wall.", no_args_is_help=True)

Name = Annotated[str, typer.Option("--campaign", metavar="NAME", help="The campaign.")]
Days = Annotated[int, typer.Option("--days", min=1, max=LONGEST_DAYS, help="How long it lasts.")]
Which = Annotated[list[str], typer.Argument(metavar="LINK…", help="As `list` shows them.")]


@app.command()
def create(campaign: Name, days: Days = LASTS_DAYS, stage: Stage = LOCAL) -> None:
    """Make a link and print its address, which nothing shows again."""
    connection = connect(stage)
    rules = current_campaign(connection, campaign).document
    if connection.clock() >= latest_end(rules):
        raise CommandError(f"{campaign} ended on {rules.ends_on}: its links have ended too")
    token, _ = make_wall_link(connection, rules, by=connection.principal(), days=days)
    typer.echo(f"{connection.place.origin}/dashboard/?campaign={rules.id}#wall={token}")


@app.command("list")
def show(campaign: Name, as_json: Json = False, stage: Stage = LOCAL) -> None:
    """Show the links that are good, the next to end first."""
    connection = connect(stage)
    rules = current_campaign(connection, campaign).document
    with naming_unreadable() as on_failure:
        records = [
            {
                "link": link.link_id,
                "made": link.made_at.astimezone(rules.zone),
                "by": link.by,
                "until": link.ends_at.astimezone(rules.zone),
            }
            for link in wall_links(connection, rules.id, on_failure)
        ]
        print_records(records, as_json=as_json)


@app.command()
def revoke(which: Which, campaign: Name, yes: Yes = False, stage: Stage = LOCAL) -> None:
    """Revoke links: they show nothing from the next refresh on."""
    connection = connect(stage)
    rules = current_campaign(connection, campaign).document
    question = f"revoke {', '.join(which)} of {campaign}? what shows them goes dark"
    ask(question, yes=yes, otherwise="nothing was revoked")
    by = connection.principal()
    for link in which:
        try:
            revoke_wall_link(connection, rules.id, link, by=by)
        except UnknownError as error:
            raise CommandError(
                f"no link {link} is good: list them with: tandem wall list --campaign {campaign}"
            ) from error
        typer.echo(f"{link}: revoked")
