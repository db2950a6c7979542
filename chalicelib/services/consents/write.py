"""Files of consents: every word given to us in exactly one (law 5).

A part takes its words out of the table. How numbered files are written is in
`numbered_files.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.consents import ConsentChange, ConsentState
from chalicelib.domain.consents_files import (
    CONSENT_COLUMNS,
    ConsentsFile,
    ConsentsPart,
    ConsentsSequence,
    consents_path,
    consents_subject,
    next_consents_part,
)
from chalicelib.domain.fact_bodies import ConsentsWritten
from chalicelib.domain.facts import Fact
from chalicelib.services.facts import new_fact
from chalicelib.services.isolation import Isolation, raised
from chalicelib.services.numbered_files import FILE_ROWS, WaitingSeries
from chalicelib.services.ports import OnFailure, Ports
from chalicelib.services.waiting_changes import waiting_words


def write_consents(
    ports: Ports,
    campaign: Campaign,
    on_failure: OnFailure = raised,
    *,
    until: datetime | None = None,
    file_rows: int = FILE_ROWS,
) -> list[ConsentsFile]:
    """Complete the campaign's open file of consents, then write others of at most `file_rows`
    words, until none waits or it is `until`; returns the written files.

    A word that cannot be read goes to `on_failure` and stays behind.
    """
    return _Consents(ports, campaign.id, file_rows, Isolation(on_failure)).write_all(until)


class _Consents(WaitingSeries[ConsentsFile, ConsentsPart, ConsentChange]):
    """The files of consents of a campaign."""

    file_kind = ConsentsFile
    part_kind = ConsentsPart
    sequence_kind = ConsentsSequence
    waiting_kind = ConsentChange
    columns = CONSENT_COLUMNS
    kind_column = "state"
    kinds = ConsentState
    counted_as = "states"

    def ready(self) -> Iterable[ConsentChange]:
        return islice(
            waiting_words(self.ports, self.campaign_id, self.isolation.note), self.file_rows
        )

    def part_of(
        self, file: ConsentsFile, waiting: Sequence[ConsentChange]
    ) -> tuple[ConsentsFile, ConsentsPart]:
        return next_consents_part(file, waiting, self.ports.clock())

    def path(self, number: int) -> str:
        return consents_path(self.campaign_id, number)

    def written_fact(self, file: ConsentsFile) -> Fact:
        subject = consents_subject(file)
        body = ConsentsWritten(number=file.number, count=file.rows)
        return new_fact(
            self.ports, body, campaign=file.campaign, subject=subject, correlation=subject
        )
