"""Every function and every call of the API, killed before and after each of its calls to AWS.

    python -m tests.simulation.crashes [--of mail] [--json PATH]

One run of a handler is stopped at each call, and what AWS has by then is kept: exactly what a
killed process leaves, because nothing else of it remains. From each of these states the world goes
on without that process: the queue, the stream or the schedule delivers the work again, the caller
of the API asks again or gives up, everything else is delivered, and days pass. Then every law must
hold, and all must be as if nothing had happened. A call that changes nothing leaves the same state
as the one before, which is played once.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from functools import partial
from pathlib import Path
from typing import TypeVar

from chalicelib.api.operations import OPERATIONS
from chalicelib.domain.effects import funnel, totals
from chalicelib.domain.entity import Entity
from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.orders import Order
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.vouchers import Voucher
from tests.api.gateway import Answer, Request
from tests.api.world import CAMPAIGN
from tests.simulation.laws import all_of, facts_in, violations
from tests.simulation.run import finish
from tests.simulation.scenarios import SCENARIOS, Scenario, function_of
from tests.simulation.scheduler import Worker
from tests.simulation.stage import Stage, stage

E = TypeVar("E", bound=Entity)
ROUNDS = (1, 31, 1)  # days between the runs of all schedules after a crash
GIVES_UP = "gives up"
Shown = dict[str, object]


@dataclass(frozen=True)
class _State:
    """What AWS has at some points of a run, and the first of them."""

    point: str
    restore: Callable[[], None]


@dataclass
class Crashes:
    """What the crash points of a scenario came to."""

    scenario: Scenario
    calls: int = 0
    points: int = 0
    states: int = 0
    ends: int = 0  # worlds that were played to their end
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)


def crash(scenario: Scenario) -> Crashes:
    """Crash a scenario everywhere."""
    began = time.process_time()
    found = Crashes(scenario)
    with stage() as world:
        work = scenario.begin(world)
        assert isinstance(work, Request) or function_of(work) == scenario.of
        restore_machine = world.machine.save()
        undisturbed: Shown | None = None
        for state in _states(world, partial(_started, world, work), found):
            found.states += 1
            for name, go_on in _futures(world, scenario, work):
                restore_machine()
                state.restore()
                world.machine.held = set()
                broken = [*go_on()]
                finish(world.cloud, world.machine, ROUNDS)
                broken += violations(world.cloud)
                if name != GIVES_UP and not scenario.counts_twice:
                    shown = _shown(world)
                    undisturbed = undisturbed or shown
                    broken += _differences(undisturbed, shown, scenario)
                found.ends += 1
                found.broken += [f"killed {state.point}, {name}: {one}" for one in broken]
    found.seconds = time.process_time() - began
    return found


def _started(world: Stage, work: Request | str) -> Worker:
    if isinstance(work, str):
        return world.machine.deliver(work)

    def ask() -> object:
        worker = world.cloud.scheduler.current()
        assert worker
        return worker.context.gateway.call(work)

    return world.machine.begin("api", ask)


def _states(world: Stage, start: Callable[[], Worker], found: Crashes) -> Iterator[_State]:
    """The distinct states that a run goes through, found by one run; then they are given."""
    network, scheduler = world.cloud.network, world.cloud.scheduler
    states: list[_State] = []
    worker = start()
    kept = network.copy()
    states.append(_State("before call 1", world.cloud.save()))
    while not worker.done:
        assert worker.call
        name = worker.call.name
        scheduler.step(worker)
        found.calls += 1
        found.points += 2
        if not network.is_like(kept):
            kept = network.copy()
            states.append(_State(f"after call {found.calls}, {name}", world.cloud.save()))
    if worker.error:
        raise worker.error
    if isinstance(worker.outcome, Answer):
        assert worker.outcome.status == found.scenario.answer or worker.outcome.status < 400
    yield from states


def _futures(
    world: Stage, scenario: Scenario, work: Request | str
) -> list[tuple[str, Callable[[], Iterable[str]]]]:
    """What may follow: AWS delivers again; a caller asks again, or never again."""
    if isinstance(work, str):
        return [("delivered again", list)]

    def ask_again() -> Iterator[str]:
        status = world.ask(work).status
        [operation] = [one for one in OPERATIONS if one.name == scenario.of]
        allowed = {*operation.answers, scenario.refusal}
        if status not in ({scenario.answer} if scenario.answer else allowed):
            yield f"the repeated request was answered with {status}"

    return [("asks again", ask_again), (GIVES_UP, list)]


def _shown(world: Stage) -> Shown:
    """What the people see of a world, without its random ids."""
    here = world.cloud
    mails = {
        (recipient, str(message_from_bytes(raw)["Message-ID"]))
        for recipient, raw in here.network.mails
    }
    return {
        "counts": funnel(totals(here.aside.ports.repository.counts(CAMPAIGN))),
        "invitations": Counter(str(one.state) for one in all_of(here, Invitation)),
        "vouchers": Counter(
            f"{one.rule} {one.rung} {one.state} {bool(one.export)}" for one in all_of(here, Voucher)
        ),
        "orders": Counter(f"{one.order_id} {one.status}" for one in all_of(here, Order)),
        "redemptions": Counter(
            f"{one.order_id} {bool(one.rolled_back_at)}" for one in all_of(here, Redemption)
        ),
        "refusals": Counter(
            str(fact.details["reason"])
            for fact in facts_in(here)
            if fact.name == FactName.REDEMPTION_REFUSED
        ),
        "mails": Counter(
            f"{name.strip('<').partition('-')[0]} to {recipient}" for recipient, name in mails
        ),
    }


def _differences(undisturbed: Shown, shown: Shown, scenario: Scenario) -> Iterator[str]:
    if scenario.may_lose_invitations:
        return
    for name, value in undisturbed.items():
        if shown[name] != value:
            yield f"{name} are {shown[name]}, and without the crash {value}"


HEADER = f"{'handler':<44}{'calls':>7}{'points':>8}{'states':>8}{'ends':>7}{'broken':>8}{'s':>8}"


def _line(one: Crashes) -> str:
    return (
        f"{one.scenario.title:<44}{one.calls:>7}{one.points:>8}{one.states:>8}"
        f"{one.ends:>7}{len(one.broken):>8}{one.seconds:>8.1f}"
    )


def figures(found: list[Crashes]) -> dict[str, object]:
    """The numbers of all scenarios together."""
    return {
        "handlers": len({one.scenario.of for one in found}),
        "scenarios": len(found),
        "calls": sum(one.calls for one in found),
        "crash_points": sum(one.points for one in found),
        "states": sum(one.states for one in found),
        "worlds_played": sum(one.ends for one in found),
        "violations": sum(len(one.broken) for one in found),
        "seconds": round(sum(one.seconds for one in found), 1),
    }


def main() -> None:
    """Crash everything, or what is named; fails if a law breaks."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.crashes", description=__doc__)
    parser.add_argument("--of", help="only this function or operation")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    asked = parser.parse_args()
    found: list[Crashes] = []
    print(HEADER)
    for scenario in SCENARIOS:
        if asked.of in {None, scenario.of}:
            found.append(crash(scenario))
            print(_line(found[-1]), flush=True)
            for text in found[-1].broken:
                print(f"  {text}")
    numbers = figures(found)
    print(json.dumps(numbers))
    if asked.json:
        asked.json.write_text(json.dumps(numbers, indent=2) + "\n")
    sys.exit(bool(numbers["violations"]))


if __name__ == "__main__":
    main()
