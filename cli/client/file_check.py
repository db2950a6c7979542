"""What a file of the client's would do if it were dropped, as the receipt that it would get.

The file is read by the code that reads it in production, laid out as the campaign says. What only
the table knows is left out: which codes were issued, which order was reported for somebody else,
whether the export of an acknowledgement is there. Nothing is written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.files.acks import refused_codes
from chalicelib.domain.files.cohorts import newcomers
from chalicelib.domain.files.consents import IN_THE_FUTURE, consents, is_too_early
from chalicelib.domain.files.layouts import STANDARD, Layout
from chalicelib.domain.files.orders import orders
from chalicelib.domain.files.own_codes import duplicates, own_codes
from chalicelib.domain.files.paths import (
    PGP,
    AckDrop,
    names_an_address,
    parse_drop_path,
    public_path,
)
from chalicelib.domain.files.plain_addresses import first_address
from chalicelib.domain.files.reading import FileRefusedError, Tally, content
from chalicelib.domain.files.receipt import (
    Receipt,
    processed_receipt,
    receipt_json,
    refused_receipt,
)
from chalicelib.domain.orders import refusal_of
from cli.client.files import Kind
from cli.errors import CommandError
from cli.printing import print_json

_PIECE = 1 << 20
_SHOWN = 20  # problems; all of them are in the JSON, as in the receipt


def print_check(kind: Kind, file: Path, campaign: Campaign, *, as_json: bool) -> None:
    """Print how a file is read and its receipt. Raises Exit with code 1 if anything is rejected,
    CommandError for an encrypted file.
    """
    if file.name.endswith(PGP):
        raise CommandError(f"{file}: only we can read it: check the file before you encrypt it")
    receipt = receipt_of(kind, file, campaign, datetime.now(UTC))
    layout = _layout(kind, campaign)
    if as_json:
        print_json(_members(receipt, layout))
    else:
        _show(file, receipt, layout)
    if receipt.status != "accepted":
        raise typer.Exit(1)


def receipt_of(kind: Kind, file: Path, campaign: Campaign, now: datetime) -> Receipt:
    """The receipt that a file would get if it were dropped now, as far as the file decides it."""
    tally = Tally()
    sha256, path = _sha256(file), _path_of(kind, file.name)
    shown = public_path(path, sha256)
    facts: dict[str, Any] = {
        "file": shown,
        "dropped_at": now,
        "received_at": now,
        "sha256": sha256,
        "name_withheld": shown != path,
    }
    is_named_address = names_an_address(path)
    try:
        _check_name(path)
        read = _READERS[kind]
        read(content(file.name, _chunks(file)), tally, campaign, now)
        is_moved = tally.addresses or is_named_address
        return processed_receipt(tally, quarantined=is_moved, **facts)
    except FileRefusedError as error:
        line = None if kind is Kind.ACKS else first_address(_chunks(file))
        cause = FileRefusedError("plain_address", line) if line else error
        is_moved = tally.addresses or line is not None or is_named_address
        return refused_receipt(cause, tally, quarantined=is_moved, **facts)


def _path_of(kind: Kind, name: str) -> str:
    """Where the file would be dropped; codes, in the folder of any template."""
    return f"{kind}/a/{name}" if kind is Kind.CODES else f"{kind}/{name}"


def _check_name(path: str) -> None:
    """`FileRefusedError` for a name that no file of the kind has."""
    dropped = parse_drop_path(path)
    if dropped is None:
        raise FileRefusedError("unknown_path")
    if isinstance(dropped, AckDrop) and dropped.number is None:
        raise FileRefusedError("not_an_export_name")


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        yield from iter(lambda: opened.read(_PIECE), b"")


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


# --- one reader for each kind ---------------------------------------------------------------------

Reader = Callable[[Iterable[bytes], Tally, Campaign, datetime], None]


def _read_orders(plain: Iterable[bytes], tally: Tally, campaign: Campaign, now: datetime) -> None:
    problems = Tally()
    for line, row in orders(plain, tally, campaign.layout_of("orders")):
        if problem := refusal_of(campaign, row, now):
            problems.reject(line, problem)
    tally.add(problems)


def _read_consents(plain: Iterable[bytes], tally: Tally, campaign: Campaign, now: datetime) -> None:
    problems = Tally()
    for line, row in consents(plain, tally, campaign.layout_of("consents")):
        if is_too_early(row, now):
            problems.reject(line, IN_THE_FUTURE)
    tally.add(problems)


def _read_cohorts(plain: Iterable[bytes], tally: Tally, campaign: Campaign, now: datetime) -> None:
    today, layout = campaign.local_date(now), campaign.layout_of("cohorts")
    for _ in newcomers(plain, tally, today, layout):
        pass


def _read_codes(plain: Iterable[bytes], tally: Tally, _: Campaign, __: datetime) -> None:
    problems = Tally()
    for line in sorted(duplicates(own_codes(plain, tally))):
        problems.reject(line, "code_duplicate")
    tally.add(problems)


def _read_acks(plain: Iterable[bytes], tally: Tally, _: Campaign, __: datetime) -> None:
    for _refusal in refused_codes(plain, tally):
        pass
    if tally.errors:  # a misspelt refusal would release the code that it meant
        first = tally.errors[0]
        raise FileRefusedError(first.reason, first.line)


_READERS: Mapping[Kind, Reader] = {
    Kind.ORDERS: _read_orders,
    Kind.CONSENTS: _read_consents,
    Kind.COHORTS: _read_cohorts,
    Kind.CODES: _read_codes,
    Kind.ACKS: _read_acks,
}


# --- what is printed ------------------------------------------------------------------------------

_SIGNS: Mapping[str, str] = {",": "commas", ";": "semicolons", "|": "bars", "\t": "tabs"}


def _layout(kind: Kind, campaign: Campaign) -> Layout:
    match kind:
        case Kind.ORDERS:
            return campaign.layout_of("orders")
        case Kind.CONSENTS:
            return campaign.layout_of("consents")
        case Kind.COHORTS:
            return campaign.layout_of("cohorts")
        case Kind.CODES | Kind.ACKS:
            return STANDARD


def _members(receipt: Receipt, layout: Layout) -> dict[str, Any]:
    read_as = {
        "encoding": layout.encoding,
        "delimiter": layout.delimiter,
        "decimal": layout.decimal,
        "columns": dict(layout.columns),
    }
    members: dict[str, Any] = json.loads(receipt_json(receipt))
    return members | {"read_as": read_as}


def _show(file: Path, receipt: Receipt, layout: Layout) -> None:
    typer.echo(f"read as    {layout.encoding}, fields between {_SIGNS[layout.delimiter]}")
    for theirs, ours in layout.columns.items():
        typer.echo(f"           {theirs} is {ours}")
    typer.echo(f"result     {receipt.status}{f': {receipt.reason}' if receipt.reason else ''}")
    typer.echo(f"rows       {receipt.rows:,}")
    typer.echo(f"accepted   {receipt.accepted:,}")
    typer.echo(f"rejected   {receipt.rejected:,}")
    if receipt.quarantined:
        typer.echo("addresses  the file would be taken out of in/")
    for error in receipt.errors[:_SHOWN]:
        detail = f": {error.detail}" if error.detail else ""
        typer.echo(f"{file}:{error.line}: {error.reason}{detail}", err=True)
    if (left := len(receipt.errors) - _SHOWN) > 0:
        typer.echo(f"{file}: {left:,} more problems: see --json", err=True)
