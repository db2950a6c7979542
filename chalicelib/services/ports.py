"""What a use case needs from the world, and nothing about who provides it.

Each protocol here has two implementations: the one on AWS (`chalicelib.adapters`) and the one the
tests run on (`tests.fakes`), held to one behaviour by one suite (`tests/contract`). A use case
loads, lets the domain decide, and commits once: the new state together with the facts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:  # who builds lists needs these ports, and not what a campaign is checked with
    from chalicelib.domain.addresses import AddressDigests, Algorithm, DigestKey
    from chalicelib.domain.campaign.file import Campaign
    from chalicelib.domain.campaign.lists import DigestKeys
    from chalicelib.domain.entity import Entity
    from chalicelib.domain.facts import Fact
    from chalicelib.domain.files.reading import Tally
    from chalicelib.domain.journal import JournalHead
    from chalicelib.domain.lists.model import ListMode
    from chalicelib.domain.vouchers import Voucher

E = TypeVar("E", bound="Entity")


READ_FAILED = "read_failed"


class ConflictError(Exception):
    """A commit found the store other than the use case had read it; nothing was written."""


class ContentionError(Exception):
    """The store could not settle concurrent commits in time; try again later."""


class ListUnavailableError(Exception):
    """No trustworthy answer from a list: "unknown", never "not on it" (law 3)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def is_transient(self) -> bool:
        """Whether a later attempt may succeed with the same list."""
        return self.reason == READ_FAILED


