"""A numbered file of rows and its manifest, made from stored parts: the same parts give the same
bytes. Neighbours: changes.py, consents.py.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from chalicelib.domain.exports import RowsPart
from chalicelib.domain.files.writing import Encrypted, csv_gz, sha256_of

_FILE = re.compile(r"([0-9]{8})\.csv\.gz(?:\.pgp)?")


def number_at(path: str) -> int | None:
    """The number of the file at a path; None where something else is, beside such a file."""
    found = _FILE.fullmatch(path.rpartition("/")[2])
    return int(found[1]) if found else None


def rows_of_parts(parts: Iterable[RowsPart]) -> Iterator[dict[str, str]]:
    """The rows of parts, by column."""
    for part in parts:
        for row in part.rows:
            yield dict(zip(part.columns, row, strict=True))


def file_of_parts(parts: Iterable[RowsPart], columns: Sequence[str]) -> bytes:
    """The gzipped CSV, in the order of the parts, which are gone through twice.

    Its columns are those of the part with the most, `columns` without any; cells of newer columns
    are empty before.
    """
    widest = max((part.columns for part in parts), key=len, default=columns)
    return csv_gz(widest, ([row.get(name, "") for name in widest] for row in rows_of_parts(parts)))


def manifest_of_parts(
    parts: Iterable[RowsPart],
    *,
    number: str,
    content: bytes,
    generated_at: datetime,
    column: str,
    kinds: Iterable[str],
    counted_as: str,
    encrypted: Encrypted | None = None,
) -> bytes:
    """The manifest beside a file of rows with a column `at`; `content` is the file in `out/`, of
    which `encrypted` says what is in it, and for whom. How many rows have which of `kinds` in
    `column` stands under `counted_as`.
    """
    counted: Counter[str] = Counter()
    first = last = None
    for row in rows_of_parts(parts):
        counted[row[column]] += 1
        at = datetime.fromisoformat(row["at"])
        first, last = min(first or at, at), max(last or at, at)
    members = {
        "number": number,
        "rows": counted.total(),
        "sha256": sha256_of(content),
        "generated_at": generated_at.isoformat(),
        counted_as: {kind: counted[kind] for kind in kinds},
        "first_at": first.isoformat() if first else None,
        "last_at": last.isoformat() if last else None,
        **(encrypted.members() if encrypted else {}),
    }
    return json.dumps(members, indent=1).encode() + b"\n"
