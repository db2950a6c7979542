"""People for the figures of the review: honest referrals, and a ring planted among them.

Everything is drawn from a seed: first the settings of a population (how many families, how small
the orders, how fast people answer), then the people. There are three sets of ranges for the
settings: by `TUNING` the weights were chosen, and by `CHECKED` the signals, which had to be better
for it. `REPORTED`, which the figures are of, was written when all of that was fixed: other sizes,
other habits, and a ring that does other things.

Of honest people there are those who look like a ring, in one respect or two each: families (one
network, sometimes one domain), students of a campus, colleagues in a lunch break, those who all
confirm after a newsletter, those who buy for just the minimum, and those who return.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from chalicelib.domain.invitations import Channel

BEGIN = datetime(2026, 3, 2, 7, tzinfo=UTC)
DAYS = 60
MINIMUM_MINOR = 4_000
HONEST, IN_THE_RING = 5_000, 50
MOST_OF_A_SPONSOR = 20

_FIRST = (
    "alice", "amel", "anne", "basile", "camille", "chloe", "clara", "david", "elise", "emma",
    "farid", "gabin", "hugo", "ines", "jade", "jean", "julie", "karim", "lea", "leo", "lina",
    "louis", "lucas", "manon", "marie", "mehdi", "nadia", "nina", "noah", "omar", "paul", "rose",
    "sarah", "simon", "sofia", "theo", "tom", "victor", "yanis", "zoe",
)  # fmt: skip
_LAST = (
    "andre", "bernard", "blanc", "bonnet", "chevalier", "clement", "colin", "david", "dubois",
    "dumont", "dupont", "durand", "faure", "fontaine", "garcia", "garnier", "gauthier", "giraud",
    "guerin", "henry", "lambert", "laurent", "lefebvre", "leroy", "martin", "masson", "mathieu",
    "mercier", "michel", "moreau", "morel", "muller", "nicolas", "noel", "perrin", "petit",
    "picard", "renard", "richard", "rousseau", "roux", "simon", "thomas", "vidal", "vincent",
)  # fmt: skip
_PUBLIC = ("gmail.com", "orange.fr", "hotmail.fr", "free.fr", "laposte.net", "yahoo.fr")

Range = tuple[float, float]


@dataclass(frozen=True)
class Ranges:
    """From where to where each setting of a population is drawn."""

    families: Range
    students: Range
    colleagues: Range
    newsletter: Range
    own_domain: Range  # families with a domain of their own, students and staff at their school's
    at_minimum: Range
    returned: Range
    read_s: Range  # how soon after the mail people answer, at the fastest
    ring_of: tuple[str, ...]  # what the ring's sponsors do
    ring_pause_s: Range
    ring_at_minimum: Range
    ring_returned: Range


TUNING = Ranges(
    families=(0.08, 0.14), students=(0.05, 0.09), colleagues=(0.05, 0.10),
    newsletter=(0.08, 0.14), own_domain=(0.2, 0.5), at_minimum=(0.10, 0.18),
    returned=(0.04, 0.09), read_s=(25, 60),
    ring_of=("sequence", "own_domain"), ring_pause_s=(5, 60), ring_at_minimum=(0.8, 1.0),
    ring_returned=(0.2, 0.5),
)  # fmt: skip
CHECKED = Ranges(
    families=(0.10, 0.20), students=(0.06, 0.14), colleagues=(0.06, 0.14),
    newsletter=(0.10, 0.22), own_domain=(0.3, 0.7), at_minimum=(0.12, 0.22),
    returned=(0.05, 0.12), read_s=(18, 45),
    ring_of=("tags", "own_domain", "by_hand"), ring_pause_s=(15, 150),
    ring_at_minimum=(0.75, 1.0), ring_returned=(0.2, 0.6),
)  # fmt: skip


REPORTED = Ranges(
    families=(0.06, 0.24), students=(0.04, 0.16), colleagues=(0.04, 0.12),
    newsletter=(0.05, 0.25), own_domain=(0.1, 0.8), at_minimum=(0.08, 0.25),
    returned=(0.03, 0.14), read_s=(15, 70),
    ring_of=("sequence", "by_hand", "own_domain", "tags"), ring_pause_s=(10, 240),
    ring_at_minimum=(0.7, 1.0), ring_returned=(0.1, 0.7),
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """One population, as it was drawn."""

    shares: dict[str, float]
    own_domain: float
    at_minimum: float
    returned: float
    read_s: float
    ring_of: tuple[str, ...]
    ring_pause_s: float
    ring_at_minimum: float
    ring_returned: float

    @classmethod
    def drawn(cls, ranges: Ranges, chance: Random) -> Settings:
        """Settings within the ranges."""
        shares = {
            name: chance.uniform(*getattr(ranges, name))
            for name in ("families", "students", "colleagues", "newsletter")
        }
        return cls(
            shares={**shares, "others": 1 - sum(shares.values())},
            own_domain=chance.uniform(*ranges.own_domain),
            at_minimum=chance.uniform(*ranges.at_minimum),
            returned=chance.uniform(*ranges.returned),
            read_s=chance.uniform(*ranges.read_s),
            ring_of=ranges.ring_of,
            ring_pause_s=chance.uniform(*ranges.ring_pause_s),
            ring_at_minimum=chance.uniform(*ranges.ring_at_minimum),
            ring_returned=chance.uniform(*ranges.ring_returned),
        )


@dataclass(frozen=True, kw_only=True)
class Bought:
    """One order: its amount, whether it was returned, and whether somebody else of the programme
    made it with the referee's voucher.
    """

    amount_minor: int
    days_after: int
    is_returned: bool = False
    by_other: bool = False


@dataclass(frozen=True, kw_only=True)
class Referee:
    """One referral: the address, when the mail left and was answered, from where, the orders."""

    address: str
    channel: Channel
    sent_at: datetime
    confirmed_at: datetime
    caller: str
    orders: tuple[Bought, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Circle:
    """A sponsor with those who confirmed. `kind` says what they are; `is_ring` what is looked for.

    `invited_at` is when the sponsor invites, from `caller`.
    """

    kind: str
    sponsor: str
    caller: str
    invited_at: datetime
    referees: tuple[Referee, ...] = field(default=())
    is_ring: bool = False


class People:
    """Draws one population; the same seed draws the same."""

    def __init__(self, ranges: Ranges, seed: int) -> None:
        self._chance = Random(f"{seed}")
        self.settings = Settings.drawn(ranges, self._chance)
        self._numbers = count()

    def population(self, honest: int = HONEST, in_ring: int = IN_THE_RING) -> list[Circle]:
        """The honest circles, and the ring's."""
        circles: list[Circle] = []
        made = 0
        while made < honest:
            circle = self._honest(honest - made)
            circles.append(circle)
            made += len(circle.referees)
        return [*circles, *self._ring(in_ring)]

    # --- honest people -----------------------------------------------------------------------

    def _honest(self, most: int) -> Circle:
        shares = self.settings.shares
        [kind] = self._chance.choices([*shares], [*shares.values()])
        sizes = {
            "families": (1, 4), "students": (3, 12), "colleagues": (3, 10),
            "newsletter": (4, 12), "others": (1, 6),
        }  # fmt: skip
        size = min(most, self._chance.randint(*sizes[kind]))
        begin = BEGIN + timedelta(
            days=self._chance.randrange(DAYS), minutes=self._chance.randrange(12 * 60)
        )
        shared = self._network()
        domain = self._domain_of(kind)
        # A family of one name; others have their own.
        family = self._chance.choice(_LAST)
        is_by_link = kind == "newsletter" or self._chance.random() < 0.3
        return Circle(
            kind=kind,
            sponsor=self._address(family, domain),
            caller=self._caller(shared),
            invited_at=begin,
            referees=tuple(
                self._guest(kind, begin, shared, domain, family, is_by_link) for _ in range(size)
            ),
        )

    def _domain_of(self, kind: str) -> str | None:
        if kind not in {"families", "students", "colleagues"}:
            return None
        share = 1.0 if kind == "colleagues" else self.settings.own_domain
        return f"{kind}{next(self._numbers)}.example.fr" if self._chance.random() < share else None

    def _guest(
        self,
        kind: str,
        begin: datetime,
        shared: str,
        domain: str | None,
        family: str,
        is_by_link: bool,
    ) -> Referee:
        chance = self._chance
        hours = {"families": 8, "students": 5, "colleagues": 1.5, "newsletter": 1.2}.get(kind, 96)
        waits = timedelta(hours=min(hours, chance.expovariate(1 / (hours / 3))))
        # Who signs up by a link waits for the mail, and the mail leaves then.
        sent_at = begin + waits if is_by_link else begin
        answers = timedelta(seconds=self._reading(is_by_link))
        confirmed_at = sent_at + answers if is_by_link else begin + waits + answers
        name = family if kind == "families" and chance.random() < 0.7 else chance.choice(_LAST)
        on_shared = {"families": 0.7, "students": 0.8, "colleagues": 0.9}.get(kind, 0.03)
        network = shared if chance.random() < on_shared else self._network()
        keeps = domain if chance.random() < 0.8 else None
        return Referee(
            address=self._address(name, keeps),
            channel=Channel.LINK if is_by_link else Channel.EMAIL,
            sent_at=sent_at,
            confirmed_at=confirmed_at,
            caller=self._caller(network),
            orders=self._honest_orders(kind),
        )

    def _reading(self, is_by_link: bool) -> float:
        if is_by_link:
            return 7 + self._chance.expovariate(1 / 30)
        # Now and then somebody has the mail open the moment it comes.
        fastest = 10 if self._chance.random() < 0.01 else self.settings.read_s
        return fastest + self._chance.expovariate(1 / 600)

    def _honest_orders(self, kind: str) -> tuple[Bought, ...]:
        chance, settings = self._chance, self.settings
        thrifty = settings.at_minimum * (1.6 if kind == "students" else 1)
        is_thrifty = chance.random() < thrifty
        orders = [
            Bought(
                amount_minor=(
                    MINIMUM_MINOR + chance.randrange(MINIMUM_MINOR // 20)
                    if is_thrifty
                    else MINIMUM_MINOR + int(chance.lognormvariate(7.8, 0.8))
                ),
                days_after=chance.randrange(1, 30),
                is_returned=chance.random() < settings.returned,
                by_other=kind == "families" and chance.random() < 0.03,
            )
            for _ in range(chance.choice([0, 1, 1, 1, 2, 3]))
        ]
        return tuple(orders)

    # --- the ring -----------------------------------------------------------------------------

    def _ring(self, size: int) -> Iterator[Circle]:
        does = self.settings.ring_of
        for at, how in enumerate(does):
            share = size // len(does) + (at < size % len(does))
            while share > 0:
                part = min(share, MOST_OF_A_SPONSOR)
                yield self._ring_circle(how, part)
                share -= part

    def _ring_circle(self, how: str, size: int) -> Circle:
        chance = self._chance
        begin = BEGIN + timedelta(days=chance.randrange(DAYS), hours=chance.randrange(12))
        own = f"ring{next(self._numbers)}.example.net"
        stem = f"{chance.choice(_FIRST)}{chance.choice(_LAST)}"
        network = self._network()
        at = begin
        referees = []
        for number in range(size):
            at += timedelta(seconds=chance.expovariate(1 / self.settings.ring_pause_s) + 20)
            if how == "by_hand":
                at += timedelta(seconds=chance.uniform(20, 60))
            address = {
                "sequence": f"{stem}{number + 10}@{chance.choice(_PUBLIC)}",
                "tags": f"{stem}+{chance.randrange(10_000):x}@{own}",
                "own_domain": f"{chance.choice(_FIRST)}.{chance.choice(_LAST)}{number}@{own}",
                "by_hand": self._address(chance.choice(_LAST), None),
            }[how]
            is_fast = how != "by_hand" and chance.random() < 0.8
            answers = chance.uniform(2, 12) if is_fast else chance.uniform(30, 120)
            # A tunnel changes now and then.
            if how in {"tags", "sequence"} and chance.random() < 0.2:
                network = self._network()
            referees.append(
                Referee(
                    address=address,
                    channel=Channel.EMAIL,
                    sent_at=at,
                    confirmed_at=at + timedelta(seconds=answers),
                    caller=self._caller(network),
                    orders=self._ring_orders(how),
                )
            )
        return Circle(
            kind=f"ring: {how}",
            sponsor=self._address(chance.choice(_LAST), None),
            caller=self._caller(network),
            invited_at=begin,
            referees=tuple(referees),
            is_ring=True,
        )

    def _ring_orders(self, how: str) -> tuple[Bought, ...]:
        chance, settings = self._chance, self.settings
        just_enough = chance.random() < settings.ring_at_minimum
        orders = [
            Bought(
                amount_minor=MINIMUM_MINOR + chance.randrange(1 if just_enough else 6_000),
                days_after=2 + number,
                is_returned=number > 0 and chance.random() < settings.ring_returned,
                by_other=number > 0 and how == "by_hand" and chance.random() < 0.5,
            )
            for number in range(chance.choice([1, 2, 2, 3]))
        ]
        return tuple(orders)

    # --- addresses and networks ---------------------------------------------------------------

    def _address(self, name: str, domain: str | None) -> str:
        chance = self._chance
        first = chance.choice(_FIRST)
        figures = str(chance.randrange(1, 99)) if chance.random() < 0.35 else ""
        local = chance.choice([f"{first}.{name}", f"{first}{name}", f"{name}.{first}"])
        return f"{local}{figures}@{domain or chance.choice(_PUBLIC)}"

    def _network(self) -> str:
        chance = self._chance
        return f"{chance.randrange(11, 200)}.{chance.randrange(256)}.{chance.randrange(256)}"

    def _caller(self, network: str) -> str:
        return f"{network}.{self._chance.randrange(1, 255)}"


def referrals(circles: Sequence[Circle]) -> int:
    """How many there are."""
    return sum(len(circle.referees) for circle in circles)
