"""Calls at the same time, whose answers must be those of some order of them.

    python -m tests.simulation.races [--seeds 1000] [--json PATH]

Every caller is a worker of its own, held at each of its calls to AWS; a seed decides who goes on,
and which call fails. The answers are a history, checked against what the same calls do one after
the other (`linearizability.py`). Each seed begins in the same kept state: setting it up takes
longer than the race.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from functools import partial
from pathlib import Path
from random import Random

from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.people import Contact, Sponsor
from chalicelib.domain.referrals import Referral
from tests.api.gateway import Answer, Request
from tests.api.requests import CONFIRMATION, PURCHASE, VOUCHERS, invitations
from tests.api.world import STRANGER, posting
from tests.simulation.laws import all_of, facts_in, violations
from tests.simulation.linearizability import Event, Specification, is_linearizable
from tests.simulation.run import finish
from tests.simulation.scheduler import Fault, Worker, faults_of
from tests.simulation.stage import Stage, stage

Call = tuple[str, str]  # what is asked for, and by whom or on which order
SPONSORS = tuple(f"sponsor{number}@vip.test" for number in range(8))
AT_ONCE = 200
FAULTS = 0.05  # of all calls to AWS
ROUNDS = (1, 1)  # days between the runs of all schedules


@dataclass(frozen=True)
class Start:
    """A world in which a race begins, and what its calls ask."""

    world: Stage
    request: Callable[[Call], Request]
    restore: Callable[[], None]


@dataclass
class Race:
    """What a race came to. Times are calls to AWS `since` it began."""

    since: int = field(default=0, compare=False)
    history: list[Event[Call]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def answers(self) -> Counter[str]:
        """How often each answer was given."""
        return Counter(str(event.answer) for event in self.history)


def run(start: Start, calls: Sequence[Call], seed: int, faults: float = FAULTS) -> Race:
    """Have all the calls made at the same time; nothing else runs meanwhile."""
    start.restore()
    world, chance = start.world, Random(seed)
    world.cloud.seed(f"race {seed}")
    race = Race(world.cloud.scheduler.calls)
    for call in calls:
        _begin(race, call, start)
    while world.cloud.scheduler.workers:
        _step(world, chance, faults)
    return race


def _ask(world: Stage, request: Request) -> object:
    worker = world.cloud.scheduler.current()
    assert worker
    return worker.context.gateway.call(request)


def _step(world: Stage, chance: Random, faults: float, spared: str = "") -> Worker:
    """Let one worker go on by a call; a `spared` one meets no fault."""
    worker = chance.choice(world.cloud.scheduler.workers)
    assert worker.call
    fault = None
    if worker.name != spared and chance.random() < faults:
        fault = chance.choice((Fault.KILL, *faults_of(worker.call)))
    world.cloud.scheduler.step(worker, fault)
    world.machine.settle(worker)
    return worker


def _begin(race: Race, call: Call, start: Start) -> None:
    """Begin a call; its answer is noted in the history when it is given."""
    scheduler = start.world.cloud.scheduler
    invoked = scheduler.calls - race.since

    def at_end(ended: Worker) -> None:
        answer, now = ended.outcome, scheduler.calls - race.since
        if isinstance(answer, Answer) and answer.status < 500:
            race.history.append(Event(call, invoked, now, answer.status))
        else:
            race.history.append(Event.lost(call, invoked))

    work = partial(_ask, start.world, start.request(call))
    start.world.machine.begin(call[0], work, at_end)


# --- a voucher -----------------------------------------------------------------------------------

Used = tuple[str, frozenset[str]]  # the order that has it now, and those it was rolled back on


def _voucher(state: Used, call: Call) -> tuple[object, Used]:
    by, back = state
    match call:
        case ("redeem", order) if order in back:
            return 409, state
        case ("redeem", order):
            return (409, state) if by not in {"", order} else (200 if by else 201, (order, back))
        case (_, order) if order in back:
            return 204, state
        case (_, order):
            return (204, ("", back | {order})) if by == order else (409, state)


VOUCHER = Specification[Used, Call](("", frozenset()), _voucher, frozenset({409}))


@contextmanager
def voucher(redeemed_on: str = "") -> Iterator[Start]:
    """A voucher, used on an order already if one is named."""
    with stage() as world:
        code = world.voucher()

        def request(call: Call) -> Request:
            path = f"{VOUCHERS}/{code}/redemptions"
            if call[0] == "redeem":
                return posting(path, PURCHASE | {"order_id": call[1]})
            return Request("DELETE", f"{path}/{call[1]}")

        if redeemed_on:
            assert world.ask(request(("redeem", redeemed_on))).status == 201
            world.run()
        yield Start(world, request, kept(world))


def kept(world: Stage) -> Callable[[], None]:
    """What brings a stage back."""
    parts = world.cloud.save(), world.machine.save()

    def restore() -> None:
        for part in parts:
            part()

    return restore


def redeemed_by_many(seed: int, callers: int = AT_ONCE, faults: float = 0) -> Race:
    """Many tills use one voucher, each on an order of its own."""
    with voucher() as start:
        return _of_voucher(start, [("redeem", f"A{n}") for n in range(callers)], seed, faults)


def refused_by_many(seed: int, callers: int = AT_ONCE, faults: float = 0) -> Race:
    """Many tills try a voucher that is used, all on the same other order."""
    with voucher("A0") as start:
        first: Used = ("A0", frozenset())
        race = _of_voucher(start, [("redeem", "A1")] * callers, seed, faults, first)
        refused = [
            one for one in facts_in(start.world.cloud) if one.name == FactName.REDEMPTION_REFUSED
        ]
        if len(refused) != 1:
            race.broken.append(f"counted {len(refused)} times")
        return race


def rolled_back_by_many(seed: int, callers: int = AT_ONCE, faults: float = 0) -> Race:
    """Many callers roll one redemption back."""
    with voucher("A0") as start:
        race = _of_voucher(
            start, [("roll back", "A0")] * callers, seed, faults, ("A0", frozenset())
        )
        undone = [
            one for one in facts_in(start.world.cloud) if one.name == FactName.VOUCHER_ROLLED_BACK
        ]
        if len(undone) != 1:
            race.broken.append(f"rolled back {len(undone)} times")
        return race


def mixed(start: Start, seed: int) -> Race:
    """Few orders, so that uses and rollbacks of the same one meet."""
    chance = Random(seed)
    calls = [
        (chance.choice(("redeem", "redeem", "roll back")), f"A{chance.randrange(3)}")
        for _ in range(chance.randint(4, 10))
    ]
    return _of_voucher(start, calls, seed, FAULTS)


def _of_voucher(
    start: Start, calls: Sequence[Call], seed: int, faults: float, first: Used = VOUCHER.first
) -> Race:
    race = run(start, calls, seed, faults)
    specification = Specification(first, VOUCHER.step, VOUCHER.refusals)
    return _judged(start.world, race, specification)


def _judged(world: Stage, race: Race, specification: Specification[Used, Call]) -> Race:
    if not is_linearizable(race.history, specification):
        race.broken.append(f"no order of the calls gives these answers: {race.history}")
    finish(world.cloud, world.machine, ROUNDS)
    race.broken += violations(world.cloud)
    return race


# --- an invitation -------------------------------------------------------------------------------


def _invitation(state: Used, call: Call) -> tuple[object, Used]:
    confirmed, declined = ("confirmed", frozenset[str]()), ("declined", frozenset[str]())
    match call[0], state[0]:
        case "confirm", "":
            return 201, confirmed
        case "confirm", "confirmed":
            return 200, state
        case "decline", "" | "declined":
            return 204, declined
        case _:
            return 410, state


INVITATION = Specification[Used, Call](("", frozenset()), _invitation, frozenset({410}))


@contextmanager
def invitation() -> Iterator[Start]:
    """An invitation that nobody has answered."""
    with stage() as world:
        path = f"/v1/invitations/{world.invited()}"
        requests: Mapping[str, Request] = {
            "confirm": posting(f"{path}/confirmation", CONFIRMATION),
            "decline": posting(f"{path}/decline"),
        }
        yield Start(world, lambda call: requests[call[0]], kept(world))


def answered(start: Start, seed: int) -> Race:
    """The same invitation is confirmed and declined."""
    chance = Random(seed)
    calls = [(chance.choice(("confirm", "decline")), str(n)) for n in range(chance.randint(2, 8))]
    return _judged(start.world, run(start, calls, seed), INVITATION)


# --- one person, many sponsors -------------------------------------------------------------------


def _claim(state: str, call: Call) -> tuple[object, str]:
    return ("accepted", call[1]) if not state else ("refused", state)


CLAIM = Specification[str, Call]("", _claim, frozenset({"refused"}))


@contextmanager
def sponsors() -> Iterator[Start]:
    """Sponsors who are signed in, and a person whom nobody has invited."""
    with stage(vips=SPONSORS) as world:
        sessions = {address: world.sign_in(address) for address in SPONSORS}

        def request(call: Call) -> Request:
            return invitations(STRANGER, session=sessions[call[1]], Idempotency_Key=call[1])

        yield Start(world, request, kept(world))


def invited_by_many(start: Start, seed: int) -> Race:
    """Two to eight sponsors invite one person; decisions and mails go on meanwhile. Then the
    one with the mail confirms, twice at the same time.
    """
    start.restore()
    world, chance = start.world, Random(seed)
    world.machine.chance.seed(seed)
    world.cloud.seed(f"race {seed}")
    scheduler = world.cloud.scheduler
    race = Race(scheduler.calls)
    before = {one.invitation_id for one in all_of(world.cloud, Invitation)}
    begun: dict[str, int] = {}  # when each sponsor asked, by their id
    names = {_sponsor_id(world, address): address for address in SPONSORS}
    left = list(SPONSORS[: chance.randint(2, 8)])
    chance.shuffle(left)

    def note_decisions() -> None:
        for one in all_of(world.cloud, Invitation):
            if one.invitation_id in before or one.decision is None:
                continue
            before.add(one.invitation_id)
            answer = "refused" if one.state is InvitationState.REFUSED else "accepted"
            call = ("invite", names[one.sponsor_id])
            now = scheduler.calls - race.since
            race.history.append(Event(call, begun[call[1]], now, answer))

    while left or scheduler.workers or world.machine.ready():
        ready = [*world.machine.ready()]
        if left and (chance.random() < 0.3 or not scheduler.workers):
            address = left.pop()
            begun[address] = scheduler.calls - race.since
            _retried(world, start.request(("invite", address)))
        elif ready and (chance.random() < 0.3 or not scheduler.workers):
            chance.choice(ready)()
        else:
            # A mail that may have left is not sent again, so its sender is spared.
            worker = _step(world, chance, FAULTS, spared="mail")
            if worker.done:
                note_decisions()
        if not scheduler.workers and (later := world.machine.next_at()) is not None:
            world.cloud.now = max(world.cloud.now, later)
    if not is_linearizable(race.history, CLAIM):
        race.broken.append(f"no order of the invitations gives these outcomes: {race.history}")
    _confirmed_twice(world, race, chance)
    finish(world.cloud, world.machine, ROUNDS)
    race.broken += violations(world.cloud)
    return race


def _sponsor_id(world: Stage, address: str) -> str:
    contacts = {one.contact_id: one.address.typed for one in all_of(world.cloud, Contact)}
    [found] = [
        one.sponsor_id
        for one in all_of(world.cloud, Sponsor)
        if contacts[one.contact_id] == address
    ]
    return found


def _retried(world: Stage, request: Request) -> None:
    """A page asks again with the same key until it has an answer."""

    def at_end(worker: Worker) -> None:
        answer = worker.outcome
        if not isinstance(answer, Answer) or answer.status >= 500:
            _retried(world, request)

    world.machine.begin("invite", partial(_ask, world, request), at_end)


def _confirmed_twice(world: Stage, race: Race, chance: Random) -> None:
    sent = [
        raw
        for recipient, raw in world.cloud.network.mails
        if recipient == STRANGER and "<invitation-" in str(message_from_bytes(raw)["Message-ID"])
    ]
    if len(sent) != 1:
        race.broken.append(f"{len(sent)} invitation mails")
        return
    request = posting(
        f"/v1/invitations/{world.last_to(STRANGER).token()}/confirmation", CONFIRMATION
    )
    for _ in range(2):
        world.machine.begin("confirm", partial(_ask, world, request))
    while world.cloud.scheduler.workers:
        _step(world, chance, 0)
    referrals = len(all_of(world.cloud, Referral))
    if referrals != 1:
        race.broken.append(f"{referrals} referrals")


# --- figures -------------------------------------------------------------------------------------


@dataclass
class Figures:
    """What all races came to."""

    numbers: dict[str, object] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def add(self, name: str, races: Sequence[Race], began: float) -> None:
        """Races of one kind."""
        answers: Counter[str] = sum((race.answers() for race in races), Counter())
        self.broken += [f"{name}: {text}" for race in races for text in race.broken]
        self.numbers[name] = {
            "races": len(races),
            "calls": sum(len(race.history) for race in races),
            "answers": dict(sorted(answers.items())),
            "violations": sum(len(race.broken) for race in races),
            "seconds": round(time.process_time() - began, 1),
        }


def figures(seeds: int) -> Figures:
    """The figures of all races; `seeds` of those that a seed varies."""
    found = Figures()
    began = time.process_time()
    found.add(f"{AT_ONCE} use one voucher", [redeemed_by_many(1)], began)
    began = time.process_time()
    found.add(f"{AT_ONCE} roll one back", [rolled_back_by_many(1)], began)
    began = time.process_time()
    found.add(f"{AT_ONCE} are refused on one order", [refused_by_many(1)], began)
    for name, begin, race in (
        ("uses and rollbacks with faults", voucher, mixed),
        ("confirmed and declined with faults", invitation, answered),
        ("2 to 8 sponsors invite one person", sponsors, invited_by_many),
    ):
        began = time.process_time()
        with begin() as start:
            found.add(name, [race(start, seed) for seed in range(seeds)], began)
    return found


def main() -> None:
    """Print the figures; fails if a law or an order breaks."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.races", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    asked = parser.parse_args()
    found = figures(asked.seeds)
    print(json.dumps(found.numbers, indent=2))
    for text in found.broken:
        print(f"  {text}")
    if asked.json:
        asked.json.write_text(json.dumps(found.numbers, indent=2) + "\n")
    sys.exit(bool(found.broken))


if __name__ == "__main__":
    main()
