"""What is written to `out/`: voucher files, their manifests, and the correspondence table.

The same rows give the same bytes, so an export written again is the same object (law 5). Refuses
nothing: every value is ours, or a client's code that own_codes.py accepted, and none begins with a
character that makes a formula of it in a spreadsheet.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Self

from chalicelib.domain.exports import VOUCHER_COLUMNS, ExportPart
from chalicelib.domain.files.writing import Encrypted, csv_gz, plain_lines, sha256_of

REFERRAL_COLUMNS = (
    "referral", "sponsor_digest", "referee_digest", "confirmed_at", "orders", "revision",
    "first_order_on", "last_order_on",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReferralLine:
    """A row of the correspondence table. `orders` counts the referee's kept orders; `revision`
    grows with every change of the referral. The first and the last order that counted were made on
    these local days; None without one. No cell needs quotes.
    """

    referral: str
    sponsor_digest: str
    referee_digest: str
    confirmed_at: datetime
    orders: int
    revision: int
    first_bought_on: date | None = None
    last_bought_on: date | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """The row that was printed as `text`."""
        referral, sponsor, referee, confirmed_at, orders, revision, *days = text.split(",")
        at = datetime.fromisoformat(confirmed_at)
        first, last = (date.fromisoformat(day) if day else None for day in days)
        return cls(referral, sponsor, referee, at, int(orders), int(revision), first, last)

    @property
    def text(self) -> str:
        """The row as it is printed."""
        return ",".join(
            (
                self.referral,
                self.sponsor_digest,
                self.referee_digest,
                self.confirmed_at.isoformat(),
                str(self.orders),
                str(self.revision),
                self.first_bought_on.isoformat() if self.first_bought_on else "",
                self.last_bought_on.isoformat() if self.last_bought_on else "",
            )
        )


def unread(line: ReferralLine) -> ReferralLine:
    """The row, of a referral that is to be read again: none is stored at that revision."""
    return replace(line, revision=0)


@dataclass
class Sums:
    """What a manifest says of rows, added up part by part. `issued` has the earliest and the latest
    `issued_at`, among a few more: those of each offset from UTC by themselves, as texts.
    """

    rows: int = 0
    keys: set[str | None] = field(default_factory=set)
    values: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _first: dict[str, str] = field(default_factory=dict)
    _last: dict[str, str] = field(default_factory=dict)

    @property
    def issued(self) -> list[str]:
        """The earliest and the latest issue of each offset."""
        return [*self._first.values(), *self._last.values()]

    def add(self, part: ExportPart) -> None:
        """The rows of one more part, column by column: row by row takes several times as long."""
        cells = dict(zip(part.columns, zip(*part.rows, strict=True), strict=True))
        self.rows += len(part.rows)
        self.keys.update(key or None for key in set(cells.get("key_id", ("",))))
        self.values.update(zip(cells["template"], cells["currency"], cells["value"], strict=True))
        # Of one offset, times sort as their texts do: a fraction of a second begins with a point,
        # which comes after the sign of the offset.
        for offset in {issued[-6:] for issued in cells["issued_at"]}:
            same = [issued for issued in cells["issued_at"] if issued.endswith(offset)]
            self._first[offset] = min([*same, self._first.get(offset, same[0])])
            self._last[offset] = max([*same, self._last.get(offset, same[0])])

    def by_template(self) -> list[dict[str, str | int]]:
        """The rows and the value of each template in a currency, in the order of their names."""
        summed: dict[tuple[str, str], tuple[int, Decimal]] = {}
        for (template, currency, value), count in self.values.items():
            rows, total = summed.get((template, currency), (0, Decimal(0)))
            summed[template, currency] = rows + count, total + count * Decimal(value)
        return [
            {"template": template, "currency": currency, "rows": rows, "value": f"{total:.2f}"}
            for (template, currency), (rows, total) in sorted(summed.items())
        ]


@dataclass(frozen=True)
class VoucherFile:
    """The gzipped CSV of an export, and what its manifest says of the rows."""

    content: bytes
    sums: Sums


def voucher_file(parts: Iterable[ExportPart]) -> VoucherFile:
    """The file of an export, in the order of its parts.

    Its columns are those of the part with the most columns. A part has the columns of the version
    that stored it; cells of newer columns are empty. Parts are read again only where one has more
    columns than all before it: an upgrade came between.
    """
    columns = next((part.columns for part in parts), VOUCHER_COLUMNS)
    while True:
        sums = Sums()
        try:
            return VoucherFile(csv_gz(columns, _rows(parts, columns, sums)), sums)
        except _WiderError as error:
            columns = error.columns


class _WiderError(Exception):
    """A part has more columns than those before it."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        super().__init__("a part with more columns")
        self.columns = columns


