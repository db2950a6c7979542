"""Behind the queue of what people confirmed about their own data."""

from __future__ import annotations

from chalicelib import bootstrap
from chalicelib.domain.fact_bodies import ErasureConfirmed, PrivacyFileAsked, body_of
from chalicelib.domain.facts import Fact
from chalicelib.invocations import BatchAnswer, Event, each_fact
from chalicelib.services.privacy.carry_out import erase_confirmed, make_file


def persons(event: Event, *_: object) -> BatchAnswer:
    """What people confirmed about their own data: files of it, and erasures."""

    def work(fact: Fact) -> str:
        match body_of(fact):
            case ErasureConfirmed():
                return erase_confirmed(bootstrap.ports(), fact)
            case PrivacyFileAsked():
                return make_file(bootstrap.ports(), fact)
            case _:
                raise LookupError(f"nobody asked for anything with {fact.name}")

    return each_fact(event, "carried out", work, "persons")