class MailNotTakenError(Exception):
    """The sender said no: the mail has certainly not left. `final` when trying again is no use."""

    def __init__(self, reason: str, *, final: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class MailUncertainError(Exception):
    """The sender did not answer: the mail may have left."""


class FileMissingError(Exception):
    """No such file."""


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
    """What an agenda lists: things that wait for a moment, or are listed by one."""

    CAMPAIGNS = "campaigns"
    UNDECIDED = "undecided"
    CLOSING = "closing"
    UNEXPORTED = "unexported"
    EXPIRING = "expiring"
    RETURN_WINDOW = "return_window"
    REFERRALS = "referrals"
    LEASED = "leased"


class Repository(Protocol):
    """The one table. Reads by key are strongly consistent; agendas and holders may lag."""

    def get(self, kind: type[E], /, **key: str | int) -> E | None:
        """The entity of `kind` with that key, or None."""

    def get_many(self, kind: type[E], keys: Sequence[Mapping[str, str | int]]) -> list[E]:
        """The entities of `kind` with those keys, each once, in any order, without those that are
        not there. Each is read by itself: not all at one instant. `ContentionError`.
        """

    def within(self, kind: type[E], /, **key: str | int) -> Iterator[E]:
        """Entities of `kind` in the partition the key parts name, in key order; strongly
        consistent.
        """

    def agenda(
        self, kind: type[E], topic: Agenda, scope: str = "", *, until: datetime | None = None
    ) -> Iterator[E]:
        """What stands on an agenda, soonest first, up to and including `until`."""

    def held_by(self, holder_id: str) -> list[Voucher]:
        """The vouchers issued to a holder, oldest first."""

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        """Make all changes and write all facts, or none (`ConflictError`, `ContentionError`)."""

    def facts_of(self, subject: str) -> Iterator[Fact]:
        """The facts of one subject, oldest first."""

    def uncounted(self, facts: Sequence[Fact]) -> list[Fact]:
        """Those of `facts` that no `count` has taken in yet."""

    def count(
        self,
        campaign: str,
        deltas: Mapping[date, Mapping[str, int]],
        facts: Sequence[Fact],
        head: JournalHead,
    ) -> None:
        """Add to the counts of each day, mark `facts` counted and move the journal's head, or
        nothing.

        `ConflictError` when one of the facts is counted already or the head has moved (law 10).
        """

    def counts(self, campaign: str) -> dict[date, dict[str, int]]:
        """The counts by local day."""


@dataclass(frozen=True)
class Membership:
    """A list's answer on one address. `found` is the form that matched, None when neither did."""

    version: int
    found: str | None


class Lists(Protocol):
    """The client's digest lists in force."""

    def find(
        self, name: str, campaign: str, max_age_days: int, digests: AddressDigests
    ) -> Membership:
        """Whether the list knows the address (`exact` or `alias`). `ListUnavailableError` on any
        doubt.
        """

    def find_as_of(
        self, name: str, campaign: str, at: datetime, digests: AddressDigests
    ) -> Membership:
        """What the list in force at `at` said of the address; the first list, before there was one.

        `ListUnavailableError` on any doubt.
        """


@dataclass(frozen=True)
class NewSegment:
    """A segment to be made: where it will lie, and what its header says."""

    path: str
    algorithm: Algorithm
    key_id: str
    generation: int


@dataclass(frozen=True)
class StoredSegment:
    """A segment that lies at `path` with that ETag; `rows` counts its distinct digests.

    `directory_crc` is the CRC-32 that a look-up checks it by; to build upon it takes none.
    """

    path: str
    etag: str
    rows: int
    directory_crc: int = 0


class GatheredDigests(Protocol):
    """The digests of one dropped list, read to its end and kept aside until it is let go of."""


@dataclass(frozen=True)
class Layer:
    """Digests to apply to what the layers before it gave: `full` replaces, `add` and `remove`."""

    mode: ListMode
    digests: GatheredDigests | StoredSegment


@dataclass(frozen=True)
class Sums:
    """What a segment would hold: distinct digests, and how many canaries would be missing."""

    rows: int
    canaries_missing: int


class ListBuilder(Protocol):
    """Makes segments out of dropped lists and segments made before, whatever their size."""

    def gather(
        self, plain: Iterable[bytes], tally: Tally
    ) -> AbstractContextManager[GatheredDigests]:
        """Read the unpacked bytes of a list to their end; `tally` then says what was in it.

        `FileRefusedError` when the list is refused whole.
        """

    def build(
        self,
        new: NewSegment,
        layers: Sequence[Layer],
        *,
        canaries: Collection[bytes] = (),
        judge: Callable[[Sums], None] = lambda _: None,
    ) -> StoredSegment:
        """Apply `layers` to one another (the first is `full`) and store the result.

        `judge` is given the sums while nothing is stored yet; what it raises leaves nothing behind.
        `ListUnavailableError` when a stored segment cannot be read.
        """


class Keys(Protocol):
    """The digest keys shared with the client, and our own."""

    def in_force(self, keys: DigestKeys) -> list[DigestKey]:
        """The keys a campaign names, in its order."""

    def own(self) -> DigestKey:
        """The key that no client knows and that stays the same whatever the client's become."""


class Mailer(Protocol):
    """Sends one message, once."""

    def send(self, message: bytes, *, recipient: str, mail_id: str) -> str:
        """Hand the MIME `message` over; returns the sender's id of it.

        `MailNotTakenError` when it certainly has not left, `MailUncertainError` when nobody can
        tell.
        """


class MailDomains(Protocol):
    """What is publicly known of domains: whether mail can be delivered to them."""

    def takes_mail(self, domain: str) -> bool | None:
        """False only when the domain certainly takes none; None when nobody can tell in time.

        `domain` is ASCII, as in the normal form of an address. Never raises for want of an answer.
        """


class Files(Protocol):
    """The bucket: `in/`, `out/`."""

    def read(self, path: str, version: str | None = None) -> Iterator[bytes]:
        """The file in chunks, as it is or as that version was. `FileMissingError` when there is
        none.
        """

    def versions(self, path: str) -> list[str]:
        """What may be read of the file, the newest first; none where there never was one."""

    def set_aside(self, path: str, to: str, version: str | None = None) -> None:
        """Move the file, or that version of it; nothing is done when there is none."""

    def write(self, path: str, content: bytes, *, content_type: str = "text/csv") -> None:
        """Write, over what is there."""

    def write_once(self, path: str, content: bytes, *, content_type: str = "text/csv") -> bool:
        """Write if nothing is there yet; False when something was."""


class Queues(Protocol):
    """The work queues."""

    def put(self, queue: str, facts: Sequence[Fact]) -> None:
        """Queue the facts; raises when any was not taken."""


class Campaigns(Protocol):
    """The campaign files in force, remembered for moments: they are read on every call."""

    def get(self, campaign: str) -> Campaign | None:
        """The campaign in force, or None when there is none of that name."""


class Clock(Protocol):
    """Now, aware, in UTC."""

    def __call__(self) -> datetime:
        """Now."""


class Codes(Protocol):
    """What must not be guessed, from a cryptographic source."""

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
    """All of them, as the composition root hands them to a use case."""

    repository: Repository
    campaigns: Campaigns
    lists: Lists
    list_builder: Callable[[], ListBuilder]  # made when first needed: it alone loads numpy
    keys: Keys
    mailer: Mailer
    mail_domains: MailDomains
    files: Files
    queues: Queues
    clock: Clock
    codes: Codes


class CommandPorts(Protocol):
    """The part of them that the command line has."""

    @property
    def repository(self) -> Repository:
        """The one table."""

    @property
    def clock(self) -> Clock:
        """Now."""

    @property
    def codes(self) -> Codes:
        """What must not be guessed."""
