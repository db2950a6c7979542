"""What every benchmark leaves: one Markdown table on stdout, and its figures as JSON.

Progress and complaints go to stderr, so that stdout can be pasted into docs/performance.md.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build" / "bench"


def conditions(**more: str) -> dict[str, str]:
    """What a run was measured on, without the name of the machine; `more` is added."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "day": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {memory / 1e9:.0f} GB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **more,
    }


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def publish(name: str, measured_on: Mapping[str, str], markdown: str, figures: object) -> Path:
    """Print the conditions and the table; write the figures to build/bench/NAME.json."""
    print("; ".join(f"{key} {value}" for key, value in measured_on.items()) + "\n")
    print(markdown)
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{name}.json"
    content = {"conditions": measured_on, "figures": figures}
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file
