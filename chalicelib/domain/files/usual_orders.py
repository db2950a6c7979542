"""Orders as nearly every row reports them, recognised a block of lines at a time.

One expression knows what a good line looks like: less than what the checks of `orders.py` accept,
never more, so that whatever it recognises needs no other check and whatever it does not is
checked there, column by column. A file of millions of rows is read in a fraction of the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from chalicelib.domain.files.layouts import Layout

_DAY = (
    "(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31"
)
# Nothing that a spreadsheet makes of a number: see `spreadsheets.py`.
_COLUMNS = {
    "order_id": "([A-Za-z0-9][A-Za-z0-9_/-]{0,63})",
    "ordered_at": (
        f"([12][0-9]{{3}}-(?:{_DAY})T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
        "(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9]))"
    ),
    "email_digest": "([0-9a-f]{64})",
    "voucher_code": "([A-Za-z0-9-]{0,64})",
    "amount": "([0-9]{1,10})DECIMAL([0-9]{2})",
    "currency": "([A-Z]{3})",
    "status": "(placed|kept|returned|cancelled)",
}
_GROUPS = (
    "order_id", "ordered_at", "email_digest", "voucher_code", "amount", "cents", "currency",
    "status",
)  # fmt: skip

T = TypeVar("T")
Fields = tuple[str, datetime, str, str | None, int, str, str]


def usual_lines(
    names: Sequence[str], layout: Layout, make: Callable[[Fields], T]
) -> Callable[[str], Iterator[T | str]] | None:
    """What goes through the lines of a text, each a record by itself: what is made of the fields of
    a line that is recognised, the line itself of any other. None where a layout has the delimiter
    before the cents too: two fields would be an amount.
    """
    if layout.decimal == layout.delimiter:
        return None
    decimal = re.escape(layout.decimal)
    columns = [_COLUMNS[name].replace("DECIMAL", decimal) for name in names]
    line = rf"^(?:{re.escape(layout.delimiter).join(columns)}\r?|(.*))$"
    find_all = re.compile(line, re.MULTILINE).findall
    groups = [part for name in names for part in ((name, "cents") if name == "amount" else (name,))]
    places = [groups.index(name) for name in _GROUPS]
    if places == list(range(len(_GROUPS))):
        return lambda text: _made(find_all(text), make)
    return lambda text: _made(_in_our_order(find_all(text), places), make)


def _in_our_order(
    found: Iterable[tuple[str, ...]], places: Sequence[int]
) -> Iterator[tuple[str, ...]]:
    for fields in found:
        yield (*[fields[place] for place in places], fields[-1])


def _made(found: Iterable[tuple[str, ...]], make: Callable[[Fields], T]) -> Iterator[T | str]:
    at = datetime.fromisoformat
    for order_id, ordered_at, digest, code, units, cents, currency, status, other in found:
        if order_id:
            minor = int(units + cents)
            yield make((order_id, at(ordered_at), digest, code or None, minor, currency, status))
        else:
            yield other
