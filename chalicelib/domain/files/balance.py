"""The report of the daily balance: a CSV of what does not agree, its header alone if all does."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from chalicelib.domain.files.writing import csv_text

BALANCE_COLUMNS = ("what", "about", "expected", "found")


class Imbalance(StrEnum):
    """What does not agree. The values are published."""

    COUNTER_AND_FACTS = "counter_and_facts"
    COUNTER_AND_JOURNAL = "counter_and_journal"
    JOURNAL_UNREADABLE = "journal_unreadable"
    MAIL_WITHOUT_FACT = "mail_without_fact"
    VOUCHER_MISSING = "voucher_missing"
    EXPORT_AND_FACTS = "export_and_facts"
    ISSUED_AND_EXPORTED = "issued_and_exported"
    VOUCHER_AND_EXPORTS = "voucher_and_exports"


@dataclass(frozen=True, order=True)
class BalanceFinding:
    """One thing that does not agree: a counter, or an id, with what was expected and found."""

    what: Imbalance
    about: str
    expected: str = ""
    found: str = ""


def balance_path(campaign: str, day: date) -> str:
    """The path of the report about a local day."""
    return f"out/{campaign}/reports/balance-{day.isoformat()}.csv"


def balance_file(findings: Iterable[BalanceFinding]) -> bytes:
    """The report."""
    rows = ((one.what.value, one.about, one.expected, one.found) for one in sorted(findings))
    return csv_text(BALANCE_COLUMNS, rows).encode()


def findings_in(report: bytes) -> int:
    """How many things do not agree, by a report."""
    return sum(1 for _ in csv.DictReader(io.StringIO(report.decode(), newline="")))
