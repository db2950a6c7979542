"""The journal: facts as JSON lines, each chained to the one before by its hash (law 10).

    facts ──► bundle ──────► part ────────────► group ─────────► file of a campaign
              journal/…      in the table       fixed first      out/{campaign}/journal/…
              a batch        counted together   by the seal      chained

A projector stores the lines of a stream's batch as one bundle, whose name is its SHA-256, and
records which of them it counted as a part, in the transaction that counts them: it changes nothing
that other projectors do. The seal makes chained files of the parts, a fixed group at a time. What
no part names is not in the journal.

A line of a file is `{"fact": …, "previous": hash, "hash": SHA-256 of previous + the fact's
canonical JSON}`. Changing, removing or inserting a line breaks the chain from there on; a bundle
that is changed before it is sealed no longer has the hash that its parts name. Lines contain only
random ids, so a person can be erased without changing the journal.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from chalicelib.domain.entity import Entity
from chalicelib.domain.facts import Fact
from chalicelib.domain.feed import packed_by_campaign

PART_SHARDS = 8  # partitions that the records of parts are spread over
LEFT_SHARD = PART_SHARDS  # the one of what groups have left


@dataclass(frozen=True, kw_only=True)
class JournalHead(Entity):
    """The end of a campaign's journal: the number of its last file, that file's last hash, and the
    last group that is in it (0: it was written by 0.2.0, or before). `acts`: the last acts in its
    files (`feed.py`).
    """

    campaign: str
    number: int
    hash: str
    group: int = 0
    acts: str = ""


@dataclass(frozen=True, kw_only=True)
class JournalPart(Entity):
    """Lines of a bundle that one transaction counted and that are not sealed yet.

    They are `lines` lines from `first` (0 is the first) of the bundle with the SHA-256 `digest`;
    `position` orders the parts of a shard by the time they were recorded.

    With a `campaign` it is what the group with that number has left: all its lines of a campaign
    whose journal could not go on, in a bundle of their own. It was recorded when the group was
    opened.

    `acts`: the last acts of each campaign in it (`feed.py`).
    """

    shard: int
    position: str
    digest: str
    first: int
    lines: int
    campaign: str | None = None
    group: int = 0
    acts: tuple[str, ...] = ()

    @property
    def recorded_at(self) -> datetime:
        """When they were counted."""
        return datetime.fromisoformat(self.position.partition("#")[0])


@dataclass(frozen=True, kw_only=True)
class JournalGroup(Entity):
    """The parts that are being sealed, fixed before the first file is written; then none."""

    number: int
    opened_at: datetime
    parts: tuple[JournalPart, ...]


@dataclass(frozen=True, kw_only=True)
class Root:
    """What a campaign's journal was at a moment: the number of its last file, and that file's last
    hash. It is kept where no function that writes the journal can change it, so whoever changes a
    line of the past, however consistently, does not change the roots that were written since.
    """

    campaign: str
    number: int
    hash: str
    at: datetime


GENESIS = "0" * 64


class BrokenChainError(ValueError):
    """A journal line that does not follow from the one before it, or a file that is missing."""


class AlteredBundleError(ValueError):
    """A bundle that is missing, or a file that is not what was written."""


# --- lines ----------------------------------------------------------------------------------------


def canonical(fact: Fact) -> str:
    """The JSON of a fact that is hashed: one text for one fact."""
    values = asdict(fact) | {"at": fact.at.isoformat()}
    del values["counted"], values["by_subject"]  # where and how it is stored is not what happened
    return _canonical(values)


def fact_of(line: str) -> Fact:
    """The fact in a canonical line."""
    values = json.loads(line)
    return Fact(**values | {"at": datetime.fromisoformat(values["at"])})


def _canonical(values: object) -> str:
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _hash(previous: str, line: str) -> str:
    return hashlib.sha256((previous + line).encode()).hexdigest()


# --- bundles and parts ----------------------------------------------------------------------------


def bundle(facts: Iterable[Fact]) -> tuple[bytes, str]:
    """The bundle of `facts`, and its SHA-256."""
    content = "".join(f"{canonical(fact)}\n" for fact in facts).encode()
    return content, hashlib.sha256(content).hexdigest()


def bundle_path(digest: str) -> str:
    """Where the bundle with that SHA-256 is. Its hash is its name: written again, it is the same,
    and one that no part names is no part of the journal.
    """
    return f"journal/{digest}.jsonl"


def part_of_bundle(
    digest: str, first: int, lines: int, now: datetime, acts: tuple[str, ...] = ()
) -> JournalPart:
    """The record of lines that are counted now, with the acts in them."""
    moment = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return JournalPart(
        shard=int(digest[:8], 16) % PART_SHARDS,
        position=f"{moment}#{digest[:16]}#{first:04}",
        digest=digest,
        first=first,
        lines=lines,
        acts=acts,
    )


def left_by(group: JournalGroup, campaign: str, lines: Iterable[str]) -> tuple[bytes, JournalPart]:
    """The lines of a campaign that a group leaves: their bundle, and its record."""
    every = list(lines)
    content = "".join(f"{line}\n" for line in every).encode()
    digest = hashlib.sha256(content).hexdigest()
    acts = packed_by_campaign(map(fact_of, every))
    part = part_of_bundle(digest, 0, len(every), group.opened_at, acts)
    return content, replace(part, shard=LEFT_SHARD, campaign=campaign, group=group.number)


def lines_of(part: JournalPart, content: bytes | None) -> list[str]:
    """The lines of a part, from its bundle. `AlteredBundleError`."""
    if content is None or hashlib.sha256(content).hexdigest() != part.digest:
        raise AlteredBundleError(bundle_path(part.digest))
    return content.decode().split("\n")[part.first : part.first + part.lines]


# --- files ----------------------------------------------------------------------------------------


def chained(previous: str, lines: Iterable[str]) -> tuple[bytes, str]:
    """Canonical lines, chained to the line with hash `previous`, and the hash of the last one."""
    entries = []
    for line in lines:
        digest = _hash(previous, line)
        entries.append(f'{{"fact":{line},"hash":"{digest}","previous":"{previous}"}}\n')
        previous = digest
    return "".join(entries).encode(), previous


def verify(previous: str, lines: Iterable[bytes]) -> str:
    """The hash of the last line; `BrokenChainError` names the first line that was altered."""
    for number, line in enumerate(lines, start=1):
        entry = json.loads(line)
        if entry["previous"] != previous or entry["hash"] != _hash(
            previous, _canonical(entry["fact"])
        ):
            raise BrokenChainError(f"line {number}")
        previous = entry["hash"]
    return previous


def verified(content: bytes, last: str) -> tuple[list[Fact], str]:
    """The facts of a file that must end with the hash `last`, and the hash that it chains to.

    `BrokenChainError` when a line was altered or is missing.
    """
    lines = content.splitlines()
    before: str = json.loads(lines[0])["previous"]
    if verify(before, lines) != last:
        raise BrokenChainError("the last line")
    return [fact_of(_canonical(json.loads(line)["fact"])) for line in lines], before


def folder(campaign: str) -> str:
    """Where the files of a campaign's journal are."""
    return f"out/{campaign}/journal/"


