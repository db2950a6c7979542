"""The journal: facts as JSON lines, each chained to the one before by its hash (law 10).

A line is `{"fact": …, "previous": hash, "hash": SHA-256 of previous + the fact's canonical JSON}`.
Changing, removing or inserting a line breaks the chain from there on. Lines contain only random
ids, so a person can be erased without changing the journal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from chalicelib.domain.entity import Entity
from chalicelib.domain.facts import Fact


@dataclass(frozen=True, kw_only=True)
class JournalHead(Entity):
    """The last segment of a campaign's journal: its number, and its last hash."""

    campaign: str
    number: int
    hash: str


GENESIS = "0" * 64


class BrokenChainError(ValueError):
    """A journal line that does not follow from the one before it."""


def _canonical(fact: Fact) -> str:
    values = asdict(fact) | {"at": fact.at.isoformat()}
    del values["counted"], values["by_subject"]  # where and how it is stored is not what happened
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _hash(previous: str, canonical: str) -> str:
    return hashlib.sha256((previous + canonical).encode()).hexdigest()


def chain(previous: str, facts: Sequence[Fact]) -> tuple[bytes, str]:
    """The lines of `facts` after the line with hash `previous`, and the hash of the last one."""
    lines = []
    for fact in facts:
        canonical = _canonical(fact)
        digest = _hash(previous, canonical)
        lines.append(f'{{"fact":{canonical},"hash":"{digest}","previous":"{previous}"}}\n')
        previous = digest
    return "".join(lines).encode(), previous


def verify(previous: str, lines: Iterable[bytes]) -> str:
    """The hash of the last line; `BrokenChainError` names the first line that was altered."""
    for number, line in enumerate(lines, start=1):
        entry = json.loads(line)
        canonical = json.dumps(
            entry["fact"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        if entry["previous"] != previous or entry["hash"] != _hash(previous, canonical):
            raise BrokenChainError(f"line {number}")
        previous = entry["hash"]
    return previous


def segment_path(campaign: str, day: str, number: int, digest: str) -> str:
    """The path of a journal segment. Its hash is in its name: a lost race leaves an unused file,
    never a gap.
    """
    return f"out/{campaign}/journal/{day}/{number:08}-{digest[:16]}.jsonl"
