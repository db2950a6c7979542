"""Counting records by their first bits, and the directory made from the counts.

The number of bits of a directory is known only after the last record, so records are counted by the
maximum number of bits, and neighbouring counts are added up at the end.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chalicelib.adapters.lists.building.sorting import Records, high_halves
from chalicelib.adapters.lists.segment import directory_bits

_PART_BITS = 8  # records come in parts of one first byte


class Histogram:
    """Counts of the added records by their first bits; at most `most` records in all."""

    def __init__(self, most: int) -> None:
        self._bits = max(_PART_BITS, directory_bits(most))
        self._sizes = np.zeros(1 << self._bits, np.int64)

    @property
    def count(self) -> int:
        """The number of records."""
        return int(self._sizes.sum())

    def add(self, first_byte: int, records: Records) -> None:
        """Count the sorted records that begin with that byte."""
        buckets = 1 << (self._bits - _PART_BITS)
        first = first_byte * buckets
        starts = np.arange(first + 1, first + buckets, dtype=np.uint64) << np.uint64(
            64 - self._bits
        )
        borders = np.searchsorted(high_halves(records), starts)
        sizes = np.diff(borders, prepend=0, append=len(records))
        self._sizes[first : first + buckets] = sizes

    def sizes(self, bits: int) -> NDArray[np.int64]:
        """The number of records in each of 2^bits buckets."""
        sizes: NDArray[np.int64] = self._sizes.reshape(1 << bits, -1).sum(axis=1)
        return sizes


def directory(sizes: NDArray[np.int64]) -> bytes:
    """The bytes of a directory of buckets of these sizes."""
    return np.concatenate([[0], np.cumsum(sizes)]).astype("<u4").tobytes()
