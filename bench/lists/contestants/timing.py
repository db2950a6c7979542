"""How every look-up is timed and checked.

Each contestant is asked for the same 20,000 records that are on the list and 20,000 that are not:
once to warm its caches and to check its answers, and once timed. The time includes the loop around
the call, for every contestant alike.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from bench.lists.inputs import read_sample


def measure(contains: Callable[[bytes], bool], sample: str) -> None:
    """Print the JSON answer: microseconds for a hit and for a miss, and how many were wrong."""
    hits, misses = read_sample(Path(sample))
    wrong = sum(not contains(one) for one in hits) + sum(contains(one) for one in misses)
    answer = {
        "hit_us": _microseconds(contains, hits),
        "miss_us": _microseconds(contains, misses),
        "wrong": wrong,
        "asked": len(hits) + len(misses),
    }
    print(json.dumps(answer))


def _microseconds(contains: Callable[[bytes], bool], records: list[bytes]) -> float:
    began = time.perf_counter()
    for record in records:
        contains(record)
    return (time.perf_counter() - began) / len(records) * 1e6
