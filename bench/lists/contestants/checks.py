"""Whether two outputs are the same. Child processes, so that this memory is in no measurement.

    … checks records KIND FILE             how many records, and the SHA-256 of them all in order
    … checks reference LIST SEGMENT        whether the plain reference builder gives the same bytes
    … checks digests LOOP TANDEM           whether all digests of one file are in the other

`records` reads records end to end (`plain`), sorted lines (`text`), or a Parquet file of DuckDB or
polars with the library that wrote it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.lists.inputs import GENERATION, KEY_ID, RECORD


def records(kind: str, file: str) -> None:
    """Print how many, and the digest of them all."""
    sha256, count = hashlib.sha256(), 0
    for piece in _KINDS[kind](Path(file)):
        sha256.update(piece)
        count += len(piece) // RECORD
    print(json.dumps({"count": count, "sha256": int(sha256.hexdigest(), 16)}))


def reference(digest_list: str, segment: str) -> None:
    """Print 1 for the same bytes, 0 for others."""
    from tests.reference.segments import build

    with Path(digest_list).open(encoding="ascii") as lines:
        plain = build(
            (bytes.fromhex(line)[:RECORD] for line in lines),
            algorithm="hmac_sha256",
            key_id=KEY_ID,
            generation=GENERATION,
        )
    print(json.dumps({"same": int(plain.content == Path(segment).read_bytes())}))


def digests(loop: str, tandem: str) -> None:
    """Print how many digests each has, and how many of the loop's are missing from Tandem's."""
    with gzip.open(tandem, "rb") as ours, gzip.open(loop, "rb") as plain:
        found, wanted = set(ours), set(plain)
    answer = {"ours": len(found) - 1, "loop": len(wanted) - 1, "missing": len(wanted - found)}
    print(json.dumps(answer))


def _plain(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while piece := content.read(1 << 20):
            yield piece


def _text(file: Path) -> Iterator[bytes]:
    """Digests that differ only beyond a record's width are one record."""
    before = ""
    with file.open(encoding="ascii") as lines:
        while batch := lines.readlines(1 << 22):
            heads = [line[: 2 * RECORD] for line in batch]
            pairs = zip([before, *heads[:-1]], heads, strict=True)
            yield bytes.fromhex("".join(head for last, head in pairs if head != last))
            before = heads[-1]


def _duckdb(file: Path) -> Iterator[bytes]:
    import duckdb  # type: ignore[import-not-found]  # in .venv-bench alone

    select = "SELECT replace(CAST(record AS VARCHAR), '-', '') FROM read_parquet(?)"
    found = duckdb.connect().execute(select, [str(file)])
    while rows := found.fetchmany(100_000):
        yield bytes.fromhex("".join(text for (text,) in rows))


def _polars(file: Path) -> Iterator[bytes]:
    import polars  # type: ignore[import-not-found]  # in .venv-bench alone

    for batch in polars.read_parquet(file).iter_slices(100_000):
        yield b"".join(batch["record"].to_list())


_KINDS = {"plain": _plain, "text": _text, "duckdb": _duckdb, "polars": _polars}

if __name__ == "__main__":
    {"records": records, "reference": reference, "digests": digests}[sys.argv[1]](*sys.argv[2:])
