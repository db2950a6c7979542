"""Newcomers of the client's other sources: when each joined, and until when each bought.

Refuses a row that breaks any rule, naming every wrong field. A file has `last_order_on`, `active`,
or both; a customer who is not active needs the date. Rows have no person, and none is kept: a
file becomes one histogram a source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain

from chalicelib.domain.cohorts import LONGEST_DAYS, MOST_SOURCES, REFERRED, life_of
from chalicelib.domain.files.layouts import STANDARD, Layout
from chalicelib.domain.files.lines import lines
from chalicelib.domain.files.reading import Tally, fields, table
from chalicelib.domain.survival import Life

REQUIRED = ("source", "joined_on")
EITHER = ("last_order_on", "active")
COLUMNS = (*REQUIRED, *EITHER)
_SOURCE = re.compile(r"[^\W_][\w .&+/'’()-]{0,39}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ACTIVE = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class NewcomerRow:
    """A newcomer as reported: of which source, and how long she has bought."""

    source: str
    life: Life


def newcomers(
    chunks: Iterable[bytes], tally: Tally, as_of: date, layout: Layout = STANDARD
) -> Iterator[tuple[int, NewcomerRow]]:
    """Numbered good rows; the bad ones are in `tally`, as `{field}_{reason}`. `as_of` is the local
    day on which the file was dropped.

    Raises FileRefusedError as `reading.table` does.
    """
    numbered = lines(chunks, layout)
    header = next(numbered, None)
    named = set(layout.ours(fields(header[1], layout.delimiter) or [])) if header else set()
    given = [name for name in EITHER if name in named] or EITHER
    sources: set[str] = set()
    rest = chain([header], numbered) if header else numbered
    for number, values in table(rest, (*REQUIRED, *given), tally, layout):
        row = dict.fromkeys(COLUMNS, "") | values
        problems = _problems(row, as_of, sources)
        if problems:
            tally.reject(number, *problems)
        else:
            sources.add(row["source"])
            yield number, NewcomerRow(row["source"], _life(row, as_of))


def _problems(row: Mapping[str, str], as_of: date, sources: set[str]) -> list[str]:
    checks = {
        "source": _source_problem(row["source"], sources),
        "joined_on": _day_problem(row["joined_on"], as_of) if row["joined_on"] else "missing",
        "last_order_on": _last_day_problem(row, as_of),
        "active": None if row["active"].lower() in {"", *_ACTIVE} else "invalid",
    }
    return [f"{name}_{reason}" for name, reason in checks.items() if reason]


def _source_problem(value: str, sources: set[str]) -> str | None:
    if not value:
        return "missing"
    if "@" in value:
        return "plain_address"
    if value == REFERRED:
        return "reserved"
    if not _SOURCE.fullmatch(value):
        return "invalid"
    return "too_many" if len(sources | {value}) > MOST_SOURCES else None


def _day_problem(value: str, as_of: date) -> str | None:
    if "@" in value:
        return "plain_address"
    try:
        day = date.fromisoformat(value) if _DAY.fullmatch(value) else None
    except ValueError:
        day = None
    if day is None:
        return "invalid"
    if day > as_of:
        return "in_the_future"
    return "too_early" if (as_of - day).days > LONGEST_DAYS else None


def _last_day_problem(row: Mapping[str, str], as_of: date) -> str | None:
    value = row["last_order_on"]
    if not value:
        return "missing" if _ACTIVE.get(row["active"].lower()) is False else None
    problem = _day_problem(value, as_of)
    if problem is None and _DAY.fullmatch(row["joined_on"]) and value < row["joined_on"]:
        return "before_joined_on"
    return problem


def _life(row: Mapping[str, str], as_of: date) -> Life:
    last = row["last_order_on"]
    return life_of(
        date.fromisoformat(row["joined_on"]),
        date.fromisoformat(last) if last else None,
        as_of,
        is_active=_ACTIVE.get(row["active"].lower()),
    )
