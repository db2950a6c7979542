"""What is known of a campaign outside the table: journal, exports, changes, order files.

The journal's files must follow from the head that the table has, one after the other up to the last
one: a second file of a number, or a missing one, means that something else has written since, and
nothing is brought back then (law 10). What is in no file yet is in the bundles that projectors
wrote; every line of a bundle is a fact that was committed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeVar

from chalicelib.domain.campaign.versions import CampaignVersion
from chalicelib.domain.changes_files import ChangesFile
from chalicelib.domain.consents_files import ConsentsFile
from chalicelib.domain.exports import Export, ExportState, NumberedFile
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.exports import ReferralLine, referral_rows
from chalicelib.domain.files.layouts import Layout
from chalicelib.domain.files.numbered import number_at
from chalicelib.domain.files.orders import orders
from chalicelib.domain.files.paths import OrdersDrop, parse_drop_path
from chalicelib.domain.files.reading import FileRefusedError, Tally, content
from chalicelib.domain.files.writing import rows_of
from chalicelib.domain.journal import (
    GENESIS,
    BrokenChainError,
    JournalHead,
    fact_of,
    file_name,
    folder,
    verified,
)
from chalicelib.services.encryption import opened
from chalicelib.services.file_ports import FileMissingError
from chalicelib.services.ports import Ports

# What was dropped or written a little before the moment may have taken effect after it.
BEFORE = timedelta(hours=1)

Row = Mapping[str, str]
F = TypeVar("F", bound=NumberedFile)


@dataclass(frozen=True)
class SealedFile:
    """A file of the journal after the head that the table has."""

    number: int
    last: str
    facts: list[Fact]


@dataclass
class Outside:
    """What is known of one campaign. `exports`, `changes` and `consents` have the rows of the files
    that were written since or that the table does not know as written, by number; `referrals` those
    of the correspondence tables that were written since; `ordered_at` the date of an order.
    """

    campaign: str
    sealed: list[SealedFile] = field(default_factory=list)
    waiting: list[Fact] = field(default_factory=list)
    exports: dict[int, list[Row]] = field(default_factory=dict)
    changes: dict[int, list[Row]] = field(default_factory=dict)
    consents: dict[int, list[Row]] = field(default_factory=dict)
    referrals: dict[str, ReferralLine] = field(default_factory=dict)
    ordered_at: dict[str, datetime] = field(default_factory=dict)

    @cached_property
    def facts(self) -> list[Fact]:
        """Every fact that is in no file of the journal which the table knows, by its time."""
        sealed = (fact for file in self.sealed for fact in file.facts)
        return sorted([*sealed, *self.waiting], key=lambda fact: fact.at)

    @property
    def order_ids(self) -> set[str]:
        """The ids that the client's files of orders and our files of changes give orders."""
        changed = (row.get("order_id") for rows in self.changes.values() for row in rows)
        return {*self.ordered_at, *filter(None, changed)}

    @cached_property
    def rows(self) -> dict[str, Row]:
        """The rows of exports by the voucher's id."""
        return {row["voucher"]: row for rows in self.exports.values() for row in rows}


def outside_of(ports: Ports, campaign: str, since: datetime, bundled: Iterable[Fact]) -> Outside:
    """What is known of a campaign; `bundled` are the facts of all bundles. `BrokenChainError`."""
    sealed = list(files_after_the_head(ports, campaign))
    known = {fact.fact_id for file in sealed for fact in file.facts}
    waiting = {fact.fact_id: fact for fact in bundled if fact.campaign == campaign}
    return Outside(
        campaign=campaign,
        sealed=sealed,
        waiting=[fact for key, fact in waiting.items() if key not in known],
        exports=_files_of(ports, Export, campaign, "vouchers", since),
        changes=_files_of(ports, ChangesFile, campaign, "changes", since),
        consents=_files_of(ports, ConsentsFile, campaign, "consents", since),
        referrals=_referrals(ports, campaign, since),
        ordered_at=_ordered_at(ports, campaign, since),
    )


# --- the journal ----------------------------------------------------------------------------------


