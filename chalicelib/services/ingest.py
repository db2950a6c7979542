"""Taking in whatever the client drops under `in/{campaign}/`, and answering each file with one
receipt.

    in/{campaign}/{customers,vips}/{full,add,remove}/*.csv[.gz]   in/{campaign}/orders/*.csv[.gz]
    in/{campaign}/codes/{template}/*.csv[.gz]                     in/{campaign}/acks/{export}.ack

A file is read, its good lines take effect, its receipt is written: killed before that, the queue
brings the file again, and every effect is guarded by a key of its own (law 7). A file refused whole
changes nothing. One that holds plain addresses is moved out of the client's folder once its receipt
stands. Which path means what is decided here; what a list, an order or a code does is its own use
case's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.codes import candidates, canonical
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.acks import refused_codes
from chalicelib.domain.files.manifest import beginning, parse_manifest
from chalicelib.domain.files.orders import orders
from chalicelib.domain.files.own_codes import own_codes
from chalicelib.domain.files.plain_addresses import first_address
from chalicelib.domain.files.reading import MAX_ERRORS, FileRefusedError, Tally, content
from chalicelib.domain.files.receipt import (
    ListOutcome,
    Receipt,
    is_of_a_later_drop,
    receipt_json,
    refused,
    settled,
)
from chalicelib.domain.lists.model import HeldList, ListMode
from chalicelib.domain.vouchers import SpareCode, Voucher
from chalicelib.services.errors import UnknownError
from chalicelib.services.lists.take_in import forget_held, note_refused, take_in_list
from chalicelib.services.lists.versions import ListFile, ListHeldError
from chalicelib.services.orders.record import record_orders
from chalicelib.services.ports import ConflictError, FileMissingError, Insert, Ports
from chalicelib.services.vouchers.acknowledge import (
    acknowledge,
    exported_codes,
    is_acknowledged,
    matching,
)

_CAMPAIGN = re.compile(r"[a-z][a-z0-9-]{1,39}")
_EXPORT = re.compile(r"([0-9]{8})\.ack")
PLAIN_ADDRESS = "plain_address"
GONE = "file_gone"
_AT_ONCE = 100  # rows of orders; as many as one batch of reads takes


@dataclass(frozen=True)
class Drop:
    """A file as it was dropped: `path` under `in/{campaign}/`, the rest as S3 tells it.

    `sequencer` orders the drops of one path; `file_version` is the very object that was dropped,
    whatever has been put over it since.
    """

    campaign: str
    path: str
    dropped_at: datetime
    sequencer: str = ""
    file_version: str | None = None
    held_sha256: str | None = None  # of a list that ops have decided on

    @property
    def key(self) -> str:
        """Where it lies."""
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
    """The drop of a held list that ops have decided on; None when it is held no more."""
    held = ports.repository.get(
        HeldList,
        campaign=fact.campaign,
        name=str(fact.details["list"]),
        mode=str(fact.details["mode"]),
        sha256=str(fact.details["sha256"]),
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
    """Take a drop in and write its receipt; None when the file is not there (any more).

    Raises what a later attempt may mend; then there is no receipt yet.
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
            receipt = _taken_in(ports, drop, chunks, tally)
        except FileRefusedError as error:
            receipt = _refused(ports, drop, error, tally, chunks.finished())
    _answer(ports, drop, receipt)
    if receipt.quarantined:
        ports.files.set_aside(drop.key, drop.quarantine_key, drop.file_version)
    return receipt


def _answer(ports: Ports, drop: Drop, receipt: Receipt) -> None:
    """Write the receipt, unless it is that of a file put over this one."""
    try:
        earlier = b"".join(ports.files.read(drop.receipt_key))
    except FileMissingError:
        earlier = b""
    if not is_of_a_later_drop(earlier, drop.dropped_at):
        ports.files.write(drop.receipt_key, receipt_json(receipt), content_type="application/json")


def _gone(ports: Ports, drop: Drop, sha256: str) -> Receipt:
    """The receipt of a list that ops released when its file was there no more."""
    name, mode, _ = drop.path.split("/", 2)
    forget_held(ports, drop.campaign, name, mode, sha256)
    note_refused(ports, drop.campaign, name, mode, GONE)
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
    if not held and (named := _LIST.fullmatch(drop.path)):
        note_refused(ports, drop.campaign, named[1], named[2], cause.reason)
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
    """Addresses in a file weigh more than whatever else it was refused for, and are told instead.

    An acknowledgement's reasons are free text, and are read to their end.
    """
    if error.reason == PLAIN_ADDRESS or drop.path.startswith("acks/"):
        return error
    try:
        line = first_address(ports.files.read(drop.key, drop.file_version))
    except FileMissingError:
        return error
    return FileRefusedError(PLAIN_ADDRESS, line) if line else error


