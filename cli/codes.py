"""`tandem codes level`: how many of the client's own codes are left, by template."""

from __future__ import annotations

from typing import Annotated

import typer

from chalicelib.domain.watch import CodesLeft, with_own_codes
from chalicelib.services.spare_codes import count_spare_codes
from cli.connection import LOCAL, Stage, connect
from cli.lookups import current_campaign
from cli.printing import Json, print_records

COUNTED = 100_000

app = typer.Typer(help="The client's own voucher codes.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's name.")]


@app.callback()
def _codes() -> None:
    """The client's own voucher codes."""


@app.command()
def level(campaign: Name, as_json: Json = False, stage: Stage = LOCAL) -> None:
    """Count the codes that are left now, beside what the campaign file asks for."""
    connection = connect(stage)
    rules = current_campaign(connection, campaign).document
    noted = {
        one.template: one for one in connection.repository.within(CodesLeft, campaign=rules.id)
    }
    records = []
    for template in with_own_codes(rules):
        left = count_spare_codes(connection, rules.id, template, COUNTED)
        last = noted.get(template)
        needed = last.needed if last else None
        records.append(
            {
                "template": template,
                "left": f"{COUNTED} or more" if left == COUNTED else left,
                "needed": needed,
                "low": left < max(1, needed or 0),
                "last_noted_at": last.counted_at if last else None,
            }
        )
    print_records(records, as_json=as_json)
