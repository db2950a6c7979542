"""Files of consents: every word given to us in exactly one (law 5).

A part takes its words out of the table. How numbered files are written is in
`numbered_files.py`. A word that came from another campaign of the brand gets its digest here, and
is dropped where its referee was forgotten meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import islice

from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.consents import ConsentChange, ConsentState, client_digest
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
from chalicelib.domain.referrals import Referral
from chalicelib.services.facts import new_fact
from chalicelib.services.isolation import Isolation, raised, read_apart
from chalicelib.services.numbered_files import FILE_ROWS, WaitingSeries
from chalicelib.services.ports import BATCH_LIMIT, ConflictError, OnFailure, Ports, Remove
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

    A word that cannot be read, or whose person cannot, goes to `on_failure` and stays behind.
    """
    return _Consents(ports, campaign, file_rows, Isolation(on_failure)).write_all(until)


class _Consents(WaitingSeries[ConsentsFile, ConsentsPart, ConsentChange]):
    """The files of consents of a campaign."""

    is_for_the_client_alone = False
    file_kind = ConsentsFile
    part_kind = ConsentsPart
    sequence_kind = ConsentsSequence
    waiting_kind = ConsentChange
    columns = CONSENT_COLUMNS
    kind_column = "state"
    kinds = ConsentState
    counted_as = "states"

    def __init__(
        self, ports: Ports, campaign: Campaign, file_rows: int, isolation: Isolation
    ) -> None:
        super().__init__(ports, campaign.id, file_rows, isolation)
        self._key_id = campaign.digests.key_ids[0]

    def ready(self) -> Iterable[ConsentChange]:
        waiting = waiting_words(self.ports, self.campaign_id, self.isolation.note)
        return islice(self._with_digests(waiting), self.file_rows)

    def still_there(self, waiting: Sequence[ConsentChange]) -> list[ConsentChange]:
        return list(self._with_digests(iter(super().still_there(waiting))))

    def _with_digests(self, words: Iterator[ConsentChange]) -> Iterator[ConsentChange]:
        """The words, those from another campaign with the digest that this client knows."""
        while batch := list(islice(words, BATCH_LIMIT)):
            referees, unread = self._referees({one.referral_id for one in batch} - {""})
            for word in batch:
                if not word.referral_id:
                    yield word
                elif referee := referees.get(word.referral_id):
                    yield replace(word, digest=client_digest(referee, self._key_id))
                elif word.referral_id not in unread:
                    self._drop(word)

    def _referees(self, ids: Set[str]) -> tuple[dict[str, AddressDigests], list[str]]:
        """The digests of those who are known by these referrals, and which cannot be read."""
        found, unread = read_apart(sorted(ids), self._referrals)
        for one in unread:
            with self.isolation.of(Referral.__name__, one):
                self._referrals([one])
        return {one.referral_id: one.referee for one in found if not one.is_erased}, unread

    def _referrals(self, ids: Sequence[str]) -> list[Referral]:
        return self.ports.repository.get_many(Referral, [{"referral_id": one} for one in ids])

    def _drop(self, word: ConsentChange) -> None:
        with suppress(ConflictError):  # another run has
            self.ports.repository.commit(Remove(word))

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
