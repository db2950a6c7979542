"""By schedule: voucher files, files of changes and of consents."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product

from chalicelib import bootstrap
from chalicelib.domain.campaign.file import Campaign
from chalicelib.invocations import isolated, not_handled, scheduled
from chalicelib.observability import log, warn
from chalicelib.services.consents.write import write_consents
from chalicelib.services.isolation import TRANSIENT
from chalicelib.services.lookups import all_campaigns
from chalicelib.services.turns import in_turn
from chalicelib.services.vouchers.changes import write_changes
from chalicelib.services.vouchers.export import export_vouchers

# Of the five minutes of a run: a file that is begun in time is sealed and written in the rest.
EXPORTED_FOR = timedelta(minutes=4)


def export(*_: object) -> None:
    """Voucher files of every campaign, the files of what became of those vouchers, and those of
    the consents given to us.
    """

    def export_one(campaign: Campaign, until: datetime) -> None:
        for one in export_vouchers(bootstrap.ports(), campaign, not_handled, until=until):
            log("export", campaign=campaign.id, export=one.number, rows=one.rows)

    def write_changes_of_one(campaign: Campaign, until: datetime) -> None:
        for one in write_changes(bootstrap.ports(), campaign, not_handled, until=until):
            log("changes", campaign=campaign.id, number=one.number, rows=one.rows)

    def write_consents_of_one(campaign: Campaign, until: datetime) -> None:
        for one in write_consents(bootstrap.ports(), campaign, not_handled, until=until):
            log("consents", campaign=campaign.id, number=one.number, rows=one.rows)

    # An export that cannot be written holds up no change of the vouchers before it.
    works = {
        "export": export_one,
        "changes": write_changes_of_one,
        "consents": write_consents_of_one,
    }

    def run() -> None:
        clock = bootstrap.ports().clock
        ends = clock() + EXPORTED_FOR
        # What two runs at once keep from each other is left to the next run.
        with isolated(TRANSIENT) as isolation:
            campaigns = all_campaigns(bootstrap.ports(), isolation.note)
            turns = in_turn(clock, product(campaigns, works), ends)
            for (campaign, name), until in turns:
                with isolation.of(name, campaign.id):
                    works[name](campaign, until)
        if isolation.left:
            warn("left to the next run", number=isolation.left)

    scheduled("export", run)
