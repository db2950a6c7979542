"""LMDB: `… of_lmdb make SEGMENT DATABASE`, then `… of_lmdb find DATABASE SAMPLE`.

Filled in order (append), read in one read transaction, memory-mapped, without read-ahead.
"""

from __future__ import annotations

import sys
from pathlib import Path

import lmdb  # type: ignore[import-not-found]  # in .venv-bench alone

from bench.lists.contestants.lookups import measure
from bench.lists.segments import each_record

_AT_MOST = 64 << 30  # bytes of address space, not of disk


def make(segment: str, database: str) -> None:
    """Fill a new database with the records of a segment."""
    made = lmdb.open(database, map_size=_AT_MOST, subdir=False, sync=False, lock=False)
    with made.begin(write=True) as writing:
        for record in each_record(Path(segment)):
            writing.put(record, b"", append=True)
    made.close()


def find(database: str, sample: str) -> None:
    """Measure."""
    opened = lmdb.open(
        database, map_size=_AT_MOST, subdir=False, readonly=True, lock=False, readahead=False
    )
    with opened.begin(buffers=True) as reading:
        get = reading.get

        def contains(record: bytes) -> bool:
            return get(record) is not None

        measure(contains, Path(sample))
    opened.close()


if __name__ == "__main__":
    {"make": make, "find": find}[sys.argv[1]](*sys.argv[2:])