def file_name(number: int, digest: str) -> str:
    """The name of a file that ends with the hash `digest`."""
    return f"{number:08}-{digest[:16]}.jsonl"


def file_path(campaign: str, day: str, number: int, digest: str) -> str:
    """The path of a file. Its hash is in its name, so no other content ever gets it."""
    return f"{folder(campaign)}{day}/{file_name(number, digest)}"


# --- roots ----------------------------------------------------------------------------------------

_ROOT = re.compile(r"(?P<number>[0-9]{8,})-(?P<hash>[0-9a-f]{64})\.json")


def roots_folder(campaign: str) -> str:
    """Where the roots of a campaign are, in their own bucket."""
    return f"{campaign}/"


def root_path(campaign: str, number: int, digest: str) -> str:
    """The path of a root. All that it says is in its name, so a listing reads them all."""
    return f"{roots_folder(campaign)}{number:08}-{digest}.json"


def root_of(path: str, at: datetime) -> Root:
    """The root with that path, written then. `BrokenChainError` for a path that is none."""
    campaign, _, name = path.rpartition("/")
    found = _ROOT.fullmatch(name)
    if found is None:
        raise BrokenChainError(f"{path} is no root")
    return Root(campaign=campaign, number=int(found["number"]), hash=found["hash"], at=at)
