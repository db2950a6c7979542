"""The report of the daily comparison: a CSV of the differences, its header alone if there is none.

It is also read back, for how many differences the day has.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date

from chalicelib.domain.files.writing import csv_text
from chalicelib.domain.reconciliation import Finding

RECONCILIATION_COLUMNS = ("voucher", "difference", "in_table", "in_files")


def reconciliation_path(campaign: str, day: date) -> str:
    """The path of a day's report."""
    return f"out/{campaign}/reports/reconciliation-{day.isoformat()}.csv"


def reconciliation_file(findings: Iterable[Finding]) -> bytes:
    """The report, by voucher."""
    rows = sorted(
        (one.voucher, one.difference.value, one.in_table, one.in_files) for one in findings
    )
    return csv_text(RECONCILIATION_COLUMNS, rows).encode()


def differences_in(report: bytes) -> int:
    """How many differences a report has."""
    return sum(1 for _ in csv.DictReader(io.StringIO(report.decode(), newline="")))
