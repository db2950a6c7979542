"""Our reader: `… of_reader at_hand|file|counted SEGMENT SAMPLE`.

`at_hand` finds each bucket where its GET has already put it, so that the reader's own work is all
that is timed; `file` reads ranges of a local file; `counted` answers with what S3 would have been
asked for: cold, with a new reader for every look-up, and warm. The reader is the functions' own,
with all its checks; in the functions a fetch is a ranged GET.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.lists.contestants.lookups import measure
from bench.lists.making import sampled
from bench.lists.segments import LocalSegments, etag_of, header_of
from chalicelib.adapters.lists.reader import Fetch, SegmentReader, SegmentRef

COLD = 500  # look-ups, each with a new reader


def main(way: str, segment: str, sample: str) -> None:
    """Measure or count."""
    path = Path(segment)
    store = LocalSegments(path.parent)
    header = header_of(path)
    ref = SegmentRef(path.name, etag_of(path), header.count, header.directory_crc, header.key_id)
    if way == "counted":
        print(json.dumps(_counted(store, ref, Path(sample))))
        return
    fetch: Fetch = store.fetch
    if way == "at_hand":
        fetch = _remembered(store.fetch)
    find = SegmentReader(fetch).find

    def contains(record: bytes) -> bool:
        return find(ref, (record,)) is not None

    measure(contains, Path(sample))


def _remembered(fetch: Fetch) -> Fetch:
    at_hand: dict[int, bytes] = {}

    def remembered(key: str, start: int, end: int, etag: str) -> bytes:
        if start not in at_hand:
            at_hand[start] = fetch(key, start, end, etag)
        return at_hand[start]

    return remembered


def _counted(store: LocalSegments, ref: SegmentRef, sample: Path) -> dict[str, float]:
    hits, misses = sampled(sample)
    some = (hits + misses)[:: (len(hits) + len(misses)) // COLD]
    cold = [_asked(store, SegmentReader(store.fetch), ref, record) for record in some]
    reader = SegmentReader(store.fetch)
    reader.find(ref, hits[:1])  # the directory is at hand from then on
    warm = [_asked(store, reader, ref, record) for record in hits + misses]
    return _summed("cold", cold) | _summed("warm", warm)


def _asked(
    store: LocalSegments, reader: SegmentReader, ref: SegmentRef, record: bytes
) -> tuple[int, int]:
    gets, got = store.gets, store.got_bytes
    reader.find(ref, (record,))
    return store.gets - gets, store.got_bytes - got


def _summed(state: str, asked: list[tuple[int, int]]) -> dict[str, float]:
    gets, sizes = zip(*asked, strict=True)
    return {
        f"{state}_lookups": len(asked),
        f"{state}_gets_most": max(gets),
        f"{state}_gets_mean": sum(gets) / len(asked),
        f"{state}_bytes_most": max(sizes),
        f"{state}_bytes_mean": sum(sizes) / len(asked),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
