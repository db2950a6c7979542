"""Log lines and metrics of dropped files: never a path, an address or a code (law 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.campaign.lists import ListName
from chalicelib.observability import count, log

if TYPE_CHECKING:
    from chalicelib.domain.files.parts import FileInParts
    from chalicelib.domain.files.receipt import Receipt


def log_parts(file: FileInParts) -> None:
    """A large file that will be handled in parts."""
    log(
        "file in parts",
        campaign=file.campaign,
        file=file.file_id,
        sha256=file.sha256,
        parts=file.parts,
    )
    count_quarantined(file)


def count_quarantined(moved: Receipt | FileInParts) -> None:
    """A file that was moved because it held plain addresses."""
    if moved.quarantined:
        count("FileQuarantined")


def log_receipt(campaign: str, receipt: Receipt, **about: str) -> None:
    """What a file came to."""
    # One drop rings once: as an incident, as a list, or as a file.
    if (
        receipt.status == "refused"
        and not receipt.quarantined
        and about.get("area") not in set(ListName)
    ):
        count("FileRefused")
    log(
        "file processed",
        campaign=campaign,
        **about,
        sha256=receipt.sha256,
        status=receipt.status,
        reason=receipt.reason,
        rows=receipt.rows,
        rejected=receipt.rejected,
        effect=receipt.outcome.effect if receipt.outcome else None,
        quarantined="yes" if receipt.quarantined else None,
    )
