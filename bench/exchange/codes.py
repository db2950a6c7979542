"""The contest of making voucher codes: Tandem and the npm package voucher-code-generator.

Both make codes of 14 characters of the same alphabet, no two alike. Ours are drawn from the
operating system's cryptographic source and end with a check character; theirs are drawn with
`Math.random` and have none. Each is timed inside its process, and checked after that.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.lists.processes import Contestant, Settings, run_rounds
from bench.lists.results import Check, Results, standings
from chalicelib.domain.codes import ALPHABET, CODE_LENGTH
from local.node import NODE

LEAST = 2.0  # times our time
TOGETHER = "Tandem, together"
SINGLY = "Tandem, one at a time"
GENERATOR = "voucher-code-generator"
SCRIPT = Path(__file__).with_name("generator.mjs")


def contest(settings: Settings, results: Results, modules: Path) -> None:
    """Make `settings.rows` codes in each way; `modules` is the folder of the npm package."""
    name = f"{settings.rows:,} codes"
    contestants = [
        Contestant(TOGETHER, _tandem(settings.rows, "together")),
        Contestant(SINGLY, _tandem(settings.rows, "singly"), slow=True),
        Contestant(GENERATOR, _generator(settings.rows, modules)),
    ]
    runs = run_rounds(contestants, settings)
    results.standings += standings(name, runs, TOGETHER, time=lambda run: run.answer["seconds"])
    for contestant, each in runs.items():
        for checked in ("distinct", "valid"):
            holds = all(run.answer[checked] == settings.rows for run in each)
            results.checks.append(Check(name, contestant, f"all {checked}", holds))
    results.require_ratio(name, GENERATOR, LEAST)


def _tandem(count: int, how: str) -> tuple[str | Path, ...]:
    return (Path(sys.executable), "-m", "bench.exchange.tandem_codes", str(count), how)


def _generator(count: int, modules: Path) -> tuple[str | Path, ...]:
    from_there = 'cd "$1" && shift && exec "$@"'
    words = (NODE, SCRIPT, str(count), str(CODE_LENGTH), ALPHABET)
    return (Path("/bin/sh"), "-c", from_there, "sh", modules, *words)
