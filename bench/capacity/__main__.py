"""`python -m bench.capacity [NAME …]`: the table, and build/bench/capacity.json.

Without names all rows, in some minutes; exits with 1 when one misses what is asked of it.
"""

from __future__ import annotations

import sys
from dataclasses import asdict

from rich.console import Console

from bench import report
from bench.capacity import limits
from bench.capacity.rows import COLUMNS, ROWS, Row


def main(names: list[str]) -> int:
    """Measure, print, write."""
    console = Console(stderr=True)
    rows: list[Row] = []
    for component in ROWS:
        if not names or component.__name__ in names:
            with console.status(component.__name__):
                for row in component():
                    console.print(" · ".join(row.cells))
                    rows.append(row)
    figures = {
        "rows": [asdict(row) | {"holds": row.holds} for row in rows],
        "assumed seconds of a call": limits.SECONDS,
    }
    conditions = report.conditions(limits="published by AWS; calls' times assumed")
    file = report.publish(
        "capacity", conditions, report.table(COLUMNS, (r.cells for r in rows)), figures
    )
    console.print(f"figures: {file.relative_to(report.ROOT)}")
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
