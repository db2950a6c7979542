"""Polars' best: `python -m bench.lists.contestants.of_polars LIST OUT`.

Of the ways tried (the text, blobs of 32 and of 16 bytes; `unique` before the sort, or dropping
equal neighbours after it; in memory or streaming) this one is the fastest. The decoding checks the
first 32 characters; the rest of the line is not looked at. Two threads (POLARS_MAX_THREADS). OUT:
the sorted distinct records as Parquet, uncompressed.
"""

from __future__ import annotations

import sys

import polars  # type: ignore[import-not-found]  # in .venv-bench alone


def main(listed: str, out: str) -> None:
    """Read, sort, make distinct, write, by the streaming engine."""
    record = polars.col("record")
    lines = polars.scan_csv(
        listed, has_header=False, schema={"record": polars.String}, quote_char=None
    )
    records = lines.select(record.str.head(32).str.decode("hex")).sort("record")
    distinct = records.filter((record != record.shift(1)).fill_null(True))
    distinct.sink_parquet(out, compression="uncompressed", engine="streaming")


if __name__ == "__main__":
    main(*sys.argv[1:])
