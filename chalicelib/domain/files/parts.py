"""Large files in parts: what is kept of one until its receipt is written.

    file ─► read to its end ─► parts ─► each handled by itself ─► one receipt
            FileInParts                 HandledPart

A part may be handled by any worker, at any time, again and again: what it came to is kept once, and
the receipt is made of these results alone, so every worker writes the same one. Neighbour:
services/file_parts.py hands parts out and puts their results together.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from chalicelib.domain.entity import Entity
from chalicelib.domain.files.reading import LineError, Tally

READING = 0  # the number of the result that reading the file itself came to
# Longer than a message can wait in a queue and then in its dead queue.
KEPT = timedelta(days=30)
# A little less than a day: runs an hour apart are not so to the second.
QUEUED_AGAIN_AFTER = timedelta(hours=23, minutes=30)


class Area(StrEnum):
    """What a file in parts is about."""

    ORDERS = "orders"
    CODES = "codes"
    ACKS = "acks"
    CONSENTS = "consents"


@dataclass(frozen=True, kw_only=True)
class FileInParts(Entity):
    """A file that is handled in `parts`, numbered from 1. `area` and `about` say what it is about,
    `file` is its path as receipts have it, `folder` names the staged parts, `queued_at` is when
    those that were left were last queued again.
    """

    campaign: str
    file_id: str
    area: Area
    about: str = ""  # the template of codes, the number of an export
    file: str
    dropped_at: datetime
    received_at: datetime
    sha256: str
    folder: str = ""
    parts: int = 0
    quarantined: bool = False
    name_withheld: bool = False
    finished_at: datetime | None = None
    queued_at: datetime | None = None
    ends_at: datetime


def is_to_be_queued(file: FileInParts, now: datetime) -> bool:
    """Whether the messages of the parts that are left may be lost."""
    return file.queued_at is None or now - file.queued_at >= QUEUED_AGAIN_AFTER


@dataclass(frozen=True, kw_only=True)
class HandledPart(Entity):
    """What a part came to so far: its rows before `position` are handled, but for those in the
    lines `left`. `is_complete` when nothing is left.
    """

    campaign: str
    file_id: str
    part: int
    position: int = 0
    left: tuple[int, ...] = ()
    is_complete: bool = True
    rows: int = 0
    rejected: int = 0
    errors: tuple[LineError, ...] = ()
    effects: Mapping[str, int] = field(default_factory=dict)
    vouchers: tuple[tuple[int, str], ...] = ()
    ends_at: datetime


def staged_in(file: FileInParts) -> str:
    """Where the parts of a file are staged."""
    return f"parts/{file.campaign}/{file.folder}/"


def staged_path(file: FileInParts, part: int) -> str:
    """Where a part is staged until it is handled."""
    return f"{staged_in(file)}{part:06}.json.gz"


def part_at(path: str) -> int:
    """Which part is staged at a path."""
    return int(path.rpartition("/")[2].partition(".")[0])


def staged_content(rows: Iterable[str]) -> bytes:
    """The content of a staged part: its rows, each as JSON."""
    return gzip.compress(f"[{','.join(rows)}]".encode(), compresslevel=1, mtime=0)


def staged_rows(content: bytes) -> list[Any]:
    """The rows of a staged part."""
    rows: list[Any] = json.loads(gzip.decompress(content))
    return rows


def tally_of(result: HandledPart) -> Tally:
    """What a part came to, as those who read and handle rows count it."""
    return Tally(
        rows=result.rows,
        rejected=result.rejected,
        errors=list(result.errors),
        effects=dict(result.effects),
        vouchers=list(result.vouchers),
    )


def result_of(file: FileInParts, part: int, tally: Tally, **progress: Any) -> HandledPart:
    """What a part came to."""
    return HandledPart(
        campaign=file.campaign,
        file_id=file.file_id,
        part=part,
        rows=tally.rows,
        rejected=tally.rejected,
        errors=tuple(tally.errors),
        effects=dict(tally.effects),
        vouchers=tuple(tally.vouchers),
        ends_at=file.ends_at,
        **progress,
    )
