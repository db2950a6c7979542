"""The interfaces that use cases need, without any knowledge of their implementations.

Each protocol here has two implementations: one on AWS (`chalicelib.adapters`) and one for tests
(`tests.fakes`); one suite checks both (`tests/contract`). A use case loads, lets the domain decide,
and commits once: the new state together with the facts. Those to files, lists, mail, pages, PGP and
wallets have modules of their own beside this one (`file_ports.py` and others).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

if TYPE_CHECKING:  # the list builder needs these ports without the models of a campaign
    from chalicelib.domain.addresses import DigestKey
    from chalicelib.domain.campaign.file import Campaign
    from chalicelib.domain.campaign.lists import DigestKeys
    from chalicelib.domain.entity import Entity
    from chalicelib.domain.facts import Fact
    from chalicelib.domain.journal import JournalPart
    from chalicelib.domain.vouchers import Voucher
    from chalicelib.services.cipher_ports import Cipher
    from chalicelib.services.file_ports import Files
    from chalicelib.services.list_ports import ListBuilder, Lists
    from chalicelib.services.mail_ports import MailDomains, Mailer
    from chalicelib.services.page_ports import Pages
    from chalicelib.services.wallet_ports import Wallets

E = TypeVar("E", bound="Entity")
DayCounts = Mapping[date, Mapping[str, int]]  # what is counted, by local day and name


@dataclass(frozen=True)
class Counted:
    """The counts of a campaign by local day, and when the newest fact in them happened: None where
    nothing was counted, or only by an earlier version.
    """

    days: dict[date, dict[str, int]]
    until: datetime | None


BATCH_LIMIT = 100  # keys that one `read` can ask for
TRANSACTION_LIMIT = 100  # items that one `commit` or `count` can change
# A batch of the stream that one `count` counts, beside the counts of a day and the journal's part.
FACTS_A_COUNT = TRANSACTION_LIMIT - 2
# Counters that one update adds to: DynamoDB takes 4 KB of an expression, and each is at most 11
# letters of it. What is more is another update of another item, since a transaction changes each
# item once.
COUNTERS_AN_UPDATE = 250
# Facts of an hour are spread over so many partitions. A fact is at most 4 write units (a
# transaction counts a unit twice, and it is written and then marked as counted), a partition takes
# 1,000 a second: 20,000 facts/s are 625 in each.
FACT_SHARDS = 128


class ConflictError(Exception):
    """The store has changed since the use case read it; nothing was written."""


class ContentionError(Exception):
    """Concurrent commits prevented this one, after several attempts; try again later."""


@dataclass(frozen=True)
class Key(Generic[E]):
    """Where the entity of `kind` with those key parts is stored. Made by `of`."""

    kind: type[E]
    parts: frozenset[tuple[str, str | int]]

    @classmethod
    def of(cls, kind: type[E], /, **parts: str | int) -> Key[E]:
        """The key of the entity of `kind` with those parts."""
        return cls(kind, frozenset(parts.items()))


@dataclass(frozen=True)
class Found:
    """What one `read` found, by the keys it was asked for."""

    entities: Mapping[Key[Any], Entity]

    def get(self, key: Key[E]) -> E | None:
        """The entity with that key, None when there is none."""
        return cast("E | None", self.entities.get(key))


@dataclass(frozen=True)
class Insert:
    """Store `entity` if its key is free. The guard of laws 1, 2, 4, 5 and 7."""

    entity: Entity


@dataclass(frozen=True)
class Replace:
    """Store `entity` if the stored revision is still the one it was read at. The guard of laws 1
    and 6.
    """

    entity: Entity


@dataclass(frozen=True)
class Remove:
    """Delete `entity` if the stored revision is still the one it was read at."""

    entity: Entity


Change = Insert | Replace | Remove


class Agenda(StrEnum):
    """The agendas: lists of things by the time at which they are due or were made."""

    CAMPAIGNS = "campaigns"
    UNDECIDED = "undecided"
    CLOSING = "closing"
    UNEXPORTED = "unexported"
    UNACKNOWLEDGED = "unacknowledged"
    EXPIRING = "expiring"
    REFUSED = "refused"
    RETURN_WINDOW = "return_window"
    REFERRALS = "referrals"
    LEASED = "leased"
    UNDELIVERED = "undelivered"
    FILES = "files"
    HELD_REWARDS = "held_rewards"


def hours(since: datetime, until: datetime) -> Iterator[datetime]:
    """The beginning of each hour (UTC) from the one of `since` to the one of `until`."""
    hour = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour <= until:
        yield hour
        hour += timedelta(hours=1)


@dataclass(frozen=True)
class Page:
    """Part of what a reading of the whole table found. `next`: where the next page begins, None
    after the last one; `unreadable` counts items that no version could have stored.
    """

    entities: Sequence[Entity]
    next: str | None = None
    unreadable: int = 0


@dataclass(frozen=True)
class RemovedPage:
    """How many items were removed of one page of the whole table; `next` as in `Page`."""

    removed: int
    next: str | None = None


@dataclass(frozen=True)
class Failure:
    """Something that could not be handled, by its kind and an id that tells nobody anything."""

    kind: str
    name: str
    error: Exception


OnFailure = Callable[[Failure], None]


@dataclass(frozen=True)
class Stretch:
    """A part of an agenda: what one partition of its index lists from `first` to `last`, both
    included. Handled by one worker at a time; safe to handle again.
    """

    agenda: Agenda
    scope: str
    partition: str
    first: str
    last: str


@dataclass(frozen=True)
class PartOfFile:
    """Part number `part` of a large file, to be handled by one worker; safe to handle again."""

    campaign: str
    file_id: str
    part: int


@dataclass(frozen=True)
class Entry(Generic[E]):
    """What the index of an agenda says of an entity: where it is stored, its `position` in its
    partition, and its `mark`, if its kind has one. It may be out of date.
    """

    key: Key[E]
    position: str
    mark: str = ""


class Repository(Protocol):
    """The table. An entity past its end does not exist, and its key is free: that AWS removes it
    later only cleans up. Reads by key are strongly consistent. `held_by`, `every_voucher` and the
    indexes of agendas may lag: an entity may be missing for a moment, or still be listed.
    """

    def get(self, kind: type[E], /, **key: str | int) -> E | None:
        """The entity of `kind` with that key, or None."""

    def get_many(self, kind: type[E], keys: Sequence[Mapping[str, str | int]]) -> list[E]:
        """The existing entities of `kind` with those keys, each once, in any order. They are not
        read at one instant. `ContentionError`.
        """

    def read(self, *keys: Key[Any]) -> Found:
        """The existing entities with those keys, of any kinds, in one call: at least one key, at
        most `BATCH_LIMIT`. They are not read at one instant. `ContentionError`.
        """

    def within(
        self, kind: type[E], on_failure: OnFailure | None = None, /, **key: str | int
    ) -> Iterator[E]:
        """Entities of `kind` in the partition the key parts name, in key order; strongly
        consistent. An item that cannot be read goes to `on_failure`; without it, the error is
        raised.
        """

    def first_within(self, kind: type[E], count: int, /, **key: str | int) -> list[E]:
        """The first `count` entities that `within` would have; no more are read, in one call."""

    def last_within(
        self, kind: type[E], count: int, on_failure: OnFailure | None = None, /, **key: str | int
    ) -> list[E]:
        """The last `count` of one partition, the last one first; a moment late at most. One that
        cannot be read goes to `on_failure`; without it, the error is raised.
        """

    def page(self, kinds: Sequence[type[Entity]], campaign: str, after: str | None = None) -> Page:
        """One page of the whole table, in one call: what it has of those kinds in a campaign. It
        may lag, and reads all that is on the page.
        """

    def naming(
        self,
        texts: Collection[str],
        kinds: Collection[type[Entity]],
        after: str | None = None,
    ) -> Page:
        """One page of the whole table, in one call: everything that has one of `texts` in it, be it
        in a key, and all of `kinds`; also what has ended and is not removed yet. Consistent: what
        was committed before the call is on its page.
        """

    def remove_page(
        self, stays: Collection[type[Entity]], campaign: str, after: str | None = None
    ) -> RemovedPage:
        """Remove what one page of the whole table has of a campaign, entities and facts, but for
        the kinds that stay; with the last page its counts. Without any condition: only where
        nothing of the campaign is open. May be repeated.
        """

    def agenda(
        self,
        kind: type[E],
        name: Agenda,
        scope: str = "",
        *,
        until: datetime | None = None,
        on_failure: OnFailure | None = None,
    ) -> Iterator[E]:
        """The entities on an agenda, up to and including `until`, those of one partition earliest
        first. The index names them; each is read again by its key, and only what is on the agenda
        by its own state is given, each once. An item that cannot be read goes to `on_failure`;
        without it, the error is raised.
        """

    def stretches(
        self, name: Agenda, scope: str = "", *, until: datetime | None = None
    ) -> Iterator[Stretch]:
        """The partitions of an agenda that list anything up to and including `until`."""

    def entries(self, kind: type[E], stretch: Stretch) -> Iterator[Entry[E]]:
        """What the index lists in a stretch, earliest first. Nothing is read again."""

    def of_before(self) -> Iterator[Key[Any]]:
        """What stands on an agenda as a version before the index `due` stored it; it may lag."""

    def held_by(self, holder_id: str, on_failure: OnFailure | None = None) -> list[Voucher]:
        """The vouchers issued to a holder, oldest first. One that cannot be read goes to
        `on_failure`; without it, the error is raised.
        """

    def every_voucher(self, on_failure: OnFailure | None = None) -> Iterator[Voucher]:
        """Every voucher of every campaign, in any order. It may lag, and reads them all. One that
        cannot be read goes to `on_failure`; without it, the error is raised.
        """

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        """Make all changes and write all facts, or none (`ConflictError`, `ContentionError`)."""

    def facts_in(
        self, hour: datetime, shard: int, on_failure: OnFailure | None = None
    ) -> Iterator[Fact]:
        """The facts of the hour (UTC) that `hour` is in, of one of `FACT_SHARDS` shards: a subject
        is always in the same one. Without those that 0.2.0 and versions before stored. One that
        cannot be read goes to `on_failure`; without it, the error is raised.
        """

    def first_facts_in(self, hour: datetime, shard: int, count: int) -> list[Fact]:
        """Some facts of such an hour and shard: the first `count` by their subject, which is no
        order of time. It may lag. One that cannot be read is left out.
        """

    def facts_of(self, subject: str, since: datetime, until: datetime) -> Iterator[Fact]:
        """The facts of one subject: those of the hours from `since` to `until`, in the order of
        time, then all that 0.2.0 and versions before stored of it. One call an hour.
        """

    def uncounted(self, facts: Sequence[Fact]) -> list[Fact]:
        """Those of `facts` that no `count` has counted yet."""

    def count(
        self, part: JournalPart, counts: Mapping[str, DayCounts], facts: Sequence[Fact]
    ) -> None:
        """Add to the counts of each campaign, mark `facts` counted and record the part of the
        journal that they are, or nothing.

        `ConflictError` when one of the facts is counted already (law 10).
        """

    def counts(self, campaign: str) -> dict[date, dict[str, int]]:
        """The counts by local day."""

    def counted(self, campaign: str) -> Counted:
        """The same with the newest fact in them, at half the price. It may lag."""

    def stored(self, facts: Sequence[Fact], on_failure: OnFailure | None = None) -> list[Fact]:
        """Those of `facts` that there are, as they are stored; `BATCH_LIMIT` at most."""

    def bring_back(
        self, part: str, changes: Sequence[Change], lost: Sequence[Fact], sealed: Sequence[Fact],
        counts: Mapping[str, DayCounts],
    ) -> None:  # fmt: skip
        """Store `lost` facts as they are, with all `changes`; mark the `sealed` ones as counted;
        add to the counts of each campaign: all of it, or nothing.

        Only after a restore. `part` is the SHA-256 of where the facts are, which spreads the
        counts. `ConflictError` when a lost one is there, or a sealed one is counted (law 10).
        """


class Keys(Protocol):
    """The digest keys shared with the client, and our own."""

    def in_force(self, keys: DigestKeys) -> list[DigestKey]:
        """The keys a campaign names, in its order."""

    def own(self) -> DigestKey:
        """Our own key, which no client knows and which never changes."""


class Queues(Protocol):
    """The work queues."""

    def put(self, queue: str, facts: Sequence[Fact]) -> None:
        """Queue the facts; raises when any was not accepted."""

    def postpone(self, queue: str, receipt: str, seconds: int) -> None:
        """Let a message that was received with `receipt` be delivered again in so many seconds.

        `queue` is the queue's own name, as events have it.
        """

    def has_backlog(self, queue: str) -> bool:
        """Whether messages of the queue wait that nobody has received yet, or that are to be
        received again now; approximately.
        """

    def put_stretches(self, stretches: Sequence[Stretch]) -> None:
        """Queue stretches of agendas for `due`; raises when any was not accepted."""

    def put_parts(self, parts: Sequence[PartOfFile]) -> None:
        """Queue parts of a large file; raises when any was not accepted."""


class Campaigns(Protocol):
    """The campaign files in force, cached for seconds, because every call reads one."""

    def get(self, campaign: str) -> Campaign | None:
        """The campaign in force, or None when there is none of that name."""

    def get_many(self, campaigns: Collection[str]) -> Mapping[str, Campaign]:
        """Those of them that there are, by their names, in one call at most for 100."""


class Clock(Protocol):
    """Now, aware, in UTC."""

    def __call__(self) -> datetime:
        """Now."""


class Codes(Protocol):
    """Unguessable values, from a cryptographic source."""

    def identifier(self) -> str:
        """128 random bits as 32 hex characters."""

    def token(self) -> str:
        """256 random bits, URL-safe."""

    def voucher_code(self) -> str:
        """A voucher code with its check character, without a prefix."""

    def link_code(self) -> str:
        """A short code for a shared link: 60 random bits."""


@dataclass(frozen=True)
class Ports:
    """All ports, as `bootstrap` wires them."""

    repository: Repository
    campaigns: Campaigns
    lists: Lists
    list_builder: Callable[[], ListBuilder]  # created at first use, because it loads numpy
    cipher: Callable[[], Cipher]  # likewise, PGP
    keys: Keys
    mailer: Mailer
    mail_domains: MailDomains
    files: Files
    roots: Files  # the bucket of the journal's roots, which one function alone may write to
    pages: Pages
    queues: Queues
    clock: Clock
    codes: Codes
    wallets: Wallets


class CommandPorts(Protocol):
    """The ports that the command line has."""

    @property
    def repository(self) -> Repository:
        """The table."""

    @property
    def clock(self) -> Clock:
        """Now."""

    @property
    def codes(self) -> Codes:
        """Unguessable values."""
