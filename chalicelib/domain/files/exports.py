"""What is written to `out/`: voucher files, their manifests, and the correspondence table.

The same rows give the same bytes, so an export written again is the same object (law 5). Refuses
nothing: every value is ours, or a client's code that own_codes.py accepted, and none begins with a
character that makes a formula of it in a spreadsheet.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from chalicelib.domain.exports import VOUCHER_COLUMNS, ExportPart
from chalicelib.domain.files.writing import csv_gz, sha256_of

REFERRAL_COLUMNS = ("referral", "sponsor_digest", "referee_digest", "confirmed_at", "orders")


@dataclass(frozen=True, slots=True)
class ReferralLine:
    """A row of the correspondence table. `orders` counts the referee's kept orders."""

    referral: str
    sponsor_digest: str
    referee_digest: str
    confirmed_at: datetime
    orders: int


def voucher_file(parts: Sequence[ExportPart]) -> bytes:
    """The gzipped CSV of an export, in the order of its parts.

    Its columns are those of the part with the most columns. A part has the columns of the version
    that stored it; cells of newer columns are empty.
    """
    columns = max((part.columns for part in parts), key=len, default=VOUCHER_COLUMNS)
    rows = (dict(zip(part.columns, row, strict=True)) for part in parts for row in part.rows)
    return csv_gz(columns, ([row.get(name, "") for name in columns] for row in rows))


def referral_file(rows: Iterable[ReferralLine]) -> bytes:
    """The gzipped CSV of the correspondence table, in the order given."""
    return csv_gz(
        REFERRAL_COLUMNS,
        (
            (
                row.referral,
                row.sponsor_digest,
                row.referee_digest,
                row.confirmed_at.isoformat(),
                str(row.orders),
            )
            for row in rows
        ),
    )


def manifest_json(
    *, export: str, parts: Sequence[ExportPart], content: bytes, generated_at: datetime
) -> bytes:
    """The manifest beside an export; `content` is the gzipped file, whose SHA-256 it gives.

    `key_id` is null unless all digests were made with one known key; `first` and `last` are the
    earliest and the latest issue; `sums` has the rows and the value of each template.
    """
    rows = [dict(zip(part.columns, row, strict=True)) for part in parts for row in part.rows]
    keys = {row.get("key_id") or None for row in rows}
    issued = sorted((row["issued_at"] for row in rows), key=datetime.fromisoformat)
    members = {
        "export": export,
        "rows": len(rows),
        "sha256": sha256_of(content),
        "key_id": keys.pop() if len(keys) == 1 else None,
        "generated_at": generated_at.isoformat(),
        "first": issued[0] if issued else None,
        "last": issued[-1] if issued else None,
        "sums": _sums(rows),
    }
    return json.dumps(members, indent=1).encode() + b"\n"


def _sums(rows: Sequence[Mapping[str, str]]) -> list[dict[str, str | int]]:
    """The rows and the value of each template in a currency, in the order of their names."""
    sums: dict[tuple[str, str], tuple[int, Decimal]] = {}
    for row in rows:
        named = row["template"], row["currency"]
        count, value = sums.get(named, (0, Decimal(0)))
        sums[named] = count + 1, value + Decimal(row["value"])
    return [
        {"template": template, "currency": currency, "rows": count, "value": f"{value:.2f}"}
        for (template, currency), (count, value) in sorted(sums.items())
    ]
