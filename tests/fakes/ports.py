"""The other ports in memory: files, lists, keys, mails, queues, the clock and predictable codes."""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

from chalicelib.domain import codes
from chalicelib.domain.addresses import OWN_KEY_ID, AddressDigests, DigestKey
from chalicelib.domain.campaign.lists import DigestKeys, ListName
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.digests import digests, record
from chalicelib.domain.files.ends import locked_until
from chalicelib.domain.files.reading import Tally
from chalicelib.domain.lists.ends import proves_membership, version_as_of
from chalicelib.domain.lists.model import CurrentList, ListVersion
from chalicelib.domain.lists.rules import is_fresh
from chalicelib.domain.wallets import Wallet
from chalicelib.services.file_ports import FileMissingError, Written
from chalicelib.services.list_ports import (
    NO_LONGER_KEPT,
    GatheredDigests,
    Layer,
    ListUnavailableError,
    Membership,
    NewSegment,
    StoredSegment,
    Sums,
)
from chalicelib.services.mail_ports import MailNotSentError
from chalicelib.services.ports import Clock, PartOfFile, Repository, Stretch
from chalicelib.services.wallet_ports import PassNotSignedError
from chalicelib.wallets.messages import ApplePass, GooglePass

MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)


class SettableClock:
    """A clock that stops until it is moved."""

    def __init__(self, now: datetime = MORNING) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        """Move on by so many days, hours, minutes, seconds or parts of them."""
        self.now += timedelta(**by)


class TickingClock(SettableClock):
    """A clock that goes on with every look at it, as clocks do."""

    def __call__(self) -> datetime:
        self.advance(microseconds=1)
        return self.now


class CountingCodes:
    """Codes that are different each time and the same in every run."""

    def __init__(self) -> None:
        self._drawn = 0

    def identifier(self) -> str:
        return f"{self._next():032x}"

    def token(self) -> str:
        return f"token{self._next():038}"

    def voucher_code(self) -> str:
        return codes.complete(_letters(self._next(), codes.RANDOM_LENGTH))

    def link_code(self) -> str:
        return _letters(self._next(), 12).lower()

    def _next(self) -> int:
        self._drawn += 1
        return self._drawn


def _letters(number: int, width: int) -> str:
    text = ""
    while len(text) < width:
        number, letter = divmod(number, len(codes.ALPHABET))
        text = codes.ALPHABET[letter] + text
    return text


class MemoryFiles:
    """`ports.Files` in memory; small chunks, so that no reader relies on their size."""

    def __init__(self, clock: Clock = lambda: MORNING) -> None:
        self.clock = clock
        self.content: dict[str, bytes] = {}
        self.erased: dict[str, bytes] = {}  # what a client that took each file in time still has
        self._versions: dict[tuple[str, str], bytes] = {}
        self._written: dict[tuple[str, str | None], datetime] = {}
        self.locked: dict[str, datetime] = {}  # until when

    def put(self, path: str, content: bytes) -> str:
        """Store a file as the client does; returns its version."""
        version = f"version{len(self._versions)}"
        self.content[path] = self._versions[path, version] = content
        self._written[path, version] = self.clock()
        return version

    def read(self, path: str, version: str | None = None) -> Iterator[bytes]:
        kept = self._versions.get((path, version)) if version else self.content.get(path)
        if kept is None:
            raise FileMissingError
        whole = kept
        return iter([whole[start : start + 1000] for start in range(0, len(whole), 1000)])

    def read_all(self, paths: Iterable[str]) -> Iterator[bytes | None]:
        return iter([self.content.get(path) for path in paths])

    def paths(self, folder: str) -> list[str]:
        return sorted(self.under(folder))

    def write(self, path: str, content: bytes, *, content_type: str = "text/csv") -> None:
        self.content[path] = content
        self._written[path, None] = self.clock()

    def write_once(self, path: str, content: bytes, *, content_type: str = "text/csv") -> bool:
        if path in self.content:
            return False
        self.write(path, content)
        self.lock_again(path)
        return True

    def lock_again(self, path: str) -> None:
        until = locked_until(path, self.clock())
        if until and path in self.content:
            assert until >= self.locked.get(path, until), "nobody of ours may shorten a lock"
            self.locked[path] = until

    def remove(self, path: str) -> None:
        self.content.pop(path, None)

    def erase(self, written: Written) -> None:
        until = self.locked.get(written.path)
        assert until is None or until <= self.clock(), "nobody of ours may remove what is locked"
        self._written.pop((written.path, written.version), None)
        erased = self._versions.pop((written.path, written.version or ""), None)
        if written.version is None or (erased and self.content.get(written.path) is erased):
            self.erased[written.path] = self.content.pop(written.path, b"")

    def written_since(self, folder: str, since: datetime) -> list[Written]:
        return sorted(
            Written(at, path, version)
            for (path, version), at in self._written.items()
            if path.startswith(folder) and at >= since and path in self.content
        )

    def versions(self, path: str) -> list[str]:
        return [version for one, version in reversed(self._versions) if one == path]

    def move(self, path: str, to: str, version: str | None = None) -> None:
        kept = self._versions.pop((path, version), None) if version else self.content.get(path)
        if kept is None:
            return
        self.content[to] = kept
        if self.content.get(path) == kept:
            del self.content[path]

    def under(self, prefix: str) -> dict[str, bytes]:
        """The files whose path begins so."""
        return {path: self.content[path] for path in self.content if path.startswith(prefix)}


