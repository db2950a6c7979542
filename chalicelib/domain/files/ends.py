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


def has_export_ended(export: Export, now: datetime) -> bool:
    """Whether the file of an export is no longer needed. It is while its writing is not noted: a
    run that is repeated would write it once more (law 5).
    """
    if export.state is not ExportState.WRITTEN or export.acknowledged_at is None:
        return False
    return now - export.acknowledged_at >= AFTER_ACKNOWLEDGEMENT
