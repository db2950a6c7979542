"""The metrics of facts: what each is counted as is in `domain.effects`."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.effects import effect_of, is_incident, is_known, quantity_of, reason_of
from chalicelib.domain.facts import Fact
from chalicelib.observability import count, count_by_reason, warn


def count_facts(counted: Sequence[Fact]) -> None:
    """The metrics of facts that were counted just now."""
    for fact in counted:
        if is_incident(fact):
            continue  # counted and rung as a file that was moved to quarantine/
        count(_metric(fact.name), quantity_of(fact))
        if effect_of(fact).metric_by_reason:
            count_by_reason(_metric(fact.name), reason_of(fact))
        if not is_known(fact):
            warn("fact of a later version", correlation=fact.correlation, fact=fact.name)
    count("FactProjected", len(counted))


def _metric(fact_name: str) -> str:
    return "".join(part.capitalize() for part in fact_name.split("_"))
