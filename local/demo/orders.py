"""The demo's orders, as the client's systems would report them, in files and in calls."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from chalicelib.domain.files.orders import COLUMNS, OrderRow, OrderStatus
from local.demo.lists import digest_of


def order(address: str, order_id: str, status: OrderStatus, code: str | None = None) -> OrderRow:
    """An order of 65 euros that was made now."""
    return OrderRow(
        order_id=order_id,
        ordered_at=datetime.now(UTC) + timedelta(seconds=1),
        email_digest=digest_of(address),
        voucher_code=code,
        amount_minor=6500,
        currency="EUR",
        status=status,
    )


def order_file(rows: Iterable[OrderRow]) -> bytes:
    """The content of an order file with these rows."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(order_item, rows))
    return text.getvalue().encode()


def order_item(row: OrderRow) -> dict[str, str]:
    """A row as the API takes it, without what it does not say."""
    written = {
        "order_id": row.order_id,
        "ordered_at": row.ordered_at.isoformat(timespec="seconds"),
        "email_digest": row.email_digest or "",
        "voucher_code": row.voucher_code or "",
        "amount": f"{row.amount_minor // 100}.{row.amount_minor % 100:02}",
        "currency": row.currency,
        "status": row.status,
    }
    return {column: value for column, value in written.items() if value}
