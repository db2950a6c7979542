"""Orders as the client reports them, in a file or in a call: the same rules for both.

Refuses a row that breaks any rule, naming every wrong field. Does not know campaigns or vouchers:
whether the currency, the code or the order is one of ours is decided in services.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import MINYEAR, UTC, datetime
from operator import itemgetter
from typing import Any, Literal, cast, get_args

from chalicelib.domain.files.layouts import STANDARD, Layout
from chalicelib.domain.files.reading import (
    Tally,
    fields,
    lines,
    read_header,
    record_lines,
    row_of,
)
from chalicelib.domain.files.spreadsheets import is_damaged

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


@dataclass(frozen=True, slots=True)
class OrderRow:
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
    rest = lines(chunks, layout)
    names = read_header(rest, COLUMNS, layout)
    good = _good_lines(names, layout)
    for number, line in record_lines(rest, len(names), layout.delimiter):
        tally.rows += 1
        row = good(line) or _checked(number, line, names, tally, layout)
        if row:
            yield number, row


def _checked(
    number: int, line: str, names: Sequence[str], tally: Tally, layout: Layout
) -> OrderRow | None:
    """The row of a line, checked column by column; None where it is rejected."""
    values = row_of(number, fields(line, layout.delimiter), names, tally)
    if values is None:
        return None
    row = parse_order(values | {"amount": layout.amount(values["amount"])})
    if isinstance(row, OrderRow):
        return row
    _reject(tally, number, values, row, layout)
    return None


# What a column looks like in nearly every row: less than what its check accepts, never more.
_USUAL = {
    "order_id": "[A-Za-z0-9][A-Za-z0-9_/-]{0,63}",
    "ordered_at": (
        "[12][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
        "T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"
    ),
    "email_digest": "(?:[0-9A-Fa-f]{64})?",
    "voucher_code": "[A-Za-z0-9-]{0,64}",
    "amount": "[0-9]{1,10}D[0-9]{2}",
    "currency": "[A-Z]{3}",
    "status": "placed|kept|returned|cancelled",
}


def _good_lines(names: Sequence[str], layout: Layout) -> Callable[[str], OrderRow | None]:
    """What reads a line at once that is good in every respect: None for any other, which may be
    good too. A file of millions of orders is read in a third of the time.
    """
    sign, decimal = re.escape(layout.delimiter), re.escape(layout.decimal)
    columns = (f"({_USUAL[name].replace('D', decimal, name == 'amount')})" for name in names)
    line = re.compile(sign.join(columns)).fullmatch
    in_our_order = itemgetter(*(names.index(name) for name in COLUMNS))
    if layout.decimal == layout.delimiter:  # two fields would be an amount
        return lambda _: None

    def read(text: str) -> OrderRow | None:
        found = line(text)
        if found is None:
            return None
        order_id, at, digest, code, amount, currency, status = in_our_order(found.groups())
        if not digest and not code:
            return None
        return OrderRow(
            order_id,
            datetime.fromisoformat(at),
            digest.lower() or None,
            code or None,
            int(amount[:-3] + amount[-2:]),
            currency,
            status,
        )

    return read


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
