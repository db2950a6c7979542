"""The door of `in/{campaign}/`: a dropped file is matched by its path, handled by one use case, and
answered with one receipt.

    path ─► parse_drop_path ─► one use case ─► receipt ─► quarantine
            domain/files/paths.py                         only with plain addresses in it

A file is read, its good lines take effect, its receipt is written: killed before that, the queue
brings the file again, and every effect is guarded by a key of its own (law 7). A file refused whole
changes nothing. One that holds plain addresses is moved out of the client's folder once its receipt
is written. What a path means is decided in domain/files/paths.py, what a list, an order or a code
does by its own use case.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.fact_bodies import ListReview, body_as
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.manifest import beginning, parse_manifest
from chalicelib.domain.files.paths import (
    ACKS,
    AckDrop,
    CodesDrop,
    DroppedFile,
    ListDrop,
    ManifestDrop,
    OrdersDrop,
    parse_drop_path,
)
from chalicelib.domain.files.plain_addresses import first_address
from chalicelib.domain.files.reading import FileRefusedError, Tally, content
from chalicelib.domain.files.receipt import (
    ListOutcome,
    Receipt,
    is_of_a_later_drop,
    receipt_json,
    refused,
    settled,
)
from chalicelib.domain.lists.drops import ListFile
from chalicelib.domain.lists.model import HeldList
from chalicelib.services.lists.building import ListHeldError
from chalicelib.services.lists.take_in import forget_held, note_refused, take_in_list
from chalicelib.services.orders.record import record_order_file
from chalicelib.services.ports import FileMissingError, Ports
from chalicelib.services.vouchers.acknowledge import take_in_ack
from chalicelib.services.vouchers.take_in_codes import take_in_codes

_CAMPAIGN = re.compile(r"[a-z][a-z0-9-]{1,39}")
PLAIN_ADDRESS = "plain_address"
GONE = "file_gone"


@dataclass(frozen=True)
class Drop:
    """A file as it was dropped: `path` under `in/{campaign}/`, the rest as S3 reports it.

    `sequencer` orders the drops of one path; `file_version` is the very object that was dropped,
    even where another has replaced it since.
    """

    campaign: str
    path: str
    dropped_at: datetime
    sequencer: str = ""
    file_version: str | None = None
    held_sha256: str | None = None  # of a list that ops have decided on

    @cached_property
    def file(self) -> DroppedFile | None:
        """What it is, by its path."""
        return parse_drop_path(self.path)

    @property
    def key(self) -> str:
        """Where it is in the bucket."""
        return f"in/{self.campaign}/{self.path}"

    @property
    def receipt_key(self) -> str:
        """Where its receipt goes."""
        return f"out/{self.campaign}/receipts/{self.path}.json"

    @property
    def quarantine_key(self) -> str:
        """Where it goes when it holds what must not travel this way."""
        return f"quarantine/{self.campaign}/{self.path}"


class _Hashed:
    """Passes chunks on and hashes them: the receipt names the file as it was dropped."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._hash = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._hash.update(chunk)
            yield chunk

    def finished(self) -> str:
        """The SHA-256 of the whole file, whatever of it was needed."""
        for chunk in self._chunks:
            self._hash.update(chunk)
        return self._hash.hexdigest()


def drop_at(
    key: str, dropped_at: datetime, sequencer: str = "", file_version: str | None = None
) -> Drop | None:
    """The drop behind an object's key, None for what is none (no campaign, a folder marker)."""
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


def ingest(ports: Ports, drop: Drop) -> Receipt | None:
    """Handle a drop and write its receipt; None when the file is not there (any more).

    Raises whatever a later attempt may not meet again; then there is no receipt yet.
    """
    tally = Tally()
    try:
        chunks = _Hashed(ports.files.read(drop.key, drop.file_version))
    except FileMissingError:
        if drop.held_sha256 is None:
            return None
        receipt = _gone(ports, drop, drop.held_sha256)
    else:
        try:
            receipt = _accepted(ports, drop, chunks, tally)
        except FileRefusedError as error:
            receipt = _refused(ports, drop, error, tally, chunks.finished())
    _answer(ports, drop, receipt)
    if receipt.quarantined:
        ports.files.set_aside(drop.key, drop.quarantine_key, drop.file_version)
    return receipt


