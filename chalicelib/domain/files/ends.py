"""When the files of `out/` end: each kind by the folder that it is in, under the campaign's.

What holds digests ends 35 days after the client could take it; what ops and the client look things
up in, after a year or three; what the books rest on stays as long as books must be kept, and holds
random ids alone. None is rewritten: a file ends whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from chalicelib.domain.exports import Export, ExportState

EXPORTS = "vouchers"
# Exports end so long after their acknowledgement: one that the client has not loaded stays.
AFTER_ACKNOWLEDGEMENT = timedelta(days=35)
# The others, so long after they were written.
AFTER_WRITTEN: Mapping[str, timedelta] = {
    "referrals": timedelta(days=35),
    "consents": timedelta(days=35),
    "receipts": timedelta(days=400),
    "reports": timedelta(days=1_096),
}
# Kept for the books: the bucket's own rule for all of `out/` ends them after ten years.
BOOKS = ("changes", "statements", "journal")
BOOKS_KEPT = timedelta(days=3_653)
# A lock ends before its file does: clocks differ, and S3 says when a file was written in its own.
LOCK_ENDS_BEFORE = timedelta(days=1)


def locked_for(path: str) -> timedelta | None:
    """How long nobody may change or remove a file after it was written; None for one that is free.

    It never outlasts the file's end. An export waits for its acknowledgement, and that comes after
    it was written: so it is locked for as long as the shortest wait takes, and once more from its
    acknowledgement on.
    """
    match path.split("/"):
        case ["out", _, area, _, *_] if area == EXPORTS:
            return AFTER_ACKNOWLEDGEMENT - LOCK_ENDS_BEFORE
        case ["out", _, area, _, *_] if area in BOOKS:
            return BOOKS_KEPT - LOCK_ENDS_BEFORE
    return None


def locked_until(path: str, now: datetime) -> datetime | None:
    """Until when a file that is written or acknowledged now is locked; None for one that is free.

    A whole hour, so that a second attempt soon after asks for the same moment and never for
    an earlier one, which S3 refuses as the shortening of a lock.
    """
    kept = locked_for(path)
    if kept is None:
        return None
    until = now + kept
    whole = until.replace(minute=0, second=0, microsecond=0)
    return whole if whole == until else whole + timedelta(hours=1)


def has_export_ended(export: Export, now: datetime) -> bool:
    """Whether the file of an export is no longer needed. It is while its writing is not noted: a
    run that is repeated would write it once more (law 5).
    """
    if export.state is not ExportState.WRITTEN or export.acknowledged_at is None:
        return False
    return now - export.acknowledged_at >= AFTER_ACKNOWLEDGEMENT
