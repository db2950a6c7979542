"""By schedule: the daily files, the week's report, and the statements of months that are over."""

from __future__ import annotations

from chalicelib import bootstrap
from chalicelib.daily_checks import balance, compare_with_files
from chalicelib.domain.campaign.file import Campaign
from chalicelib.invocations import READERS, isolated, not_handled, scheduled
from chalicelib.observability import log
from chalicelib.services.lookups import all_campaigns
from chalicelib.services.operations.report import report as write_report


def report(*_: object) -> None:
    """The daily files of every campaign, the week's report, and the statements of the months that
    are over.
    """

    def report_one(campaign: Campaign) -> None:
        referrals = write_report(bootstrap.ports(), campaign, not_handled)
        log("reported", campaign=campaign.id, referrals=referrals)

    def weekly_report(campaign: Campaign) -> None:
        # The library of PDFs is large, and needed once a week.
        from chalicelib.weekly_report import write_weekly_report

        day = write_weekly_report(bootstrap.ports(), campaign)
        if day:
            log("reported the week", campaign=campaign.id, day=day.isoformat())

    def run() -> None:
        with isolated() as isolation:
            campaigns = list(all_campaigns(bootstrap.ports(), isolation.note))
            for campaign in campaigns:
                with isolation.of("report", campaign.id):
                    report_one(campaign)
                with isolation.of("weekly report", campaign.id):
                    weekly_report(campaign)
            # It reads the table whole: where that fails, the day is balanced all the same.
            with isolation.of("reconciliation", "vouchers"):
                compare_with_files(bootstrap.ports(), campaigns, isolation, not_handled)
            balance(bootstrap.ports(), campaigns, isolation, not_handled, readers=READERS)

    scheduled("report", run)
