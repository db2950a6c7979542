"""What is timed, each in a process of its own; the last line is the answer as JSON.

… orders FILE        our reader, with its checks
… pydantic FILE      csv.DictReader and a pydantic model of the same rules
… parts FILE         a large file read and cut into parts, as `ingest` does
… export ROWS        exports made of stored parts, each with its manifest
… csv ROWS           the same rows with csv and gzip
… acknowledge ROWS   acknowledgements of exports of their usual size, each tenth code refused
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, Literal, Self, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    Field,
    ValidationError,
    model_validator,
)

from bench.files.inputs import code_of, export_part, export_parts, parts_of, voucher_row
from chalicelib.adapters.dynamodb.codec import entity_item, entity_of
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.exports import (
    VOUCHER_COLUMNS,
    Export,
    ExportPart,
    ExportState,
    export_name,
)
from chalicelib.domain.files.exports import manifest_json, voucher_file
from chalicelib.domain.files.orders import MAX_ID, orders
from chalicelib.domain.files.parts import staged_content, staged_rows
from chalicelib.domain.files.reading import Tally
from chalicelib.domain.files.spreadsheets import is_damaged
from chalicelib.services.numbered_files import FILE_ROWS
from chalicelib.services.orders.record_many import ingest_orders
from chalicelib.services.ports import Ports
from chalicelib.services.vouchers.acknowledge import answers_of, ingest_ack
from tests.fakes.campaign import campaign

PIECE = 1 << 20
NOW = datetime(2026, 6, 1, tzinfo=UTC)
Answer = dict[str, float]


def _chunks(file: str) -> Iterator[bytes]:
    with Path(file).open("rb") as opened:
        yield from iter(lambda: opened.read(PIECE), b"")


# --- orders ---------------------------------------------------------------------------------------


def read_orders(file: str) -> Answer:
    """Ours."""
    tally = Tally()
    amounts = 0
    began = time.process_time()
    for _, row in orders(_chunks(file), tally):
        amounts += row.amount_minor
    seconds = time.process_time() - began
    return {
        "seconds": seconds,
        "accepted": tally.accepted,
        "rejected": tally.rejected,
        "amounts": amounts,
    }


def _order_id(value: str) -> str:
    fits = value.isprintable() and value == value.strip() and value not in {".", ".."}
    if not fits or is_damaged(value):
        raise ValueError("order_id")
    return value


def _no_address(value: str) -> str:
    if "@" in value:
        raise ValueError("an address")
    return value


Plain = Annotated[str, AfterValidator(_no_address)]


class Order(BaseModel):
    """The rules of the client guide."""

    order_id: Annotated[Plain, Field(min_length=1, max_length=MAX_ID), AfterValidator(_order_id)]
    ordered_at: AwareDatetime
    email_digest: Literal[""] | Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{64}$")]
    voucher_code: Plain
    amount: Annotated[Decimal, Field(max_digits=12, decimal_places=2)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    status: Literal["placed", "kept", "returned", "cancelled"]

    @model_validator(mode="after")
    def _buyer_and_sign(self) -> Self:
        if not self.email_digest and not self.voucher_code:
            raise ValueError("neither a digest nor a code")
        if self.amount < 0 and self.status in {"placed", "kept"}:
            raise ValueError("a negative amount")
        return self


def read_by_model(file: str) -> Answer:
    """What one writes first."""
    accepted = rejected = 0
    amounts = Decimal(0)
    began = time.process_time()
    with Path(file).open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            try:
                order = Order.model_validate(row)
            except ValidationError:
                rejected += 1
            else:
                accepted += 1
                amounts += order.amount
    seconds = time.process_time() - began
    return {
        "seconds": seconds,
        "accepted": accepted,
        "rejected": rejected,
        "amounts": int(amounts * 100),
    }


class _Empty:
    """A table that has nothing."""

    def get_many(self, *_: object) -> Sequence[Any]:
        return ()


def cut_into_parts(file: str) -> Answer:
    """Read, checked, put in order and packed; the packed parts go nowhere."""
    tally = Tally()
    ports = cast("Ports", SimpleNamespace(repository=_Empty(), clock=lambda: NOW))
    parts = ingest_orders(ports, campaign(), plain=_chunks(file), tally=tally)
    staged = packed = 0
    for rows in parts or ():
        staged += 1
        packed += len(staged_content(rows))
    return {"accepted": tally.accepted, "parts": staged, "packed": packed}


# --- exports --------------------------------------------------------------------------------------


class _Stored:
    """The parts of an export as the table answers them, read each time they are gone through."""

    def __init__(self, rows: int) -> None:
        self._items = [json.dumps(entity_item(part)) for part in export_parts(0, rows)]

    def __iter__(self) -> Iterator[ExportPart]:
        return (entity_of(ExportPart, json.loads(item)) for item in self._items)


def write_exports(rows: int) -> Answer:
    """Timed is what a run does with stored parts: the file and its manifest. All exports have the
    same vouchers, so that not much is made beside the clock.
    """
    seconds = 0.0
    written = 0
    stored = {size: _Stored(size) for size in set(_sizes(rows))}
    for number, size in enumerate(_sizes(rows), 1):
        parts = stored[size]
        began = time.process_time()
        file = voucher_file(parts)
        manifest = manifest_json(
            export=export_name(number), sums=file.sums, content=file.content, generated_at=NOW
        )
        seconds += time.process_time() - began
        written += json.loads(manifest)["rows"]
    return {"seconds": seconds, "rows": written}


def write_csv(rows: int) -> Answer:
    """With the level of ours; the rows are those of ours, in the same pieces."""
    seconds = 0.0
    written = 0
    made = [voucher_row(number) for number in range(min(FILE_ROWS, rows))]
    for size in _sizes(rows):
        cells = made[:size]
        began = time.process_time()
        packed = io.BytesIO()
        with gzip.open(packed, "wt", compresslevel=6, encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(VOUCHER_COLUMNS)
            writer.writerows(cells)
        seconds += time.process_time() - began
        written += len(cells)
    return {"seconds": seconds, "rows": written}


def _sizes(rows: int) -> list[int]:
    """The rows of each export."""
    return [min(FILE_ROWS, rows - first) for first in range(0, rows, FILE_ROWS)]


class _Exported:
    """A table with one export, whose parts are made when they are asked for."""

    def __init__(self, first: int, rows: int) -> None:
        self._first, self._rows = first, rows
        self._export = Export(
            campaign="demo-vip",
            number=1,
            state=ExportState.WRITTEN,
            opened_at=NOW,
            parts=parts_of(rows),
            rows=rows,
        )

    def get(self, *_: object, **__: object) -> Export:
        return self._export

    def within(self, *_: object, **__: object) -> Iterator[ExportPart]:
        return export_parts(self._first, self._rows)

    def get_many(self, kind: type[Any], keys: Iterable[Mapping[str, Any]]) -> Sequence[Any]:
        if kind is not ExportPart:
            return ()
        there = range(1, parts_of(self._rows) + 1)
        wanted = (key["part"] for key in keys if key["part"] in there)
        return [export_part(self._first, self._rows, part) for part in wanted]


def acknowledge(rows: int) -> Answer:
    """The answers of all exports, part by part."""
    answers = refused = 0
    rules: Campaign = campaign()
    for first in range(0, rows, FILE_ROWS):
        count = min(FILE_ROWS, rows - first)
        ports = cast("Ports", SimpleNamespace(repository=_Exported(first, count)))
        lines = (f"{code_of(number)},unknown\n" for number in range(first, first + count, 10))
        plain = (line.encode() for line in lines)
        parts = ingest_ack(ports, rules, 1, plain=plain, tally=Tally())
        for part in parts or ():
            staged = staged_rows(staged_content(part))
            for _, answer in answers_of(ports, rules, 1, staged):
                answers += 1
                refused += answer.refused_reason is not None
    return {"answers": answers, "refused": refused}


COMMANDS: Mapping[str, Callable[[Any], Answer]] = {
    "orders": read_orders,
    "pydantic": read_by_model,
    "parts": cut_into_parts,
    "export": lambda rows: write_exports(int(rows)),
    "csv": lambda rows: write_csv(int(rows)),
    "acknowledge": lambda rows: acknowledge(int(rows)),
}

if __name__ == "__main__":
    print(json.dumps(COMMANDS[sys.argv[1]](sys.argv[2])))
