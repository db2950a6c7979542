"""Who takes part in the year and what they mean to do, decided by the seed before it starts.

    sponsor ─► invitations ─► referee's answer ─► purchases, each with its fate and its reports

What people mean to do does not depend on what Tandem does; what they can do, does: a voucher is
used by whoever has its mail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from bench.year.chance import Chance
from bench.year.programme import DAYS, OWN_CODES, TEMPLATES

PASSED_ON = "welcome"  # the template of vouchers that people give to others
FATES = ("kept", "returned", "cancelled", "partial", "silent")
_FATE_SHARES = (0.6, 0.75, 0.85, 0.93, 1.0)


@dataclass(frozen=True)
class Invitee:
    """Somebody whom a sponsor invites: on `day`, and `answer` after so many days."""

    address: str
    sponsor: str
    day: int
    answer: str  # confirm, decline, ignore
    answer_after: int


@dataclass(frozen=True)
class Purchase:
    """An order that somebody makes with what is in the wallet of `holder`; `buyer` is who they are.

    `report`: how the retailer reports it (`bench/year/retailer.py`); `template` of the voucher they
    would use, if they have one.
    """

    order_id: str
    day: int
    minute: int
    holder: str
    buyer: str
    amount_minor: int
    template: str | None
    foreign_code: bool
    report: str  # both, code, split, call, late_code
    fate: str


class Cast:
    """Everybody, by the seed."""

    def __init__(self, seed: int, sponsors: int) -> None:
        self.chance = Chance(seed)
        self.sponsors = [f"sponsor{number}@vip.test" for number in range(sponsors)]
        self.customers = [f"customer{number}@shop.test" for number in range(sponsors * 3)]

    @cached_property
    def invitees(self) -> list[Invitee]:
        """Everybody who is invited, in the order of the days; a few are by two sponsors."""
        found = [one for sponsor in self.sponsors for one in self._invited_by(sponsor)]
        twice = [
            Invitee(one.address, self.chance.choose(self.sponsors, "second", one.address),
                    min(DAYS - 20, one.day + self.chance.between(0, 3, "later", one.address)),
                    one.answer, one.answer_after)
            for one in found
            if self.chance.happens(0.03, "twice", one.address)
        ]  # fmt: skip
        return sorted([*found, *twice], key=lambda one: (one.day, one.address, one.sponsor))

    def _invited_by(self, sponsor: str) -> Iterator[Invitee]:
        chance = self.chance
        joined = chance.between(0, DAYS - 60, "joined", sponsor)
        for number in range(chance.between(1, 9, "invites", sponsor)):
            name = (sponsor, number)
            is_customer = chance.happens(0.06, "already", *name)
            # A sponsor also invites another sponsor's customer, or somebody of the shop's list.
            address = f"referee{number}.{sponsor.partition('@')[0]}@mail.test"
            if is_customer:
                address = chance.choose(self.customers, "which", *name)
            yield Invitee(
                address=address,
                sponsor=sponsor,
                day=min(DAYS - 25, joined + chance.between(0, 60, "day", *name)),
                answer=chance.choose(
                    ("confirm",) * 7 + ("decline", "ignore", "ignore"), "answer", *name
                ),
                answer_after=chance.between(1, 7, "after", *name),
            )

    @cached_property
    def purchases(self) -> dict[int, list[Purchase]]:
        """All orders, by day."""
        days: dict[int, list[Purchase]] = {}
        for purchase in self._all_purchases():
            if purchase.day < DAYS:
                days.setdefault(purchase.day, []).append(purchase)
        return days

    def _all_purchases(self) -> Iterator[Purchase]:
        chance = self.chance
        for invitee in {one.address: one for one in reversed(self.invitees)}.values():
            # Some buy before they answer.
            day = invitee.day + chance.between(0, 14, "first", invitee.address)
            for number in range(chance.between(0, 6, "orders", invitee.address)):
                yield self._purchase(invitee.address, invitee.sponsor, day, number)
                day += chance.between(1, 25, "next", invitee.address, number)
        for sponsor in self.sponsors:
            for number in range(chance.between(0, 5, "orders", sponsor)):
                day = chance.between(20, DAYS - 1, "bought", sponsor, number)
                yield self._purchase(sponsor, sponsor, day, number)
        for day in range(DAYS):
            for number in range(len(self.sponsors) // 50):
                stranger = f"stranger{day}.{number}@web.test"
                yield self._purchase(stranger, stranger, day, number)

    def _purchase(self, holder: str, sponsor: str, day: int, number: int) -> Purchase:
        chance, name = self.chance, (holder, number)
        template = self._template(name)
        buyer = self._buyer(holder, sponsor, template, name)
        midnight = chance.happens(0.15, "midnight", *name)
        fate_at = chance.roll("fate", *name)
        return Purchase(
            order_id=_order_id(chance, name),
            day=day,
            minute=0 if midnight else chance.between(8 * 60, 23 * 60 - 1, "minute", *name),
            holder=holder,
            buyer=buyer,
            amount_minor=self._amount(name),
            template=template,
            foreign_code=chance.happens(0.06, "foreign", *name),
            report=self._report(holder, buyer, template, name),
            fate=next(f for f, to in zip(FATES, _FATE_SHARES, strict=True) if fate_at < to),
        )

    def _template(self, name: tuple[str, int]) -> str | None:
        if not self.chance.happens(0.75, "uses", *name):
            return None
        return self.chance.choose((PASSED_ON, "second-order", *TEMPLATES), "template", *name)

    def _report(self, holder: str, buyer: str, template: str | None, name: tuple[str, int]) -> str:
        """Which rewards people hold in between depends on the sequence of a day's reports: an order
        that is cancelled the day it is made may have earned one or not. So orders with such codes
        say who bought; the first voucher is everybody's. Orders of people who are no referees name
        both too: before their code is known, they leave no trace.
        """
        if template in {None, OWN_CODES}:
            return "both"
        alone = ("code", "code") if template == PASSED_ON else ()
        ways = ("both",) * 5 + ("call", "call", *alone)
        own = ("split", "late_code") if holder == buyer else ()
        way: str = self.chance.choose((*ways, *own), "report", *name)
        return way

    def _buyer(self, holder: str, sponsor: str, template: str | None, name: tuple[str, int]) -> str:
        """Mostly the holder; else somebody to whom the code was passed on."""
        passed_on = self.chance.happens(0.3, "passed on", *name)
        if not passed_on or template != PASSED_ON:
            return holder
        to = self.chance.choose(("sponsor", "referee", "customer", "stranger"), "to", *name)
        match to:
            case "sponsor":
                return sponsor
            case "referee":
                return self.chance.choose(self.invitees, "referee", *name).address
            case "customer":
                return self.chance.choose(self.customers, "customer", *name)
            case _:
                return f"other.{holder}"

    def _amount(self, name: tuple[str, int]) -> int:
        kind = self.chance.roll("amount", *name)
        if kind < 0.04:
            return 0
        low, high = (500, 4500) if kind < 0.2 else (4500, 16000)
        return self.chance.between(low, high, "cents", *name)


def _order_id(chance: Chance, name: tuple[str, int]) -> str:
    """As shops write them: figures, a hash sign, a space."""
    number = chance.between(10**9, 10**10 - 1, "order id", *name)
    return chance.choose(("{}", "#{}", "FR {}", "{}/A"), "order style", *name).format(number)
