"""The reports for people: of every campaign, each Monday, and whenever `tandem report` asks.

A report's name is its day. A run that is killed between its two files writes both again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from chalicelib.domain.campaign.file import Campaign
from chalicelib.reports.content import report_of
from chalicelib.reports.html import html_of
from chalicelib.reports.pdf import pdf_of
from chalicelib.services.operations.dashboard import dashboard_of
from chalicelib.services.ports import CommandPorts, Ports

MONDAY = 0
AFTER_THE_END = timedelta(days=30)


@dataclass(frozen=True)
class MadeReport:
    """A report as its two files."""

    day: date
    html: bytes
    pdf: bytes


def make_report(ports: CommandPorts, campaign: Campaign, locale: str | None = None) -> MadeReport:
    """The report of a campaign now, in a language or the campaign's first."""
    shown = dashboard_of(ports, campaign)
    report = report_of(shown, locale or campaign.locales[0])
    day = campaign.local_date(shown.as_of)
    return MadeReport(day, html_of(report).encode(), pdf_of(report, shown.as_of))


def write_weekly_report(ports: Ports, campaign: Campaign) -> date | None:
    """Write the report into `out/`, once on each of the campaign's Mondays: then it is of the weeks
    that are over. Returns its day, None when there is nothing to write. No more than
    `AFTER_THE_END` after the campaign's last day.
    """
    today = campaign.local_date(ports.clock())
    path = f"out/{campaign.id}/reports/{today}"
    if today.weekday() != MONDAY or today - campaign.ends_on > AFTER_THE_END:
        return None
    if f"{path}.pdf" in ports.files.paths(path):
        return None
    made = make_report(ports, campaign)
    ports.files.write(f"{path}.html", made.html, content_type="text/html; charset=utf-8")
    # Last: what says that it is written.
    ports.files.write(f"{path}.pdf", made.pdf, content_type="application/pdf")
    return made.day
