"""The port to files: the bucket that the client drops into and takes from, and that of roots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

# Before any file was written.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class FileMissingError(Exception):
    """No such file."""


class OtherContentError(Exception):
    """The file that was to be written is there, with other content; `path` says which."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@dataclass(frozen=True, order=True)
class Written:
    """A file as it was written then; `version` is None where the bucket keeps none."""

    at: datetime
    path: str
    version: str | None = None


class Files(Protocol):
    """The bucket: `in/`, `out/`."""

    def read(self, path: str, version: str | None = None) -> Iterator[bytes]:
        """The file in chunks, its current or the given version. `FileMissingError` when there is
        none.
        """

    def versions(self, path: str) -> list[str]:
        """The stored versions of the file, the newest first."""

    def move(self, path: str, to: str, version: str | None = None) -> None:
        """Move the file, or that version of it; does nothing when there is none."""

    def remove(self, path: str) -> None:
        """Remove the file; does nothing when there is none."""

    def erase(self, written: Written) -> None:
        """Remove that version of a file, so that nothing of it remains; does nothing when it is
        gone. Other versions stay.
        """

    def write(self, path: str, content: bytes, *, content_type: str = "text/csv") -> None:
        """Write, replacing any existing file."""

    def read_all(self, paths: Iterable[str]) -> Iterator[bytes | None]:
        """The whole of each file, in their order; None for one that is not there. Some are read
        at once, so they should be small.
        """

    def paths(self, folder: str) -> list[str]:
        """The paths of all files under a folder, in the order of their names."""

    def written_since(self, folder: str, since: datetime) -> list[Written]:
        """The files under a folder that were written since then, each version that is kept, in the
        order of time.
        """

    def write_once(self, path: str, content: bytes, *, content_type: str = "text/csv") -> bool:
        """Write if there is no file yet; False when there was one. What `domain.files.ends` locks
        is locked from then on.
        """

    def lock_again(self, path: str) -> None:
        """Lock the file for as long as if it were written now; does nothing when there is none, or
        when it is of those that are not locked.
        """
