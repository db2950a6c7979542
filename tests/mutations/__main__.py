"""Takes every guard of the code away in turn and sees that a test notices: `make mutations`.

    python -m tests.mutations           runs the test that the table names, without its guard, and
                                        with every guard, when it has to pass
    python -m tests.mutations --find    looks for what notices the guards that are open
    python -m tests.mutations --settle  brings table and page to the guards of the code

Looking takes two steps. All tests of `TRACED` are run once to learn which meet which guard (kept in
`build/mutations/`; `--trace` does it again); then those that meet a guard are run without it until
one fails, those of files that notice most of its neighbours first. It has to fail alone too, and to
pass with the guard. What no test notices is left out of the text, and mypy is asked.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tests.mutations import typed
from tests.mutations.finder import ROOT, Guard, all_guards
from tests.mutations.page import PAGE, page
from tests.mutations.table import MYPY, Table

if TYPE_CHECKING:
    from tests.mutations.plugin import Task

TRACE = ROOT / "build" / "mutations"
TRACED = ("services", "contract", "adapters", "domain", "api", "mails", "simulation")
# Those of real time and of the big simulations are not needed to notice a guard.
NOT_TRACED = "not stack and not browser"
MOST_SECONDS = 20.0  # of tests tried for one guard
CONTROL = "with every guard: "


def main(arguments: Sequence[str]) -> int:
    """Run the command; 1 when a guard can be taken away unnoticed."""
    options = _options(arguments)
    guards, table = all_guards(), Table.read()
    table.settle(guards)
    if options.find:
        _find(guards, table, options)
    if options.find or options.settle:
        _keep(guards, table)
        print(json.dumps(_figures(guards, table)))
        return 0
    return _check(guards, table, options)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutations",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--find", action="store_true", help="look for what notices the open ones")
    parser.add_argument(
        "--settle", action="store_true", help="bring table and page to the code, run nothing"
    )
    parser.add_argument(
        "--trace",
        nargs="*",
        metavar="PATH",
        help="learn again which tests meet what; with paths, of these tests, beside what is known",
    )
    parser.add_argument("--only", default="*", help="guards whose name has this pattern")
    parser.add_argument("--workers", type=int, default=2, help="tests run at the same time")
    parser.add_argument("--tests", type=int, default=40, help="tried for one guard, at most")
    parser.add_argument("--json", action="store_true", help="print the figures alone")
    return parser.parse_args(arguments)


def _figures(guards: Mapping[str, Guard], table: Table) -> dict[str, int]:
    return {
        "found": len(guards),
        "by_test": len(table.caught) - table.by_mypy,
        "by_mypy": table.by_mypy,
        "left": len(table.left),
        "open": len(table.open),
    }


def _keep(guards: Mapping[str, Guard], table: Table) -> None:
    table.settle(guards)
    table.write()
    (ROOT / PAGE).write_text(page(guards, table))


# --- looking --------------------------------------------------------------------------------------


def _find(guards: Mapping[str, Guard], table: Table, options: argparse.Namespace) -> None:
    if options.trace is not None or not any(TRACE.glob("*.jsonl")):
        _trace(options.workers, options.trace or ())
    met = _met()
    wanted = [name for name in table.open if fnmatch.fnmatch(name, options.only)]
    tasks = {name: _candidates(name, met.get(name, {}), table, options.tests) for name in wanted}
    print(f"{len(wanted)} guards, {sum(not tests for tests in tasks.values())} met by no test")

    while tasks := {name: tests for name, tests in tasks.items() if tests}:
        noticed = _first_to_fail(tasks, options.workers)
        confirmed = _confirmed(noticed, options.workers)
        table.caught |= {name: noticed[name] for name in confirmed}
        _keep(guards, table)
        # The others failed for what ran before them in the same process: those after them may do.
        tasks = {
            name: tests[tests.index(noticed[name]) + 1 :]
            for name, tests in tasks.items()
            if name in noticed and name not in confirmed
        }
    unnoticed = [guards[name] for name in wanted if name not in table.caught]
    with tempfile.TemporaryDirectory() as folder:
        for name, error in typed.noticed(unnoticed, Path(folder)):
            print(f"{name}\n{' ' * 12}{error}")
            table.caught[name] = MYPY
            _keep(guards, table)


def _first_to_fail(tasks: Mapping[str, Sequence[str]], workers: int) -> dict[str, str]:
    """Of each guard the first of its tests that fails without it; none where none does."""
    noticed: dict[str, str] = {}

    def note(task: Task) -> None:
        print(f"{task.seconds:6.1f} s {task.ran:3} {task.guard}\n{' ' * 12}{task.outcome}")
        if task.noticed_by:
            noticed[task.guard] = task.noticed_by

    _run(tasks, workers, note)
    return noticed


def _confirmed(noticed: Mapping[str, str], workers: int) -> set[str]:
    """The guards whose test fails without it in a process of its own, and passes with it."""
    failed: set[str] = set()

    def note(task: Task) -> None:
        if task.noticed_by:
            failed.add(task.guard)

    alone = {name: [test] for name, test in noticed.items()}
    _run(alone | {_control(test): [test] for test in noticed.values()}, workers, note)
    return {
        name for name, test in noticed.items() if name in failed and _control(test) not in failed
    }


def _control(test: str) -> str:
    return f"{CONTROL}{test}"


def _trace(workers: int, tests: Sequence[str]) -> None:
    if not tests:
        shutil.rmtree(TRACE, ignore_errors=True)
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--quiet", "-p", "tests.mutations.plugin"),
            *("-m", NOT_TRACED, "--numprocesses", str(workers)),
            *(tests or (f"tests/{folder}" for folder in TRACED)),
        ],
        cwd=ROOT,
        env=os.environ | {"MUTATIONS_TRACE": str(TRACE)},
        check=False,
    )


def _met() -> dict[str, dict[str, float]]:
    """The tests that meet a guard, with their seconds."""
    met: dict[str, dict[str, float]] = {}
    for path in TRACE.glob("*.jsonl"):
        for one in map(json.loads, path.read_text().splitlines()):
            for name in one["met"]:
                met.setdefault(name, {})[one["test"]] = one["seconds"]
    return met


def _candidates(guard: str, seconds: Mapping[str, float], table: Table, at_most: int) -> list[str]:
    """The tests to try: one of each function before the second one of any; of files that notice
    most of the guards beside this one before others; the fastest first.
    """
    beside = f"{guard.partition(':')[0]}:"
    notices = Counter(
        test.partition("::")[0] for name, test in table.caught.items() if name.startswith(beside)
    )
    cases: Counter[str] = Counter()
    ranked = []
    for test in sorted(seconds, key=lambda name: (seconds[name], name)):
        function = test.partition("[")[0]
        ranked.append((cases[function], -notices[test.partition("::")[0]], seconds[test], test))
        cases[function] += 1
    chosen: list[str] = []
    left = MOST_SECONDS
    for *_, took, test in sorted(ranked):
        left -= took
        if (chosen and left < 0) or len(chosen) == at_most:
            break
        chosen.append(test)
    return chosen


# --- running --------------------------------------------------------------------------------------


def _check(guards: Mapping[str, Guard], table: Table, options: argparse.Namespace) -> int:
    wanted = {
        name: [test]
        for name, test in table.caught.items()
        if test != MYPY and fnmatch.fnmatch(name, options.only)
    }
    # A test that fails with every guard in place notices nothing.
    controls = {_control(test): [test] for [test] in wanted.values()}
    wrong: list[str] = []

    def note(task: Task) -> None:
        if bool(task.noticed_by) == task.guard.startswith(CONTROL):
            wrong.append(task.guard)
            if not options.json:
                print(f"{task.guard}\n{' ' * 12}{task.outcome}")

    ran = _run(wanted | controls, options.workers, note) - len(controls)
    failing = sum(name.startswith(CONTROL) for name in wrong)
    counted = {"ran": ran, "unnoticed": len(wrong) - failing, "controls": len(controls)}
    print(json.dumps(_figures(guards, table) | counted | {"controls_failing": failing}))
    return 1 if wrong or ran < len(wanted) else 0


def _run(tests: Mapping[str, Sequence[str]], workers: int, report: Callable[[Task], None]) -> int:
    """Run tests without a guard each, by guard; returns how many guards were taken away."""
    if not tests:
        return 0
    import pytest

    from tests.mutations import hook
    from tests.mutations.plugin import Plugin, Task

    hook.install()
    tasks = [Task(name, one) for name, one in tests.items()]
    files = sorted({test.partition("::")[0] for one in tests.values() for test in one})
    os.chdir(ROOT)
    # The children are silent; the output of a test that is run here is nobody's.
    options = ["--quiet", "--quiet", "--capture=no", "--no-header", "-p", "no:cacheprovider"]
    pytest.main([*options, *files], plugins=[Plugin(tasks, at_once=workers, report=report)])
    return sum(task.ran > 0 for task in tasks)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
