"""Processing a file dropped under `in/{campaign}/`: its path selects one use case, and the result
is one receipt.

    path ─► parse_drop_path ─► one use case ─► receipt ─► quarantine
            domain/files/paths.py          └─► parts      if it or its name has plain addresses

A file is read, its good lines take effect, its receipt is written. A large one is read to its end,
and its lines take effect in parts (`file_parts.py`); the last one writes the receipt. If the
function is killed before that, the queue delivers the file again; every effect is guarded by its
own key, so it happens once (law 7). A file refused whole changes nothing. A file with plain
addresses is moved out of the client's folder after its receipt is written or its parts are queued.
What a path means is decided in domain/files/paths.py, what a list, an order or a code does in its
own use case.

A file whose name has an address is read like any other, except for lists and their manifests: a
list's name is stored with it, and these are refused whole for an address anywhere. Its name is
repeated nowhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.fact_bodies import ListReview, body_as
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.manifest import beginning, parse_manifest
from chalicelib.domain.files.parts import KEPT, Area, FileInParts
from chalicelib.domain.files.paths import (
    ACKS,
    PGP,
    AckDrop,
    CodesDrop,
    CohortsDrop,
    ConsentsDrop,
    DroppedFile,
    ListDrop,
    ManifestDrop,
    OrdersDrop,
    names_an_address,
    parse_drop_path,
    public_path,
)
from chalicelib.domain.files.plain_addresses import first_address
from chalicelib.domain.files.reading import FileRefusedError, Tally, content
from chalicelib.domain.files.receipt import (
    ListOutcome,
    Receipt,
    own_path,
    processed_receipt,
    refused_receipt,
)
from chalicelib.domain.files.writing import sha256_of
from chalicelib.domain.lists.drops import ListFile
from chalicelib.domain.lists.model import HeldList
from chalicelib.services.cipher_ports import NoKeyOfOursError
from chalicelib.services.cohorts.ingest_cohorts import ingest_cohorts
from chalicelib.services.consents.ingest_consents import ingest_consents
from chalicelib.services.encryption import opened
from chalicelib.services.file_parts import hand_out
from chalicelib.services.file_ports import FileMissingError
from chalicelib.services.lists.building import ListHeldError
from chalicelib.services.lists.ingest import ingest_list, record_refusal, remove_held
from chalicelib.services.orders.record_many import ingest_orders
from chalicelib.services.ports import Ports
from chalicelib.services.receipts import write_receipt
from chalicelib.services.row_groups import Parts
from chalicelib.services.vouchers.acknowledge import ingest_ack
from chalicelib.services.vouchers.ingest_codes import ingest_codes
from chalicelib.services.watch import note_orders

_CAMPAIGN = re.compile(r"[a-z][a-z0-9-]{1,39}")
PLAIN_ADDRESS = "plain_address"
ADDRESS_IN_NAME = "address_in_name"
GONE = "file_gone"


@dataclass(frozen=True)
class Drop:
    """A file as it was dropped: `path` under `in/{campaign}/`, the rest as S3 reports it.

    `sequencer` orders the drops of one path; `file_version` is the object that was dropped, even if
    it has been replaced since.
    """

    campaign: str
    path: str
    dropped_at: datetime
    sequencer: str = ""
    file_version: str | None = None
    held_sha256: str | None = None  # of a list that ops have decided on

    @cached_property
    def file(self) -> DroppedFile | None:
        """The kind of file, by its path."""
        return parse_drop_path(self.path)

    @property
    def key(self) -> str:
        """Where it is in the bucket."""
        return f"in/{self.campaign}/{self.path}"

    @property
    def area(self) -> str:
        """What it is about, for logs: a path may hold an address."""
        return self.path.partition("/")[0] if self.file else "unknown"

    @property
    def names_an_address(self) -> bool:
        """Whether its name, or that of a folder it is in, may be somebody's address."""
        return names_an_address(self.path)

    def quarantine_key(self, sha256: str) -> str:
        """Where it is moved if it contains plain addresses."""
        return f"quarantine/{self.campaign}/{public_path(self.path, sha256)}"


