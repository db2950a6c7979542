"""`ports.ListBuilder`: gathers dropped lists on disk, combines layers, stores a segment.

    part by part (256, by the first byte):  full ─ add ─ remove ─ … → counts → upload
    at the end:                             even? → judge → directory, header → visible

All layers are read sorted, part by part: dropped lists from their spill, sorted in advance in a
second thread, and stored segments as they are. A few parts are in memory at a time, and nothing is
visible in the store before the whole segment is known to be good.

Refuses what its reader would refuse, and what would exceed the memory: a list whose digests are not
distributed evenly, as hashes are (`uneven_digests`).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np

from chalicelib.adapters.lists.building.ahead import ahead, read_ahead, second_thread
from chalicelib.adapters.lists.building.blocks import BLOCK, whole_lines
from chalicelib.adapters.lists.building.directory import Histogram, directory
from chalicelib.adapters.lists.building.sorting import (
    NO_RECORDS,
    RECORD,
    Records,
    count_present,
    joined,
    sorted_unique,
    united,
    without,
)
from chalicelib.adapters.lists.building.spill import BUFFERED, PARTS, Spill
from chalicelib.adapters.lists.building.stored import Segments, stored_header, stored_parts
from chalicelib.adapters.lists.building.tokens import Tokeniser
from chalicelib.adapters.lists.segment import (
    MAX_IN_BUCKET,
    RECORD_WIDTH,
    SegmentError,
    SegmentHeader,
    directory_bits,
)
from chalicelib.domain.files.digests import ListReading
from chalicelib.domain.files.reading import FileRefusedError, Tally
from chalicelib.services.list_ports import (
    GatheredDigests,
    Layer,
    ListUnavailableError,
    NewSegment,
    StoredSegment,
    Sums,
)

WINDOW = 8 << 20  # bytes read of a stored segment at a time, at most
WINDOWS = 4  # such windows for all stored segments of a build together, shared by their sizes
LEAST = 32  # windows are at least this part of `WINDOW`: smaller requests would be a waste
AT_ONCE = 1 << 19  # records of a part that are sorted at once


class Gathered:
    """`ports.GatheredDigests` in a spill."""

    def __init__(self, spill: Spill, at_once: int = AT_ONCE) -> None:
        self._spill = spill
        self._at_once = at_once
        # Digests spread evenly enough for their buckets also keep their parts within this.
        share = MAX_IN_BUCKET << max(0, directory_bits(spill.count) - 8)
        self._most = max(at_once, share)

    @property
    def count(self) -> int:
        """How many digests there are, duplicates included."""
        return self._spill.count

    def parts(self) -> Iterator[Callable[[], Records]]:
        """For each first byte, a function that returns the sorted, distinct records with it.

        It raises FileRefusedError (`uneven_digests`) when there are too many for a part.
        """
        return (partial(self._part, first_byte) for first_byte in range(PARTS))

    def _part(self, first_byte: int) -> Records:
        records = NO_RECORDS
        for more in self._spill.part(first_byte, self._at_once):
            records = sorted_unique(joined([records, more]))
            if len(records) > self._most:
                raise FileRefusedError("uneven_digests")
        return records


class SegmentBuilder:
    """`ports.ListBuilder` over a store of segments; dropped lists are spilled to `scratch`.

    The sizes, in bytes or records, are parameters for tests and benchmarks.
    """

    def __init__(
        self,
        segments: Segments,
        scratch: Path | None = None,
        *,
        block: int = BLOCK,
        buffered: int = BUFFERED,
        window: int = WINDOW,
        at_once: int = AT_ONCE,
    ) -> None:
        self._segments = segments
        self._scratch = scratch
        self._block = block
        self._buffered = buffered
        self._window = window
        self._at_once = at_once

    @contextmanager
    def gather(self, plain: Iterable[bytes], tally: Tally) -> Iterator[Gathered]:
        """Read a list to its end; raises FileRefusedError as `ListReading` does."""
        with closing(Spill(self._scratch, self._buffered)) as spill:
            with second_thread() as thread:
                blocks = read_ahead(thread, whole_lines(plain, self._block))
                for records in Tokeniser(ListReading(tally)).records(blocks):
                    spill.add(records)
            spill.seal()
            yield Gathered(spill, self._at_once)

    def build(
        self,
        new: NewSegment,
        layers: Sequence[Layer],
        *,
        canaries: Collection[bytes] = (),
        judge: Callable[[Sums], None] = lambda _: None,
    ) -> StoredSegment:
        """Apply the layers to one another and store the segment.

        Raises what `judge` raises, FileRefusedError (`uneven_digests`), ListUnavailableError when a
        stored segment cannot be read, and errors of the store: nothing is stored then.
        """
        if not layers or layers[0].mode != "full":
            raise ValueError("the first layer must be a full one")
        histogram = Histogram(sum(_count(each) for each in layers if each.mode != "remove"))
        missing = len(set(canaries))
        wanted = _by_first_byte(canaries)
        with second_thread() as thread, self._segments.upload(new.path) as upload:
            for first_byte, records in enumerate(self._applied(new, layers, thread)):
                histogram.add(first_byte, records)
                missing -= count_present(records, wanted[first_byte])
                upload.write(records.view(np.uint8).data)
            sizes = histogram.sizes(directory_bits(histogram.count))
            if sizes.max() > MAX_IN_BUCKET:
                raise FileRefusedError("uneven_digests")
            judge(Sums(histogram.count, missing))
            tail = directory(sizes)
            upload.write(tail)
            header = _header(new, histogram.count, tail)
            etag = upload.finish(header.pack())
        return StoredSegment(new.path, etag, header.count, header.directory_crc)

    def _applied(
        self, new: NewSegment, layers: Sequence[Layer], thread: Executor
    ) -> Iterator[Records]:
        """The records after all layers are applied, part by part."""
        modes = [layer.mode for layer in layers]
        stored = sum(_count(each) for each in layers if isinstance(each.digests, StoredSegment))
        parts = [self._parts(new, layer.digests, stored, thread) for layer in layers]
        for layered in zip(*parts, strict=True):
            result = NO_RECORDS
            for mode, records in zip(modes, layered, strict=True):
                result = _APPLY[mode](result, records)
            yield result

    def _parts(
        self,
        new: NewSegment,
        digests: GatheredDigests | StoredSegment,
        stored: int,
        thread: Executor,
    ) -> Iterator[Records]:
        if not isinstance(digests, StoredSegment):
            return ahead(thread, cast(Gathered, digests).parts())
        return self._stored_parts(new, digests, self._window_of(digests, stored), thread)

    def _window_of(self, segment: StoredSegment, stored: int) -> int:
        """Bytes to read at a time from a segment, one of those that have `stored` records in all.

        Among many small ones, a large one is read as if it were the only one.
        """
        share = WINDOWS * self._window * segment.rows // max(1, stored)
        return max(RECORD_WIDTH, self._window // LEAST, min(self._window, share))

    def _stored_parts(
        self, new: NewSegment, stored: StoredSegment, window: int, thread: Executor
    ) -> Iterator[Records]:
        try:
            header = stored_header(self._segments, stored)
            if (header.key_id, header.algorithm) != (new.key_id, new.algorithm):
                raise SegmentError("the segment was made with another key")
            yield from stored_parts(self._segments, stored, window, thread)
        except Exception as error:  # any error of the transport: a later attempt may succeed
            raise ListUnavailableError("read_failed") from error


_APPLY: dict[str, Callable[[Records, Records], Records]] = {
    "full": lambda _, records: records,
    "add": united,
    "remove": without,
}


def _count(layer: Layer) -> int:
    if isinstance(layer.digests, StoredSegment):
        return layer.digests.rows
    return cast(Gathered, layer.digests).count


def _by_first_byte(canaries: Collection[bytes]) -> list[Records]:
    parts: list[list[bytes]] = [[] for _ in range(PARTS)]
    for canary in set(canaries):
        parts[canary[0]].append(canary)
    return [np.array(part, RECORD) for part in parts]


def _header(new: NewSegment, count: int, tail: bytes) -> SegmentHeader:
    return SegmentHeader(
        directory_bits=directory_bits(count),
        algorithm=new.algorithm,
        directory_crc=zlib.crc32(tail),
        count=count,
        key_id=new.key_id,
        generation=new.generation,
    )
