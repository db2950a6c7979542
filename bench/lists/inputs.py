"""Lists, samples and addresses from a seed: the same size gives the same bytes.

A list has one digest a line, lower case, LF, no header (`sort` would sort a header in), and one row
in a hundred repeats an earlier one, as clients' lists do. Memory stays flat whatever the size.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

DIGEST = 32  # bytes
RECORD = 16  # bytes of it that a segment keeps
KEY_ID = "bench"  # of the segments that are built
GENERATION = 1
SAMPLE = 20_000  # hits, and as many misses
DELTA_FRACTION = 100  # a delta has one row for so many of its base

_REPEATS = 100  # one row in so many is a repetition
_BATCH = 50_000  # rows drawn at a time
_DOMAINS = ("gmail.com", "orange.fr", "example.org", "hotmail.fr", "free.fr", "laposte.net")


def write_list(path: Path, rows: int, seed: int = 1) -> None:
    """Write a list of `rows` lines."""
    with path.open("wb") as out:
        for batch in _batches(rows, seed):
            out.write(b"".join(digest.hex().encode() + b"\n" for digest in batch))


def concatenate(path: Path, *sources: Path) -> None:
    """Write one list after another: what a client sends in full instead of a delta."""
    with path.open("wb") as out:
        for source in sources:
            with source.open("rb") as lines:
                while piece := lines.read(1 << 20):
                    out.write(piece)


def write_sample(path: Path, digest_list: Path, rows: int, seed: int = 2) -> None:
    """Write the records to look up: 20,000 that are on the list, then 20,000 that are not.

    Half of the misses are next to a hit: they differ from it in the last bit.
    """
    drawn = random.Random(seed)
    with digest_list.open("rb") as lines:
        hits = [_record_at(lines.fileno(), drawn.randrange(rows)) for _ in range(SAMPLE)]
    near = [hit[:-1] + bytes([hit[-1] ^ 1]) for hit in hits[: SAMPLE // 2]]
    misses = near + [drawn.randbytes(RECORD) for _ in range(SAMPLE - len(near))]
    drawn.shuffle(misses)
    path.write_bytes(b"".join(hits + misses))


def read_sample(path: Path) -> tuple[list[bytes], list[bytes]]:
    """The hits and the misses that `write_sample` wrote."""
    records = list(read_records(path))
    return records[:SAMPLE], records[SAMPLE:]


def read_records(path: Path) -> Iterator[bytes]:
    """The records of a file that has them end to end."""
    with path.open("rb") as content:
        while piece := content.read(RECORD << 16):
            yield from (piece[at : at + RECORD] for at in range(0, len(piece), RECORD))


def write_addresses(path: Path, rows: int, seed: int = 3) -> None:
    """Write a client's export: a header, then names and addresses, all valid, all distinct.

    One in seven has an alias form of its own (dots or a tag at Gmail).
    """
    drawn = random.Random(seed)
    with path.open("w", encoding="ascii", newline="") as out:
        out.write("number,first_name,email,town\n")
        for row in range(rows):
            domain = _DOMAINS[drawn.randrange(len(_DOMAINS))]
            name = f"{drawn.getrandbits(40):x}"
            tag = ".x" if domain == "gmail.com" and row % 7 < 6 else ""
            out.write(f"{row},Jeanne,{name}{tag}.{row}@{domain},Lille\n")


def _batches(rows: int, seed: int) -> Iterator[list[bytes]]:
    """Batches of digests; the last ones of each repeat some of its first."""
    drawn = random.Random(seed)
    while rows:
        size = min(rows, _BATCH)
        fresh = size - size // _REPEATS
        noise = drawn.randbytes(DIGEST * fresh)
        batch = [noise[at : at + DIGEST] for at in range(0, len(noise), DIGEST)]
        yield batch + batch[: size - fresh]
        rows -= size


def _record_at(digest_list: int, row: int) -> bytes:
    return bytes.fromhex(os.pread(digest_list, 2 * RECORD, row * (2 * DIGEST + 1)).decode())