class _HashedChunks:
    """Chunks, hashed as they are read: the receipt has the SHA-256 of the file as dropped."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._hash = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._hash.update(chunk)
            yield chunk

    def sha256(self) -> str:
        """The SHA-256 of the whole file; reads what has not been read yet."""
        for chunk in self._chunks:
            self._hash.update(chunk)
        return self._hash.hexdigest()


def drop_at(
    key: str, dropped_at: datetime, sequencer: str = "", file_version: str | None = None
) -> Drop | None:
    """The drop for an object's key; None for any other object (no campaign, a folder marker)."""
    area, _, rest = key.partition("/")
    campaign, _, path = rest.partition("/")
    if area != "in" or not path or path.endswith("/") or not _CAMPAIGN.fullmatch(campaign):
        return None
    return Drop(campaign, path, dropped_at, sequencer, file_version)


def reviewed_drop(ports: Ports, fact: Fact) -> Drop | None:
    """The drop of a held list that ops have decided on; None when it is no longer held."""
    review = body_as(fact, ListReview)
    held = ports.repository.get(
        HeldList,
        campaign=fact.campaign,
        name=review.list_name,
        mode=review.mode,
        sha256=review.sha256,
    )
    if held is None:
        return None
    return Drop(
        held.campaign,
        held.path,
        held.dropped_at,
        held.sequencer,
        held.file_version,
        held.sha256,
    )


def ingest(
    ports: Ports, drop: Drop, on_parts: Callable[[FileInParts], object] = lambda _: None
) -> Receipt | None:
    """Handle a drop and write its receipt; None when the file is not there (any more), or when it
    is handled in parts: then `on_parts` is called, and the last part writes the receipt.

    Lets errors pass that may not occur on a later attempt; there is no receipt then.
    """
    tally = Tally()
    try:
        chunks = _HashedChunks(ports.files.read(drop.key, drop.file_version))
    except FileMissingError:
        if drop.held_sha256 is None:
            return None
        answer: Receipt | FileInParts = _missing_file_receipt(ports, drop, drop.held_sha256)
    else:
        try:
            answer = _process(ports, drop, chunks, tally)
        except FileRefusedError as error:
            answer = _refuse(ports, drop, error, tally, chunks.sha256())
    if isinstance(answer, FileInParts):
        on_parts(answer)
    else:
        write_receipt(ports.files, drop.campaign, answer)
        if isinstance(drop.file, OrdersDrop) and answer.status != "refused":
            note_orders(ports, drop.campaign, drop.dropped_at)
    if answer.quarantined:
        ports.files.move(drop.key, drop.quarantine_key(answer.sha256), drop.file_version)
    return answer if isinstance(answer, Receipt) else None


def _missing_file_receipt(ports: Ports, drop: Drop, sha256: str) -> Receipt:
    """The receipt of a list that ops decided on when its file was no longer there."""
    if isinstance(drop.file, ListDrop):
        remove_held(ports, drop.campaign, drop.file.name, drop.file.mode, sha256)
        record_refusal(ports, drop.campaign, drop.file.name, drop.file.mode, GONE)
    return refused_receipt(
        FileRefusedError(GONE),
        Tally(),
        file=public_path(drop.path, sha256),
        dropped_at=drop.dropped_at,
        received_at=ports.clock(),
        sha256=sha256,
    )


def _refuse(
    ports: Ports, drop: Drop, error: FileRefusedError, tally: Tally, sha256: str
) -> Receipt:
    held = isinstance(error, ListHeldError)
    cause = error if held else _most_serious(ports, drop, error)
    if not held and isinstance(drop.file, ListDrop):
        record_refusal(ports, drop.campaign, drop.file.name, drop.file.mode, cause.reason)
    file = public_path(drop.path, sha256)
    return refused_receipt(
        cause,
        tally,
        file=file,
        dropped_at=drop.dropped_at,
        received_at=ports.clock(),
        sha256=sha256,
        held=held,
        quarantined=_holds_addresses(drop, tally) or cause.reason == PLAIN_ADDRESS,
        name_withheld=file != drop.path,
    )


def _most_serious(ports: Ports, drop: Drop, error: FileRefusedError) -> FileRefusedError:
    """The error to report: plain addresses in the file are more serious than any other reason.

    An acknowledgement's reasons are free text, so those files are not searched for addresses. What
    is encrypted is not opened at a path that is not known.
    """
    if drop.file is None and drop.path.endswith(PGP):
        return error
    if error.reason == PLAIN_ADDRESS or drop.path.startswith(ACKS):
        return error
    try:
        chunks = ports.files.read(drop.key, drop.file_version)
        line = first_address(_opened(ports, drop, chunks)[1])
    except (FileMissingError, FileRefusedError):
        return error
    return FileRefusedError(PLAIN_ADDRESS, line) if line else error


