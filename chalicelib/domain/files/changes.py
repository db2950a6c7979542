"""A file of changes and its manifest, made from stored parts: the same parts give the same bytes.

Order ids are as the client reported them, so that they can be compared; everything else is a word
or an id of ours.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from chalicelib.domain.changes import ChangeKind
from chalicelib.domain.changes_files import CHANGE_COLUMNS, ChangesPart
from chalicelib.domain.files.writing import csv_gz, sha256_of


def changes_rows(parts: Sequence[ChangesPart]) -> Iterator[dict[str, str]]:
    """The rows of parts, by column."""
    for part in parts:
        for row in part.rows:
            yield dict(zip(part.columns, row, strict=True))


def changes_file(parts: Sequence[ChangesPart]) -> bytes:
    """The gzipped CSV of a file of changes, in the order of its parts.

    Its columns are those of the part with the most; cells of newer columns are empty before.
    """
    columns = max((part.columns for part in parts), key=len, default=CHANGE_COLUMNS)
    return csv_gz(columns, ([row.get(name, "") for name in columns] for row in changes_rows(parts)))


def changes_manifest(
    *, number: str, parts: Sequence[ChangesPart], content: bytes, generated_at: datetime
) -> bytes:
    """The manifest beside a file of changes; `content` is the gzipped file."""
    rows = list(changes_rows(parts))
    counted = Counter(row["change"] for row in rows)
    times = sorted(datetime.fromisoformat(row["at"]) for row in rows)
    members = {
        "number": number,
        "rows": len(rows),
        "sha256": sha256_of(content),
        "generated_at": generated_at.isoformat(),
        "changes": {kind.value: counted[kind.value] for kind in ChangeKind},
        "first_at": times[0].isoformat() if times else None,
        "last_at": times[-1].isoformat() if times else None,
    }
    return json.dumps(members, indent=1).encode() + b"\n"
