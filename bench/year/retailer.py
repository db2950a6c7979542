"""The retailer's systems: its customer lists, its tills, its back office, and what it loads.

They know what the retailer would know: who ordered what, which exports were loaded, which codes the
tills refuse. Reports of an order come late, twice, in another sequence, with the code or without.
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterable
from csv import DictReader
from dataclasses import dataclass, field
from datetime import datetime

from bench.year.cast import Cast, Purchase
from bench.year.programme import local
from chalicelib.domain.money import decimal_text
from tests.fakes.campaign import CANARY, digest

Row = dict[str, str]
REPORTED_WITHIN = 8  # days: the first report of every order
FILES_AT = (7 * 60, 13 * 60, 21 * 60)  # minutes of the day at which order files are dropped


@dataclass(frozen=True)
class Delivered:
    """A row about an order that reached Tandem, at `at`."""

    at: datetime
    row: Row


@dataclass
class BackOffice:
    """The rows that are to be reported, by day."""

    cast: Cast
    due: dict[int, list[Row]] = field(default_factory=lambda: defaultdict(list))
    delivered: list[Delivered] = field(default_factory=list)

    def note(self, purchase: Purchase, code: str, ordered_at: datetime) -> None:
        """Plan every report of an order that has just been made."""
        chance, name = self.cast.chance, purchase.order_id
        placed = self.row_of(purchase, ordered_at, "placed", with_code=True, code=code)
        lag = chance.between(1, 6, "lag", name) if chance.happens(0.15, "late", name) else 0
        lag += purchase.minute >= FILES_AT[-1]
        if not chance.happens(0.04, "never placed", name) or purchase.report == "code":
            self._report(purchase.day + lag, placed)
        if purchase.report == "split" and code:
            alone = placed | {"email_digest": "", "voucher_code": code}
            self._report(purchase.day + 1 + chance.between(0, 3, "split", name), alone)
        for day, row in self._fate(purchase, code, ordered_at):
            self._report(day, row)

    def _fate(
        self, purchase: Purchase, code: str, ordered_at: datetime
    ) -> Iterable[tuple[int, Row]]:
        chance, name, day = self.cast.chance, purchase.order_id, purchase.day

        def row(status: str, share: float = 1.0) -> Row:
            return self.row_of(purchase, ordered_at, status, code=code, share=share)

        kept_on = day + chance.between(13, 20, "kept", name)
        match purchase.fate:
            case "kept":
                return [(kept_on, row("kept"))]
            case "returned":
                back = (day + chance.between(3, 60, "returned", name), row("returned"))
                was_kept = chance.happens(0.5, "kept first", name)
                return [(kept_on, row("kept")), back] if was_kept else [back]
            case "cancelled":
                latest = 40 if chance.happens(0.3, "cancelled late", name) else 8
                return [(day + chance.between(1, latest, "cancelled", name), row("cancelled"))]
            case "partial":
                part = chance.roll("part", name)
                return [(kept_on, row("kept")), (kept_on + 5, row("kept", part))]
            case _:
                return []

    def row_of(
        self,
        purchase: Purchase,
        ordered_at: datetime,
        status: str,
        *,
        code: str,
        with_code: bool = False,
        share: float = 1.0,
    ) -> Row:
        """A row about an order; whether it shows the code and the buyer depends on its report."""
        amount = decimal_text(int(purchase.amount_minor * share))
        negative = status in {"returned", "cancelled"} and purchase.minute % 2
        shows_code = {
            "both": True,
            "code": True,
            "split": False,
            "call": purchase.minute % 3 == 0,
            "late_code": not with_code,
        }[purchase.report if code else "both"]
        alone = purchase.report == "code" and bool(code)
        return {
            "order_id": purchase.order_id,
            "ordered_at": ordered_at.isoformat(),
            "email_digest": "" if alone else digest(purchase.buyer),
            "voucher_code": (code or foreign_code(purchase)) if shows_code else "",
            "amount": f"-{amount}" if negative else amount,
            "currency": "EUR",
            "status": status,
        }

    def _report(self, day: int, row: Row) -> None:
        """To be reported on `day`, and maybe again later."""
        self.due[day].append(row)
        name = (row["order_id"], row["status"], row["amount"], row["voucher_code"] == "")
        if self.cast.chance.happens(0.08, "again", *name):
            self.due[day + self.cast.chance.between(0, 20, "when", *name)].append(dict(row))

    def delivers(self, at: datetime, rows: Iterable[Row]) -> None:
        """Note what reached Tandem."""
        self.delivered += [Delivered(at, row) for row in rows]


def foreign_code(purchase: Purchase) -> str:
    """A code of the shop's own."""
    return "PROMO2026" if purchase.foreign_code else ""


