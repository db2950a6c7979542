"""Our builder, as the ingest function runs it.

    … of_ours full LIST OUT           a whole segment of a dropped list
    … of_ours add BASE LIST OUT       a dropped list laid over a stored segment

Every line is checked, SHA-256 of the dropped bytes is taken on the way (ingest does, for the
receipt and the manifest), and OUT is a whole segment with header and directory. Prints what S3
would have been asked for.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from bench.lists.bucket import LocalS3
from bench.lists.segments import ALGORITHM, GENERATION, KEY_ID, etag_of, header_of
from chalicelib.adapters.clients import Clients
from chalicelib.adapters.lists.building.builder import SegmentBuilder
from chalicelib.adapters.s3 import BucketSegments
from chalicelib.domain.files.reading import Tally, content
from chalicelib.services.ports import Layer, NewSegment, StoredSegment

PIECE = 1 << 20  # bytes read at a time


def full(listed: str, out: str) -> None:
    """Build from a list alone."""
    _build(Path(listed), Path(out), None)


def add(base: str, listed: str, out: str) -> None:
    """Build from a stored segment and a list of additions."""
    _build(Path(listed), Path(out), Path(base))


def _build(listed: Path, out: Path, base: Path | None) -> None:
    s3 = LocalS3(out.parent)
    segments = BucketSegments(cast(Clients, SimpleNamespace(s3=s3)), "bench")
    builder = SegmentBuilder(segments, out.parent)
    sha256 = hashlib.sha256()
    tally = Tally()

    def dropped() -> Iterator[bytes]:
        with listed.open("rb") as lines:
            while piece := lines.read(PIECE):
                sha256.update(piece)
                yield piece

    with builder.gather(content(listed.name, dropped()), tally) as gathered:
        layers = [Layer("full", gathered)]
        if base:
            rows = header_of(base).count
            stored = StoredSegment(base.name, etag_of(base), rows)
            layers = [Layer("full", stored), Layer("add", gathered)]
        new = NewSegment(out.name, ALGORITHM, KEY_ID, GENERATION)
        made = builder.build(new, layers)
    calls = {"gets": s3.gets, "got_bytes": s3.got_bytes}
    calls |= {"puts": s3.puts, "put_bytes": s3.put_bytes}
    print(json.dumps({"rows": tally.rows, "distinct": made.rows, **calls}))


if __name__ == "__main__":
    ways: Mapping[str, Callable[..., None]] = {"full": full, "add": add}
    ways[sys.argv[1]](*sys.argv[2:])
