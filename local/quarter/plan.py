"""What the people of the quarter do and when, drawn from one seed: no I/O, no clock.

Days are counted from the first one, times in minutes of the local day. There is a launch, growth, a
mailing on day 45, quieter weekends; three of four newcomers who accept buy, most of them again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from math import exp
from random import Random
from typing import TypeVar

T = TypeVar("T")

DAYS = 88  # of history: facts that strangers alone make happen are kept for 90
SEED = 20260401
SPONSORS = 32
MAILING_ON = 45
RETURNED, CANCELLED = 0.06, 0.03
# Of a newcomer with so many orders, how likely one more is.
BUYS_AGAIN = (0.8, 0.68, 0.62, 0.5, 0.4)
_WEEKDAYS = (1.0, 1.05, 1.1, 1.0, 0.9, 0.6, 0.65)  # Monday first

_FIRST_NAMES = re.findall(
    r"\w+",
    """adele alice anais arthur camille chloe clara emma eva gabriel hugo ines jade jules julia lea
    leo lina louis louise lucas manon marius maya nina noah paul rose sacha zoe""",
)
_LAST_NAMES = re.findall(
    r"\w+",
    """bernard blanc bonnet chevalier david dubois dupont durand faure fontaine fournier garnier
    girard henry lambert laurent lefevre leroy martin mercier moreau morel petit renard richard
    robin rousseau roux simon vincent""",
)


class Answer(StrEnum):
    """What somebody who is invited does with the mail, if there is one."""

    CONFIRM = "confirm"
    DECLINE = "decline"
    IGNORE = "ignore"
    UNSUBSCRIBE = "unsubscribe"
    BOUNCE = "bounce"
    COMPLAIN = "complain"


class Code(StrEnum):
    """Which code is typed with an order."""

    OWN = "own"
    NONE = "none"
    USED = "used"
    FOREIGN = "foreign"


class By(StrEnum):
    """Who makes an order for which a referee's voucher is used."""

    REFEREE = "referee"
    SPONSOR = "sponsor"
    STRANGER = "stranger"


class Fate(StrEnum):
    """What becomes of an order."""

    KEPT = "kept"
    RETURNED = "returned"
    CANCELLED = "cancelled"


_ANSWERS = {
    Answer.CONFIRM: 57, Answer.IGNORE: 31, Answer.DECLINE: 6, Answer.UNSUBSCRIBE: 2,
    Answer.BOUNCE: 3, Answer.COMPLAIN: 2,
}  # fmt: skip
_BUYERS = {By.REFEREE: 93, By.SPONSOR: 4, By.STRANGER: 3}
_CODES = {Code.OWN: 80, Code.NONE: 12, Code.USED: 5, Code.FOREIGN: 5}


@dataclass(frozen=True)
class Basket:
    """An order: `after_days` the one before, or the confirmation."""

    after_days: float
    amount_minor: int
    code: Code
    fate: Fate
    by: By = By.REFEREE


@dataclass(frozen=True)
class Invitee:
    """Somebody who is invited, or signs up by a link, and how they answer."""

    address: str
    answer: Answer
    after_hours: float
    agrees_to_news: bool
    baskets: tuple[Basket, ...]


@dataclass(frozen=True)
class Visit:
    """A sponsor signs in and invites; `by_link` sign up in the days after, by her shared link."""

    day: int
    minute: int
    sponsor: str
    name: str
    invited: tuple[Invitee, ...]
    by_link: tuple[tuple[float, Invitee], ...]


