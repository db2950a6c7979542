"""The metrics of facts: what each is counted as is in `domain.effects`."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.effects import effect_of, is_incident, is_known, quantity_of, reason_of
from chalicelib.domain.facts import Fact
from chalicelib.observability import count, count_by_reason, log, warn


def count_facts(counted: Sequence[Fact]) -> None:
    """A line with the numbers of what was counted just now, and the metrics that alarms look at."""
    numbers: dict[str, int] = {}
    for fact in counted:
        metric, effect = _metric(fact.name), effect_of(fact)
        numbers[metric] = numbers.get(metric, 0) + quantity_of(fact)
        if effect.is_metric and not is_incident(fact):  # which rings as a file in quarantine/
            count(metric, quantity_of(fact))
            if effect.metric_by_reason:
                count_by_reason(metric, reason_of(fact))
        if not is_known(fact):
            warn("fact of a later version", correlation=fact.correlation, fact=fact.name)
    if numbers:
        log("counted", correlation=None, **numbers)


def _metric(fact_name: str) -> str:
    return "".join(part.capitalize() for part in fact_name.split("_"))
