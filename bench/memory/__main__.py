"""`python -m bench.memory [FUNCTION …]`: what each function takes, and the size that follows.

Prints one table. It measures all, or those that are named, in some minutes, and writes them into
recorded.json beside this file; the sizes in `infra/postprocess/functions.py` are those that follow
from it, as a test sees. `--recorded` prints the table of that file and measures nothing. Run it by
the Python that the functions run on: `.venv-runtime/bin/python -m bench.memory`.
"""

from __future__ import annotations

import fcntl
import json
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console

from bench import report
from bench.capacity import deployed, loads
from bench.memory.demands import DEMANDS, MEASURED_ELSEWHERE_MB
from bench.memory.execution import Code, Measured, Measurements
from bench.memory.loads import LOADS, Load
from bench.memory.sizes import Profile, Took, choose
from bench.memory.stage import measuring
from infra.package import local_target, package

RECORDED = Path(__file__).with_name("recorded.json")
COLUMNS = (
    "function", "start", "first event", "typical", "largest", "of", "peak", "size", "now",
    "$ a million",
)  # fmt: skip
# Stories with typical events, and of which functions.
STORIES = {
    loads.story: {"api", "relay", "project", "decide", "mail", "reward"},
    loads.due: {"due", "expire"},
}


def main(arguments: list[str]) -> int:
    """Measure, write, print."""
    console = Console(stderr=True)
    names = [one for one in arguments if one != "--recorded"]
    if "--recorded" in arguments:
        profiles, conditions = recorded()
    else:
        profiles = list(_measured(names, console))
        conditions = report.conditions(calls="times assumed as in bench/capacity/limits.py")
        _record(profiles, conditions)
    table = report.table(COLUMNS, map(row, profiles))
    report.publish("memory", conditions, table, list(map(asdict, profiles)))
    return 0


def _record(profiles: list[Profile], conditions: dict[str, str]) -> None:
    """Write what was measured beside what was measured of other functions."""
    with (report.FOLDER / "memory.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = recorded()[0] if RECORDED.is_file() else []
        each = {one.function: one for one in (*before, *profiles)}
        functions = [asdict(each[name]) for name in DEMANDS if name in each]
        content = {"conditions": conditions, "functions": functions}
        RECORDED.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def recorded() -> tuple[list[Profile], dict[str, str]]:
    """What was measured of each function, and on what."""
    content = json.loads(RECORDED.read_text(encoding="utf-8"))
    took = ("first", "typical", "largest")
    return [
        Profile(**{**one, **{name: Took(**one[name]) for name in took}})
        for one in content["functions"]
    ], content["conditions"]


def _measured(names: list[str], console: Console) -> Iterator[Profile]:
    build = report.ROOT / "build" / f"memory-{sys.implementation.cache_tag}"
    build.mkdir(parents=True, exist_ok=True)
    made = package(local_target(), build=build)
    with tempfile.TemporaryDirectory(prefix="tandem-code-") as folder:
        yield from measure(Code.unpacked(made, Path(folder)), names, console)


def measure(code: Code, names: Iterable[str], console: Console) -> Iterator[Profile]:
    """The profile of each function, or of those with these names."""
    wanted = [one for one in LOADS if not names or one.function in names]
    typical, starts, events = Measurements(), Measurements(), defaultdict(list)
    for story, played in STORIES.items():
        if not played & {one.function for one in wanted}:
            continue
        with console.status("a story"), measuring(code, typical), story():
            pass
    for load in wanted:
        kept = Measurements()
        with console.status(f"{load.function}: {load.what}"), measuring(code, kept), load.play():
            pass
        starts.starts += kept.starts
        events[load.function].append((load, kept.of(load.function)))
        # What a story of one thing has no event of.
        if not typical.of(load.function) or load.promised:
            typical.events += kept.of(load.function)
    for function, measured in events.items():
        yield profile(function, typical.of(function), measured, _start_s(starts, function))


def _start_s(starts: Measurements, function: str) -> float:
    return statistics.median(one.cpu_s for one in starts.starts if one.function == function)


def profile(
    function: str,
    typical: list[Measured],
    measured: list[tuple[Load, list[Measured]]],
    start_s: float,
) -> Profile:
    """What the events of a function come to."""
    firsts = [one for one in typical if one.first] or typical[:1]
    later = [one for one in typical if not one.first] or typical
    largest, peak_mb, what = _largest(measured)
    return Profile(
        function=function,
        largest_is=what,
        start_s=start_s,
        first=_took(max(firsts, key=lambda one: one.cpu_s)),
        typical=Took(
            statistics.median(one.cpu_s for one in later),
            statistics.median(one.calls_s for one in later),
            statistics.median(one.slept_s for one in later),
        ),
        largest=largest,
        peak_mb=max(peak_mb, *(one.peak_mb for one in typical)),
    )


def _took(one: Measured) -> Took:
    return Took(one.cpu_s, one.calls_s, one.slept_s)


def _largest(measured: list[tuple[Load, list[Measured]]]) -> tuple[Took, float, str]:
    few, many = measured[0], measured[-1]
    if not many[0].promised:
        load, events = max(measured, key=lambda one: max(event.cpu_s for event in one[1]))
        peak = max(event.peak_mb for _, each in measured for event in each)
        return _took(max(events, key=lambda one: one.cpu_s)), peak, load.what
    (fewer, few_events), (more, many_events) = few, many
    low, high = few_events[-1], many_events[-1]
    times = (more.promised - fewer.things) / (more.things - fewer.things)

    def grown(before: float, after: float) -> float:
        return before + max(0.0, after - before) * times

    took = Took(grown(low.cpu_s, high.cpu_s), grown(low.calls_s, high.calls_s))
    return took, grown(low.peak_mb, high.peak_mb), f"{more.promised:,} {more.what}"


def size_of(one: Profile) -> int:
    """The size that follows from a profile."""
    known = replace(one, peak_mb=peak_of(one))
    return choose(known, DEMANDS[one.function], deployed.size(one.function).timeout_s)


def peak_of(one: Profile) -> float:
    """The most that a function was measured to take, here or elsewhere."""
    return max(one.peak_mb, MEASURED_ELSEWHERE_MB.get(one.function, 0))


def row(one: Profile) -> tuple[str, ...]:
    """A line of the table."""
    size = size_of(one)
    now = deployed.size(one.function).memory_mb
    dollars = [f"{one.typical.dollars(each) * 1_000_000:.2f}" for each in (size, now)]
    return (
        one.function,
        f"{one.start_s * 1000:.0f} ms",
        _text(one.first),
        _text(one.typical),
        _text(one.largest),
        one.largest_is,
        f"{peak_of(one):.0f} MB",
        f"{size} MB",
        f"{now} MB",
        f"{dollars[0]}, now {dollars[1]}",
    )


def _text(took: Took) -> str:
    paced = f", paced {took.paced_s:.2g} s" if took.paced_s else ""
    return f"{took.cpu_s * 1000:,.0f} ms + {took.calls_s:.2g} s{paced}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
