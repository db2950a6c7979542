"""`tandem client check`: shows that the client's side works, before the first file is sent.

Reads and asks, and changes nothing: no file is left in the bucket, and the one call of the API is
for a code that nobody has.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.client.aws import session_of
from cli.client.check_api import check_api
from cli.client.check_bucket import check_bucket
from cli.client.check_files import check_key, check_list, check_orders, check_recipe
from cli.client.findings import Finding, State
from cli.errors import CommandError
from cli.key_files import chosen_key
from cli.printing import Json, print_json


def check_client(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[BUCKET] [URL]", help="The bucket, the API's address, or both."),
    ] = None,
    campaign: Annotated[str, typer.Option(help="The campaign, for the bucket.")] = "",
    region: Annotated[
        str | None, typer.Option(help="The region, where the profile has none.")
    ] = None,
    key_id: Annotated[str, typer.Option(help="The id of the digest key.")] = "",
    key_file: Annotated[Path | None, typer.Option(help="A file with that key in hex.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Plain SHA-256, without a key.")] = False,
    list_file: Annotated[
        Path | None, typer.Option("--list", metavar="FULL.csv.gz", help="A list to check.")
    ] = None,
    orders: Annotated[
        Path | None, typer.Option(metavar="ORDERS.csv", help="An order file: its header.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check connection, signature, rights, clock, digests and files; change nothing."""
    key = chosen_key(key_id, key_file, plain=plain) if key_file or plain else None
    findings = [check_recipe(), check_key(key)]
    findings += check_list(list_file, key) if list_file else []
    findings += [check_orders(orders)] if orders else []
    for target in targets or []:
        findings += _check(target, campaign, region)
    broken = any(one.state is State.FAILED for one in findings)
    if as_json:
        print_json({"ok": not broken, "findings": [asdict(one) for one in findings]})
    else:
        _say(findings)
    if broken:
        raise typer.Exit(1)


def _check(target: str, campaign: str, region: str | None) -> list[Finding]:
    """Ask an address of the API, or a bucket."""
    if target.startswith(("https://", "http://")):
        return check_api(target, session_of(region, target), _now)
    if not campaign:
        raise CommandError(f"say which campaign in {target}: --campaign NAME")
    return check_bucket(target, campaign, session_of(region), _now)


def _now() -> datetime:
    return datetime.now(UTC)


def _say(findings: list[Finding]) -> None:
    for one in findings:
        typer.echo(f"{one.state.value:8}{one.what}: {one.detail}")
        if one.do and one.state is not State.OK:
            typer.echo(f"{'':8}→ {one.do}")
