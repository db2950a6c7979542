"""How long a sign-in waits while invitations are mailed: a simulation by a virtual clock.

    python -m bench.mails            # or: make bench-mails

The rules are those of the code: the pace and the number of executions, how soon a mail that SES had
no room for is tried again (`domain/sending.py`), and two queues (`domain/effects.py`). Simulated
are SES, which takes so many mails a second and refuses more, and Lambda, which runs so many
executions at once. What is not simulated of a sign-in's way is assumed and added: `BEFORE_S` for
stream, relay, queue, decision, stream, relay and queue; `BEHIND_S` for SES's acceptance.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from chalicelib.domain.sending import (
    RATES,
    executions,
    seconds_for_a_mail,
    tried_again_after,
)

BACKLOG = 25_000
REQUESTED_EXECUTIONS = 10  # RequestedMailSource in infra/resources.yaml
FORMER_EXECUTIONS = 5
SEND_S = 0.21  # what a mail took with the former setup: five executions, 24 a second
BEFORE_S = 2.0
BEHIND_S = 0.5
SIGN_INS_A_SECOND = 0.5


class Ses:
    """Takes `rate` mails a second, and what was left of the second before."""

    def __init__(self, rate: float) -> None:
        self._rate, self._room, self._at = rate, rate, 0.0
        self.accepted: list[float] = []
        self.refused = 0

    def takes(self, at: float) -> bool:
        """Whether a mail at that time is taken; times do not go back."""
        self._room = min(self._rate, self._room + (at - self._at) * self._rate)
        self._at = at
        if self._room < 1:
            self.refused += 1
            return False
        self._room -= 1
        self.accepted.append(at)
        return True


@dataclass(order=True)
class Waiting:
    """One mail in a queue: since when it may be taken, when it was asked for, its deliveries."""

    due: float
    asked_at: float = field(compare=False)
    receives: int = field(default=0, compare=False)


@dataclass
class Line:
    """A queue and the executions that work on it; `pace` is the least time for a mail."""

    waiting: list[Waiting]
    executions: int
    pace: float = 0.0
    free: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.free = [0.0] * self.executions
        heapq.heapify(self.waiting)

    def next_at(self) -> float:
        """When the next mail is worked on."""
        return max(self.free[0], self.waiting[0].due) if self.waiting else float("inf")

    def work(self, ses: Ses, at: float) -> Waiting | None:
        """Work on the next mail; the mail if it was sent."""
        mail = heapq.heappop(self.waiting)
        heapq.heapreplace(self.free, at + max(SEND_S, self.pace))
        mail.receives += 1
        if ses.takes(at):
            return mail
        mail.due = at + tried_again_after(mail.receives)
        heapq.heappush(self.waiting, mail)
        return None


@dataclass(frozen=True)
class Outcome:
    """How long sign-ins took, in seconds, and how fast the backlog went."""

    slowest: float
    median: float
    mails_a_second: float
    refused: int


def simulate(*, rate: int, quota: float, shared: bool = False, seed: int = 9) -> Outcome:
    """Mail a backlog while people sign in. `shared`: in one queue, as it was."""
    asked = _sign_ins(seed, until=BACKLOG / quota)
    sign_ins = [Waiting(at + BEFORE_S, at) for at in asked]
    backlog = [Waiting(0.0, -1.0) for _ in range(BACKLOG)]
    if shared:
        lines = [Line(backlog + sign_ins, FORMER_EXECUTIONS)]
    else:
        lines = [
            Line(sign_ins, REQUESTED_EXECUTIONS),
            Line(backlog, executions(rate), seconds_for_a_mail(rate, quota)),
        ]
    ses, waits, mailed = Ses(quota), [], 0
    while any(line.waiting for line in lines):
        line = min(lines, key=Line.next_at)
        at = line.next_at()
        mail = line.work(ses, at)
        if mail and mail.asked_at >= 0:
            waits.append(at + SEND_S + BEHIND_S - mail.asked_at)
        mailed += mail is not None
    waits.sort()
    return Outcome(waits[-1], waits[len(waits) // 2], mailed / ses.accepted[-1], ses.refused)


def _sign_ins(seed: int, *, until: float) -> list[float]:
    chance = random.Random(seed)
    return list(_arrivals(chance, until))


def _arrivals(chance: random.Random, until: float) -> Iterator[float]:
    at = 0.0
    while (at := at + chance.expovariate(SIGN_INS_A_SECOND)) < until:
        yield at


def main() -> None:
    """Print a table."""
    print(f"{BACKLOG:,} invitations wait, {SIGN_INS_A_SECOND:g} sign-ins a second")
    head = ("MailRate", "SES", "mails/s", "sign-in: median", "slowest", "refused")
    print("{:>10}{:>6}{:>9}{:>17}{:>9}{:>9}".format(*head))
    former = simulate(rate=0, quota=1_000, shared=True)
    print(_row("one queue", 1_000, former))
    for rate in RATES[2:]:
        print(_row(str(rate), rate, simulate(rate=rate, quota=rate)))
    print(_row("50", 14, simulate(rate=50, quota=14)))


def _row(name: str, quota: int, outcome: Outcome) -> str:
    return (
        f"{name:>10}{quota:>6}{outcome.mails_a_second:>9.1f}{outcome.median:>15.1f} s"
        f"{outcome.slowest:>7.1f} s{outcome.refused:>9}"
    )


if __name__ == "__main__":
    main()
