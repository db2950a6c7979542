"""The demo's order files, as the client's systems would write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from chalicelib.domain.files.orders import COLUMNS, OrderRow


def order_file(rows: Iterable[OrderRow]) -> bytes:
    """The content of an order file with these rows."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        written = {
            "order_id": row.order_id,
            "ordered_at": row.ordered_at.isoformat(timespec="seconds"),
            "email_digest": row.email_digest or "",
            "voucher_code": row.voucher_code or "",
            "amount": f"{row.amount_minor // 100}.{row.amount_minor % 100:02}",
            "currency": row.currency,
            "status": row.status,
        }
        writer.writerow([written[column] for column in COLUMNS])
    return text.getvalue().encode()