def _process(
    ports: Ports, drop: Drop, chunks: _HashedChunks, tally: Tally
) -> Receipt | FileInParts:
    campaign = ports.campaigns.get(drop.campaign)
    if campaign is None:
        raise FileRefusedError("unknown_campaign")
    outcome = _handle(ports, campaign, drop, chunks, tally)
    if not isinstance(outcome, ListOutcome | None):
        return hand_out(ports, _file_in_parts(ports, drop, chunks.sha256(), tally), tally, outcome)
    sha256 = chunks.sha256()
    file = public_path(drop.path, sha256)
    return processed_receipt(
        tally,
        file=file,
        dropped_at=drop.dropped_at,
        received_at=ports.clock(),
        sha256=sha256,
        outcome=outcome,
        quarantined=_holds_addresses(drop, tally),
        name_withheld=file != drop.path,
    )


def _file_in_parts(ports: Ports, drop: Drop, sha256: str, tally: Tally) -> FileInParts:
    file = public_path(drop.path, sha256)
    now = ports.clock()
    area, about = _area_of(drop.file)
    return FileInParts(
        campaign=drop.campaign,
        # The same drop delivered again is the same file.
        file_id=sha256_of(own_path(file, drop.dropped_at, sha256).encode())[:32],
        area=area,
        about=about,
        file=file,
        dropped_at=drop.dropped_at,
        received_at=now,
        sha256=sha256,
        quarantined=_holds_addresses(drop, tally),
        name_withheld=file != drop.path,
        ends_at=now + KEPT,
    )


def _area_of(file: DroppedFile | None) -> tuple[Area, str]:
    match file:
        case OrdersDrop():
            return Area.ORDERS, ""
        case CodesDrop(template):
            return Area.CODES, template
        case AckDrop(number):
            return Area.ACKS, str(number)
        case ConsentsDrop():
            return Area.CONSENTS, ""
        case _:
            raise TypeError(f"no parts of a {type(file).__name__}")


def _holds_addresses(drop: Drop, tally: Tally) -> bool:
    return tally.addresses or drop.names_an_address


def _handle(
    ports: Ports, campaign: Campaign, drop: Drop, chunks: _HashedChunks, tally: Tally
) -> ListOutcome | Parts | None:
    path, inside = _opened(ports, drop, chunks)
    dropped = chunks if inside is chunks else _HashedChunks(iter(inside))
    plain = _unpacked(path, dropped)
    match drop.file:
        case ListDrop() | ManifestDrop() if drop.names_an_address:
            raise FileRefusedError(ADDRESS_IN_NAME)
        case ListDrop() as named:
            file = _list_file(drop, named)
            return ingest_list(
                ports, campaign, file, plain=plain, sha256=dropped.sha256, tally=tally
            )
        case ManifestDrop():
            # It takes effect with its list; it is parsed here so that an invalid one is reported
            # early.
            parse_manifest(beginning(chunks))
        case OrdersDrop():
            return ingest_orders(ports, campaign, plain=plain, tally=tally)
        case CodesDrop(template):
            return ingest_codes(ports, campaign, template, plain=plain, tally=tally)
        case AckDrop(number):
            return ingest_ack(ports, campaign, number, plain=plain, tally=tally)
        case ConsentsDrop():
            return ingest_consents(ports, campaign, plain=plain, tally=tally)
        case CohortsDrop():
            ingest_cohorts(ports, campaign, drop.dropped_at, plain=plain, tally=tally)
        case None:
            raise FileRefusedError("unknown_path")
    return None


def _opened(ports: Ports, drop: Drop, chunks: Iterable[bytes]) -> tuple[str, Iterable[bytes]]:
    """Its path and content as they were before it was encrypted to us; else as they are."""
    path, inside = opened(ports, drop.path, chunks)
    return path, inside if inside is chunks else _with_our_key(inside)


def _with_our_key(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Where we have none the file is refused: it would wait for a key that may never be made."""
    try:
        yield from chunks
    except NoKeyOfOursError:
        raise FileRefusedError("no_key_of_ours") from None


def _unpacked(path: str, chunks: _HashedChunks) -> Iterator[bytes]:
    """The decompressed bytes, lazily: nothing is read or refused before the first is requested."""
    yield from content(path, chunks)


def _list_file(drop: Drop, named: ListDrop) -> ListFile:
    return ListFile(
        campaign=drop.campaign,
        name=named.name,
        mode=named.mode,
        path=drop.path,
        dropped_at=drop.dropped_at,
        sequencer=drop.sequencer,
        file_version=drop.file_version,
    )
