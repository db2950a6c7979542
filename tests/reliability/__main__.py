"""`python -m tests.reliability [NAME …] [--share 0.1]`: one table, and the figures as
build/bench/reliability.json.

A section is a function of `SECTIONS` that yields figures; without names all are run, of each the
whole or a share of its cases. Exits with 1 when one does not hold.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from time import perf_counter

from rich.console import Console

from bench import report
from bench.capacity.rows import ROWS
from chalicelib.domain.facts import FactName
from tests.reliability.deliveries import deliveries
from tests.reliability.figures import COLUMNS, Figure
from tests.reliability.lost_facts import withheld
from tests.reliability.races import invitations_of_one, one_voucher
from tests.simulation.crashes import crash
from tests.simulation.scenarios import SCENARIOS

Section = Callable[[float], Iterator[Figure]]


def storm(share: float) -> Iterator[Figure]:
    """A programme of 1,000 referrals, delivered again and again, in any order, with faults."""
    yield deliveries(referrals=_some(1_000, share))


def races(share: float) -> Iterator[Figure]:
    """Many at once for one thing."""
    yield invitations_of_one(seeds=_some(1_000, share))
    yield from one_voucher(workers=200, seeds=_some(5, share))


def facts(share: float) -> Iterator[Figure]:
    """Facts that are lost on their way."""
    yield withheld([*FactName][: _some(len(FactName), share)])


def crashes(share: float) -> Iterator[Figure]:
    """Every handler, killed at each of its calls."""
    found = [crash(scenario) for scenario in SCENARIOS[:: round(1 / share)]]
    details = [text for one in found for text in one.broken]
    handlers = {one.scenario.of for one in found}
    points = sum(one.points for one in found)
    done = {"handlers": len(handlers), "scenarios": len(found), "crash points": points}
    yield Figure("killed at each call", done, {"violations": len(details)}, details)


def mutations(_: float) -> Iterator[Figure]:
    """Every guard, taken away, by a process that has not loaded the code; always all of them."""
    command = [sys.executable, "-m", "tests.mutations", "--json"]
    answer = subprocess.run(command, cwd=report.ROOT, capture_output=True, text=True, check=False)
    counted = json.loads(answer.stdout.splitlines()[-1])
    done = {"guards": counted["found"], "taken away": counted["ran"]}
    found = {name: counted[name] for name in ("unnoticed", "open", "controls_failing")}
    yield Figure("guards", done, {name.replace("_", " "): found[name] for name in found})


def capacity(_: float) -> Iterator[Figure]:
    """What each component bears (`bench.capacity` prints the rows); always all of it."""
    rows = [row for component in ROWS for row in component()]
    missed = [row for row in rows if not row.holds]
    details = [" · ".join(row.cells) for row in missed]
    yield Figure("capacity", {"rows": len(rows)}, {"missed": len(missed)}, details)


def _some(cases: int, share: float) -> int:
    return max(1, round(cases * share))


SECTIONS: Mapping[str, Section] = {
    section.__name__: section for section in (storm, races, facts, crashes, mutations, capacity)
}


def main(names: list[str], share: float) -> int:
    """Run, print, write."""
    console = Console(stderr=True)
    figures: list[Figure] = []
    seconds: dict[str, float] = {}
    for name in names or SECTIONS:
        began = perf_counter()
        with console.status(name):
            for figure in SECTIONS[name](share):
                console.print(" · ".join(figure.cells), *figure.details, sep="\n  ")
                figures.append(figure)
        seconds[name] = round(perf_counter() - began, 1)
    content = {
        "figures": [asdict(figure) | {"holds": figure.holds} for figure in figures],
        "seconds": seconds,
        "share": share,
    }
    table = report.table(COLUMNS, (figure.cells for figure in figures))
    file = report.publish("reliability", report.conditions(), table, content)
    console.print(f"figures: {file.relative_to(report.ROOT)}")
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*SECTIONS, []], metavar="NAME")
    parser.add_argument("--share", type=float, default=1.0, help="of the cases")
    asked = parser.parse_args()
    sys.exit(main(asked.names, asked.share))
