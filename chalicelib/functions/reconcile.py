"""By schedule: work that is stuck, facts that were lost."""

from __future__ import annotations

from datetime import timedelta

from chalicelib import bootstrap
from chalicelib.fact_metrics import count_facts
from chalicelib.invocations import READERS, not_handled, scheduled
from chalicelib.observability import count, count_by_reason, failed, log, warn
from chalicelib.services.isolation import Isolation
from chalicelib.services.operations.check_facts import FactReport, check_facts
from chalicelib.services.operations.reconcile import ALARMED, FINDINGS
from chalicelib.services.operations.reconcile import reconcile as find_stuck

# Of the fifteen minutes of a run: the last piece of a busy hour's facts is checked in the rest.
RECONCILED_FOR = timedelta(minutes=13)


def reconcile(*_: object) -> None:
    """Stuck work, lists that are too old, referrals to re-key, facts that were lost."""

    def run() -> None:
        ends = bootstrap.ports().clock() + RECONCILED_FOR
        found = find_stuck(bootstrap.ports(), not_handled)
        isolation = Isolation(not_handled, has_to_wait=())
        with isolation.of("facts", "check"):
            checked = check_facts(
                bootstrap.ports(), until=ends, readers=READERS, on_piece=_report_facts
            )
            found |= checked.numbers()
            complete = "yes" if checked.is_complete else "no"
            log(
                "facts checked",
                facts=checked.checked,
                waiting=checked.waiting,
                complete=complete,
            )
        found["not_handled"] += isolation.failed
        count("ReconcileFinding", sum(found[name] for name in FINDINGS if name not in ALARMED))
        for name, metric in ALARMED.items():
            if metric:
                count(metric, found[name])
        log("reconciled", correlation=None, **found)

    scheduled("reconcile", run)


def _report_facts(checked: FactReport) -> None:
    """The metrics of what a check of some facts found, and a line for each fact."""
    count_facts(checked.counted)
    for failure in checked.unreadable:
        not_handled(failure)
    for found in checked.findings:
        count_by_reason("FactFinding", found.fact.name)
        about = {"fact": found.fact.name, "missing": found.missing.value}
        if found.error:
            failed(found.error, "fact", correlation=found.fact.correlation, **about)
        else:
            warn("fact", correlation=found.fact.correlation, **about)