def _answer(ports: Ports, drop: Drop, receipt: Receipt) -> None:
    """Write the receipt, unless there is one of a file that has replaced this one."""
    try:
        earlier = b"".join(ports.files.read(drop.receipt_key))
    except FileMissingError:
        earlier = b""
    if not is_of_a_later_drop(earlier, drop.dropped_at):
        ports.files.write(drop.receipt_key, receipt_json(receipt), content_type="application/json")


def _gone(ports: Ports, drop: Drop, sha256: str) -> Receipt:
    """The receipt of a list that ops decided on when its file was no longer there."""
    if isinstance(drop.file, ListDrop):
        forget_held(ports, drop.campaign, drop.file.name, drop.file.mode, sha256)
        note_refused(ports, drop.campaign, drop.file.name, drop.file.mode, GONE)
    return refused(
        FileRefusedError(GONE),
        Tally(),
        file=drop.path,
        dropped_at=drop.dropped_at,
        received_at=ports.clock(),
        sha256=sha256,
    )


def _refused(
    ports: Ports, drop: Drop, error: FileRefusedError, tally: Tally, sha256: str
) -> Receipt:
    held = isinstance(error, ListHeldError)
    cause = error if held else _graver(ports, drop, error)
    if not held and isinstance(drop.file, ListDrop):
        note_refused(ports, drop.campaign, drop.file.name, drop.file.mode, cause.reason)
    return refused(
        cause,
        tally,
        file=drop.path,
        dropped_at=drop.dropped_at,
        received_at=ports.clock(),
        sha256=sha256,
        held=held,
        quarantined=tally.addresses or cause.reason == PLAIN_ADDRESS,
    )


def _graver(ports: Ports, drop: Drop, error: FileRefusedError) -> FileRefusedError:
    """Addresses in a file are graver than anything else it was refused for, and named instead.

    An acknowledgement's reasons are free text, and are read to their end.
    """
    if error.reason == PLAIN_ADDRESS or drop.path.startswith(ACKS):
        return error
    try:
        line = first_address(ports.files.read(drop.key, drop.file_version))
    except FileMissingError:
        return error
    return FileRefusedError(PLAIN_ADDRESS, line) if line else error


def _accepted(ports: Ports, drop: Drop, chunks: _Hashed, tally: Tally) -> Receipt:
    campaign = ports.campaigns.get(drop.campaign)
    if campaign is None:
        raise FileRefusedError("unknown_campaign")
    outcome = _handle(ports, campaign, drop, chunks, tally)
    return settled(
        tally,
        file=drop.path,
        dropped_at=drop.dropped_at,
        received_at=ports.clock(),
        sha256=chunks.finished(),
        outcome=outcome,
        quarantined=tally.addresses,
    )


def _handle(
    ports: Ports, campaign: Campaign, drop: Drop, chunks: _Hashed, tally: Tally
) -> ListOutcome | None:
    plain = _plain(drop.path, chunks)
    match drop.file:
        case ListDrop() as named:
            file = _list_file(drop, named)
            return take_in_list(
                ports, campaign, file, plain=plain, sha256=chunks.finished, tally=tally
            )
        case ManifestDrop():
            # It takes effect with its list; it is read here so that a wrong one is reported early.
            parse_manifest(beginning(chunks))
        case OrdersDrop():
            record_order_file(ports, campaign, plain=plain, tally=tally)
        case CodesDrop(template):
            take_in_codes(ports, campaign, template, plain=plain, tally=tally)
        case AckDrop(number):
            take_in_ack(ports, campaign, number, plain=plain, tally=tally)
        case None:
            raise FileRefusedError("unknown_path")
    return None


def _plain(path: str, chunks: _Hashed) -> Iterator[bytes]:
    """The unpacked bytes; nothing is read, and nothing refused, before they are asked for."""
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