class Draw:
    """The choices of one seed, in the order in which they are asked for."""

    def __init__(self, first_weekday: int, seed: int = SEED) -> None:
        self._chance = Random(seed)  # nosec B311
        self._first_weekday = first_weekday
        names = [f"{first}.{last}" for first, last in product(_FIRST_NAMES, _LAST_NAMES)]
        self._chance.shuffle(names)
        self._names = iter(names)
        self._invited: list[Invitee] = []

    def visits(self) -> list[Visit]:
        """Every visit of a sponsor, earliest first; half of them come a second time."""
        weights = [self._weight(day) for day in range(DAYS)]
        visits = []
        for number in range(1, SPONSORS + 1):
            [day] = self._chance.choices(range(DAYS), weights)
            visits.append(self._visit(number, day, self._between(3, 8)))
            later = day + self._between(9, 30)
            if later < DAYS and self._chance.random() < 0.5:
                visits.append(self._visit(number, later, self._between(1, 4)))
        return sorted([*visits, self._circle()], key=lambda one: (one.day, one.minute))

    def _weight(self, day: int) -> float:
        launch = 2.5 * exp(-day / 5)
        mailing = 4 * exp(-(day - MAILING_ON) / 3) if day >= MAILING_ON else 0
        weekday = _WEEKDAYS[(self._first_weekday + day) % 7]
        return weekday * (0.4 + day / 70 + launch + mailing)

    def _visit(self, number: int, day: int, count: int) -> Visit:
        sponsor = f"vip{100 + number}@demo.test"
        invited = [self._invitee() for _ in range(count)]
        if self._chance.random() < 0.3:
            invited.append(self._stranger(f"customer{self._between(1, 2000)}@demo.test"))
        if self._chance.random() < 0.1:
            invited.append(self._stranger("contact@demo.test"))
        if self._chance.random() < 0.08:
            invited.append(self._stranger(sponsor))
        if self._chance.random() < 0.15:
            invited.append(self._chance.choice(self._invited))  # somebody knows two sponsors
        by_link = [
            (self._chance.expovariate(1 / 40), self._invitee())
            for _ in range(self._between(0, 3) if self._chance.random() < 0.6 else 0)
        ]
        name = _FIRST_NAMES[number % len(_FIRST_NAMES)].capitalize()
        minute = self._between(8 * 60, 22 * 60)
        return Visit(day, minute, sponsor, name, tuple(dict.fromkeys(invited)), tuple(by_link))

    def _circle(self) -> Visit:
        """Somebody invites herself: addresses that differ in a figure, answered in seconds."""
        invited = tuple(
            Invitee(
                f"cercle.dore{number}@demo.test", Answer.CONFIRM, 10 / 3600, False,
                (Basket(2 + number, 4000, Code.OWN, Fate.KEPT),),
            )
            for number in range(1, 5)
        )  # fmt: skip
        return Visit(DAYS - 19, 15 * 60, "vip200@demo.test", "Inès", invited, ())

    def _invitee(self) -> Invitee:
        invitee = self._stranger(f"{next(self._names)}@demo.test", self._one_of(_ANSWERS))
        self._invited.append(invitee)
        return invitee

    def _stranger(self, address: str, answer: Answer = Answer.IGNORE) -> Invitee:
        after = min(self._chance.lognormvariate(1.8, 1.4), 13 * 24)
        return Invitee(address, answer, after, self._chance.random() < 0.35, tuple(self._baskets()))

    def _baskets(self) -> Iterator[Basket]:
        for likely in BUYS_AGAIN:
            if self._chance.random() > likely:
                return
            yield Basket(
                after_days=2.5 + self._chance.expovariate(1 / 7),
                amount_minor=max(1500, round(self._chance.lognormvariate(8.75, 0.35))),
                code=self._one_of(_CODES),
                fate=self._fate(),
                by=self._one_of(_BUYERS),
            )

    def _fate(self) -> Fate:
        chosen = self._chance.random()
        if chosen < RETURNED:
            return Fate.RETURNED
        return Fate.CANCELLED if chosen < RETURNED + CANCELLED else Fate.KEPT

    def _one_of(self, weights: Mapping[T, int]) -> T:
        [chosen] = self._chance.choices(list(weights), list(weights.values()))
        return chosen

    def _between(self, least: int, most: int) -> int:
        return self._chance.randint(least, most)


def cohort_rows(seed: int = SEED) -> list[tuple[str, int, int]]:
    """Newcomers of the client's other sources: the source, how many days ago they joined, and how
    many days after that they ordered last.
    """
    chance = Random(seed + 1)  # nosec B311
    rows = []
    for source, count, stays in (("search", 240, 52), ("social", 180, 34)):
        for _ in range(count):
            joined = chance.randint(1, 200)
            rows.append((source, joined, min(joined, round(chance.expovariate(1 / stays)))))
    return rows
