"""`python -m bench.abuse`: what those get who cheat, in numbers; `make abuse`.

    python -m bench.abuse [NAME]       # one of the tables, or all of them

Prints a Markdown table for each part and writes build/bench/abuse.json. Exits with 1 when a figure
is out of its bounds. A part is a function without arguments that returns a `Table`; it is imported
when it runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from rich.console import Console

from bench import report
from bench.abuse_figures import Table

COLUMNS = ("what", "figure")


def _score() -> Table:
    from bench.abuse_score import table

    return table()


PARTS: Mapping[str, Callable[[], Table]] = {"score": _score}


def main(names: list[str]) -> int:
    """Measure, print, write."""
    console = Console(stderr=True)
    if unknown := [name for name in names if name not in PARTS]:
        console.print(f"abuse: no part {', '.join(unknown)}: there are {', '.join(PARTS)}")
        return 1
    tables: dict[str, Table] = {}
    for name in names or PARTS:
        with console.status(name):
            tables[name] = PARTS[name]()
    report.publish(
        "abuse",
        report.conditions(),
        "\n\n".join(_markdown(each) for each in tables.values()),
        {name: each.figures for name, each in tables.items()},
    )
    missed = [name for name, each in tables.items() if not each.holds]
    for name in missed:
        console.print(f"abuse: {name}: out of its bounds")
    return 1 if missed else 0


def _markdown(each: Table) -> str:
    return f"**{each.title}**\n\n{report.table(COLUMNS, each.rows)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
