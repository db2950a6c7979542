"""Storing a cohort: the latest that is known of a source."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.cohorts import Cohort
from chalicelib.services.ports import Insert, Ports, Replace
from chalicelib.services.retry import retry_on_conflict

COUNTED = "counted"
OUTDATED = "outdated"


@retry_on_conflict
def store_cohort(ports: Ports, cohort: Cohort) -> str:
    """Put a cohort in the place of what is known of its source, unless that is later."""
    stored = ports.repository.get(Cohort, campaign=cohort.campaign, source=cohort.source)
    if stored is None:
        ports.repository.commit(Insert(cohort))
    elif stored.dropped_at > cohort.dropped_at:
        return OUTDATED
    elif (stored.as_of, stored.lives) != (cohort.as_of, cohort.lives):
        ports.repository.commit(Replace(replace(cohort, revision=stored.revision)))
    return COUNTED
