"""Orders as the client reports them, in a file or in a call: the same rules for both.

Refuses a row that breaks any rule, naming every wrong field. Does not know campaigns or vouchers:
whether the currency, the code or the order is one of ours is decided in services.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import MINYEAR, UTC, datetime
from itertools import chain, islice
from typing import Any, Literal, NamedTuple, cast, get_args

from chalicelib.domain.files.layouts import STANDARD, Layout
from chalicelib.domain.files.lines import block_lines, blocks, lines, plain_text
from chalicelib.domain.files.reading import Tally, read_header, records, row_of
from chalicelib.domain.files.spreadsheets import is_damaged
from chalicelib.domain.files.usual_orders import Fields, usual_lines

OrderStatus = Literal["placed", "kept", "returned", "cancelled"]
FieldReason = Literal[
    "missing",
    "invalid",
    "too_long",
    "too_many_decimals",
    "without_offset",
    "plain_address",
    "damaged",
]

MAX_ID = 64  # characters, of an order id

_DIGEST = re.compile(r"[0-9A-Fa-f]{64}")
_AMOUNT = re.compile(r"-?[0-9]{1,10}(?:\.([0-9]+))?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_DOT_SEGMENTS = frozenset({".", ".."})
_GIVES_MONEY_BACK = frozenset({"returned", "cancelled"})


class OrderRow(NamedTuple):
    """An order as reported. `ordered_at` is aware; a digest, a code or both are present.

    `amount_minor` is never negative.
    """

    order_id: str
    ordered_at: datetime
    email_digest: str | None  # lower-case hex
    voucher_code: str | None  # as typed: see codes.candidates
    amount_minor: int
    currency: str
    status: OrderStatus


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of one order; never contains its value."""

    field: str
    reason: FieldReason


def orders(
    chunks: Iterable[bytes], tally: Tally, layout: Layout = STANDARD
) -> Iterator[tuple[int, OrderRow]]:
    """Numbered good rows; the bad ones are in `tally`, as `{field}_{reason}`.

    Raises FileRefusedError as `reading.table` does.
    """
    if layout.encoding == "utf-16":
        numbered = lines(chunks, layout)
        names = read_header(numbered, COLUMNS, layout)
        yield from _by_line(numbered, names, tally, layout)
        return
    rest = blocks(chunks)
    # The first line is a block by itself; where it is blank, the header is in another one.
    header = list(block_lines(islice(rest, 1), layout))
    numbered = chain(header, block_lines(rest, layout))
    names = read_header(numbered, COLUMNS, layout)
    usual = usual_lines(names, layout, _made) if header else None
    for first, block in rest if usual else ():
        text = plain_text(block)
        if usual is None or text is None:  # from here on, a record may be of several lines
            numbered = block_lines(chain([(first, block)], rest), layout)
            break
        yield from _of_block(usual(text), first, names, tally, layout)
    yield from _by_line(numbered, names, tally, layout)


def _made(values: Fields) -> OrderRow:
    return tuple.__new__(OrderRow, values)


def _of_block(
    found: Iterable[OrderRow | str],
    first: int,
    names: Sequence[str],
    tally: Tally,
    layout: Layout,
) -> Iterator[tuple[int, OrderRow]]:
    for number, one in enumerate(found, first):
        if isinstance(one, OrderRow):
            tally.rows += 1
            yield number, one
        else:
            yield from _by_line(block_lines([(number, one.encode())], layout), names, tally, layout)


def _by_line(
    numbered: Iterable[tuple[int, str]], names: Sequence[str], tally: Tally, layout: Layout
) -> Iterator[tuple[int, OrderRow]]:
    """Numbered rows, each record checked column by column."""
    for number, line in records(numbered, len(names), layout.delimiter):
        tally.rows += 1
        values = row_of(number, line, names, tally)
        if values is None:
            continue
        row = parse_order(values | {"amount": layout.amount(values["amount"])})
        if isinstance(row, OrderRow):
            yield number, row
        else:
            _reject(tally, number, values, row, layout)


def _reject(
    tally: Tally,
    number: int,
    values: Mapping[str, str],
    problems: Iterable[FieldError],
    layout: Layout,
) -> None:
    reasons = [f"{error.field}_{error.reason}" for error in problems]
    detail = ""
    if "amount_invalid" in reasons and layout.has_other_decimal(values["amount"]):
        reasons[reasons.index("amount_invalid")] = "amount_other_decimal"
        other = "." if layout.decimal == "," else ","
        detail = layout.found(other, "decimal", other)
    tally.reject(number, *reasons, detail=detail)


