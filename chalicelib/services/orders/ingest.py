"""A file of orders: recorded like those of a call (record.py), many rows at a time."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.files.orders import orders
from chalicelib.domain.files.reading import Tally
from chalicelib.services.orders.record import record_orders
from chalicelib.services.ports import Ports

_AT_ONCE = 100  # rows: the limit of one batch read


def ingest_orders(
    ports: Ports, campaign: Campaign, *, plain: Iterable[bytes], tally: Tally
) -> None:
    """Record the orders of a file; problems of rows go into `tally`. `FileRefusedError`.

    All lines are read before the first takes effect: a file damaged at its end changes nothing.
    """
    rows = list(orders(plain, tally))
    without_effect = Tally()
    for start in range(0, len(rows), _AT_ONCE):
        numbered = rows[start : start + _AT_ONCE]
        outcomes = record_orders(ports, campaign, [row for _, row in numbered])
        for (line, _), outcome in zip(numbered, outcomes, strict=True):
            if outcome.problem:
                without_effect.reject(line, outcome.problem)
    tally.add_rejected(without_effect)
