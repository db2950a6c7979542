"""Lists, samples and addresses drawn from a seed: the same size gives the same bytes.

A list is one digest a line, lower case, LF, no header (`sort` would sort a header in), and one row
in a hundred repeats an earlier one, as clients' lists do. Memory stays flat whatever the size.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

DIGEST = 32  # bytes
RECORD = 16  # bytes of it that a segment keeps
REPEATS = 100  # one row in so many is a repetition
BATCH = 50_000  # rows drawn at a time
SAMPLE = 20_000  # hits, and as many misses
ADDED = 100  # a delta has one row in so many of its base

_DOMAINS = ("gmail.com", "orange.fr", "example.org", "hotmail.fr", "free.fr", "laposte.net")


def digest_list(path: Path, rows: int, seed: int = 1) -> None:
    """Write a list of `rows` lines."""
    with path.open("wb") as out:
        out.writelines(map(_lines, _drawn(rows, seed)))


def appended(path: Path, before: Path, added: Path) -> None:
    """Write one list after another: what a client sends in full instead of a delta."""
    with path.open("wb") as out:
        for source in (before, added):
            with source.open("rb") as lines:
                while piece := lines.read(1 << 20):
                    out.write(piece)


def sample(path: Path, listed: Path, rows: int, seed: int = 2) -> None:
    """Write the records to look up: 20,000 that are on the list `listed`, then 20,000 that are not.

    Half of the absent ones are next to one that is there: they differ from it in the last bit.
    """
    drawn = random.Random(seed)
    wanted = [drawn.randrange(rows) for _ in range(SAMPLE)]
    with listed.open("rb") as lines:
        hits = [_record_at(lines.fileno(), row) for row in wanted]
    near = [hit[:-1] + bytes([hit[-1] ^ 1]) for hit in hits[: SAMPLE // 2]]
    far = [drawn.randbytes(RECORD) for _ in range(SAMPLE - len(near))]
    misses = near + far
    drawn.shuffle(misses)
    path.write_bytes(b"".join(hits + misses))


def sampled(path: Path) -> tuple[list[bytes], list[bytes]]:
    """The hits and the misses that `sample` wrote."""
    content = path.read_bytes()
    records = [content[at : at + RECORD] for at in range(0, len(content), RECORD)]
    return records[:SAMPLE], records[SAMPLE:]


def address_list(path: Path, rows: int, seed: int = 3) -> None:
    """Write a client's export: a header, then names and addresses, all good, all distinct.

    One in seven is of the kind that has a canonical form of its own (dots or a tag at Gmail).
    """
    drawn = random.Random(seed)
    with path.open("w", encoding="ascii", newline="") as out:
        out.write("number,first_name,email,town\n")
        for row in range(rows):
            domain = _DOMAINS[drawn.randrange(len(_DOMAINS))]
            name = f"{drawn.getrandbits(40):x}"
            tag = ".x" if domain == "gmail.com" and row % 7 < 6 else ""
            out.write(f"{row},Jeanne,{name}{tag}.{row}@{domain},Lille\n")


def _drawn(rows: int, seed: int) -> Iterator[list[bytes]]:
    """Batches of digests; the last ones of each repeat some of its first."""
    drawn = random.Random(seed)
    while rows:
        size = min(rows, BATCH)
        fresh = size - size // REPEATS
        noise = drawn.randbytes(DIGEST * fresh)
        batch = [noise[at : at + DIGEST] for at in range(0, len(noise), DIGEST)]
        yield batch + batch[: size - fresh]
        rows -= size


def _record_at(listed: int, row: int) -> bytes:
    return bytes.fromhex(os.pread(listed, 2 * RECORD, row * (2 * DIGEST + 1)).decode())


def _lines(batch: list[bytes]) -> bytes:
    return b"".join(digest.hex().encode() + b"\n" for digest in batch)
