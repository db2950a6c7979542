"""What a check found: one line each, with what to do when it failed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it went; `skipped` says why it could not be asked."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a check. `do` is empty when nothing is to be done."""

    what: str
    state: State
    detail: str
    do: str = ""


def ok(what: str, detail: str) -> Finding:
    """It is as it should be."""
    return Finding(what, State.OK, detail)


def failed(what: str, detail: str, do: str) -> Finding:
    """It is not, and this is what to do."""
    return Finding(what, State.FAILED, detail, do)


def skipped(what: str, detail: str, do: str = "") -> Finding:
    """It could not be asked."""
    return Finding(what, State.SKIPPED, detail, do)
