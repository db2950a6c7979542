"""The work on a row of a file, by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from chalicelib.services.isolation import TRANSIENT

FAILING_AT_ONCE = 20  # then it is probably not the rows


@dataclass(frozen=True)
class RowWork:
    """What is to be done for the row in a line. Rows of one `owner` are done in their order."""

    line: int
    owner: str
    do: Callable[[], None]


def do_each(works: Iterable[RowWork]) -> None:
    """Do the work of all rows of a file that is not large: one that fails stops only those of its
    owner after it. Its error comes at the end, so that the file is delivered again.
    """
    failed: dict[str, Exception] = {}
    for work in works:
        if work.owner in failed:
            continue
        try:
            work.do()
        except TRANSIENT:
            raise
        except Exception as error:
            failed[work.owner] = error
            if len(failed) == FAILING_AT_ONCE:
                break
    for first in failed.values():
        raise first
