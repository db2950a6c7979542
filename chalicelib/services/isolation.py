"""One thing that cannot be handled never stops its neighbours: it is counted and named.

Its name is its kind and a random id, never its key: the key of a voucher is a code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.services.errors import RetryLaterError
from chalicelib.services.ports import (
    ContentionError,
    Failure,
    ListUnavailableError,
    OnFailure,
)

# Not a fault of the thing itself: it is found again by the next run.
TRANSIENT = (RetryLaterError, ListUnavailableError, ContentionError)


class Isolation:
    """Counts what failed, each thing once, and apart from it what `has_to_wait`."""

    def __init__(
        self, on_failure: OnFailure, has_to_wait: tuple[type[Exception], ...] = TRANSIENT
    ) -> None:
        self._on_failure = on_failure
        self._has_to_wait = has_to_wait
        self._noted: set[tuple[str, str]] = set()
        self.failed = 0
        self.left = 0

    @contextmanager
    def of(self, kind: str, name: str) -> Iterator[None]:
        """Handle one thing inside the block."""
        try:
            yield
        except self._has_to_wait:
            self.left += 1
        except Exception as error:
            self.note(Failure(kind, name, error))

    def note(self, failure: Failure) -> None:
        """Count something that could not be handled."""
        if (failure.kind, failure.name) not in self._noted:
            self._noted.add((failure.kind, failure.name))
            self.failed += 1
            self._on_failure(failure)
