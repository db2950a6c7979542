"""What a day costs on AWS: counted calls, measured seconds, stated prices, nothing else.

Prices: those AWS publishes for US East (N. Virginia), on demand, without free tier or discounts, as
known here in November 2026: look them up anew before a figure is quoted. What is assumed rather
than measured is a constant below, and in docs/performance.md.

    ours       a new full segment every day (or a delta), each kept 450 days; a look-up reads the
               pointer (one strongly consistent DynamoDB read) and one bucket for each digest
    DynamoDB   one item per digest: every item written again each day, or the changed ones alone
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.lists.figures import Calls, CostLine, Reads
from bench.lists.making import ADDED

# --- prices, dollars ----------------------------------------------------------------------------

PUT = 0.005 / 1_000  # S3 Standard: PUT, COPY, POST, and each part of an upload
GET = 0.0004 / 1_000
STORED = 0.023 / 30 / 1e9  # S3 Standard, a byte a day
LAMBDA = 0.0000133334  # arm64, a GB-second
SCRATCH = 0.0000000309  # Lambda's /tmp beyond 512 MB, a GB-second
INVOKED = 0.20 / 1e6
WRITE_UNIT = 0.625 / 1e6  # DynamoDB, on demand
READ_UNIT = 0.125 / 1e6
ITEM_STORED = 0.25 / 30 / 1e9  # DynamoDB, a byte a day

# --- assumptions --------------------------------------------------------------------------------

ADDRESSES = 20_000  # looked up in a day: 5,000 invitations, each judged three times, and sign-ins
DIGESTS = 2  # of an address; the worst case: no alias shares its bucket, none is found
KEPT = 450  # days that lists/ keeps a segment
MEMORY = 2.048  # GB of the ingest function
CORES = 2_048 / 1_769  # processors that Lambda gives for it
S3_SPEED = 60e6  # bytes a second, one stream, in or out; not overlapped with the work
SCRATCH_SIZE = 4.096 - 0.512  # GB
ITEM = 150  # bytes: the digest as key, names, and the 100 bytes that DynamoDB adds
CHANGED = 1 / ADDED  # of the list in a day, for the deltas


@dataclass(frozen=True)
class Ingested:
    """One list a day, as our builder took it."""

    cpu_seconds: float
    dropped_bytes: int
    calls: Calls


def bill(
    rows: int, stored_bytes: int, full: Ingested, delta: Ingested, reads: Sequence[Reads]
) -> list[CostLine]:
    """All lines, way by way."""
    warm = next(one for one in reads if one.state == "warm")
    looked_up = _looked_up(warm.gets_mean)
    kept = _line("segments kept", KEPT * stored_bytes, "bytes", STORED)
    return [
        *_named("segment, full list", [*_ingest(full), kept, *looked_up]),
        *_named("segment, 1 % delta", [*_ingest(delta), kept, *looked_up]),
        *_named("DynamoDB, full list", _items(rows, rows)),
        *_named("DynamoDB, 1 % changed", _items(rows, rows * CHANGED)),
    ]


def _ingest(one: Ingested) -> list[CostLine]:
    moved = one.dropped_bytes + one.calls.got_bytes + one.calls.put_bytes
    seconds = one.cpu_seconds / CORES + moved / S3_SPEED
    return [
        _line("GETs of the ingest", one.calls.gets + 1, "GETs", GET),
        _line("parts and calls of the upload, the receipt", one.calls.puts + 1, "PUTs", PUT),
        _line("ingest function", seconds * MEMORY, "GB-seconds", LAMBDA),
        _line("its scratch space", seconds * SCRATCH_SIZE, "GB-seconds", SCRATCH),
        _line("its start", 1, "invocations", INVOKED),
    ]


def _looked_up(gets: float) -> list[CostLine]:
    return [
        _line("bucket GETs", ADDRESSES * DIGESTS * gets, "GETs", GET),
        _line("pointer reads", ADDRESSES, "read units", READ_UNIT),
    ]


def _items(rows: float, written: float) -> list[CostLine]:
    """Eventually consistent reads; what has left the list goes by TTL, which is free."""
    return [
        _line("items written", written, "write units", WRITE_UNIT),
        _line("items kept", rows * ITEM, "bytes", ITEM_STORED),
        _line("items read", ADDRESSES * DIGESTS * 0.5, "read units", READ_UNIT),
    ]


def _line(item: str, count: float, unit: str, price: float) -> CostLine:
    return CostLine("", item, count, unit, count * price)


def _named(way: str, lines: Sequence[CostLine]) -> list[CostLine]:
    return [replace(one, way=way) for one in lines]


def totals(lines: Sequence[CostLine]) -> dict[str, float]:
    """Dollars a day, by way."""
    ways = dict.fromkeys(one.way for one in lines)
    return {way: sum(one.dollars for one in lines if one.way == way) for way in ways}
