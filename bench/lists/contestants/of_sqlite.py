"""SQLite: `… of_sqlite make SEGMENT DATABASE`, then `… of_sqlite find|mapped DATABASE SAMPLE`.

The table is its own index (WITHOUT ROWID, the record its primary key), filled in order. `find`
opens it read-only with a page cache of 256 MB, the statement prepared once; `mapped` besides maps
it into memory and tells SQLite that nobody ever changes it, so that it takes no lock: as fast as it
goes.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from bench.lists.contestants.lookups import measure
from bench.lists.segments import each_record


def make(segment: str, database: str) -> None:
    """Fill a new database with the records of a segment."""
    made = sqlite3.connect(database)
    made.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
    made.execute("CREATE TABLE list (record BLOB PRIMARY KEY) WITHOUT ROWID")
    made.executemany("INSERT INTO list VALUES (?)", ((one,) for one in each_record(Path(segment))))
    made.commit()
    made.close()


def find(database: str, sample: str) -> None:
    """Measure."""
    _measure(sqlite3.connect(f"file:{database}?mode=ro", uri=True), Path(sample))


def mapped(database: str, sample: str) -> None:
    """Measure it at its fastest."""
    opened = sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)
    opened.execute(f"PRAGMA mmap_size = {1 << 40}")
    _measure(opened, Path(sample))


def _measure(opened: sqlite3.Connection, sample: Path) -> None:
    opened.execute("PRAGMA cache_size = -262144")
    ask = opened.cursor().execute

    def contains(record: bytes) -> bool:
        return ask("SELECT 1 FROM list WHERE record = ?", (record,)).fetchone() is not None

    measure(contains, sample)
    opened.close()


if __name__ == "__main__":
    {"make": make, "find": find, "mapped": mapped}[sys.argv[1]](*sys.argv[2:])