def _taken_in(ports: Ports, drop: Drop, chunks: _Hashed, tally: Tally) -> Receipt:
    campaign = ports.campaigns.get(drop.campaign)
    if campaign is None:
        raise FileRefusedError("unknown_campaign")
    reader = _reader(drop.path)
    if reader is None:
        raise FileRefusedError("unknown_path")
    outcome = reader(ports, campaign, drop, chunks, tally)
    return settled(
        tally,
        file=drop.path,
        dropped_at=drop.dropped_at,
        received_at=ports.clock(),
        sha256=chunks.finished(),
        outcome=outcome,
        quarantined=tally.addresses,
    )


Reader = Callable[[Ports, Campaign, Drop, _Hashed, Tally], ListOutcome | None]


def _reader(path: str) -> Reader | None:
    return next((reader for shape, reader in _READERS if shape.fullmatch(path)), None)


def _manifest(ports: Ports, campaign: Campaign, drop: Drop, chunks: _Hashed, tally: Tally) -> None:
    """A manifest takes effect with its list; here it is only read, so that a wrong one is told
    early.
    """
    parse_manifest(beginning(chunks))


def _list(
    ports: Ports, campaign: Campaign, drop: Drop, chunks: _Hashed, tally: Tally
) -> ListOutcome:
    name, mode, _ = drop.path.split("/", 2)
    dropped = ListFile(
        name=name,
        mode=cast(ListMode, mode),
        path=drop.path,
        dropped_at=drop.dropped_at,
        sequencer=drop.sequencer,
        file_version=drop.file_version,
    )
    return take_in_list(
        ports,
        campaign,
        dropped,
        plain=content(drop.path, chunks),
        sha256=chunks.finished,
        tally=tally,
    )


def _orders(ports: Ports, campaign: Campaign, drop: Drop, chunks: _Hashed, tally: Tally) -> None:
    # All lines are read before the first takes effect: a file broken at its end changes nothing.
    rows = list(orders(content(drop.path, chunks), tally))
    without_effect = Tally()
    for start in range(0, len(rows), _AT_ONCE):
        numbered = rows[start : start + _AT_ONCE]
        outcomes = record_orders(ports, campaign, [row for _, row in numbered])
        for (line, _), outcome in zip(numbered, outcomes, strict=True):
            if outcome.problem:
                without_effect.reject(line, outcome.problem)
    _merge(tally, without_effect)


def _codes(ports: Ports, campaign: Campaign, drop: Drop, chunks: _Hashed, tally: Tally) -> None:
    template = drop.path.split("/", 2)[1]
    known = campaign.templates.get(template)
    if known is None or known.codes != "client":
        raise FileRefusedError("unknown_template")
    without_effect = Tally()
    for line, printed in list(own_codes(content(drop.path, chunks), tally)):
        # However it would be read back: a till must not take it for another voucher.
        if any(ports.repository.get(Voucher, code=code) for code in candidates(printed)):
            without_effect.reject(line, "code_issued_already")
            continue
        code = canonical(printed)
        spare = SpareCode(campaign=campaign.id, template=template, code=code, printed=printed)
        _stored_once(ports, spare)
    _merge(tally, without_effect)


def _stored_once(ports: Ports, spare: SpareCode) -> None:
    try:
        ports.repository.commit(Insert(spare))
    except ConflictError:
        return  # It waits already: a repeated file has no second effect.


def _acks(ports: Ports, campaign: Campaign, drop: Drop, chunks: _Hashed, tally: Tally) -> None:
    named = _EXPORT.fullmatch(drop.path.removeprefix("acks/"))
    if named is None:
        raise FileRefusedError("not_an_export_name")
    number = int(named[1])
    try:
        codes = frozenset(exported_codes(ports, campaign, number))
    except UnknownError as error:
        raise FileRefusedError("unknown_export") from error
    refusals: dict[str, str] = {}
    for line, refusal in refused_codes(content(drop.path, chunks), tally):
        code = matching(refusal.code, codes)
        if code is None:
            tally.reject(line, "code_not_in_export")
        elif is_acknowledged(ports, code):
            tally.reject(line, "code_acknowledged_already")
        else:
            refusals[code] = refusal.reason
    if tally.rejected:
        # A code we do not know may be a misspelt one, and its own mail would be released.
        raise FileRefusedError(tally.errors[0].reason, tally.errors[0].line)
    acknowledge(ports, campaign, number, refusals)


def _merge(tally: Tally, without_effect: Tally) -> None:
    """Lines that could be read but had no effect, among those that could not: the first by line."""
    tally.rejected += without_effect.rejected
    errors = sorted([*tally.errors, *without_effect.errors], key=lambda error: error.line)
    tally.errors[:] = errors[:MAX_ERRORS]


_CSV = r"[^/]+\.csv(\.gz)?"
_LIST = re.compile(rf"(customers|vips)/(full|add|remove)/{_CSV}")
_READERS: Iterable[tuple[re.Pattern[str], Reader]] = (
    (re.compile(r"(customers|vips)/(full|add|remove)/[^/]+\.manifest\.json"), _manifest),
    (_LIST, _list),
    (re.compile(rf"orders/{_CSV}"), _orders),
    (re.compile(rf"codes/[^/]+/{_CSV}"), _codes),
    (re.compile(r"acks/[^/]+\.ack"), _acks),
)
