"""The builder of segments, as the ingest function runs it.

    … tandem_builder full LIST OUT         a segment from a full list
    … tandem_builder delta BASE LIST OUT   a segment from a stored one and a list of additions

Every line is checked, SHA-256 of the dropped bytes is computed on the way (as ingest does, for the
receipt and the manifest), and OUT is a whole segment with header and directory.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench.lists.contestants.local_s3 import etag_of, segments_in
from bench.lists.inputs import GENERATION, KEY_ID
from chalicelib.adapters.lists.building.builder import SegmentBuilder
from chalicelib.adapters.lists.segment import HEADER_SIZE, SegmentHeader
from chalicelib.domain.files.reading import Tally, content
from chalicelib.services.list_ports import Layer, NewSegment, StoredSegment

PIECE = 1 << 20  # bytes read at a time


def full(digest_list: str, out: str) -> None:
    """Build from a list alone."""
    _build(Path(digest_list), Path(out), None)


def delta(base: str, digest_list: str, out: str) -> None:
    """Build from a stored segment and a list of additions."""
    _build(Path(digest_list), Path(out), Path(base))


def _build(digest_list: Path, out: Path, base: Path | None) -> None:
    builder = SegmentBuilder(segments_in(out.parent), out.parent)
    sha256 = hashlib.sha256()
    tally = Tally()

    def pieces() -> Iterator[bytes]:
        with digest_list.open("rb") as lines:
            while piece := lines.read(PIECE):
                sha256.update(piece)
                yield piece

    with builder.gather(content(digest_list.name, pieces()), tally) as gathered:
        layers = [Layer("full", gathered)]
        if base:
            layers = [Layer("full", _stored(base)), Layer("add", gathered)]
        segment = builder.build(NewSegment(out.name, "hmac_sha256", KEY_ID, GENERATION), layers)
    print(json.dumps({"rows": tally.rows, "distinct": segment.rows}))


def _stored(segment: Path) -> StoredSegment:
    with segment.open("rb") as file:
        header = SegmentHeader.parse(file.read(HEADER_SIZE))
    return StoredSegment(segment.name, etag_of(segment), header.count)


if __name__ == "__main__":
    commands: Mapping[str, Callable[..., None]] = {"full": full, "delta": delta}
    commands[sys.argv[1]](*sys.argv[2:])
