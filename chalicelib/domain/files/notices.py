"""Notices: which files of `out/` are announced to the client's systems as soon as they are there.

A notice names files and nothing else: no row, no digest, no code. It is a hint to look at once;
what there is to take is what lies in `out/`. An export and a file of changes are complete with
their manifest; a receipt is that of one drop.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.files.writing import sha256_of


class NoticeKind(StrEnum):
    """What was written. The values are published."""

    EXPORT_WRITTEN = "export.written"
    CHANGES_WRITTEN = "changes.written"
    RECEIPT_WRITTEN = "receipt.written"


_MANIFEST = r"(out/(?P<campaign>[^/]+)/{}/[0-9]{{8}})\.manifest\.json"
_KINDS = {
    NoticeKind.EXPORT_WRITTEN: re.compile(_MANIFEST.format("vouchers")),
    NoticeKind.CHANGES_WRITTEN: re.compile(_MANIFEST.format("changes")),
    # That of the drop alone: the latest one of a path is the same, and is written over.
    NoticeKind.RECEIPT_WRITTEN: re.compile(r"out/(?P<campaign>[^/]+)/receipts/.+@[^/]+\.json"),
}


@dataclass(frozen=True)
class Notice:
    """A file is there. `notice_id` is the same whenever the same content is noticed again."""

    kind: NoticeKind
    campaign: str
    path: str
    notice_id: str

    @property
    def detail(self) -> str:
        """What the event says, as JSON."""
        members = {"id": self.notice_id, "campaign": self.campaign, "path": self.path}
        return json.dumps(members)


def notice_of(path: str, content: bytes) -> Notice | None:
    """The notice of a file that was written; None for one that is not announced."""
    for kind, pattern in _KINDS.items():
        if found := pattern.fullmatch(path):
            notice_id = sha256_of(f"{path}\n{sha256_of(content)}".encode())[:32]
            return Notice(kind, found["campaign"], path, notice_id)
    return None
