"""The rows of a large file, gathered while it is read and given back in parts.

Rows of one owner (an order, a code) are always in one part, in the order of the file, so what they
come to does not depend on which part is handled first. Nothing else does: see
`orders/record_many.py`. Rows lie in a private database of SQLite, on disk beyond a few MB, so
memory does not grow with the file; it ends with this object.
"""

from __future__ import annotations

import weakref
from collections.abc import Collection, Iterable, Iterator
from itertools import chain, islice
from typing import Any, TypeVar

T = TypeVar("T")

# Rows of a part. A referee's order costs five calls, some 40 ms: three and a half minutes of a
# function's fifteen. A file of no more is handled at once.
PART_ROWS = 5_000
# What a part's message needs: rows, each as JSON.
Parts = Iterator[list[str]]

_MEMORY_KB = 16_384
_TABLES = f"""
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -{_MEMORY_KB};
CREATE TABLE lines (line INTEGER, owner TEXT, body TEXT);
CREATE TABLE names (name TEXT, owner TEXT);
CREATE TABLE united (owner TEXT PRIMARY KEY, leader TEXT) WITHOUT ROWID;
"""
_SHARED = "SELECT name FROM names GROUP BY name HAVING MIN(owner) <> MAX(owner)"
_OWNERS = "SELECT DISTINCT owner FROM names WHERE name = ?"
_GROUPED = """
SELECT COALESCE(united.leader, lines.owner) AS leading, line, body
FROM lines LEFT JOIN united ON united.owner = lines.owner
ORDER BY leading, line
"""


def is_large(rows: int) -> bool:
    """Whether so many rows are handled in parts."""
    return rows > PART_ROWS


def few_or_many(rows: Iterator[T]) -> tuple[list[T], Iterator[T] | None]:
    """The rows of a file that is not large, read to its end; else none, and all the rows."""
    first = list(islice(rows, PART_ROWS + 1))
    return ([], chain(first, rows)) if is_large(len(first)) else (first, None)


class RowGroups:
    """See the module."""

    def __init__(self) -> None:
        import sqlite3  # the API, which records orders too, need not load it

        # No name: a database of its own that nobody else finds and that ends with it.
        self._rows = sqlite3.connect("")
        weakref.finalize(self, self._rows.close)
        self._rows.executescript(_TABLES)

    def add(self, rows: Iterable[tuple[int, str, str]]) -> None:
        """Add the next rows of the file: each its line, whose it is, and itself as JSON."""
        self._rows.executemany("INSERT INTO lines VALUES (?, ?, ?)", rows)

    def name(self, names: Iterable[tuple[str, str]]) -> None:
        """Note what owners are known by, and may share with others: pairs of name and owner."""
        self._rows.executemany("INSERT INTO names VALUES (?, ?)", names)

    def shared_names(self) -> Iterator[str]:
        """The names that several owners have."""
        self._rows.execute("CREATE INDEX IF NOT EXISTS named ON names (name, owner)")
        yield from (name for (name,) in self._rows.execute(_SHARED))

    def unite(self, names: Collection[str]) -> None:
        """Keep the rows of all owners of each of these names together."""
        leaders = _Leaders()
        for name in names:
            owners = [owner for (owner,) in self._rows.execute(_OWNERS, (name,))]
            for owner in owners:
                leaders.unite(owners[0], owner)
        self._rows.executemany("INSERT INTO united VALUES (?, ?)", leaders.pairs())

    def parts(self) -> Parts:
        """All rows in parts of `PART_ROWS` or some more, each in the order of the file."""
        part: list[tuple[int, str]] = []
        last: Any = None
        for owner, line, body in self._rows.execute(_GROUPED):
            if len(part) >= PART_ROWS and owner != last:
                yield _in_order(part)
                part = []
            last = owner
            part.append((line, body))
        yield _in_order(part)


def _in_order(part: list[tuple[int, str]]) -> list[str]:
    return [body for _, body in sorted(part)]


class _Leaders:
    """Of owners that belong together, the first one by name leads."""

    def __init__(self) -> None:
        self._before: dict[str, str] = {}

    def unite(self, one: str, other: str) -> None:
        first, second = sorted((self._leader(one), self._leader(other)))
        self._before[first] = first
        self._before[second] = first

    def _leader(self, owner: str) -> str:
        while (before := self._before.get(owner, owner)) != owner:
            owner = before
        return owner

    def pairs(self) -> list[tuple[str, str]]:
        return [(owner, self._leader(owner)) for owner in self._before]
