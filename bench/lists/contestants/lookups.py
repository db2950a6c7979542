"""What else can look a record up: SQLite, LMDB, and bisect over all records in memory.

    … lookups make-sqlite|make-lmdb RECORDS DATABASE      fill a database, in order
    … lookups sqlite|sqlite-mapped|lmdb DATABASE SAMPLE   measure it
    … lookups bisect RECORDS SAMPLE

SQLite: the table is its own index (WITHOUT ROWID, the record its primary key), the statement is
prepared once, the page cache has 256 MB. `sqlite-mapped` also maps the file into memory and
declares it immutable, so that SQLite takes no lock: its fastest form. LMDB: one read transaction
over the map, no read-ahead. Bisect needs the whole list in the process (160 MB for 10 M records),
where the reader of segments needs one bucket.
"""

from __future__ import annotations

import sqlite3
import sys
from bisect import bisect_left
from pathlib import Path

from bench.lists.contestants.timing import measure
from bench.lists.inputs import RECORD, read_records

_ADDRESS_SPACE = 64 << 30  # bytes that LMDB may map, not the size of its file


def make_sqlite(records: str, database: str) -> None:
    """Fill a new database."""
    connection = sqlite3.connect(database)
    connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
    connection.execute("CREATE TABLE list (record BLOB PRIMARY KEY) WITHOUT ROWID")
    rows = ((record,) for record in read_records(Path(records)))
    connection.executemany("INSERT INTO list VALUES (?)", rows)
    connection.commit()
    connection.close()


def sqlite(database: str, sample: str) -> None:
    """As one opens it."""
    _measure_sqlite(sqlite3.connect(f"file:{database}?mode=ro", uri=True), sample)


def sqlite_mapped(database: str, sample: str) -> None:
    """At its fastest."""
    connection = sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)
    connection.execute(f"PRAGMA mmap_size = {1 << 40}")
    _measure_sqlite(connection, sample)


def make_lmdb(records: str, database: str) -> None:
    """Fill a new database."""
    import lmdb  # type: ignore[import-not-found]  # in .venv-bench alone

    environment = lmdb.open(database, map_size=_ADDRESS_SPACE, subdir=False, sync=False, lock=False)
    with environment.begin(write=True) as transaction:
        for record in read_records(Path(records)):
            transaction.put(record, b"", append=True)
    environment.close()


def lmdb(database: str, sample: str) -> None:
    """Within one read transaction."""
    import lmdb

    environment = lmdb.open(
        database, map_size=_ADDRESS_SPACE, subdir=False, readonly=True, lock=False, readahead=False
    )
    with environment.begin(buffers=True) as transaction:
        get = transaction.get

        def contains(record: bytes) -> bool:
            return get(record) is not None

        measure(contains, sample)
    environment.close()


def bisect(records: str, sample: str) -> None:
    """Over the records, end to end in one bytes object."""
    content = Path(records).read_bytes()
    positions = range(len(content) // RECORD)

    def record_at(position: int) -> bytes:
        return content[position * RECORD : position * RECORD + RECORD]

    def contains(record: bytes) -> bool:
        position = bisect_left(positions, record, key=record_at)
        return position < len(positions) and record_at(position) == record

    measure(contains, sample)


def _measure_sqlite(connection: sqlite3.Connection, sample: str) -> None:
    connection.execute("PRAGMA cache_size = -262144")
    execute = connection.cursor().execute

    def contains(record: bytes) -> bool:
        return execute("SELECT 1 FROM list WHERE record = ?", (record,)).fetchone() is not None

    measure(contains, sample)
    connection.close()


_COMMANDS = {
    "make-sqlite": make_sqlite,
    "sqlite": sqlite,
    "sqlite-mapped": sqlite_mapped,
    "make-lmdb": make_lmdb,
    "lmdb": lmdb,
    "bisect": bisect,
}

if __name__ == "__main__":
    _COMMANDS[sys.argv[1]](*sys.argv[2:])
