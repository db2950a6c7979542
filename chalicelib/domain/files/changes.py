"""A file of changes and its manifest, made from stored parts: the same parts give the same bytes.

Order ids are as the client reported them, so that they can be compared; everything else is a word
or an id of ours.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from chalicelib.domain.changes import ChangeKind
from chalicelib.domain.changes_files import CHANGE_COLUMNS, ChangesPart
from chalicelib.domain.files.writing import csv_gz, sha256_of


def changes_rows(parts: Iterable[ChangesPart]) -> Iterator[dict[str, str]]:
    """The rows of parts, by column."""
    for part in parts:
        for row in part.rows:
            yield dict(zip(part.columns, row, strict=True))


def changes_file(parts: Iterable[ChangesPart]) -> bytes:
    """The gzipped CSV of a file of changes, in the order of its parts, which are gone through
    twice.

    Its columns are those of the part with the most; cells of newer columns are empty before.
    """
    columns = max((part.columns for part in parts), key=len, default=CHANGE_COLUMNS)
    return csv_gz(columns, ([row.get(name, "") for name in columns] for row in changes_rows(parts)))


def changes_manifest(
    *, number: str, parts: Iterable[ChangesPart], content: bytes, generated_at: datetime
) -> bytes:
    """The manifest beside a file of changes; `content` is the gzipped file."""
    counted: Counter[str] = Counter()
    first = last = None
    for row in changes_rows(parts):
        counted[row["change"]] += 1
        at = datetime.fromisoformat(row["at"])
        first, last = min(first or at, at), max(last or at, at)
    members = {
        "number": number,
        "rows": counted.total(),
        "sha256": sha256_of(content),
        "generated_at": generated_at.isoformat(),
        "changes": {kind.value: counted[kind.value] for kind in ChangeKind},
        "first_at": first.isoformat() if first else None,
        "last_at": last.isoformat() if last else None,
    }
    return json.dumps(members, indent=1).encode() + b"\n"
