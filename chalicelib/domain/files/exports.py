"""What is written to `out/`: voucher files, their manifests, and the correspondence table.

The same rows give the same bytes, so an export written again is the same object (law 5). Refuses
nothing: every value is ours, or a client's code that own_codes.py let in, and none of them begins
with a character that a spreadsheet takes for a formula.
"""

import csv
import hashlib
import io
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.domain.money import decimal_text

VOUCHER_COLUMNS = (
    "code",
    "template",
    "holder",
    "holder_digest",
    "value",
    "currency",
    "minimum_basket",
    "valid_from",
    "valid_until",
    "issued_at",
    "referral",
)
REFERRAL_COLUMNS = ("referral", "sponsor_digest", "referee_digest", "confirmed_at", "orders")


@dataclass(frozen=True, slots=True)
class VoucherLine:
    """A voucher of an export. Money in minor units of `currency`, times aware, digests in hex."""

    code: str
    template: str
    holder: Literal["sponsor", "referee"]
    holder_digest: str
    value_minor: int
    currency: str
    minimum_basket_minor: int
    valid_from: datetime
    valid_until: datetime
    issued_at: datetime
    referral: str


@dataclass(frozen=True, slots=True)
class ReferralLine:
    """A referral of the correspondence table. `orders` counts the referee's kept ones."""

    referral: str
    sponsor_digest: str
    referee_digest: str
    confirmed_at: datetime
    orders: int


def export_name(number: int) -> str:
    """`{export}`: so padded that names sort as numbers do."""
    return f"{number:08d}"


def voucher_file(rows: Iterable[VoucherLine]) -> bytes:
    """The gzipped CSV of an export, in the order given."""
    return _csv_gz(
        VOUCHER_COLUMNS,
        (
            (
                row.code,
                row.template,
                row.holder,
                row.holder_digest,
                decimal_text(row.value_minor),
                row.currency,
                decimal_text(row.minimum_basket_minor),
                row.valid_from.isoformat(),
                row.valid_until.isoformat(),
                row.issued_at.isoformat(),
                row.referral,
            )
            for row in rows
        ),
    )


def referral_file(rows: Iterable[ReferralLine]) -> bytes:
    """The gzipped CSV of the correspondence table, in the order given."""
    return _csv_gz(
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
    *, export: str, rows: int, content: bytes, key_id: str, generated_at: datetime
) -> bytes:
    """The manifest beside an export; `content` is the gzipped file that `sha256` speaks of."""
    members = {
        "export": export,
        "rows": rows,
        "sha256": hashlib.sha256(content).hexdigest(),
        "key_id": key_id,
        "generated_at": generated_at.isoformat(),
    }
    return json.dumps(members, indent=1).encode() + b"\n"


def _csv_gz(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    packer = zlib.compressobj(wbits=31)  # a gzip header without name or time, unlike gzip.open
    return packer.compress(text.getvalue().encode()) + packer.flush()
