"""`tandem report`: the report of a campaign as one HTML file and as a PDF, as of now.

It is what the weekly schedule writes into `out/{campaign}/reports/`. No person is in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.locales import LOCALES
from chalicelib.weekly_report import make_report
from cli.connection import LOCAL, Stage, connect
from cli.errors import CommandError

Name = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign.")]
Folder = Annotated[
    Path, typer.Option("--to", metavar="FOLDER", help="Where to write the two files.")
]
Language = Annotated[
    str | None,
    typer.Option("--language", help=f"{', '.join(LOCALES)}; else the campaign's first."),
]


def report(
    campaign: Name, to: Folder = Path(), language: Language = None, stage: Stage = LOCAL
) -> None:
    """Write a campaign's report as one HTML file and as a PDF."""
    if language is not None and language not in LOCALES:
        raise CommandError(f"--language: one of {', '.join(LOCALES)}, not {language}")
    if not to.is_dir():
        raise CommandError(f"--to: there is no folder {to}")
    connection = connect(stage)
    found = connection.repository.get(CurrentCampaign, campaign=campaign)
    if found is None:
        raise CommandError(f"no campaign {campaign}: list them with: tandem campaign list")
    made = make_report(connection, found.document, language)
    for ending, content in (("html", made.html), ("pdf", made.pdf)):
        path = to / f"{campaign}-{made.day}.{ending}"
        path.write_bytes(content)
        typer.echo(path)
