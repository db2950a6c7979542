"""Writing numbered files: their numbers have no gaps, and a file, once written, never changes.

    open ── part, part, … ── sealed ── file and manifest written ── written

A part is one transaction: its rows, what leaves or moves with them, and the file's counters. The
file is made from the stored parts alone, so every attempt makes the same rows, and writes them only
if there is no file yet (`services/written_files.py`). After a kill at any point, the next run
continues where this one stopped. Only one number of a series is open at a time: the next one is
opened after it is written.

What goes into the parts is up to the series: exports (`export.py`) and changes (`changes.py`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import ClassVar, Generic, TypeVar

from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import ExportState, FileSequence, NumberedFile, sealed, written
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.writing import sha256_of
from chalicelib.services.ports import Change, Insert, Ports, Replace
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.written_files import write_table

F = TypeVar("F", bound=NumberedFile)
P = TypeVar("P", bound=Entity)


@dataclass(frozen=True)
class Part(Generic[F]):
    """One more part of a file: the `file` with it, and what is committed beside the file."""

    file: F
    changes: Sequence[Change]
    facts: Sequence[Fact] = ()


class Series(ABC, Generic[F, P]):
    """The numbered files of one kind in a campaign."""

    file_kind: type[F]
    sequence_kind: type[FileSequence]
    part_kind: type[P]
    # With the part, the file and the fact, below the 100 items of a transaction.
    part_rows: ClassVar[int] = 90
    most_rows: ClassVar[int | None] = None  # of a file; more wait for the next one

    def __init__(self, ports: Ports, campaign_id: str) -> None:
        self.ports = ports
        self.campaign_id = campaign_id

    @abstractmethod
    def is_waiting(self) -> bool:
        """Whether something waits for a file."""

    @abstractmethod
    def next_part(self, file: F) -> Part[F] | None:
        """The next part of an open file; None when nothing waits."""

    def part_added(self) -> None:
        """Note that the part which `next_part` made is committed; it is asked again otherwise."""

    @abstractmethod
    def content(self, parts: Sequence[P]) -> bytes:
        """The gzipped file, from the stored parts alone."""

    @abstractmethod
    def manifest(self, file: F, parts: Sequence[P], content: bytes, sealed_at: datetime) -> bytes:
        """The manifest beside the gzipped file `content`."""

    @abstractmethod
    def path(self, number: int) -> str:
        """The path of a file, without its suffix."""

    @abstractmethod
    def written_fact(self, file: F) -> Fact:
        """The fact that a file was written."""

    def write_next(self) -> F | None:
        """Complete the open file, or open one if something waits; returns the written file, or
        None.
        """
        file = self._open()
        if file is None:
            return None
        while file.state is ExportState.OPEN:
            rows_before = file.rows
            file = self._add_part(file.number)
            is_full = self.most_rows is not None and file.rows >= self.most_rows
            if file.rows == rows_before or is_full:
                if not file.rows:
                    return None
                file = self._seal(file.number)
        return self._write(file.number)

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
    def _add_part(self, number: int) -> F:
        file = self._current(number)
        part = self.next_part(file) if file.state is ExportState.OPEN else None
        if part is None:
            return file
        self.ports.repository.commit(Replace(part.file), *part.changes, facts=part.facts)
        self.part_added()
        return part.file

    @retry_on_conflict
    def _seal(self, number: int) -> F:
        file = self._current(number)
        if file.state is not ExportState.OPEN:
            return file
        closed = sealed(file, self.ports.clock())
        self.ports.repository.commit(Replace(closed))
        return closed

    @retry_on_conflict
    def _write(self, number: int) -> F:
        file = self._current(number)
        if file.state is ExportState.WRITTEN or file.sealed_at is None:
            return file
        parts = list(
            self.ports.repository.within(self.part_kind, campaign=self.campaign_id, number=number)
        )
        manifest_of = partial(self.manifest, file, parts, sealed_at=file.sealed_at)
        content = write_table(self.ports.files, self.path(number), self.content(parts), manifest_of)
        done = written(file, sha256_of(content), self.ports.clock())
        self.ports.repository.commit(Replace(done), facts=[self.written_fact(file)])
        return done
