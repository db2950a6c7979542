"""Consents as the client reports them: a person's word, given to the client, about the brand.

Refuses a row that breaks any rule, naming every wrong field. Whether a later word is known already
is decided in services.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.consents import ConsentState
from chalicelib.domain.files.layouts import STANDARD, Layout
from chalicelib.domain.files.lines import lines
from chalicelib.domain.files.orders import FieldReason, digest_problem, instant_problem
from chalicelib.domain.files.reading import Tally, table
from chalicelib.domain.orders import is_in_the_future

IN_THE_FUTURE = "at_in_the_future"  # why a row that is too early is rejected


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """A word as reported: lower-case hex, aware."""

    email_digest: str
    state: ConsentState
    at: datetime


def consents(
    chunks: Iterable[bytes], tally: Tally, layout: Layout = STANDARD
) -> Iterator[tuple[int, ConsentRow]]:
    """Numbered good rows; the bad ones are in `tally`, as `{field}_{reason}`.

    Raises FileRefusedError as `reading.table` does.
    """
    for number, values in table(lines(chunks, layout), COLUMNS, tally, layout):
        problems = [f"{name}_{why}" for name in COLUMNS if (why := _problem(name, values))]
        if problems:
            tally.reject(number, *problems)
        else:
            yield number, _row(values)


def is_too_early(row: ConsentRow, now: datetime) -> bool:
    """Whether a word is dated too far ahead. A consent that is ahead at all would win over the
    withdrawal that she makes here in a moment; a withdrawal may be of a clock that is ahead.
    """
    if row.state is ConsentState.GIVEN:
        return row.at > now
    return is_in_the_future(row.at, now)


def consent_json(line: int, row: ConsentRow) -> str:
    """A numbered row as JSON, as `consent_of` reads it back."""
    return json.dumps([line, row.email_digest, row.state, row.at.isoformat()])


def consent_of(values: Sequence[Any]) -> tuple[int, ConsentRow]:
    """A numbered row, read back."""
    line, digest, state, at = values
    return line, ConsentRow(digest, ConsentState(state), datetime.fromisoformat(at))


def _row(values: Mapping[str, str]) -> ConsentRow:
    return ConsentRow(
        email_digest=values["email_digest"].lower(),
        state=ConsentState(values["state"]),
        at=datetime.fromisoformat(values["at"]),
    )


def _problem(name: str, values: Mapping[str, str]) -> FieldReason | None:
    value = values[name]
    if "@" in value:
        return "plain_address"
    return _CHECKS[name](value) if value else "missing"


def _state_problem(value: str) -> FieldReason | None:
    return None if value in set(ConsentState) else "invalid"


_CHECKS: dict[str, Callable[[str], FieldReason | None]] = {
    "email_digest": digest_problem,
    "state": _state_problem,
    "at": instant_problem,
}
COLUMNS = tuple(_CHECKS)
