"""How every contestant of the look-up is timed, and held to be exact.

Each is asked for the same 20,000 records that are there and 20,000 that are not, once to get warm
and once by the clock. The loop around the call is in everybody's time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from bench.lists.making import sampled


def measure(contains: Callable[[bytes], bool], sample: Path) -> None:
    """Print the JSON answer: microseconds for a hit and for a miss, and how many were wrong."""
    hits, misses = sampled(sample)
    wrong = _wrong(contains, hits, misses)
    answer = {
        "hit_us": _microseconds(contains, hits),
        "miss_us": _microseconds(contains, misses),
        "wrong": wrong,
        "asked": len(hits) + len(misses),
    }
    print(json.dumps(answer))


def _wrong(contains: Callable[[bytes], bool], hits: list[bytes], misses: list[bytes]) -> int:
    return sum(not contains(one) for one in hits) + sum(contains(one) for one in misses)


def _microseconds(contains: Callable[[bytes], bool], records: list[bytes]) -> float:
    began = time.perf_counter()
    for record in records:
        contains(record)
    return (time.perf_counter() - began) / len(records) * 1e6
