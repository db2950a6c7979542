"""DuckDB and polars, each at its best: the sorted distinct records of a list as Parquet.

    … columnar duckdb LIST OUT SCRATCH
    … columnar polars LIST OUT

DuckDB: of the text, blobs of 32 and of 16 bytes, and a UUID, the UUID is the fastest and smallest:
16 bytes whose order is that of the digests. Polars: of the text, blobs of 32 and of 16 bytes,
`unique` before the sort or dropping equal neighbours after it, in memory or streaming, this one is
the fastest. Both check the first 32 characters of a line and ignore the rest. Two threads each
(POLARS_MAX_THREADS for polars), as much memory as they like. The files are not compressed: random
bytes do not compress.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

_DUCKDB = """
COPY (
  SELECT DISTINCT CAST(substr(digest, 1, 32) AS UUID) AS record
  FROM read_csv(?, header = false, auto_detect = false, delim = ',', quote = '', escape = '',
                columns = {'digest': 'VARCHAR'})
  ORDER BY record
) TO '%s' (FORMAT parquet, COMPRESSION uncompressed)
"""


def build_with_duckdb(digest_list: str, out: str, scratch: str) -> None:
    """Read, deduplicate, sort, write."""
    import duckdb  # type: ignore[import-not-found]  # in .venv-bench alone

    settings = {"threads": 2, "preserve_insertion_order": "false", "temp_directory": scratch}
    duckdb.connect(config=settings).execute(_DUCKDB % out, [digest_list])


def build_with_polars(digest_list: str, out: str) -> None:
    """Read, sort, deduplicate, write, with the streaming engine."""
    import polars  # type: ignore[import-not-found]  # in .venv-bench alone

    record = polars.col("record")
    lines = polars.scan_csv(
        digest_list, has_header=False, schema={"record": polars.String}, quote_char=None
    )
    records = lines.select(record.str.head(32).str.decode("hex")).sort("record")
    distinct = records.filter((record != record.shift(1)).fill_null(True))
    distinct.sink_parquet(out, compression="uncompressed", engine="streaming")


if __name__ == "__main__":
    commands: Mapping[str, Callable[..., None]] = {
        "duckdb": build_with_duckdb,
        "polars": build_with_polars,
    }
    commands[sys.argv[1]](*sys.argv[2:])