class KnownDomains:
    """`ports.MailDomains` as a mapping; other domains accept mail. `asked` has the order."""

    def __init__(self) -> None:
        self.answers: dict[str, bool | None] = {}
        self.asked: list[str] = []

    def takes_mail(self, domain: str) -> bool | None:
        self.asked.append(domain)
        return self.answers.get(domain, True)


class MemoryLists:
    """`ports.Lists` as plain sets. `fails` is the reason of a failure, `knows_nobody` a
    lie about customers."""

    def __init__(self, repository: Repository, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock
        self.segments: dict[str, frozenset[bytes]] = {}
        self.fails: str | None = None
        self.knows_nobody = False

    def find(
        self, name: str, campaign: str, max_age_days: int, digests: AddressDigests
    ) -> Membership:
        if self.fails:
            raise ListUnavailableError(self.fails)
        pointer = self._repository.get(CurrentList, campaign=campaign, name=name)
        if pointer is None:
            raise ListUnavailableError("no_list")
        if not is_fresh(pointer, self._clock(), timedelta(days=max_age_days)):
            raise ListUnavailableError("too_old")
        return self._look_up(pointer, digests)

    def find_as_of(
        self, name: str, campaign: str, at: datetime, digests: AddressDigests
    ) -> Membership:
        if self.fails:
            raise ListUnavailableError(self.fails)
        versions = list(self._repository.within(ListVersion, campaign=campaign, name=name))
        if not versions:
            raise ListUnavailableError("no_list")
        version = version_as_of(versions, at)
        found = self._look_up(version, digests)
        if found.found and not proves_membership(version, at):
            raise ListUnavailableError(NO_LONGER_KEPT)
        return found

    def _look_up(self, pointer: ListVersion, digests: AddressDigests) -> Membership:
        try:
            pair = digests.under(pointer.key_id)
        except KeyError as error:
            raise ListUnavailableError("key_not_in_force") from error
        if pair.algorithm != pointer.algorithm:
            raise ListUnavailableError("key_not_in_force")
        described = (pointer.rows, pointer.directory_crc)
        if described != (len(self.segments[pointer.segment]), _crc(pointer.segment)):
            raise ListUnavailableError("read_failed")
        forms = {"exact": pair.exact, "alias": pair.canonical}
        found = (form for form, digest in forms.items() if self._has(pointer, record(digest)))
        lies = self.knows_nobody and pointer.name == ListName.CUSTOMERS
        return Membership(pointer.version, None if lies else next(found, None))

    def _has(self, pointer: ListVersion, one: bytes) -> bool:
        return one in self.segments[pointer.segment]


def _crc(path: str) -> int:
    """What stands for the CRC-32 of a directory that no set has."""
    return zlib.crc32(path.encode())


@dataclass(frozen=True)
class MemoryDigests:
    """`ports.GatheredDigests` as a plain set."""

    records: frozenset[bytes]


class MemoryBuilder:
    """`ports.ListBuilder` as plain sets, where `MemoryLists` looks things up."""

    def __init__(self, lists: MemoryLists) -> None:
        self._segments = lists.segments

    @contextmanager
    def gather(self, plain: Iterable[bytes], tally: Tally) -> Iterator[GatheredDigests]:
        yield MemoryDigests(frozenset(digests(plain, tally)))

    def build(
        self,
        new: NewSegment,
        layers: Sequence[Layer],
        *,
        canaries: Collection[bytes] = (),
        judge: Callable[[Sums], None] = lambda _: None,
    ) -> StoredSegment:
        held: frozenset[bytes] = frozenset()
        for layer in layers:
            records = self._records(layer.digests)
            held = {"full": records, "add": held | records, "remove": held - records}[layer.mode]
        judge(Sums(rows=len(held), canaries_missing=len(set(canaries) - held)))
        self._segments[new.path] = held
        return StoredSegment(new.path, f"etag of {new.path}", len(held), _crc(new.path))

    def _records(self, digests: GatheredDigests | StoredSegment) -> frozenset[bytes]:
        if isinstance(digests, StoredSegment):
            return self._segments[digests.path]
        assert isinstance(digests, MemoryDigests)
        return digests.records


class MemoryKeys:
    """`ports.Keys` with secrets made of their names."""

    def in_force(self, keys: DigestKeys) -> list[DigestKey]:
        if keys.algorithm == "sha256":
            return [DigestKey(key_id, "sha256") for key_id in keys.key_ids]
        return [DigestKey(key_id, secret=f"of {key_id}".encode()) for key_id in keys.key_ids]

    def own(self) -> DigestKey:
        return DigestKey(OWN_KEY_ID, secret=b"of nobody else")


@dataclass(frozen=True)
class SentMail:
    """A mail as it was sent."""

    mail_id: str
    recipient: str
    message: EmailMessage

    @property
    def text(self) -> str:
        """What it says."""
        body = self.message.get_body(("plain",))
        return str(body.get_content()) if body else ""

    @property
    def tokens(self) -> list[str]:
        """The tokens in its links, in their order."""
        return re.findall(r"(?:#token=|/v1/unsubscribe/)([\w-]+)", self.text)


class MemoryMailer:
    """`ports.Mailer` that keeps the sent mails. `answers` are errors for the next
    mails, one each; what is in `leaves_first` has left although an error was raised.
    """

    def __init__(self) -> None:
        self.sent: list[SentMail] = []
        self.answers: list[Exception] = []
        self.leaves_first = False
        self.quota: float | None = None

    def rate(self) -> float | None:
        return self.quota

    def send(self, message: bytes, *, recipient: str, mail_id: str) -> str:
        parsed = message_from_bytes(message, EmailMessage, policy=policy.default)
        error = self.answers.pop(0) if self.answers else None
        if error is None and not recipient.isascii():  # as SES answers
            raise MailNotSentError("BadRequestException", final=True)
        if error is None or self.leaves_first:
            self.sent.append(SentMail(mail_id, recipient, parsed))
        if error:
            raise error
        return f"ses-{mail_id}-{len(self.sent)}"

    def to(self, recipient: str) -> list[SentMail]:
        """The mails one address got, oldest first."""
        return [mail for mail in self.sent if mail.recipient == recipient]


class MemoryPages:
    """`page_ports.Pages` in memory: none is published unless a test does it."""

    def __init__(self) -> None:
        self.published: str | None = None

    def referee_page(self) -> str | None:
        return self.published


class MemoryWallets:
    """`wallet_ports.Wallets` in memory: none is offered unless a test does it; signs nothing."""

    def __init__(self) -> None:
        self.offered: tuple[Wallet, ...] = ()
        self.fails = False
        self.asked: list[ApplePass | GooglePass] = []

    def sign_apple(self, unsigned: ApplePass) -> bytes:
        if self.fails:
            raise PassNotSignedError("as the test has it")
        self.asked.append(unsigned)
        return b"a pass"

    def sign_google(self, unsigned: GooglePass) -> str:
        if self.fails:
            raise PassNotSignedError("as the test has it")
        self.asked.append(unsigned)
        return "https://wallet.test/a-pass"


class MemoryQueues:
    """`ports.Queues` in memory."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[Fact]] = defaultdict(list)
        self.stretches: list[Stretch] = []
        self.parts: list[PartOfFile] = []
        self.postponed: list[tuple[str, int]] = []

    def put(self, queue: str, facts: Sequence[Fact]) -> None:
        self.waiting[queue] += facts

    def postpone(self, queue: str, receipt: str, seconds: int) -> None:
        self.postponed.append((queue, seconds))

    def has_backlog(self, queue: str) -> bool:
        return bool(self.waiting[queue])

    def put_stretches(self, stretches: Sequence[Stretch]) -> None:
        self.stretches += stretches

    def put_parts(self, parts: Sequence[PartOfFile]) -> None:
        self.parts += parts