def files_after_the_head(ports: Ports, campaign: str) -> Iterator[SealedFile]:
    """The files after the head, each verified. `BrokenChainError` names the file."""
    head = ports.repository.get(JournalHead, campaign=campaign)
    number, last = (head.number, head.hash) if head else (0, GENESIS)
    paths: dict[int, list[str]] = {}
    for path in ports.files.paths(folder(campaign)):
        paths.setdefault(int(path.rpartition("/")[2].partition("-")[0]), []).append(path)
    for following in range(number + 1, max(paths, default=0) + 1):
        named = paths.get(following, [])
        if len(named) != 1:
            number_of = f"{len(named)} files have" if named else "no file has"
            text = f"{campaign}: {number_of} the number {following}: {', '.join(named)}"
            raise BrokenChainError(text)
        facts, previous, end = _verified(ports, named[0])
        if previous != last:
            raise BrokenChainError(f"{named[0]} does not follow file {following - 1}")
        if not named[0].endswith(file_name(following, end)):
            raise BrokenChainError(f"{named[0]} is not what was written")
        last = end
        yield SealedFile(following, end, facts)


def _verified(ports: Ports, path: str) -> tuple[list[Fact], str, str]:
    """The facts of a file, what it follows, and the hash of its last line."""
    whole = b"".join(ports.files.read(path))
    end: str = json.loads(whole.splitlines()[-1])["hash"]
    try:
        facts, previous = verified(whole, end)
    except BrokenChainError as error:
        raise BrokenChainError(f"{path}: {error}") from error
    return facts, previous, end


def bundled_facts(ports: Ports, since: datetime) -> list[Fact]:
    """The facts of all bundles that were written since, each once."""
    written = ports.files.written_since("journal/", since - BEFORE)
    facts: dict[str, Fact] = {}
    for bundle in ports.files.read_all(one.path for one in written):
        for line in (bundle or b"").decode().splitlines():
            fact = fact_of(line)
            facts[fact.fact_id] = fact
    return list(facts.values())


# --- numbered files and orders --------------------------------------------------------------------


def _files_of(
    ports: Ports, kind: type[F], campaign: str, area: str, since: datetime
) -> dict[int, list[Row]]:
    """The rows of the numbered files that were written since, or that the table does not know as
    written: the same ones however far they have been brought back.
    """
    known = {
        one.number
        for one in ports.repository.within(kind, campaign=campaign)
        if one.state is ExportState.WRITTEN
    }
    area = f"out/{campaign}/{area}/"
    new = {one.path for one in ports.files.written_since(area, since - BEFORE)}
    found: dict[int, list[Row]] = {}
    for path in ports.files.paths(area):
        number = number_at(path)
        if number is not None and (path in new or number not in known):
            content = b"".join(ports.files.read(path))
            plain = ports.cipher().decrypt(content) if path.endswith(".pgp") else content
            found[number] = list(rows_of(plain))
    return found


def tables_since(ports: Ports, campaign: str, since: datetime) -> list[str]:
    """The paths of the correspondence tables that were written since."""
    written = ports.files.written_since(f"out/{campaign}/referrals/", since)
    return sorted({one.path for one in written})


def _referrals(ports: Ports, campaign: str, since: datetime) -> dict[str, ReferralLine]:
    return {
        line.referral: line
        for path in tables_since(ports, campaign, since)
        for line in map(ReferralLine.parse, referral_rows(ports.files.read(path)))
    }


def _ordered_at(ports: Ports, campaign: str, since: datetime) -> dict[str, datetime]:
    """The earliest date that the order files give each order."""
    dates: dict[str, datetime] = {}
    layouts = _layouts(ports, campaign)
    for written in ports.files.written_since(f"in/{campaign}/orders/", since - BEFORE):
        path = written.path.removeprefix(f"in/{campaign}/")
        if not isinstance(parse_drop_path(path), OrdersDrop):
            continue
        for layout in layouts:
            try:
                dropped = ports.files.read(written.path, written.version)
                plain = content(*opened(ports, path, dropped))
                tally = Tally()
                for _, row in orders(plain, tally, layout):
                    known = dates.get(row.order_id, row.ordered_at)
                    dates[row.order_id] = min(known, row.ordered_at)
                if not tally.rejected:  # else its rows may be of another layout: cents, above all
                    break
            except (FileRefusedError, FileMissingError):
                continue  # of another layout; or its receipt says so
    return dates


def _layouts(ports: Ports, campaign: str) -> list[Layout]:
    """How order files have been laid out, as the versions of the campaign say, the newest first."""
    versions = ports.repository.within(CampaignVersion, campaign=campaign)
    newest_first = sorted(versions, key=lambda one: one.version, reverse=True)
    layouts = [version.document.layout_of("orders") for version in newest_first]
    return [*{repr(layout): layout for layout in layouts}.values()]