def order_json(line: int, row: OrderRow) -> str:
    """A numbered row as JSON, as `order_of` reads it back."""
    return json.dumps(
        [
            line, row.order_id, row.ordered_at.isoformat(), row.email_digest, row.voucher_code,
            row.amount_minor, row.currency, row.status,
        ]
    )  # fmt: skip


def order_of(values: Sequence[Any]) -> tuple[int, OrderRow]:
    """A numbered row, read back."""
    line, order_id, ordered_at, *others = values
    return line, OrderRow(order_id, datetime.fromisoformat(ordered_at), *others)


def parse_order(values: Mapping[str, str]) -> OrderRow | tuple[FieldError, ...]:
    """The order in a row or in an item of a call; every wrong field otherwise."""
    given = {name: values.get(name, "") for name in COLUMNS}
    problems = tuple(
        FieldError(name, reason) for name in COLUMNS if (reason := _problem(name, given))
    )
    return problems or _row(given)


def _problem(name: str, given: Mapping[str, str]) -> FieldReason | None:
    value = given[name]
    if "@" in value:  # in no column of an order; what is kept of one goes into the journal (law 9)
        return "plain_address"
    if name == "amount" and value.startswith("-") and given["status"] not in _GIVES_MONEY_BACK:
        return "invalid"
    if value:
        return _CHECKS[name](value)
    if name == "voucher_code" or (name == "email_digest" and given["voucher_code"]):
        return None
    return "missing"


def _row(given: Mapping[str, str]) -> OrderRow:
    """The row of values that have no problem."""
    return OrderRow(
        order_id=given["order_id"],
        ordered_at=datetime.fromisoformat(given["ordered_at"]),
        email_digest=given["email_digest"].lower() or None,
        voucher_code=given["voucher_code"] or None,
        amount_minor=_minor(given["amount"]),
        currency=given["currency"],
        status=cast("OrderStatus", given["status"]),
    )


def _minor(amount: str) -> int:
    """`12`, `12.5`, `12.5000`, `-12.50` → 1200, 1250, 1250, 1250, without a float.

    The sign is dropped: some back offices write refunds as negative amounts, and the status already
    says that the order was returned.
    """
    units, _, decimals = amount.removeprefix("-").partition(".")
    return int(units) * 100 + int(decimals[:2].ljust(2, "0"))


# --- one check per column -----------------------------------------------------------------------


def _order_id_problem(value: str) -> FieldReason | None:
    if len(value) > MAX_ID:
        return "too_long"
    if is_damaged(value):  # two people's orders would meet on one id
        return "damaged"
    # As the end of a URL these are removed, so such an order could never be named in a call.
    is_fit = value.isprintable() and value == value.strip() and value not in _DOT_SEGMENTS
    return None if is_fit else "invalid"


def _voucher_code_problem(_value: str) -> FieldReason | None:
    """Any text is a code, ours or somebody else's: it must not cost the order."""
    return None


def instant_problem(value: str) -> FieldReason | None:
    """What is wrong with a time; None if it is one with an offset."""
    try:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            return "without_offset"
        # Year 1 is what a system writes that has no date; some zones have no such local day.
        if instant.astimezone(UTC).year == MINYEAR:
            return "invalid"
    except (ValueError, OverflowError):
        return "invalid"
    return None


def digest_problem(value: str) -> FieldReason | None:
    """What is wrong with a digest; None if it is one."""
    if is_damaged(value):
        return "damaged"
    return None if _DIGEST.fullmatch(value) else "invalid"


def _amount_problem(value: str) -> FieldReason | None:
    amount = _AMOUNT.fullmatch(value)
    if not amount:
        return "invalid"
    # Zeros beyond the cents say nothing: 45.0000 is 45.00.
    return "too_many_decimals" if len((amount[1] or "").rstrip("0")) > 2 else None


def _currency_problem(value: str) -> FieldReason | None:
    return None if _CURRENCY.fullmatch(value) else "invalid"


def _status_problem(value: str) -> FieldReason | None:
    return None if value in get_args(OrderStatus) else "invalid"


_CHECKS: dict[str, Callable[[str], FieldReason | None]] = {
    "order_id": _order_id_problem,
    "ordered_at": instant_problem,
    "email_digest": digest_problem,
    "voucher_code": _voucher_code_problem,
    "amount": _amount_problem,
    "currency": _currency_problem,
    "status": _status_problem,
}
COLUMNS = tuple(_CHECKS)