@dataclass
class ListKeeper:
    """Who is a customer: everybody of the beginning, and buyers a day or two after their first
    order. `history` is what Tandem accepted: who was on the list from when on.
    """

    cast: Cast
    on_list: set[str] = field(default_factory=set)
    joins: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    waiting: list[str] = field(default_factory=list)
    history: list[tuple[datetime, frozenset[str]]] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.on_list |= {CANARY, *self.cast.sponsors, *self.cast.customers}
        self._seen |= self.on_list

    def bought(self, buyer: str, day: int) -> None:
        """Somebody made an order; a newcomer appears on the list a day or two later."""
        if buyer not in self._seen:
            self._seen.add(buyer)
            self.joins[day + self.cast.chance.between(1, 2, "joins", buyer)].append(buyer)

    def file_of(self, day: int) -> tuple[str, list[str], bool] | None:
        """The drop of a day: full or add, its addresses, and whether it is a good one."""
        self.waiting += self.joins.pop(day, [])
        chance = self.cast.chance
        if day and chance.happens(0.04, "no list", day):
            return None
        everybody = sorted({*self.on_list, *self.waiting})
        if day and chance.happens(0.03, "bad list", day):
            return "full", [one for one in everybody if one != CANARY], False
        if day % 7 == 0:
            return "full", everybody, True
        return ("add", sorted(self.waiting), True) if self.waiting else None

    def accepted(self, at: datetime) -> None:
        """The drop is in force."""
        self.on_list |= set(self.waiting)
        self.waiting.clear()
        self.history.append((at, frozenset(self.on_list)))

    def had(self, address: str, at: datetime) -> bool:
        """Whether the list in force at `at` had somebody."""
        before = [one for one in self.history if one[0] <= at] or self.history[:1]
        return address in before[-1][1]


@dataclass
class Loader:
    """Loads exports into the tills and answers each with an acknowledgement, some days later.

    `rows` has every exported row by its code; `twice` the codes of two exports.
    """

    cast: Cast
    rows: dict[str, Row] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)
    answers: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    refused: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    _read: int = 0

    def load(self, files: dict[str, bytes], folder: str, day: int) -> None:
        """Read the exports that are new."""
        while (path := f"{folder}{self._read + 1:08}.csv.gz") in files:
            self._read += 1
            for row in csv_rows(files[path]):
                self.twice += [row["code"]] * (row["code"] in self.rows)
                self.rows[row["code"]] = row
            self.answers[self._answer_day(day)].append(self._read)

    def _answer_day(self, day: int) -> int:
        chance = self.cast.chance
        delay = chance.between(2, 6, "ack", day) if chance.happens(0.15, "slow", day) else 0
        return day + delay

    def answer(self, files: dict[str, bytes], folder: str, number: int) -> bytes:
        """The content of an acknowledgement: the codes that the tills could not load."""
        lines = []
        for row in csv_rows(files[f"{folder}{number:08}.csv.gz"]):
            holder = row["holder_digest"]
            attempt = self.refused[holder, row["template"]]
            name = (holder, row["template"], attempt)
            is_hopeless = self.cast.chance.happens(0.02, "hopeless", *name[:2]) and attempt < 3
            if is_hopeless or self.cast.chance.happens(0.02, "refuses", *name):
                self.refused[holder, row["template"]] += 1
                lines.append(f"{row['code']},card type unknown")
        return "\n".join(lines).encode()


def csv_rows(content: bytes) -> list[Row]:
    """The rows of a gzipped CSV file."""
    return list(DictReader(gzip.decompress(content).decode().splitlines()))


def ordered_at(purchase: Purchase) -> datetime:
    """When the order was made, as the shop says it: some systems know the day alone."""
    return local(purchase.day, purchase.minute)
