"""What the daily report checks after its files are written, and the lines and metrics of it."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.campaign.file import Campaign
from chalicelib.observability import count, log
from chalicelib.services.isolation import Isolation
from chalicelib.services.operations.balance import write_balances
from chalicelib.services.operations.reconciliation import write_reconciliations
from chalicelib.services.operations.statement import write_statements
from chalicelib.services.ports import OnFailure, Ports


def compare_with_files(
    ports: Ports, campaigns: Sequence[Campaign], isolation: Isolation, on_failure: OnFailure
) -> None:
    """The comparison of every voucher with the files, and the statements that rest on it."""
    compared = write_reconciliations(
        ports,
        campaigns,
        lambda one: isolation.of("reconciliation", one.id),
        on_failure,
    )
    for campaign, differences in compared:
        # By every run of the day: one that is killed before its metrics are out loses none.
        count("ReconciliationDifference", differences)
        log("compared with the files", campaign=campaign.id, differences=differences)
        # Only now: the comparison stores what earlier versions did not.
        with isolation.of("statement", campaign.id):
            for one in write_statements(ports, campaign):
                log("statement", campaign=campaign.id, month=one.month, rows=one.rows)


def balance(
    ports: Ports,
    campaigns: Sequence[Campaign],
    isolation: Isolation,
    on_failure: OnFailure,
    *,
    readers: int,
) -> None:
    """Whether facts, counts, journal, mails and vouchers of yesterday agree."""

    balances = write_balances(
        ports,
        campaigns,
        lambda one: isolation.of("balance", one.id),
        on_failure,
        readers=readers,
    )
    for campaign, findings in balances:
        count("BalanceFinding", findings)
        log("balanced", campaign=campaign.id, findings=findings)
