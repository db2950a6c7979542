"""Facts about the accounts of vouchers that the client gets: files of changes, statements."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.facts import FactBody, FactName


@dataclass(frozen=True, kw_only=True)
class ChangesWritten(FactBody, name=FactName.CHANGES_WRITTEN):
    """A file of changes, of `count` rows, was written to `out/`."""

    number: int
    count: int

    @property
    def quantity(self) -> int:
        return self.count


@dataclass(frozen=True, kw_only=True)
class StatementWritten(FactBody, name=FactName.STATEMENT_WRITTEN):
    """The statement of a month, of `count` vouchers, was written to `out/`."""

    month: str
    count: int
