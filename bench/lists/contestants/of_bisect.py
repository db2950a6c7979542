"""Plain bisect over all records in memory: `… of_bisect SEGMENT SAMPLE`.

The least one can write: it needs the whole list in the process (160 MB for 10 M), where a segment's
reader needs one bucket.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from pathlib import Path

from bench.lists.contestants.lookups import measure
from bench.lists.making import RECORD
from bench.lists.segments import records_of


def main(segment: str, sample: str) -> None:
    """Load, measure."""
    records = records_of(Path(segment))
    places = range(len(records) // RECORD)

    def record_at(place: int) -> bytes:
        return records[place * RECORD : place * RECORD + RECORD]

    def contains(record: bytes) -> bool:
        place = bisect_left(places, record, key=record_at)
        return place < len(places) and record_at(place) == record

    measure(contains, Path(sample))


if __name__ == "__main__":
    main(*sys.argv[1:])
