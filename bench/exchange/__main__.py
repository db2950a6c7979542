"""`python -m bench.exchange`: how fast voucher codes are made, and what the calls of a till cost.

Prints two Markdown tables and writes build/bench/exchange.json. Exits with 1 when a code is wrong,
a contestant fails, or a bar is missed. The npm package is installed into build/bench/exchange/.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

import app
from bench import report
from bench.calls import Cost, cost_of
from bench.exchange import codes
from bench.lists.processes import ContestantFailedError, Settings
from bench.lists.results import COLUMNS, Results
from chalicelib.api.operations import GET_VOUCHER, REDEEM, ROLL_BACK
from local.environment import EnvironmentFailedError
from local.node import NODE, make_modules
from tests.api.gateway import Gateway

HERE = Path(__file__).parent
MODULES = report.FOLDER / "exchange"
CODES = 1_000_000
ROUNDS = 3
MOST_CALLS = 2
CALL_COLUMNS = ("call of a till", "calls of AWS", "units", "bar")


def main() -> int:
    """Measure, print, write."""
    console = Console(stderr=True)
    try:
        install()
        with console.status("") as status:
            results = _codes_made(status.update)
            status.update("calling as a till does")
            gateway = Gateway(app.app)
            spent = [cost_of(gateway, one) for one in (GET_VOUCHER, REDEEM, ROLL_BACK)]
    except (EnvironmentFailedError, ContestantFailedError) as error:
        console.print(f"bench: {error}", markup=False, soft_wrap=True)
        return 1
    tables = [report.table(COLUMNS, results.rows()), report.table(CALL_COLUMNS, rows(spent))]
    figures = asdict(results) | {"calls": [asdict(one) for one in spent]}
    measured_on = report.conditions(node=_node_version(), rounds=str(ROUNDS))
    file = report.publish("exchange", measured_on, "\n\n".join(tables), figures)
    console.print(f"figures: {file.relative_to(report.ROOT)}")
    failures = [*results.failures(), *too_many(spent)]
    for failure in failures:
        console.print(f"bench: {failure}", markup=False, soft_wrap=True)
    return 1 if failures else 0


def install() -> None:
    """Install the npm package, as its lock names it. Raises EnvironmentFailedError."""
    MODULES.mkdir(parents=True, exist_ok=True)
    for file in (HERE / "package.json", HERE / "package-lock.json", report.ROOT / ".npmrc"):
        shutil.copy(file, MODULES)
    make_modules(MODULES)


def _codes_made(progress: Callable[[str], None]) -> Results:
    results = Results()
    with tempfile.TemporaryDirectory(prefix="exchange-", dir=report.FOLDER) as folder:
        settings = Settings(CODES, ROUNDS, Path(folder), progress)
        codes.contest(settings, results, MODULES)
    return results


def _node_version() -> str:
    done = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def rows(spent: Sequence[Cost]) -> Iterator[tuple[str, ...]]:
    """One for each call, with its bar."""
    for cost in spent:
        verdict = "MISSED" if list(too_many([cost])) else "met"
        units = f"{cost.read_units:g} RU, {cost.write_units:g} WU"
        yield cost.name, cost.summary, units, f"≤ {MOST_CALLS} calls: {len(cost.calls)}, {verdict}"


def too_many(spent: Sequence[Cost]) -> Iterator[str]:
    """A line for each call that makes more calls of AWS than its bar."""
    for cost in spent:
        if len(cost.calls) > MOST_CALLS:
            yield f"missed: {cost.name}: ≤ {MOST_CALLS} calls wanted, {len(cost.calls)} made"


if __name__ == "__main__":
    sys.exit(main())
