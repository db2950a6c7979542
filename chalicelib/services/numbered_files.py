"""Writing numbered files: their numbers have no gaps, and a file, once written, never changes.

    open ── part, part, … ── sealed ── file and manifest written ── written

A part is one transaction: its rows, what leaves or moves with them, and the file's counters. The
file is made from the stored parts alone, so every attempt makes the same rows, and writes them only
if there is no file yet (`services/written_files.py`). After a kill at any point, the next run
continues where this one stopped. Only one number of a series is open at a time: the next one is
opened after it is written.

A file is sealed when nothing more waits, when it has `FILE_ROWS` rows, or when the time of the run
is over, whichever comes first. So it is written however much comes in meanwhile, and no file is
larger than a function can write or a client's acknowledgement can be worked through.

What goes into the parts is up to the series: exports (`export.py`), changes (`changes.py`) and
consents (`services/consents/write.py`). Of the last two each row waits in the table as an item of
its own, which leaves it with its part: see `WaitingSeries`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import ClassVar, Generic, TypeVar

from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import (
    ExportState,
    FileSequence,
    NumberedFile,
    RowsPart,
    WaitingRow,
    export_name,
    sealed,
    written,
)
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.numbered import file_of_parts, manifest_of_parts
from chalicelib.domain.files.writing import Encrypted, sha256_of
from chalicelib.services.encryption import Envelope, envelope_of, others_have_ended
from chalicelib.services.isolation import Isolation
from chalicelib.services.ports import Change, Insert, Ports, Remove, Replace
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.written_files import stored_as, write_table

F = TypeVar("F", bound=NumberedFile)
P = TypeVar("P", bound=Entity)
R = TypeVar("R", bound=RowsPart)
W = TypeVar("W", bound=WaitingRow)

FILE_ROWS = 50_000  # figures: docs/decisions/0041-a-run-seals-what-it-found-in-files-of-a-size.md


@dataclass(frozen=True)
class Part(Generic[F]):
    """One more part of a file: the `file` with it, and what is committed beside the file."""

    file: F
    changes: Sequence[Change]
    facts: Sequence[Fact] = ()


@dataclass(frozen=True)
class StoredParts(Generic[P]):
    """The parts of a file in their order, read from the table each time they are gone through: a
    file of any size takes the memory of a few of them.
    """

    ports: Ports
    kind: type[P]
    campaign: str
    number: int

    def __iter__(self) -> Iterator[P]:
        return self.ports.repository.within(self.kind, campaign=self.campaign, number=self.number)


class Series(ABC, Generic[F, P]):
    """The numbered files of one kind in a campaign."""

    file_kind: type[F]
    sequence_kind: type[FileSequence]
    part_kind: type[P]
    # Whether they are encrypted where the campaign has a key.
    is_for_the_client_alone: ClassVar[bool] = True
    # With the part, the file and the fact, below the 100 items of a transaction.
    part_rows: ClassVar[int] = 90

    def __init__(self, ports: Ports, campaign_id: str, file_rows: int) -> None:
        self.ports = ports
        self.campaign_id = campaign_id
        self.file_rows = file_rows
        self._found_nothing_more = False

    @abstractmethod
    def is_waiting(self) -> bool:
        """Whether something waits for a file."""

    @abstractmethod
    def next_part(self, file: F, most: int) -> Part[F] | None:
        """The next part of an open file, of at most `most` rows; None when nothing waits."""

    @abstractmethod
    def part_added(self) -> None:
        """Note that the part which `next_part` made is committed. If it is asked again without
        this, another run has been at it.
        """

    @abstractmethod
    def content(self, parts: Iterable[P]) -> bytes:
        """The gzipped file, from the stored parts alone."""

    @abstractmethod
    def manifest(
        self,
        file: F,
        parts: Iterable[P],
        content: bytes,
        encrypted: Encrypted | None,
        sealed_at: datetime,
    ) -> bytes:
        """The manifest beside the stored file `content`."""

    @abstractmethod
    def path(self, number: int) -> str:
        """The path of a file, without its suffix."""

    @abstractmethod
    def written_fact(self, file: F) -> Fact:
        """The fact that a file was written."""

    def write_all(self, until: datetime | None) -> list[F]:
        """Complete the open file, then write what waits; returns the written files.

        It ends with the file after which nothing waited, so that what comes in meanwhile makes no
        further small ones, or at `until`.
        """
        files = []
        while file := self._write_next(until):
            files.append(file)
            if self._found_nothing_more or self._is_late(until):
                break
        return files

    def _write_next(self, until: datetime | None) -> F | None:
        file = self._open()
        if file is None:
            return None
        while file.state is ExportState.OPEN and file.rows < self.file_rows:
            grown = self._add_part(file.number)
            if grown is None:
                self._found_nothing_more = True
                break
            file = grown
            if self._is_late(until):
                break
        self._seal(file.number)
        file = self._write(file.number)
        return file if file.state is ExportState.WRITTEN else None

    def _is_late(self, until: datetime | None) -> bool:
        return until is not None and self.ports.clock() >= until

    @retry_on_conflict
    def _open(self) -> F | None:
        repository = self.ports.repository
        sequence = repository.get(self.sequence_kind, campaign=self.campaign_id)
        if sequence:
            current = self._current(sequence.number)
            if current.state is not ExportState.WRITTEN:
                return current
        if not self.is_waiting():
            return None
        numbered = (sequence or self.sequence_kind(campaign=self.campaign_id, number=0)).following()
        opened = self.file_kind(
            campaign=self.campaign_id,
            number=numbered.number,
            state=ExportState.OPEN,
            opened_at=self.ports.clock(),
        )
        counter: Change = Replace(numbered) if sequence else Insert(numbered)
        repository.commit(counter, Insert(opened))
        return opened

    def _current(self, number: int) -> F:
        file = self.ports.repository.get(self.file_kind, campaign=self.campaign_id, number=number)
        if file is None:
            name = self.file_kind.__name__
            raise LookupError(f"{name} {number} of {self.campaign_id} was opened but is not there")
        return file

    @retry_on_conflict
    def _add_part(self, number: int) -> F | None:
        """The file with one more part, or as another run has left it; None when nothing waits."""
        file = self._current(number)
        room = min(self.part_rows, self.file_rows - file.rows)
        if file.state is not ExportState.OPEN or room <= 0:
            return file
        part = self.next_part(file, room)
        if part is None:
            return None
        self.ports.repository.commit(Replace(part.file), *part.changes, facts=part.facts)
        self.part_added()
        return part.file

    @retry_on_conflict
    def _seal(self, number: int) -> F:
        """The file, sealed; one without rows is left open."""
        file = self._current(number)
        if file.state is not ExportState.OPEN or not file.rows:
            return file
        envelope = self.envelope()
        # A sealed file cannot change any more: none waits for a key that cannot be used.
        is_encrypted = envelope is not None and envelope.encrypts_now()
        closed = sealed(file, self.ports.clock(), is_encrypted=is_encrypted)
        self.ports.repository.commit(Replace(closed))
        return closed

    @retry_on_conflict
    def _write(self, number: int) -> F:
        """The file, written; sealed as it was where it has to wait."""
        envelope = self.envelope()  # before the file: see `_named`
        file = self._current(number)
        if file.state is ExportState.WRITTEN or file.sealed_at is None:
            return file
        if envelope:
            named = self._named(file, envelope)
            if named is None:
                return file
            if named:
                self.ports.repository.commit(*named)
                return self._write(number)
        parts = StoredParts(self.ports, self.part_kind, self.campaign_id, number)
        manifest_of = partial(self.manifest, file, parts, sealed_at=file.sealed_at)
        content = write_table(
            self.ports.files,
            self.path(number),
            self.content(parts),
            manifest_of,
            envelope if file.is_encrypted else None,
        )
        done = written(file, sha256_of(content), self.ports.clock())
        self.ports.repository.commit(Replace(done), facts=[self.written_fact(file)])
        return done

    def envelope(self) -> Envelope | None:
        """How the campaign in force has its files encrypted; None for a series that never is."""
        return envelope_of(self.ports, self.campaign_id) if self.is_for_the_client_alone else None

    def _named(self, file: F, envelope: Envelope) -> Sequence[Change] | None:
        """What gives the sealed file the name that it has to have; None: not yet.

        A file that is there decides, whatever the table says. Before there is one the campaign
        does, which may have been given a key, or lost it, since the file was sealed. Then nobody
        may be at it who has read an earlier version, and the version must still be in force. Who
        reads a later one reads the file after that. So a file has one name, however many runs there
        are.
        """
        there = stored_as(self.ports.files, self.path(file.number))
        if file.is_encrypted in there or (not there and file.is_encrypted is envelope.encrypts):
            return []
        other: Change = Replace(replace(file, is_encrypted=not file.is_encrypted))
        if there:
            return [other]
        return (
            [other, Replace(envelope.in_force)] if others_have_ended(self.ports, envelope) else None
        )


class WaitingSeries(Series[F, R], Generic[F, R, W]):
    """A series whose rows wait in the table. What is ready is read once for each file. What cannot
    be read is named, and waits.

    The manifest says how many rows have which of `kinds` in the column `kind_column`, under
    `counted_as`.
    """

    waiting_kind: type[W]
    columns: ClassVar[Sequence[str]]
    kind_column: ClassVar[str]
    kinds: ClassVar[type[StrEnum]]
    counted_as: ClassVar[str]

    def __init__(
        self,
        ports: Ports,
        campaign_id: str,
        file_rows: int,
        isolation: Isolation,
    ) -> None:
        super().__init__(ports, campaign_id, file_rows)
        self.isolation = isolation
        # What can be written and is in no part yet; None: to be read.
        self._ready: deque[W] | None = None
        # In the part that is not committed yet.
        self._tried: list[W] = []

    @abstractmethod
    def ready(self) -> Iterable[W]:
        """What can be written now, in its order, at most `file_rows`."""

    @abstractmethod
    def part_of(self, file: F, waiting: Sequence[W]) -> tuple[F, R]:
        """The file with one more part, and that part with the rows of `waiting`."""

    def content(self, parts: Iterable[R]) -> bytes:
        return file_of_parts(parts, self.columns)

    def manifest(
        self,
        file: F,
        parts: Iterable[R],
        content: bytes,
        encrypted: Encrypted | None,
        sealed_at: datetime,
    ) -> bytes:
        return manifest_of_parts(
            parts,
            number=export_name(file.number),
            content=content,
            generated_at=sealed_at,
            column=self.kind_column,
            kinds=self.kinds,
            counted_as=self.counted_as,
            encrypted=encrypted,
        )

    def is_waiting(self) -> bool:
        self._ready = deque(self.ready())
        return bool(self._ready)

    def next_part(self, file: F, most: int) -> Part[F] | None:
        if self._ready is None:
            self.is_waiting()
        self._tried = self._next(deque() if self._ready is None else self._ready, most)
        if not self._tried:
            return None
        grown, part = self.part_of(file, self._tried)
        return Part(grown, [Insert(part), *map(Remove, self._tried)])

    def part_added(self) -> None:
        self._tried = []

    def _next(self, ready: deque[W], most: int) -> list[W]:
        """The next rows; without those in parts of another run, if the last part met one."""
        has_met_another = bool(self._tried)
        ready.extendleft(reversed(self._tried))
        while batch := [ready.popleft() for _ in range(min(most, len(ready)))]:
            there = self.still_there(batch) if has_met_another else batch
            if there:
                return there
        return []

    def still_there(self, waiting: Sequence[W]) -> list[W]:
        """Those of `waiting` that are in the table, in their order."""
        keys = [
            {"campaign": one.campaign, "shard": one.shard, "position": one.position}
            for one in waiting
        ]
        found = self.ports.repository.get_many(self.waiting_kind, keys)
        return sorted(found, key=lambda one: one.position)
