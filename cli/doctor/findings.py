"""What a check of `tandem doctor` found, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import boto3

# Apple's certificate of a pass type is good for a year, and another one takes a person to make; so
# does a client's PGP key.
RENEWAL_DAYS: Final = 30


class Verdict(StrEnum):
    """What a check found."""

    GOOD = "good"
    LOOK = "look"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """One thing that was checked, and what to do about it."""

    check: str
    verdict: Verdict
    text: str
    advice: str = ""

    @property
    def is_good(self) -> bool:
        """Whether nothing has to be done."""
        return self.verdict is Verdict.GOOD

    @property
    def is_wrong(self) -> bool:
        """Whether it cannot work like that."""
        return self.verdict is Verdict.WRONG


@dataclass(frozen=True)
class Account:
    """The account and region that are looked at."""

    session: boto3.Session
    region: str
    id: str


def good(text: str) -> Iterator[Finding]:
    yield Finding("", Verdict.GOOD, text)


def look(text: str, advice: str) -> Iterator[Finding]:
    yield Finding("", Verdict.LOOK, text, advice)


def wrong(text: str, advice: str) -> Iterator[Finding]:
    yield Finding("", Verdict.WRONG, text, advice)
