"""One simulation: steps with faults by a seed, then all work done without them, then the laws.

    python -m tests.simulation.run --seed 7 --steps 2000

The same seed and number of steps replay the same interleaving: its `trace` is the same.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from tests.simulation.cloud import Cloud, cloud
from tests.simulation.laws import facts_in, violations
from tests.simulation.machine import Machine
from tests.simulation.people import REFEREES, People
from tests.simulation.scheduler import Fault, Worker, faults_of

AT_ONCE = 6  # workers
FAULTS = 0.06  # of all steps
SETTLING = (1, 1, 1, 31, 1, 1)  # days between runs of all schedules; invitations close in a month


@dataclass
class Outcome:
    """What a simulation came to."""

    seed: int
    calls: int = 0
    trace: str = ""  # of the interleaving
    faults: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    facts: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


def simulate(
    seed: int,
    steps: int,
    faults: float = FAULTS,
    referees: int = REFEREES,
    *,
    changes: bool = True,
) -> Outcome:
    """Play one seed. The fewer `referees`, the more often they are invited at the same time;
    without `changes` no list, campaign or key changes, and nobody objects.
    """
    chance = Random(seed)
    with cloud(seed, lags=True) as here:
        machine = Machine(here, chance)
        people = People(here, machine, chance, referees=referees, changes=changes)
        machine.faults = False
        people.begin()
        machine.faults = True
        outcome = Outcome(seed)
        for _ in range(steps):
            _step(here, machine, people, chance, faults, outcome)
        machine.faults = False
        finish(here, machine)
        outcome.calls, outcome.trace = here.scheduler.calls, here.scheduler.trace
        outcome.answers = Counter(f"{name} {answer.status}" for name, answer in people.answers)
        outcome.facts = Counter(fact.name for fact in facts_in(here))
        outcome.broken = violations(here)
    return outcome


def _step(
    here: Cloud, machine: Machine, people: People, chance: Random, faults: float, outcome: Outcome
) -> None:
    here.now += timedelta(milliseconds=chance.choice((5, 20, 100)))
    if chance.random() < 0.01:
        here.now += timedelta(minutes=chance.choice((1, 10, 60, 600)))
    if chance.random() < 0.2:
        here.table.catch_up(chance.choice((1, 5, None)))
    running = here.scheduler.workers
    if not running or (len(running) < AT_ONCE and chance.random() < 0.35):
        kinds: list[Sequence[Callable[[], object]]]
        kinds = [machine.ready(), people.actions(), people.actions()]
        if chance.random() < 0.15:
            kinds.append(machine.scheduled())
        chance.choice(chance.choice([kind for kind in kinds if kind]))()
        return
    worker = chance.choice(running)
    fault = _fault(worker, chance) if chance.random() < faults else None
    if fault:
        outcome.faults[fault] += 1
    here.scheduler.step(worker, fault)
    machine.settle(worker)


def _fault(worker: Worker, chance: Random) -> Fault:
    assert worker.call
    return chance.choice((Fault.KILL, *faults_of(worker.call)))


def finish(here: Cloud, machine: Machine, rounds: Sequence[int] = SETTLING) -> None:
    """No more faults: everything is delivered, and the schedules run for days."""
    here.table.lags = False
    here.table.catch_up()
    for days in rounds:
        drain(here, machine)
        for fire in machine.scheduled():
            fire()
            drain(here, machine)
        here.now += timedelta(days=days)
    drain(here, machine)


def drain(here: Cloud, machine: Machine) -> None:
    """Deliver everything that waits, without faults, until nothing does."""
    for _ in range(10_000):
        while here.scheduler.workers:
            machine.settle(here.scheduler.finish(here.scheduler.workers[0]))
        ready = machine.ready()
        if ready:
            ready[0]()
        elif (later := machine.next_at()) is not None:
            here.now = later
        else:
            return
    raise AssertionError("work without an end")


def main() -> None:
    """Print what a seed came to; fails if it breaks a law."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.run", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from --seed on")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--referees", type=int, default=REFEREES)
    asked = parser.parse_args()
    failed = False
    for seed in range(asked.seed, asked.seed + asked.seeds):
        outcome = simulate(seed, asked.steps, referees=asked.referees)
        print(
            f"seed {seed}: {outcome.calls} calls, {outcome.faults.total()} faults,"
            f" {outcome.answers.total()} answers, {len(outcome.broken)} violations,"
            f" trace {outcome.trace[:16]}"
        )
        for text in outcome.broken:
            print(f"  {text}")
        failed |= bool(outcome.broken)
    sys.exit(failed)


if __name__ == "__main__":
    main()
