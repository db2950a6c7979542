"""Whether two outputs are the same: child processes, so that their memory is nobody else's.

    … checks records KIND FILE          the SHA-256 of its records, in order, end to end
    … checks reference LIST SEGMENT     whether the plain reference builder gives the same bytes
    … checks hashed LOOP TANDEM         whether all digests of one list are on the other

`records` reads a segment, the records alone (`plain`), sorted text (`text`), or a Parquet file of
DuckDB or polars by the library that wrote it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from bench.lists.making import RECORD
from bench.lists.segments import GENERATION, KEY_ID, each_record


def records(kind: str, file: str) -> None:
    """Print how many, and the digest of them all."""
    sha256, count = hashlib.sha256(), 0
    for piece in _KINDS[kind](Path(file)):
        sha256.update(piece)
        count += len(piece) // RECORD
    print(json.dumps({"count": count, "sha256": int(sha256.hexdigest(), 16)}))


def reference(listed: str, segment: str) -> None:
    """Print 1 for the same bytes, 0 for others."""
    from chalicelib.domain.files.digests import record
    from tests.reference.segments import build

    with Path(listed).open(encoding="ascii") as lines:
        plain = build(
            (record(line.rstrip("\n")) for line in lines),
            algorithm="hmac_sha256",
            key_id=KEY_ID,
            generation=GENERATION,
        )
    print(json.dumps({"same": int(plain.content == Path(segment).read_bytes())}))


def hashed(loop: str, tandem: str) -> None:
    """Print how many digests each has, and how many of the loop's are missing from ours."""
    with gzip.open(tandem, "rb") as ours, gzip.open(loop, "rb") as plain:
        made, wanted = set(ours), set(plain)
    answer = {"ours": len(made) - 1, "loop": len(wanted) - 1, "missing": len(wanted - made)}
    print(json.dumps(answer))


def _of_segment(file: Path) -> Iterator[bytes]:
    return each_record(file)


def _of_plain(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while piece := content.read(1 << 20):
            yield piece


def _of_text(file: Path) -> Iterator[bytes]:
    """Digests that differ only beyond a record's width are one record."""
    with file.open("rb") as lines:
        before = b""
        for line in lines:
            record = bytes.fromhex(line[: 2 * RECORD].decode())
            if record != before:
                yield record
            before = record


def _of_duckdb(file: Path) -> Iterator[bytes]:
    import duckdb  # type: ignore[import-not-found]  # in .venv-bench alone

    found = duckdb.connect().execute("SELECT record FROM read_parquet(?)", [str(file)])
    while rows := found.fetchmany(100_000):
        yield b"".join(uuid.bytes for (uuid,) in rows)


def _of_polars(file: Path) -> Iterator[bytes]:
    import polars  # type: ignore[import-not-found]  # in .venv-bench alone

    batches: Iterable[list[bytes]] = (
        batch["record"].to_list() for batch in polars.read_parquet(file).iter_slices(100_000)
    )
    return chain.from_iterable(batches)


_KINDS = {
    "segment": _of_segment,
    "plain": _of_plain,
    "text": _of_text,
    "duckdb": _of_duckdb,
    "polars": _of_polars,
}

if __name__ == "__main__":
    {"records": records, "reference": reference, "hashed": hashed}[sys.argv[1]](*sys.argv[2:])
