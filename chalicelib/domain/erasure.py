"""The receipt of an erasure: what was done and what stays, without anything that names the person.

It is handed out by `tandem person erase`, and says until when files that have left us may still
have a digest of hers. What is done is in `services/persons`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True)
class FileLeft:
    """A file of `out/` that has a digest of the person, and the last day on which it is there; None
    as long as the client has not acknowledged it, after which it stays for 35 days.
    """

    path: str
    last_day: date | None


@dataclass(frozen=True, kw_only=True)
class ErasureReceipt:
    """What was done, without the address. A dry run says what would be.

    `removed` and `made_nameless` count items by kind, `random_ids` are what stands in the place of
    the digests from now on. `live_vouchers` keep their worth until they end. `opposed`: an
    objection to invitations stays, under our own key alone. `dropped_files_end_on`: until then
    files that the client dropped may name her. `unreadable` items may name her too: a person must
    look.
    """

    campaigns: tuple[str, ...]
    at: datetime
    dry_run: bool
    removed: Mapping[str, int]
    made_nameless: Mapping[str, int]
    random_ids: tuple[str, ...]
    live_vouchers: int
    opposed: bool
    files: tuple[FileLeft, ...]
    dropped_files_end_on: date
    unreadable: int = 0

    @property
    def found(self) -> bool:
        """Whether there was anything of the person."""
        return bool(self.removed or self.made_nameless)

    @property
    def files_end_on(self) -> date | None:
        """The last day of the last of the files; None while one waits for its acknowledgement, or
        without any.
        """
        days = [file.last_day for file in self.files]
        known = [day for day in days if day is not None]
        return max(known) if known and len(known) == len(days) else None

    def as_json(self) -> dict[str, Any]:
        """The receipt, as it is handed out."""
        end = self.files_end_on
        return {
            "campaigns": list(self.campaigns),
            "at": self.at.isoformat(),
            "dry_run": self.dry_run,
            "found": self.found,
            "removed": dict(self.removed),
            "kept_without_a_name": dict(self.made_nameless),
            "random_ids": list(self.random_ids),
            "vouchers_that_keep_their_worth": self.live_vouchers,
            "no_more_invitations": self.opposed,
            "files": [
                {"path": one.path, "last_day": one.last_day.isoformat() if one.last_day else None}
                for one in self.files
            ],
            "files_end_on": end.isoformat() if end else None,
            "dropped_files_end_on": self.dropped_files_end_on.isoformat(),
            "unreadable": self.unreadable,
        }