def _rows(
    parts: Iterable[ExportPart], columns: tuple[str, ...], sums: Sums
) -> Iterator[Sequence[str]]:
    for part in parts:
        if len(part.columns) > len(columns):
            raise _WiderError(part.columns)
        sums.add(part)
        if part.columns == columns:
            yield from part.rows
            continue
        for row in part.rows:
            cells = dict(zip(part.columns, row, strict=True))
            yield [cells.get(name, "") for name in columns]


def import_file(parts: Iterable[ExportPart], columns: Mapping[str, str]) -> bytes:
    """The gzipped CSV of an export under other names, to be imported elsewhere: each of `columns`
    has a column of the export, or after `=` a text that all rows have.
    """
    rows = (dict(zip(part.columns, row, strict=True)) for part in parts for row in part.rows)
    cells = list(columns.values())
    return csv_gz(
        list(columns),
        ([cell[1:] if cell[0] == "=" else row.get(cell, "") for cell in cells] for row in rows),
    )


def referral_file(rows: Iterable[str]) -> bytes:
    """The gzipped CSV of the correspondence table, from printed rows in the order given."""
    return csv_gz(REFERRAL_COLUMNS, (row.split(",") for row in rows))


def referral_rows(chunks: Iterable[bytes]) -> Iterator[str]:
    """The printed rows of a correspondence table; none of one with other columns, which a version
    before this one wrote.
    """
    lines = plain_lines(chunks)
    if next(lines, None) == ",".join(REFERRAL_COLUMNS):
        yield from lines


def referral_of(row: str) -> tuple[str, int]:
    """Of which referral a printed row is, and at which revision."""
    cells = row.split(",")
    return cells[0], int(cells[REFERRAL_COLUMNS.index("revision")])


def confirmed_of(row: str) -> tuple[str, str]:
    """What the table is sorted by: when a referral was confirmed, then its id."""
    cells = row.split(",")
    return cells[REFERRAL_COLUMNS.index("confirmed_at")], cells[0]


def manifest_json(
    *,
    export: str,
    sums: Sums,
    content: bytes,
    generated_at: datetime,
    imported: bytes | None = None,
    encrypted: Encrypted | None = None,
) -> bytes:
    """The manifest beside an export; `content` is the file in `out/`, whose SHA-256 it gives, and
    that of the file for import, where there is one; `encrypted` says what is in it, and for whom.

    `key_id` is null unless all digests were made with one known key; `first` and `last` are the
    earliest and the latest issue; `sums` has the rows and the value of each template.
    """
    members = {
        "export": export,
        "rows": sums.rows,
        "sha256": sha256_of(content),
        "key_id": next(iter(sums.keys)) if len(sums.keys) == 1 else None,
        "generated_at": generated_at.isoformat(),
        "first": min(sums.issued, key=datetime.fromisoformat, default=None),
        "last": max(sums.issued, key=datetime.fromisoformat, default=None),
        "sums": sums.by_template(),
    }
    if imported is not None:
        members["import_sha256"] = sha256_of(imported)
    if encrypted:
        members |= encrypted.members()
    return json.dumps(members, indent=1).encode() + b"\n"
