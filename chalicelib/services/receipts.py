"""Writing receipts: one for each drop, and the latest at each path."""

from __future__ import annotations

from chalicelib.domain.files.receipt import (
    Receipt,
    is_final,
    is_of_a_later_drop,
    latest_path,
    own_path,
    receipt_json,
)
from chalicelib.services.file_ports import Files
from chalicelib.services.written_files import content_of

_JSON = "application/json"


def write_receipt(files: Files, campaign_id: str, receipt: Receipt) -> None:
    """Write the drop's own receipt, and the same as the latest one at its path, unless a file
    dropped later there already has one.
    """
    folder = f"out/{campaign_id}/receipts/"
    own = own_path(receipt.file, receipt.dropped_at, receipt.sha256)
    written = _write_own(files, f"{folder}{own}", receipt_json(receipt))
    latest = f"{folder}{latest_path(receipt.file)}"
    if not is_of_a_later_drop(content_of(files, latest) or b"", receipt.dropped_at):
        files.write(latest, written, content_type=_JSON)


def _write_own(files: Files, path: str, content: bytes) -> bytes:
    """The drop's own receipt as it is now: the first one that says that the file took effect."""
    if files.write_once(path, content, content_type=_JSON):
        return content
    earlier = content_of(files, path) or b""
    if is_final(earlier):
        return earlier
    files.write(path, content, content_type=_JSON)
    return content
